//! The login line.
