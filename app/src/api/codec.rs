//! How arguments travel.
