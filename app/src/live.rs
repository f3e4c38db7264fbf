//! Badges and pages that stay true without reloading.
