//! Empty states: dashed postmark, one sentence, one button.

use leptos::prelude::*;

/// An empty state; `action` is its one button, or `()`.
pub fn empty(sentence: &'static str, action: impl IntoView + 'static) -> AnyView {
    view! {
        <div class="empty">
            <svg class="empty__mark" aria-hidden="true"><use_ href="/icons.svg#postmark-dashed"/></svg>
            <p class="empty__text">{sentence}</p>
            {action.into_any()}
        </div>
    }
    .into_any()
}
