//! Posts, in four tabs.

use domain::summary::posts::{PostsPage as Posts, PostsTab};
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::posts::list_posts;
use crate::components::empty::empty;
use crate::components::frame::{page_title, slug};
use crate::components::load::load;
use crate::components::post_line::posts_by_day;
use crate::words::{self, COMPOSE, POSTS, href};

const TABS: [(PostsTab, &str, &str); 4] = [
    (PostsTab::Planned, "planned", "Planned"),
    (PostsTab::DidNotGoOut, "did_not_go_out", "Did not go out"),
    (PostsTab::Published, "published", "Published"),
    (PostsTab::Drafts, "drafts", "Drafts"),
];

/// Posts.
#[component]
pub fn PostsPage() -> impl IntoView {
    let query = use_query_map();
    let tab = move || {
        let wanted = query.read().get("tab").unwrap_or_default();
        TABS.iter().find(|(_, code, _)| *code == wanted).map_or(PostsTab::Planned, |(tab, ..)| *tab)
    };
    let key = move || (slug(), tab());
    view! {
        {page_title(|| "Posts".to_owned())}
        <div class="page">
            <header class="page-head">
                <div class="page-head__text">
                    <p class="breadcrumb">"Social"</p>
                    <h1>"Posts"</h1>
                </div>
                <div class="page-head__actions">
                    <a class="button only-wide" href=move || href(&slug(), COMPOSE)>
                        "New post"
                    </a>
                </div>
            </header>
            {load(key, |(slug, tab)| list_posts(slug, tab), &[EventKind::Posts], |data| view! { {move || show(&slug(), &data.read())} }.into_any())}
        </div>
    }
}

fn show(slug: &str, page: &Posts) -> AnyView {
    let tab = |(at, (tab, code, name)): (usize, &(PostsTab, &str, &'static str))| {
        let count = page.counts.get(at).copied().unwrap_or_default();
        let count = (count > 0).then(|| view! { <span class="count count--quiet">{count.to_string()}</span> });
        view! {
            <a
                class="tabs__tab"
                href=format!("{}?tab={code}", href(slug, POSTS))
                aria-current=(*tab == page.tab).then_some("page")
                data-testid=format!("tab-{code}")
            >
                {*name}
                " "
                {count}
            </a>
        }
    };
    let rows = if page.rows.is_empty() { nothing(slug, page.tab) } else { posts_by_day(slug, page.rows.clone()) };
    let more = page.has_more.then(|| view! { <p class="small muted">"Only the first 100 are shown."</p> });
    view! {
        <nav class="tabs" aria-label="Posts">
            {TABS.iter().enumerate().map(tab).collect_view()}
        </nav>
        {rows}
        {more}
    }
    .into_any()
}

fn nothing(slug: &str, tab: PostsTab) -> AnyView {
    let sentence = match tab {
        PostsTab::Planned => "Nothing is planned.",
        PostsTab::DidNotGoOut => "Everything went out.",
        PostsTab::Published => "Nothing is published yet.",
        PostsTab::Drafts => "There are no drafts.",
    };
    let button = (tab != PostsTab::DidNotGoOut).then(|| {
        view! {
            <a class="button button--primary" href=words::href(slug, COMPOSE)>
                "New post"
            </a>
        }
    });
    empty(sentence, button)
}
