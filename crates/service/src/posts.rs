//! Posts and their proofs. (Owner: posts)

use domain::id::{DeliveryId, PostId};
use domain::summary::posts::{PostPage, PostsPage, PostsTab};
use domain::summary::compose::Composed;
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

/// What a person answers to "Did this post appear?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostAnswer {
    /// It is there.
    There,
    /// It is not there: send it again (after one more look).
    SendAgain,
    /// It is not there: at a new time ("2026-12-03", "09:00", zone).
    NewTime { /// Date.
        date: String, /// Time.
        time: String, /// Zone.
        zone: String },
}

impl Services {
    /// A tab of Posts.
    pub async fn posts_page(&self, caller: &Caller, tab: PostsTab) -> Answer<PostsPage> { todo!() }
    /// One post with its proof of posting.
    pub async fn post_page(&self, caller: &Caller, post: PostId) -> Answer<PostPage> { todo!() }
    /// Cancels what is still planned of a post (or deletes a draft). `AlreadyBeingSent` after the claim.
    pub async fn cancel_post(&self, caller: &Caller, post: PostId) -> Answer<()> { todo!() }
    /// Gives what did not go out (missed, failed), or what is still planned, a new time.
    pub async fn reschedule_post(&self, caller: &Caller, post: PostId, date: &str, time: &str, zone: &str) -> Answer<Composed> { todo!() }
    /// Takes a person's answer to an unconfirmed delivery. "Not there" looks once more first; if found, the answer is `Outdated` and the delivery is published.
    pub async fn answer_delivery(&self, caller: &Caller, delivery: DeliveryId, answer: PostAnswer) -> Answer<()> { todo!() }
}
