//! The start page.

use leptos::prelude::*;

/// The start page.
#[component]
pub fn OverviewPage() -> impl IntoView {}
