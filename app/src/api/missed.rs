//! Missed posts.
