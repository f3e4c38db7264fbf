//! Empty states: dashed postmark, one sentence, one button.

use leptos::prelude::*;

use super::icon::sprite;

/// An empty state; `action` is its one button, or `()`.
pub fn empty(sentence: &'static str, action: impl IntoView + 'static) -> AnyView {
    view! {
        <div class="empty">
            {sprite("empty__mark", "postmark-dashed")}
            <p class="empty__text">{sentence}</p>
            {action.into_any()}
        </div>
    }
    .into_any()
}
