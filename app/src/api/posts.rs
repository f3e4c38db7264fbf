//! Posts: the lists, one post with its proof, and what can be done with it.

use domain::id::{DeliveryId, PostId};
use domain::summary::compose::Composed;
use domain::summary::posts::{PostPage, PostsPage, PostsTab};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::{ApiError, FormOrJson, Json};
#[cfg(feature = "ssr")]
use {
    crate::context::{caller, redirect, services},
    domain::role::Action,
    domain::summary::refusal::ErrorCode,
    service::posts::PostAnswer,
};

/// A tab of Posts.
#[server(prefix = "/api/v1", endpoint = "posts/list", input = GetUrl, output = Json)]
pub async fn list_posts(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// `planned`, `did_not_go_out`, `published` or `drafts`.
    #[server(default)]
    tab: PostsTab,
) -> Result<PostsPage, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.posts_page(&caller, tab).await?)
}

/// One post with its proof of posting.
#[server(prefix = "/api/v1", endpoint = "posts/show", input = GetUrl, output = Json)]
pub async fn show_post(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The post.
    post: PostId,
) -> Result<PostPage, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.post_page(&caller, post).await?)
}

/// Cancels what is still planned of a post, or deletes a draft.
#[server(prefix = "/api/v1", endpoint = "posts/cancel", input = FormOrJson, output = Json)]
pub async fn cancel_post(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The post.
    post: PostId,
    /// Whether it is a draft: its page is gone then, and the browser is led to the other drafts.
    #[server(default)]
    draft: bool,
) -> Result<(), ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    services()?.cancel_post(&caller, post).await?;
    if draft {
        redirect(&crate::words::href(&workspace, "/social/posts?tab=drafts"));
    }
    Ok(())
}

/// Gives what did not go out, or what is still planned, a new time.
#[server(prefix = "/api/v1", endpoint = "posts/reschedule", input = FormOrJson, output = Json)]
pub async fn reschedule_post(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The post.
    post: PostId,
    /// "2026-12-03".
    #[server(default)]
    date: String,
    /// "09:00".
    #[server(default)]
    time: String,
    /// "Europe/Berlin".
    #[server(default)]
    zone: String,
) -> Result<Composed, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    let composed = services()?.reschedule_post(&caller, post, &date, &time, &zone).await?;
    super::compose::lead_to_post(&workspace, &composed, "rescheduled");
    Ok(composed)
}

/// Answers "Did this post appear?".
#[server(prefix = "/api/v1", endpoint = "posts/answer", input = FormOrJson, output = Json)]
pub async fn answer_delivery(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The delivery.
    delivery: DeliveryId,
    /// `there`, `send_again` or `new_time`.
    answer: String,
    /// For `new_time`: "2026-12-03".
    #[server(default)]
    date: String,
    /// For `new_time`: "09:00".
    #[server(default)]
    time: String,
    /// For `new_time`: "Europe/Berlin".
    #[server(default)]
    zone: String,
) -> Result<(), ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    let answer = match answer.as_str() {
        "there" => PostAnswer::There,
        "send_again" => PostAnswer::SendAgain,
        "new_time" => PostAnswer::NewTime { date, time, zone },
        _ => return Err(ErrorCode::BadArguments.into()),
    };
    Ok(services()?.answer_delivery(&caller, delivery, answer).await?)
}
