//! Linked Accounts.

use leptos::prelude::*;

/// Linked Accounts.
#[component]
pub fn AccountsPage() -> impl IntoView {}
