//! Posts.

use leptos::prelude::*;

/// Posts.
#[component]
pub fn PostsPage() -> impl IntoView {}
