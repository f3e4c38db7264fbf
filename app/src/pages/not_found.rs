//! Not here, not allowed, broken.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::icon::{brand, sprite};

/// The page for addresses that lead nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::context::set_status(domain::summary::refusal::ErrorCode::NotFound);
    view! {
        <div class="plain">
            <header>{brand("plain__brand", "/".to_owned())}</header>
            <main class="plain__main stack" id="main">{not_here()}</main>
        </div>
    }
}

/// Not here, or not yours to see: never told which.
pub fn not_here() -> AnyView {
    view! {
        <Title text="Not here · Stayposted"/>
        <div class="empty" data-testid="not-found">
            {sprite("empty__mark", "postmark-dashed")}
            <h1 class="empty__title">"Not here, or not yours to see."</h1>
            <a class="button button--primary" href="/">"Go to Overview"</a>
        </div>
    }
    .into_any()
}

/// Something broke; `said` is the whole sentence with its code.
pub fn broken(said: String) -> AnyView {
    view! {
        <Title text="Something broke · Stayposted"/>
        <div class="empty" data-testid="broken">
            {sprite("empty__mark", "postmark-dashed")}
            <h1 class="empty__title">{said}</h1>
            // Without script a link to the same address is a reload.
            <a class="button button--primary" href="" rel="external">"Try again"</a>
        </div>
    }
    .into_any()
}
