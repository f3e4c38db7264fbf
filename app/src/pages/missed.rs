//! Missed posts.

use leptos::prelude::*;

/// Missed posts.
#[component]
pub fn MissedPage() -> impl IntoView {}
