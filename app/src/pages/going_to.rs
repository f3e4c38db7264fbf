//! "You are going to Facebook": the page between a form without script and a platform, because the page's policy lets no
//! form lead to another origin (stack.md 4.13). It leads on by itself.

use domain::platform::Platform;
use domain::summary::link::GoingTo;
use domain::summary::refusal::ErrorCode;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_params_map;

use crate::api::ApiError;
use crate::api::link::load_going_to;
use crate::components::icon::{brand, icon};
use crate::components::load::loading;
use crate::words::{self, ACCOUNTS};

/// You are going to a platform.
#[component]
pub fn GoingToPage() -> impl IntoView {
    let params = use_params_map();
    let to = Resource::new(move || params.read().get("platform").unwrap_or_default(), load);
    view! {
        <div class="plain">
            <header>{brand("plain__brand", "/".to_owned())}</header>
            <main class="plain__main stack" id="main" data-testid="going-page">
                <Suspense fallback=loading>
                    {move || Suspend::new(async move {
                        match to.await {
                            Ok(to) => going(to),
                            Err(error) => over(words::refusal(&error.0)),
                        }
                    })}
                </Suspense>
            </main>
        </div>
    }
}

async fn load(platform: String) -> Result<GoingTo, ApiError> {
    let Ok(platform) = platform.parse::<Platform>() else { return Err(ErrorCode::NotFound.into()) };
    load_going_to(platform).await
}

fn going(to: GoingTo) -> AnyView {
    let name = to.platform.name();
    let title = format!("You are going to {name}");
    view! {
        <Title text=format!("{title} · Stayposted")/>
        <Meta http_equiv="refresh" content=format!("1; url={}", to.url)/>
        <h1>{title}</h1>
        <p>{format!("You sign in at {name} itself. We never see your password. Keep all pages and permissions ticked there.")}</p>
        <a class="button button--primary" href=to.url rel="external" data-testid="continue-to-platform">
            {format!("Continue to {name}")}
            {icon("external")}
        </a>
        <p class="small muted">"This opens by itself in a moment."</p>
        <p><a href=ACCOUNTS>"Back to Linked Accounts"</a></p>
    }
    .into_any()
}

fn over(said: String) -> AnyView {
    view! {
        <Title text="This sign-in is over · Stayposted"/>
        <h1>{said}</h1>
        <a class="button button--primary" href=ACCOUNTS>"Linked Accounts"</a>
    }
    .into_any()
}
