//! Numbered events for open pages. (Owner: logins)

use domain::summary::shell::{Badges, Event};
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

impl Services {
    /// Events of the caller's workspace after number `after`, at most 100, oldest first (several of one kind are folded into the newest).
    pub async fn events_after(&self, caller: &Caller, after: i64) -> Answer<Vec<Event>> { todo!() }
    /// The badges.
    pub async fn badges(&self, caller: &Caller) -> Answer<Badges> { todo!() }
}
