//! Compose.

use leptos::prelude::*;

/// Compose.
#[component]
pub fn ComposePage() -> impl IntoView {}
