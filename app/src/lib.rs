//! The UI of Stayposted, compiled twice: `ssr` for the server, `hydrate` for the browser.

#![recursion_limit = "256"]

pub mod api;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod live;
pub mod pages;
pub mod words;

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{MatchNestedRoutes, SsrMode, path};

use components::frame::Frame;
use pages::account::AccountPage;
use pages::accounts::AccountsPage;
use pages::calendar::CalendarPage;
use pages::compose::ComposePage;
use pages::consent_result::ConsentResultPage;
use pages::going_to::GoingToPage;
use pages::inbox::InboxPage;
use pages::missed::MissedPage;
use pages::not_found::NotFoundPage;
use pages::overview::OverviewPage;
use pages::post::PostPage;
use pages::posts::PostsPage;
use pages::sign_in::SignInPage;
use pages::stopped::StoppedPage;
use pages::thread::ThreadPage;
use pages::welcome::WelcomePage;

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
    // Browser tests wait for this: clicks before it are answered by the plain forms and links.
    Effect::new(|_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-hydrated", "");
        }
    });
    view! {
        <Title text="Stayposted"/>
        <a class="skip-link" href="#main">"Skip to content"</a>
        {components::hatch::patterns()}
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/welcome") view=WelcomePage ssr=SsrMode::Async/>
                <Route path=path!("/leaving/:platform") view=GoingToPage ssr=SsrMode::Async/>
                <Route path=path!("/link/stopped") view=StoppedPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("/w/:slug") view=Frame ssr=SsrMode::Async>
                    <Pages/>
                </ParentRoute>
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Pages/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// The signed-in pages: once for the last used workspace, once under `/w/{slug}`.
#[component(transparent)]
fn Pages() -> impl MatchNestedRoutes + Clone {
    view! {
        <Route path=path!("") view=OverviewPage ssr=SsrMode::Async/>
        <Route path=path!("social/calendar") view=CalendarPage ssr=SsrMode::Async/>
        <Route path=path!("social/posts") view=PostsPage ssr=SsrMode::Async/>
        <Route path=path!("social/posts/:id") view=PostPage ssr=SsrMode::Async/>
        <Route path=path!("social/compose") view=ComposePage ssr=SsrMode::Async/>
        <Route path=path!("social/missed") view=MissedPage ssr=SsrMode::Async/>
        <Route path=path!("social/settings/accounts") view=AccountsPage ssr=SsrMode::Async/>
        <Route path=path!("social/settings/accounts/:id") view=AccountPage ssr=SsrMode::Async/>
        <Route path=path!("inbox") view=InboxPage ssr=SsrMode::Async/>
        <Route path=path!("inbox/:id") view=ThreadPage ssr=SsrMode::Async/>
        <Route path=path!("link/result/:id") view=ConsentResultPage ssr=SsrMode::Async/>
    }
    .into_inner()
}
