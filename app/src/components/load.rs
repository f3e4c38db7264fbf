//! Loading a page, and what stands there when it fails.
