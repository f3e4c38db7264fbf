//! Calendar: the agenda from today. Days on which something will not go out are hatched.

use domain::summary::overview::ComingUp;
use domain::summary::posts::{PostsPage, PostsTab};
use domain::summary::shell::EventKind;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::api::posts::list_posts;
use crate::api::shell::overview;
use crate::components::empty::empty;
use crate::components::frame::{page_title, slug};
use crate::components::load::load;
use crate::components::post_line::agenda;
use crate::words::{self, ACCOUNTS, COMPOSE, count, href};

/// Calendar.
#[component]
pub fn CalendarPage() -> impl IntoView {
    view! {
        {page_title(|| "Calendar".to_owned())}
        <div class="page">
            <header class="page-head">
                <div class="page-head__text">
                    <p class="breadcrumb">"Social"</p>
                    <h1>"Calendar"</h1>
                </div>
                <div class="page-head__actions">
                    <a class="button only-wide" href=move || href(&slug(), COMPOSE)>
                        "New post"
                    </a>
                </div>
            </header>
            {load(slug, fetch, &[EventKind::Posts, EventKind::Accounts], |data| {
                view! { {move || data.with(|(posts, ends)| show(&slug(), posts, ends))} }.into_any()
            })}
        </div>
    }
}

/// What is planned, and which logins end.
async fn fetch(slug: String) -> Result<(PostsPage, Vec<ComingUp>), ApiError> {
    let posts = list_posts(slug.clone(), PostsTab::Planned).await?;
    Ok((posts, overview(slug).await?.coming_up))
}

fn show(slug: &str, page: &PostsPage, ends: &[ComingUp]) -> AnyView {
    if page.rows.is_empty() {
        let button = view! {
            <a class="button button--primary" href=href(slug, COMPOSE)>
                "New post"
            </a>
        };
        return empty("Nothing planned.", button);
    }
    let ends = ends.iter().filter(|end| !end.end.is_past).map(|coming| {
        let what = format!("{} login ends: {}", coming.platform.name(), words::names(&coming.accounts, 2));
        (coming.end.moment.clone(), what)
    });
    let is_lost = |post: &&domain::summary::posts::PostLine| post.deliveries.iter().any(|delivery| delivery.at_risk);
    let lost = u32::try_from(page.rows.iter().filter(is_lost).count()).unwrap_or(u32::MAX);
    let warning = (lost > 0).then(|| {
        view! {
            <p class="muted">
                {format!("{} will not go out everywhere: a login is lost, or ends before. ", count(lost, "post"))}
                <a href=href(slug, ACCOUNTS)>"Linked Accounts"</a>
            </p>
        }
    });
    let more = page.has_more.then(|| view! { <p class="small muted">"Only the next 100 are shown."</p> });
    view! {
        {warning}
        {agenda(slug, page.rows.clone(), ends.collect())}
        {more}
    }
    .into_any()
}
