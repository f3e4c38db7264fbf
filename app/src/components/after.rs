//! After an action: what shows its subject is fetched again, without waiting for the event.

use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::api::ApiError;
use crate::live::Live;

/// Fetches again what shows posts whenever this action has done its work.
pub fn posts_change<F>(action: ServerAction<F>)
where
    F: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    F::Output: Send + Sync + 'static,
{
    let value = action.value();
    follow(Signal::derive(move || value.with(|value| matches!(value, Some(Ok(_))))));
}

/// This action takes away what the page shows, and leads on: from its start on nothing here is fetched again, unless it is
/// refused.
pub fn leaves<F>(action: ServerAction<F>)
where
    F: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    F::Output: Send + Sync + 'static,
{
    let Some(live) = use_context::<Live>() else { return };
    let (pending, value) = (action.pending(), action.value());
    Effect::new(move |_| {
        let is_done = value.with(|value| matches!(value, Some(Ok(_))));
        live.is_leaving.set(pending.get() || is_done);
    });
}

fn follow(is_done: Signal<bool>) {
    let Some(live) = use_context::<Live>() else { return };
    Effect::new(move |_| {
        if is_done.get() {
            live.changed(EventKind::Posts);
            live.changed(EventKind::Inbox);
        }
    });
}
