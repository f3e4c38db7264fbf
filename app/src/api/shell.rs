//! The frame and the start page.
