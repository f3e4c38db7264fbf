//! First start.

use leptos::prelude::*;

/// First start.
#[component]
pub fn WelcomePage() -> impl IntoView {}
