//! Calendar: the agenda from today. Days on which something will not go out are hatched.

use domain::summary::posts::{PostsPage, PostsTab};
use domain::summary::shell::EventKind;
use leptos::prelude::*;

use crate::api::posts::list_posts;
use crate::components::empty::empty;
use crate::components::frame::{page_title, slug};
use crate::components::load::load;
use crate::components::post_line::posts_by_day;
use crate::words::{ACCOUNTS, COMPOSE, count, href};

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
            {load(slug, |slug| list_posts(slug, PostsTab::Planned), &[EventKind::Posts, EventKind::Accounts], |data| {
                view! { {move || agenda(&slug(), &data.read())} }.into_any()
            })}
        </div>
    }
}

fn agenda(slug: &str, page: &PostsPage) -> AnyView {
    if page.rows.is_empty() {
        let button = view! {
            <a class="button button--primary" href=href(slug, COMPOSE)>
                "New post"
            </a>
        };
        return empty("Nothing planned.", button);
    }
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
        {posts_by_day(slug, page.rows.clone())}
        {more}
    }
    .into_any()
}
