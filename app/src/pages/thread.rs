//! One thread: title, cost, button, names; below it the story, newest first.

use domain::id::ThreadId;
use domain::role::Action;
use domain::summary::inbox::{About, Entry, ThreadPage as Thread, ThreadRow};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api::ApiError;
use crate::api::inbox::{ReadThread, show_thread};
use crate::components::answer::{Question, answer_form};
use crate::components::form::{PostForm, Refresh, refresh_button, workspace_field};
use crate::components::frame::{may, page_title, slug};
use crate::components::load::load;
use crate::components::status::status;
use crate::components::time_fields::Wall;
use crate::words::{self, INBOX, MISSED, Tone, href, posts};

/// One thread.
#[component]
pub fn ThreadPage() -> impl IntoView {
    let params = use_params_map();
    let key = move || (slug(), params.read().get("id").unwrap_or_default());
    load(key, fetch, &[EventKind::Inbox, EventKind::Accounts, EventKind::Posts], show)
}

async fn fetch((slug, id): (String, String)) -> Result<Thread, ApiError> {
    let Ok(thread) = id.parse::<ThreadId>() else { return Err(ErrorCode::NotFound.into()) };
    show_thread(slug, thread).await
}

fn show(data: RwSignal<Thread>) -> AnyView {
    let slug = slug();
    let row = Memo::new(move |_| data.with(|page| page.row.clone()));
    let title = move || row.with(words::thread_title);
    // A thread that waits for nobody is a calm page; one that does is the yellow sheet. Reading it moves neither.
    let shown = Memo::new(move |_| data.with(|page| (ThreadRow { is_unread: false, ..page.row.clone() }, page.may_refresh)));
    let head = {
        let slug = slug.clone();
        move || shown.with(|(row, may_refresh)| head(&slug, row, *may_refresh))
    };
    let story = move || {
        data.with(|page| page.entries.iter().map(|entry| entry_line(entry, &page.row.about)).collect_view())
    };
    view! {
        {page_title(title)}
        <div class="page page--narrow" data-testid="thread">
            {head} <section class="block">
                <h2 class="block__title">"What happened"</h2>
                <ol class="story">{story}</ol>
                {move || data.with(|page| said(page))}
            </section>
            {reading(row)}
            <p class="block">
                <a href=href(&slug, INBOX)>"Inbox"</a>
            </p>
        </div>
    }
    .into_any()
}

fn head(slug: &str, row: &ThreadRow, may_refresh: bool) -> AnyView {
    let title = words::thread_title(row);
    let cost = words::thread_cost(row);
    let names = words::thread_names(row).map(|names| view! { <p class="names">{names}</p> });
    let actions = actions(slug, row, may_refresh);
    let tone = words::thread_tone(row);
    if row.needs_somebody && !row.is_resolved {
        return view! {
            <section class="band" aria-labelledby="thread-title">
                <h1 class="band__title" id="thread-title" data-testid="thread-title">
                    {title}
                </h1>
                <p class="band__text">{cost}</p>
                <div class="band__actions">{actions}</div>
                {note(row).map(|note| view! { <p class="band__note">{note}</p> })}
            </section>
            {names}
        }
        .into_any();
    }
    let word = if row.is_resolved { "Back to normal" } else { "Nothing to do" };
    view! {
        <header class="thread-head">
            {status(tone, word.to_owned())} <h1 data-testid="thread-title">{title}</h1> <p>{cost}</p>
            <div class="actions">{actions}</div> {names}
        </header>
    }
    .into_any()
}

/// What Refresh Credentials does, below its button.
fn note(row: &ThreadRow) -> Option<String> {
    match &row.about {
        About::Login { platform, login_of, accounts, may_sign_in_now: true, .. } => {
            Some(words::refresh_note(*platform, login_of, accounts.len()))
        }
        _ => None,
    }
}

/// The buttons that solve it.
fn actions(slug: &str, row: &ThreadRow, may_refresh: bool) -> AnyView {
    let button = |href: String, name: String, class: &'static str| {
        view! {
            <a class=class href=href>
                {name}
            </a>
        }
        .into_any()
    };
    let main = match &row.about {
        About::Login { grant, platform, login_of, may_sign_in_now, .. } => {
            let is_offered = may_refresh && *may_sign_in_now && !row.is_resolved;
            is_offered.then(|| refresh_button(Refresh::new(*grant, *platform, login_of)))
        }
        About::Account { account, .. } => {
            Some(button(words::account_path(slug, *account), "See account".to_owned(), "button button--primary"))
        }
        About::Failed { post, .. } => Some(button(words::post_path(slug, *post), "Fix and send".to_owned(), "button button--primary")),
        About::NeedsAnswer { delivery, platform, look_url, .. } if may(Action::WritePosts) && !row.is_resolved => {
            let asked = Question { delivery: *delivery, platform: *platform, look: look_url.clone(), wall: Wall::default() };
            Some(answer_form(asked))
        }
        _ => None,
    };
    let second = match &row.about {
        About::NeedsAnswer { post, .. } => Some(button(words::post_path(slug, *post), "See post".to_owned(), "button")),
        _ if row.missed > 0 => {
            let name = if row.is_resolved { "Choose new times" } else { "See posts" };
            Some(button(href(slug, MISSED), name.to_owned(), "button"))
        }
        _ => None,
    };
    view! { {main} {second} }.into_any()
}

fn entry_line(entry: &Entry, about: &About) -> AnyView {
    let (tone, text) = words::entry(entry, about);
    let class = match tone {
        Tone::Stop => "story__entry story__entry--stop",
        Tone::Need | Tone::Ask => "story__entry story__entry--need",
        Tone::Wait => "story__entry story__entry--wait",
        Tone::Ok => "story__entry story__entry--ok",
        Tone::Pause | Tone::Plain => "story__entry",
    };
    view! {
        <li class=class data-testid="thread-entry" data-stage=entry.stage.code()>
            <span class="story__time">{entry.at.text.clone()}</span>
            <p class="story__text">{text}</p>
        </li>
    }
    .into_any()
}

/// What the platform said, as plain text.
fn said(page: &Thread) -> Option<AnyView> {
    let verdict = &page.verdict.as_ref()?.verdict;
    let words = match (&verdict.code, &verdict.text) {
        (Some(code), Some(text)) => format!("{code}: {text}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => return None,
    };
    let name = posts::platform_of(&page.row.about).map_or("the platform", |platform| platform.name());
    Some(
        view! {
            <details class="more">
                <summary class="more__button">{format!("What {name} said")}</summary>
                <pre class="more__quote">{words}</pre>
            </details>
        }
        .into_any(),
    )
}

/// Opening a thread marks it read, once the page has woken up: a GET changes nothing. Without script there is a button.
fn reading(row: Memo<ThreadRow>) -> AnyView {
    let action = ServerAction::<ReadThread>::new();
    let unread = Memo::new(move |_| row.with(|row| row.is_unread.then_some(row.id)));
    let workspace = slug();
    Effect::new(move |_| {
        if let Some(thread) = unread.get() {
            action.dispatch(ReadThread { workspace: workspace.clone(), thread });
        }
    });
    // The row says so before the next event does.
    let is_read = move || matches!(&*action.value().read(), Some(Ok(())));
    view! {
        <div>
            {move || {
                unread
                    .get()
                    .filter(|_| !is_read())
                    .map(|thread| {
                        view! {
                            <PostForm action>
                                {workspace_field()} <input type="hidden" name="thread" value=thread.to_string()/>
                                <button class="button button--quiet button--small" type="submit" data-testid="mark-read">
                                    "Mark as read"
                                </button>
                            </PostForm>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}
