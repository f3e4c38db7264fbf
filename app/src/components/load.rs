//! Loading a page, and what stands there when it fails.

use std::future::Future;
use std::time::Duration;

use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos::suspense::Unsuspend;
use leptos::task::spawn_local;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::ApiError;
use crate::api::error::NO_CONNECTION;
use crate::live::Live;
use crate::pages::not_found;
use crate::words;

/// How long a page waits before it asks again for what it could not reach.
const ASK_AGAIN: Duration = Duration::from_secs(3);

/// Loads a page's data and shows it. `key` names what is loaded (workspace, id, tab); when it changes the page is built
/// anew. When something of `kinds` happens, the data is fetched again and the signal changes, so rows stay where they
/// are.
pub fn load<K, T, F, V>(
    key: impl Fn() -> K + Copy + Send + Sync + 'static,
    fetch: fn(K) -> F,
    kinds: &'static [EventKind],
    show: V,
) -> AnyView
where
    K: PartialEq + Clone + Send + Sync + 'static,
    T: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
    V: Fn(RwSignal<T>) -> AnyView + Clone + Send + Sync + 'static,
{
    let first = Resource::new(key, fetch);
    view! {
        <Transition fallback=loading>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match first.await {
                        // Built once, however often the server walks it; see `Frame`.
                        Ok(value) => Unsuspend::new(move || {
                            let data = RwSignal::new(value);
                            keep_true(data, key, fetch, kinds);
                            show(data)
                        })
                        .into_any(),
                        Err(error) => failed(&error),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

fn keep_true<K, T, F>(data: RwSignal<T>, key: impl Fn() -> K + Copy + 'static, fetch: fn(K) -> F, kinds: &'static [EventKind])
where
    K: 'static,
    T: PartialEq + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let Some(live) = use_context::<Live>() else { return };
    live.is_leaving.set(false);
    // Grows to ask again when no answer came: until the next event nothing else would.
    let again = RwSignal::new(0_u32);
    Effect::new(move |seen: Option<(u32, u32)>| {
        let asked = (live.version(kinds), again.get());
        if seen.is_some_and(|seen| seen != asked) && !live.is_leaving.get_untracked() {
            let question = fetch(untrack(key));
            spawn_local(async move {
                let answer = question.await;
                // Answers may overtake each other: only the newest question's counts (stack.md 4.3). A page may also be gone.
                if live.version_untracked(kinds) != Some(asked.0) {
                    return;
                }
                match answer {
                    Ok(value) => {
                        if data.try_with_untracked(|old| *old != value) == Some(true) {
                            data.set(value);
                        }
                    }
                    Err(error) if error.0.trace.as_deref() == Some(NO_CONNECTION) => {
                        // A page that is gone has no such number any more.
                        set_timeout(move || _ = again.try_update(|again| *again += 1), ASK_AGAIN);
                    }
                    Err(_) => {}
                }
            });
        }
        asked
    });
}

/// Static blocks while something loads.
pub fn loading() -> AnyView {
    view! {
        <div class="loading" role="status">
            <span class="visually-hidden">"Loading"</span>
            <div class="loading__block loading__block--short"></div>
            <div class="loading__block loading__block--row"></div>
            <div class="loading__block loading__block--row"></div>
            <div class="loading__block loading__block--row"></div>
        </div>
    }
    .into_any()
}

/// Leads to the sign-in page, which leads back here.
pub fn sign_in_again() {
    let location = window().location();
    let path = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let _ = location.set_href(&words::sign_in_path(&path));
}

/// What stands instead of a page that could not be loaded.
pub fn failed(error: &ApiError) -> AnyView {
    match error.code() {
        ErrorCode::NotSignedIn => {
            Effect::new(|_| sign_in_again());
            loading()
        }
        ErrorCode::NotFound => not_found::not_here(),
        _ => not_found::broken(words::refusal(&error.0)),
    }
}
