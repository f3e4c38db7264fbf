//! A row of Linked Accounts.
