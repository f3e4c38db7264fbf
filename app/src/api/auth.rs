//! Sign in, sign out, first start.
