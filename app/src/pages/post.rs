//! One post with its proof of posting.

use leptos::prelude::*;

/// One post with its proof of posting.
#[component]
pub fn PostPage() -> impl IntoView {}
