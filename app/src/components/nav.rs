//! Navigation: the rail on desktops, top and bottom bar on phones.

use domain::summary::shell::{Badges, Shell};
use leptos::ev;
use leptos::html::Details;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::form::PostForm;
use super::icon::{brand, icon};
use crate::api::auth::SignOut;
use crate::live::Live;
use crate::words::{ACCOUNTS, CALENDAR, COMPOSE, INBOX, MISSED, OVERVIEW, POSTS, count, href};

/// Which of our paths is open, without the workspace.
fn open_path() -> Memo<String> {
    let location = use_location();
    Memo::new(move |_| {
        let path = location.pathname.get();
        let inside = path.strip_prefix("/w/").map(|rest| rest.split_once('/').map_or_else(String::new, |(_, rest)| format!("/{rest}")));
        let path = inside.unwrap_or(path);
        if path.is_empty() { OVERVIEW.to_owned() } else { path }
    })
}

/// Whether a link of the navigation leads to what is open.
fn current(open: Memo<String>, path: &'static str) -> impl Fn() -> Option<&'static str> + Copy {
    move || {
        let is_open = open.with(|open| match path {
            OVERVIEW => open == OVERVIEW,
            path => open.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        });
        is_open.then_some("page")
    }
}

/// A number that remembers whether it has just grown, so that its badge pulses once.
fn grown(badges: RwSignal<Badges>, of: fn(&Badges) -> u32) -> Memo<(u32, bool)> {
    Memo::new(move |before: Option<&(u32, bool)>| {
        let now = badges.with(of);
        (now, before.is_some_and(|(before, _)| now > *before))
    })
}

fn badge(class: &'static str, risen: bool) -> String {
    if risen { format!("{class} count--risen") } else { class.to_owned() }
}

fn unread_badge(live: Live, test: &'static str) -> AnyView {
    let unread = grown(live.badges, |badges| badges.unread);
    let shown = move || {
        let (n, risen) = unread.get();
        (n > 0).then(|| {
            view! {
                <span class=badge("count", risen) data-testid=test>
                    {n}<span class="visually-hidden">" unread"</span>
                </span>
            }
        })
    };
    shown.into_any()
}

fn rail_link(slug: &str, open: Memo<String>, path: &'static str, icon_id: &'static str, text: &'static str, badge: AnyView) -> AnyView {
    view! {
        <li>
            <a class="rail__link" href=href(slug, path) aria-current=current(open, path)>
                {icon(icon_id)}
                <span class="rail__text">{text}</span>
                {badge}
            </a>
        </li>
    }
    .into_any()
}

/// The rail.
pub fn rail(shell: &Shell, live: Live) -> AnyView {
    let slug = shell.workspace.slug.as_str();
    let open = open_path();
    let none = || ().into_any();
    let disconnected = grown(live.badges, |badges| badges.disconnected);
    let accounts_badge = move || {
        let (n, risen) = disconnected.get();
        (n > 0).then(|| {
            let noun = if n == 1 { " account disconnected" } else { " accounts disconnected" };
            view! {
                <span class=badge("count count--stop", risen) data-testid="nav-accounts-badge">
                    {format!("! {n}")}<span class="visually-hidden">{noun}</span>
                </span>
            }
        })
    };
    let missed = Memo::new(move |_| live.badges.get().missed);
    let missed_link = {
        let slug = slug.to_owned();
        move || {
            let n = missed.get();
            (n > 0).then(|| {
                let badge = view! { <span class="count count--quiet" data-testid="nav-missed-badge">{n}</span> }.into_any();
                rail_link(&slug, open, MISSED, "missed", "Missed posts", badge)
            })
        }
    };
    view! {
        <nav class="rail" aria-label="Main">
            {brand("", href(slug, OVERVIEW))}
            <a class="button button--primary rail__new" href=href(slug, COMPOSE)>{icon("plus")}"New post"</a>
            <ul class="rail__list">{rail_link(slug, open, OVERVIEW, "overview", "Overview", none())}</ul>
            <h2 class="rail__heading">"Social"</h2>
            <ul class="rail__list">
                {rail_link(slug, open, CALENDAR, "calendar", "Calendar", none())}
                {rail_link(slug, open, POSTS, "posts", "Posts", none())}
                {missed_link}
            </ul>
            <h3 class="rail__subheading">"Settings"</h3>
            <ul class="rail__list">{rail_link(slug, open, ACCOUNTS, "accounts", "Linked Accounts", accounts_badge.into_any())}</ul>
            <ul class="rail__list">{rail_link(slug, open, INBOX, "inbox", "Inbox", unread_badge(live, "nav-inbox-badge"))}</ul>
            <div class="rail__foot">
                {menu(
                    "menu menu--up",
                    "rail__link",
                    view! {
                        <span class="avatar avatar--person avatar--small" aria-hidden="true">{shell.person.initials.clone()}</span>
                        <span class="rail__text">{shell.person.name.clone()}</span>
                    }
                    .into_any(),
                    shell,
                )}
            </div>
        </nav>
    }
    .into_any()
}

/// The top bar of phones.
pub fn topbar(shell: &Shell) -> AnyView {
    let face = view! {
        <span class="topbar__workspace">{shell.workspace.name.clone()}</span>
        <span class="avatar avatar--person" aria-hidden="true">{shell.person.initials.clone()}</span>
        <span class="visually-hidden">{format!("{}, menu", shell.person.name)}</span>
    };
    view! {
        <header class="topbar">
            {brand("", href(&shell.workspace.slug, OVERVIEW))}
            {menu("menu menu--end", "topbar__person", face.into_any(), shell)}
        </header>
    }
    .into_any()
}

/// Workspaces and sign-out. Opens without script; script closes it on Escape, on a click elsewhere and after a choice.
fn menu(class: &'static str, summary: &'static str, face: AnyView, shell: &Shell) -> AnyView {
    let sign_out = ServerAction::<SignOut>::new();
    let details = NodeRef::<Details>::new();
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    let path = use_location().pathname;
    Effect::new(move |_| {
        path.track();
        close();
        let outside = window_event_listener(ev::click, move |event| {
            let is_inside = details.get_untracked().is_some_and(|details| details.contains(Some(&event_target::<web_sys::Node>(&event))));
            if !is_inside {
                close();
            }
        });
        on_cleanup(move || outside.remove());
    });
    let open = shell.workspace.slug.clone();
    let workspaces: Vec<AnyView> = shell
        .workspaces
        .iter()
        .map(|workspace| {
            let is_open = (workspace.slug == open).then_some("true");
            view! { <a class="menu__item" href=href(&workspace.slug, OVERVIEW) aria-current=is_open>{workspace.name.clone()}</a> }
                .into_any()
        })
        .collect();
    view! {
        <details
            class=class
            node_ref=details
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    close();
                }
            }
        >
            <summary class=summary>{face}</summary>
            <div class="menu__list">
                <p class="menu__label">"Workspaces"</p>
                {workspaces}
                <hr/>
                <PostForm action=sign_out>
                    <button class="menu__item" type="submit" data-testid="sign-out">"Sign out"</button>
                </PostForm>
            </div>
        </details>
    }
    .into_any()
}

fn bar_link(slug: &str, open: Memo<String>, path: &'static str, icon_id: &'static str, text: &'static str, badge: AnyView) -> AnyView {
    // The label in the bar is short where the page's name is long.
    let spoken = (path == ACCOUNTS).then_some("Linked Accounts");
    view! {
        <a class="bottombar__link" href=href(slug, path) aria-current=current(open, path) aria-label=spoken>
            <span class="bottombar__icon">{icon(icon_id)}{badge}</span>
            {text}
        </a>
    }
    .into_any()
}

/// The bottom bar of phones, exactly five.
pub fn bottombar(shell: &Shell, live: Live) -> AnyView {
    let slug = shell.workspace.slug.as_str();
    let open = open_path();
    let none = || ().into_any();
    let disconnected = grown(live.badges, |badges| badges.disconnected);
    let accounts_badge = move || {
        let (n, risen) = disconnected.get();
        (n > 0).then(|| {
            view! {
                <span class=badge("count count--stop", risen) data-testid="bar-accounts-badge">
                    "!"<span class="visually-hidden">{format!(" {} disconnected", count(n, "account"))}</span>
                </span>
            }
        })
    };
    view! {
        <nav class="bottombar" aria-label="Main, short">
            {bar_link(slug, open, OVERVIEW, "overview", "Overview", none())}
            {bar_link(slug, open, CALENDAR, "calendar", "Calendar", none())}
            {bar_link(slug, open, COMPOSE, "plus", "New post", none())}
            {bar_link(slug, open, INBOX, "inbox", "Inbox", unread_badge(live, "bar-inbox-badge"))}
            {bar_link(slug, open, ACCOUNTS, "accounts", "Accounts", accounts_badge.into_any())}
        </nav>
    }
    .into_any()
}

/// "Social › Settings", where that is the way to a page.
pub fn breadcrumb(text: &'static str) -> AnyView {
    view! { <p class="breadcrumb">{text}</p> }.into_any()
}

/// The head of a page; `actions` may be `()`.
pub fn page_head(crumb: Option<&'static str>, title: String, actions: impl IntoView + 'static) -> AnyView {
    view! {
        <header class="page-head">
            <div class="page-head__text">{crumb.map(breadcrumb)}<h1>{title}</h1></div>
            <div class="page-head__actions">{actions.into_any()}</div>
        </header>
    }
    .into_any()
}
