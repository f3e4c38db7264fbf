//! Inbox and threads.

use domain::id::ThreadId;
use domain::summary::inbox::{InboxPage, ThreadPage};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::{ApiError, FormOrJson, Json};
#[cfg(feature = "ssr")]
use {
    crate::context::{caller, services},
    domain::role::Action,
};

/// The inbox: what needs somebody, or everything.
#[server(prefix = "/api/v1", endpoint = "inbox/list", input = GetUrl, output = Json)]
pub async fn list_inbox(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// Whether threads that need nobody are shown too.
    #[server(default)]
    all: bool,
) -> Result<InboxPage, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.inbox(&caller, all).await?)
}

/// One thread with its story. Changes nothing; `inbox/read` marks it read.
#[server(prefix = "/api/v1", endpoint = "inbox/thread", input = GetUrl, output = Json)]
pub async fn show_thread(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The thread.
    thread: ThreadId,
) -> Result<ThreadPage, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.thread(&caller, thread).await?)
}

/// Marks a thread read, for the person who asks.
#[server(prefix = "/api/v1", endpoint = "inbox/read", input = FormOrJson, output = Json)]
pub async fn read_thread(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The thread.
    thread: ThreadId,
) -> Result<(), ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.mark_read(&caller, thread).await?)
}
