//! One thread of the inbox.

use leptos::prelude::*;

/// One thread of the inbox.
#[component]
pub fn ThreadPage() -> impl IntoView {}
