//! Inbox: one thread per root. What needs somebody, or everything.

use domain::summary::inbox::{InboxPage as Inbox, ThreadRow};
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::inbox::list_inbox;
use crate::components::empty::empty;
use crate::components::frame::{page_title, slug};
use crate::components::load::load;
use crate::words::{self, INBOX, href, posts};

/// Inbox.
#[component]
pub fn InboxPage() -> impl IntoView {
    let query = use_query_map();
    let all = move || query.read().get("all").is_some();
    view! {
        {page_title(|| "Inbox".to_owned())}
        <div class="page">
            <header class="page-head">
                <div class="page-head__text">
                    <h1>"Inbox"</h1>
                </div>
            </header>
            {load(move || (slug(), all()), |(slug, all)| list_inbox(slug, all), &[EventKind::Inbox], move |data| {
                view! { {move || show(&slug(), all(), &data.read())} }.into_any()
            })}
        </div>
    }
}

fn show(slug: &str, all: bool, page: &Inbox) -> AnyView {
    let path = href(slug, INBOX);
    let needs = (page.needs_you > 0).then(|| view! { <span class="count count--quiet">{page.needs_you.to_string()}</span> });
    let rows = if page.rows.is_empty() {
        empty(if all { "Nothing has happened yet." } else { "Nothing needs you." }, ())
    } else {
        view! { <ul class="threads">{page.rows.iter().map(|row| thread_row(slug, row)).collect_view()}</ul> }.into_any()
    };
    view! {
        <nav class="tabs" aria-label="Inbox">
            <a class="tabs__tab" href=path.clone() aria-current=(!all).then_some("page")>
                "Needs you "
                {needs}
            </a>
            <a class="tabs__tab" href=format!("{path}?all=1") aria-current=all.then_some("page")>
                "All"
            </a>
        </nav>
        {rows}
    }
    .into_any()
}

/// Icon, title, cost, age; an unread one has its bar, and says so.
fn thread_row(slug: &str, row: &ThreadRow) -> AnyView {
    let tone = words::thread_tone(row);
    let icon_class = tone.class().replacen("status ", "icon thread__icon ", 1);
    let unread = row.is_unread.then(|| view! { <span class="visually-hidden">"Unread: "</span> });
    view! {
        <li
            data-testid="thread-row"
            data-root=posts::root_code(&row.about)
            data-stage=row.stage.code()
            data-unread=row.is_unread.to_string()
            data-resolved=row.is_resolved.to_string()
        >
            <a class=if row.is_unread { "thread thread--unread" } else { "thread" } href=words::thread_path(slug, row.id)>
                <svg class=icon_class aria-hidden="true">
                    <use_ href=format!("/icons.svg#{}", tone.icon())></use_>
                </svg>
                <span class="thread__text">
                    <span class="thread__title">{unread} {words::thread_title(row)}</span>
                    <span class="thread__cost">{words::thread_cost(row)}</span>
                </span>
                <span class="thread__age">{row.updated.near.clone()}</span>
            </a>
        </li>
    }
    .into_any()
}
