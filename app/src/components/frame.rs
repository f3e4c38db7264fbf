//! The frame around every signed-in page.
