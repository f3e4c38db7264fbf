//! The check an hour before a post is due: what would go wrong then is better known now.

use domain::account::can_post;
use domain::inbox::Stage;
use domain::time::minutes;
use store::publishing::Also;

use super::held::{Change, Held};
use super::load::images;
use crate::WorkerError;

/// Checks login, content and images, and asks for fresh tokens where they would end too early. Only what concerns the
/// post itself opens its thread: a lost login has one of its own.
pub(super) async fn check(held: Held) -> Result<(), WorkerError> {
    let claimed = &held.claimed;
    let now = held.inner.now();
    let mut change = Change { is_checked: true, ..Change::default() };
    let is_content_fine = images(&held).await?.is_ok();
    if !is_content_fine {
        change.also.push(Also::Tell(held.root(), Stage::Refused, held.thread_id()));
    }
    if claimed.has_refresh && claimed.access_expires_at.is_some_and(|end| end <= claimed.due_at + minutes(5)) {
        change.also.push(Also::RenewNow(claimed.grant, claimed.generation));
    }
    let is_fine = is_content_fine && can_post(claimed.account_state, claimed.login, claimed.access_expires_at, now);
    change.records.push(held.line("check", if is_fine { "done" } else { "not_done" }));
    held.finish(claimed.state.clone(), Some(claimed.due_at), change).await
}
