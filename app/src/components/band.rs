//! The yellow sheet.
