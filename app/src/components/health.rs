//! The health strip.
