//! Icon, word and colour of a status.

use leptos::prelude::*;

use super::icon::icon;
use crate::words::Tone;

/// Icon + word + colour, never a pill.
pub fn status(tone: Tone, word: String) -> AnyView {
    view! { <p class=tone.class()>{icon(tone.icon())}{word}</p> }.into_any()
}

/// As [`status`] where only the icon has room; the word stays for those who listen.
pub fn status_mark(tone: Tone, word: String) -> AnyView {
    view! { <span class=tone.class()>{icon(tone.icon())}<span class="visually-hidden">{word}</span></span> }.into_any()
}
