//! Missed posts: suggest, apply, undo. (Owner: posts)

use domain::id::{CatchUpId, PostId};
use domain::missed::CatchUpRule;
use domain::summary::posts::{Applied, MissedPage};
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

/// A new time for one missed post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTime {
    /// The post.
    pub post: PostId,
    /// "2026-12-03" in the workspace's zone; empty with empty time: send now.
    pub date: String,
    /// "09:00".
    pub time: String,
}

impl Services {
    /// The page Missed posts, with times proposed by the rule.
    pub async fn missed_page(&self, caller: &Caller, rule: CatchUpRule) -> Answer<MissedPage> { todo!() }
    /// Gives missed posts new times, all or none.
    pub async fn apply_missed(&self, caller: &Caller, times: Vec<NewTime>) -> Answer<Applied> { todo!() }
    /// Takes an application back, until the first of its posts has gone out.
    pub async fn undo_missed(&self, caller: &Caller, id: CatchUpId) -> Answer<()> { todo!() }
    /// Dismisses missed posts.
    pub async fn drop_missed(&self, caller: &Caller, posts: Vec<PostId>) -> Answer<()> { todo!() }
}
