//! Empty states.
