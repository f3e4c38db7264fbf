//! Inbox and threads.
