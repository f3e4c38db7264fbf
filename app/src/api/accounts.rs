//! Linked Accounts.
