//! Icons and avatars.
