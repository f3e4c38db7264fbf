//! The story of a thread or a delivery.
