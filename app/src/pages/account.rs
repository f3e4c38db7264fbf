//! One account.

use leptos::prelude::*;

/// One account.
#[component]
pub fn AccountPage() -> impl IntoView {}
