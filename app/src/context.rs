//! The one door to the backend.
