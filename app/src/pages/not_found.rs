//! Not here.

use leptos::prelude::*;

/// Not here.
#[component]
pub fn NotFoundPage() -> impl IntoView {}
