//! The story of a login, a thread or a delivery, on one rail of time.

use domain::platform::Platform;
use domain::summary::accounts::VerdictSummary;
use leptos::prelude::*;

use crate::words::{Tone, cause_word};

/// One entry: when, what, and what more there is to say.
pub fn entry(time: String, tone: Tone, text: String, note: Option<String>) -> AnyView {
    let class = match tone {
        Tone::Ok => "story__entry story__entry--ok",
        Tone::Stop => "story__entry story__entry--stop",
        Tone::Need | Tone::Ask => "story__entry story__entry--need",
        Tone::Wait => "story__entry story__entry--wait",
        Tone::Pause | Tone::Plain => "story__entry",
    };
    view! {
        <li class=class>
            <time class="story__time">{time}</time>
            <p class="story__text">{text}</p>
            {note.map(|note| view! { <p class="story__note">{note}</p> })}
        </li>
    }
    .into_any()
}

/// "What Facebook said": the evidence, one tap away.
pub fn verdict(said: &VerdictSummary, platform: Platform) -> AnyView {
    let verdict = &said.verdict;
    let code = verdict.code.clone().map(|code| format!("Code {code}. ")).unwrap_or_default();
    let status = verdict.status.map(|status| format!("HTTP status {status}. ")).unwrap_or_default();
    let quote = verdict.text.clone().unwrap_or_else(|| "No words, only a code.".to_owned());
    let others = (!verdict.candidates.is_empty()).then(|| {
        let words: Vec<String> = verdict.candidates.iter().map(|cause| cause_word(*cause, platform)).collect();
        view! { <p class="small muted">{format!("The same answer could also mean: {}.", words.join(", "))}</p> }
    });
    let scopes = (!verdict.missing_scopes.is_empty())
        .then(|| view! { <p class="small muted">{format!("Missing permissions: {}.", verdict.missing_scopes.join(", "))}</p> });
    let last_good = said.last_good.as_ref().map(|at| format!(" It last worked {}.", at.text)).unwrap_or_default();
    view! {
        <details class="more" data-testid="verdict">
            <summary class="more__button">{format!("What {} said", platform.name())}</summary>
            <pre class="more__quote">{quote}</pre>
            <p class="small muted">{format!("{code}{status}{}.{last_good}", said.at.text)}</p>
            {scopes}
            {others}
        </details>
    }
    .into_any()
}
