//! Inbox.

use leptos::prelude::*;

/// Inbox.
#[component]
pub fn InboxPage() -> impl IntoView {}
