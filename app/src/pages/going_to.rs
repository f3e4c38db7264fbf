//! You are going to a platform.

use leptos::prelude::*;

/// You are going to a platform.
#[component]
pub fn GoingToPage() -> impl IntoView {}
