//! The result of a sign-in at a platform.

use leptos::prelude::*;

/// The result of a sign-in at a platform.
#[component]
pub fn ConsentResultPage() -> impl IntoView {}
