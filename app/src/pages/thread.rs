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
use crate::components::band::{band, thread_actions};
use crate::components::form::{PostForm, workspace_field};
use crate::components::frame::{link, may, page_title, slug};
use crate::components::load::load;
use crate::components::status::status;
use crate::components::story::verdict;
use crate::components::time_fields::Wall;
use crate::words::{self, INBOX, Tone, posts};

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
    let row = Memo::new(move |_| data.with(|page| page.row.clone()));
    let title = move || row.with(words::thread_title);
    // Reading the thread does not build its head anew.
    let shown = Memo::new(move |_| row.with(|row| ThreadRow { is_unread: false, ..row.clone() }));
    let head = move || shown.with(head);
    let story = move || data.with(|page| page.entries.iter().map(|entry| entry_line(entry, &page.row.about)).collect_view());
    view! {
        {page_title(title)}
        <div class="page page--narrow" data-testid="thread">
            {head} <section class="block">
                <h2 class="block__title">"What happened"</h2>
                <ol class="story">{story}</ol>
                {move || data.with(said)}
            </section>
            {reading(row)}
            <p class="block">
                <a href=link(INBOX)>"Inbox"</a>
            </p>
        </div>
    }
    .into_any()
}

fn head(row: &ThreadRow) -> AnyView {
    let names = words::thread_names(row).map(|names| view! { <p class="names">{names}</p> });
    if row.needs_somebody && !row.is_resolved {
        return view! { {band(row, 0, true)} {names} {answer(row)} }.into_any();
    }
    let word = if row.is_resolved { "Back to normal" } else { "Nothing to do" };
    view! {
        <header class="thread-head">
            {status(words::thread_tone(row), word.to_owned())} <h1>{words::thread_title(row)}</h1> <p>{words::thread_cost(row)}</p>
            <div class="actions">{thread_actions(row)}</div> {names}
        </header>
    }
    .into_any()
}

/// The answers to "Did this post appear?", right here.
fn answer(row: &ThreadRow) -> Option<AnyView> {
    match &row.about {
        About::NeedsAnswer { delivery, platform, .. } if may(Action::WritePosts) => {
            let asked = Question { delivery: *delivery, platform: *platform, look: None, wall: Wall::default() };
            Some(view! { <section class="block">{answer_form(asked)}</section> }.into_any())
        }
        _ => None,
    }
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

/// What the platform said.
fn said(page: &Thread) -> Option<AnyView> {
    Some(verdict(page.verdict.as_ref()?, posts::platform_of(&page.row.about)?))
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
