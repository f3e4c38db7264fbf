//! Missed posts: proposals, new times, undo.

use domain::id::{CatchUpId, PostId};
use domain::summary::posts::{Applied, MissedPage};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::{ApiError, FormOrJson, Json};
#[cfg(feature = "ssr")]
use {
    crate::context::{caller, redirect_form, services},
    domain::missed::CatchUpRule,
    domain::role::Action,
    domain::summary::refusal::ErrorCode,
    service::missed::NewTime,
};

/// The word in `dates` and `times` for "send it now".
pub const NOW: &str = "now";

/// The page Missed posts, with times proposed by a rule.
#[server(prefix = "/api/v1", endpoint = "missed/list", input = GetUrl, output = Json)]
pub async fn list_missed(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// Extra posts a day and account, 1 to 10; one when left out.
    #[server(default)]
    per_day: Option<u32>,
    /// First day, counted from today; today when left out.
    #[server(default)]
    from_day: Option<u32>,
) -> Result<MissedPage, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    let usual = CatchUpRule::default();
    let rule = CatchUpRule {
        per_day: per_day.unwrap_or(usual.per_day).clamp(1, 10),
        from_day: from_day.unwrap_or(usual.from_day).min(domain::missed::DAYS_AHEAD),
    };
    Ok(services()?.missed_page(&caller, rule).await?)
}

/// Gives missed posts new times, all or none.
#[server(prefix = "/api/v1", endpoint = "missed/apply", input = FormOrJson, output = Json)]
pub async fn apply_missed(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The posts.
    #[server(default)]
    posts: Vec<PostId>,
    /// "2026-12-03" for each of `posts`, in the workspace's zone; `now` sends it now.
    #[server(default)]
    dates: Vec<String>,
    /// "09:00" for each of `posts`; anything with the date `now`.
    #[server(default)]
    times: Vec<String>,
    /// Which of `posts` are meant, as a form with ticks sends them; all when left out.
    #[server(default)]
    ticked: Option<Vec<String>>,
) -> Result<Applied, ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    let times = chosen(posts, &dates, &times, ticked.as_deref())?;
    let applied = services()?.apply_missed(&caller, times).await?;
    // What has a new time can be undone, and the page says so; what is sent at once would go without a word.
    if applied.now > 0 {
        let done = format!("{}?sent={}&moved={}", crate::words::MISSED, applied.now, applied.posts.saturating_sub(applied.now));
        redirect_form(&crate::words::href(&workspace, &done));
    }
    Ok(applied)
}

/// Takes an application of new times back, until the first of its posts has gone out.
#[server(prefix = "/api/v1", endpoint = "missed/undo", input = FormOrJson, output = Json)]
pub async fn undo_missed(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// Which application.
    id: CatchUpId,
) -> Result<(), ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    Ok(services()?.undo_missed(&caller, id).await?)
}

/// Dismisses missed posts.
#[server(prefix = "/api/v1", endpoint = "missed/drop", input = FormOrJson, output = Json)]
pub async fn drop_missed(
    /// Slug of the workspace; empty for the last used one.
    #[server(default)]
    workspace: String,
    /// The posts.
    #[server(default)]
    posts: Vec<PostId>,
) -> Result<(), ApiError> {
    let caller = caller(&workspace).await?;
    caller.may(Action::WritePosts)?;
    Ok(services()?.drop_missed(&caller, posts).await?)
}

/// The ticked posts with their times. A form sends date and time of every row and the ticks beside them.
#[cfg(feature = "ssr")]
fn chosen(posts: Vec<PostId>, dates: &[String], times: &[String], ticked: Option<&[String]>) -> Result<Vec<NewTime>, ErrorCode> {
    if posts.len() != dates.len() || posts.len() != times.len() {
        return Err(ErrorCode::BadArguments);
    }
    let is_meant = |post: &PostId| ticked.is_none_or(|ticked| ticked.contains(&post.to_string()));
    let rows = posts.into_iter().zip(dates).zip(times).filter(|((post, _), _)| is_meant(post));
    rows.map(|((post, date), time)| match (date.as_str(), time.as_str()) {
        (NOW, _) => Ok(NewTime { post, date: String::new(), time: String::new() }),
        // Empty means "now" to the backend; a cleared field must not.
        ("", _) | (_, "") => Err(ErrorCode::BadTime),
        _ => Ok(NewTime { post, date: date.clone(), time: time.clone() }),
    })
    .collect()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    const A: PostId = PostId([1; 16]);
    const B: PostId = PostId([2; 16]);

    fn texts(texts: [&str; 2]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    #[test]
    fn only_ticked_rows_get_new_times() {
        let ticked = texts(["", &B.to_string()]);
        let rows = chosen(vec![A, B], &texts(["", "2026-12-03"]), &texts(["", "09:00"]), Some(&ticked)).unwrap();
        assert_eq!(rows, [NewTime { post: B, date: "2026-12-03".to_owned(), time: "09:00".to_owned() }]);
    }

    #[test]
    fn a_cleared_field_never_means_now() {
        assert_eq!(chosen(vec![A, B], &texts([NOW, ""]), &texts(["", "09:00"]), None), Err(ErrorCode::BadTime));
        let now = chosen(vec![A, B], &texts([NOW, NOW]), &texts(["", ""]), None).unwrap();
        assert!(now.iter().all(|row| row.date.is_empty() && row.time.is_empty()));
    }

    #[test]
    fn rows_of_unequal_length_are_refused() {
        assert_eq!(chosen(vec![A], &texts(["", ""]), &texts(["", ""]), None), Err(ErrorCode::BadArguments));
    }
}
