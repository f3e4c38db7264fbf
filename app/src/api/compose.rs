//! Compose: what can be picked, what a time means, and saving.
#![expect(clippy::too_many_arguments, reason = "the arguments of `compose` are the fields of its form")]

use domain::id::{PostId, RevisionId};
use domain::summary::Moment;
use domain::summary::compose::{ClockChange, ComposePage, Composed};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::{ApiError, FormOrJson, Json};
#[cfg(feature = "ssr")]
use {
    crate::context::{caller, is_form, redirect, services},
    domain::role::Action,
    domain::summary::compose::ComposeInput,
    service::moments::Zone,
};

/// What a chosen wall time means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// The moment.
    pub due: Moment,
    /// How a gap or fold of summer time was decided.
    pub clock_change: Option<ClockChange>,
    /// Whether it has passed.
    pub is_past: bool,
}

/// What Compose offers, for a new post or for editing one.
#[server(prefix = "/api/v1", endpoint = "posts/compose_page", input = GetUrl, output = Json)]
pub async fn load_compose(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The post that is edited; none for a new one.
    #[server(default)]
    post: Option<PostId>,
    /// An edit of it that was refused and kept; none for the post as it is.
    #[server(default)]
    kept: Option<RevisionId>,
) -> Result<ComposePage, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    Ok(services()?.compose_page(&caller, post, kept).await?)
}

/// What a wall time in a zone means: gaps and folds of summer time are decided here, before anything is saved.
#[server(prefix = "/api/v1", endpoint = "posts/when", input = GetUrl, output = Json)]
pub async fn resolve_time(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// "2026-12-03".
    date: String,
    /// "09:00".
    time: String,
    /// "Europe/Berlin".
    zone: String,
) -> Result<When, ApiError> {
    caller(&workspace).await?.may(Action::See)?;
    let now = services()?.now();
    let zone = Zone::named(&zone)?;
    let (due, clock_change) = zone.resolve(&date, &time)?;
    Ok(When { due: zone.moment(due, now), clock_change, is_past: due <= now })
}

/// Saves what the person wrote: schedules it, sends it now, or keeps it as a draft.
#[server(prefix = "/api/v1", endpoint = "posts/compose", input = FormOrJson, output = Json)]
pub async fn compose(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The post that is edited; empty for a new one.
    #[server(default)]
    post: String,
    /// Text.
    #[server(default)]
    text: String,
    /// Title.
    #[server(default)]
    title: String,
    /// Link.
    #[server(default)]
    link: String,
    /// Ids of picked accounts.
    #[server(default)]
    accounts: Vec<String>,
    /// Chosen boards, as "account id:board id".
    #[server(default)]
    boards: Vec<String>,
    /// Ids of images, in order.
    #[server(default)]
    images: Vec<String>,
    /// Alternative texts, in the order of `images`.
    #[server(default)]
    alts: Vec<String>,
    /// "2026-12-03".
    #[server(default)]
    date: String,
    /// "09:00".
    #[server(default)]
    time: String,
    /// "Europe/Berlin".
    #[server(default)]
    zone: String,
    /// What to do: `schedule`, `now` or `draft`.
    #[server(default)]
    then: String,
) -> Result<Composed, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    // A browser sends line ends as CR LF, which platforms would count as two characters.
    let text = text.replace("\r\n", "\n");
    let input = ComposeInput { post, text, title, link, accounts, boards, images, alts, date, time, zone, then };
    let done = match input.then.as_str() {
        "now" => "sent",
        "draft" => "saved",
        _ => "scheduled",
    };
    let services = services()?;
    let refused = match services.compose(&caller, input.clone()).await {
        Ok(composed) => {
            lead_to_post(&workspace, &composed, done);
            return Ok(composed);
        }
        Err(error) => ApiError::from(error),
    };
    // A plain form comes back empty after a refusal. What was written anew is kept as a draft, which the form opens. A post
    // that is edited stays as it was, because a draft is not scheduled any more; the edit is kept beside it.
    if is_form()
        && let Some(path) = keep(&services, &caller, input).await
    {
        lead_back(&crate::words::href(&workspace, &path), &refused);
    }
    Err(refused)
}

/// Keeps what was refused; returns where the form finds it again.
#[cfg(feature = "ssr")]
async fn keep(services: &service::Services, caller: &domain::role::Caller, input: ComposeInput) -> Option<String> {
    use crate::words::{COMPOSE, in_query};
    if !input.post.is_empty() {
        let kept = services.keep_refused(caller, &input).await.ok()?;
        let ComposeInput { post, date, time, zone, .. } = input;
        let time = format!("date={}&time={}&zone={}", in_query(&date), in_query(&time), in_query(&zone));
        return Some(format!("{COMPOSE}?post={}&kept={kept}&{time}", in_query(&post)));
    }
    let draft = ComposeInput { then: "draft".to_owned(), ..input };
    let kept = match services.compose(caller, draft.clone()).await {
        Err(_) => services.compose(caller, ComposeInput { date: String::new(), time: String::new(), ..draft }).await,
        kept => kept,
    };
    Some(format!("{COMPOSE}?post={}", kept.ok()?.post))
}

/// Leads a plain form to what was kept, with the refusal in the address as server functions do.
#[cfg(feature = "ssr")]
fn lead_back(path: &str, refused: &ApiError) {
    use leptos::server_fn::ServerFn;
    use leptos::server_fn::error::ServerFnUrlError;
    if let Ok(url) = ServerFnUrlError::new(Compose::PATH, refused.clone()).to_url(&format!("http://localhost{path}")) {
        redirect(&format!("{}?{}", url.path(), url.query().unwrap_or_default()));
    }
}

/// Leads the browser to the page of a saved post, with what was done and how summer time decided.
#[cfg(feature = "ssr")]
pub(super) fn lead_to_post(workspace: &str, composed: &Composed, done: &str) {
    let mut path = format!("/social/posts/{}?done={done}", composed.post);
    match &composed.clock_change {
        Some(ClockChange::Gap { asked, becomes }) => path.push_str(&format!("&gap={asked}&becomes={becomes}")),
        Some(ClockChange::Fold { asked }) => path.push_str(&format!("&fold={asked}")),
        None => {}
    }
    redirect(&crate::words::href(workspace, &path));
}
