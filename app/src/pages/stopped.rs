//! A sign-in at a platform came back and was not taken: it was old, foreign or spent.

use domain::summary::refusal::ErrorCode;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::icon::brand;
use crate::words::{self, ACCOUNTS};

/// This sign-in is over.
#[component]
pub fn StoppedPage() -> impl IntoView {
    let query = use_query_map();
    // The address is anybody's: only codes we know become words.
    let code = move || {
        let said = query.read().get("error").unwrap_or_default();
        ErrorCode::ALL.iter().copied().find(|code| code.as_str() == said).unwrap_or(ErrorCode::ConsentOver)
    };
    view! {
        <Title text="This sign-in is over · Stayposted"/>
        <div class="plain">
            <header>{brand("plain__brand", "/".to_owned())}</header>
            <main class="plain__main stack" id="main" data-testid="stopped-page">
                <h1>{move || words::refusal(&code().into())}</h1>
                <div class="actions"><a class="button button--primary" href=ACCOUNTS>"Linked Accounts"</a></div>
            </main>
        </div>
    }
}
