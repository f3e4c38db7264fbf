//! Calendar, as an agenda.

use leptos::prelude::*;

/// Calendar, as an agenda.
#[component]
pub fn CalendarPage() -> impl IntoView {}
