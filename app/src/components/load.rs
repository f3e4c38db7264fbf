//! Loading a page, and what stands there when it fails.

use std::future::Future;

use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos::suspense::Unsuspend;
use leptos::task::spawn_local;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::ApiError;
use crate::live::Live;
use crate::pages::not_found;
use crate::words;

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
    Effect::new(move |seen: Option<u32>| {
        let version = live.version(kinds);
        if seen.is_some_and(|seen| seen != version) {
            let question = fetch(untrack(key));
            spawn_local(async move {
                let answer = question.await;
                // Answers may overtake each other: only the newest question's counts (stack.md 4.3).
                if live.version_untracked(kinds) == version
                    && let Ok(value) = answer
                    && data.try_with_untracked(|old| *old != value) == Some(true)
                {
                    data.set(value);
                }
            });
        }
        version
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
