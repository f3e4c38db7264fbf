//! The UI of Stayposted, compiled twice: `ssr` for the server, `hydrate` for the browser.

#![recursion_limit = "256"]

pub mod api;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod live;
pub mod pages;
mod routes;
pub mod words;

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use components::frame::Frame;
use pages::not_found::NotFoundPage;

/// The document around the app. The body holds nothing else, because hydration starts with its first child.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f8fafb"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0e1518"/>
                <link rel="preload" r#as="font" r#type="font/woff2" crossorigin="anonymous" href="/fonts/overpass-latin.woff2"/>
                <link rel="icon" href="/favicon.svg" r#type="image/svg+xml"/>
                <link rel="icon" href="/favicon.ico" sizes="32x32"/>
                <link rel="apple-touch-icon" href="/icons/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <HashedStylesheet options=options.clone() id="style"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The app: its routes, and nothing else.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    #[cfg(feature = "ssr")]
    context::announce_parts_ourselves();
    view! {
        <Title text="Stayposted"/>
        <a class="skip-link" href="#main">"Skip to content"</a>
        {components::hatch::patterns()}
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/sign-in") view={Lazy::<routes::SignIn>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/welcome") view={Lazy::<routes::Welcome>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/leaving/:platform") view={Lazy::<routes::GoingTo>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/link/stopped") view={Lazy::<routes::Stopped>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("/w/:slug") view=Frame ssr=SsrMode::Async>
                    <Pages/>
                </ParentRoute>
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Pages/>
                </ParentRoute>
            </Routes>
        </Router>
        // Shown by the browser's half when it panics; a link of another kind than ours, because nothing answers those then.
        <p class="strip strip--stopped" id="stopped" role="alert" hidden>
            "This page has stopped: the connection was lost, or Stayposted was updated. "
            <a href="" rel="external">"Reload the page"</a>
        </p>
    }
}

/// The signed-in pages: once for the last used workspace, once under `/w/{slug}`.
#[component(transparent)]
fn Pages() -> AnyNestedRoute {
    view! {
        <Route path=path!("") view={Lazy::<routes::Overview>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/calendar") view={Lazy::<routes::Calendar>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/posts") view={Lazy::<routes::Posts>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/posts/:id") view={Lazy::<routes::Post>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/compose") view={Lazy::<routes::Compose>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/missed") view={Lazy::<routes::Missed>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/settings/accounts") view={Lazy::<routes::Accounts>::new()} ssr=SsrMode::Async/>
        <Route path=path!("social/settings/accounts/:id") view={Lazy::<routes::Account>::new()} ssr=SsrMode::Async/>
        <Route path=path!("inbox") view={Lazy::<routes::Inbox>::new()} ssr=SsrMode::Async/>
        <Route path=path!("inbox/:id") view={Lazy::<routes::Thread>::new()} ssr=SsrMode::Async/>
        <Route path=path!("link/result/:id") view={Lazy::<routes::ConsentResult>::new()} ssr=SsrMode::Async/>
    }
    .into_inner()
    .into_any_nested_route()
}
