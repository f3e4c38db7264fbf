//! Numbered events for open pages.

use domain::role::{Action, Caller};
use domain::summary::shell::{Badges, Event};

use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// So many events are read at once; a page that was away longer asks again after the last.
const AT_ONCE: i64 = 100;

impl Services {
    /// Events of the caller's workspace after number `after`, at most 100, oldest first (several of one kind are folded into the newest).
    ///
    /// # Errors
    /// When the database fails or the role does not allow it.
    pub async fn events_after(&self, caller: &Caller, after: i64) -> Answer<Vec<Event>> {
        caller.may(Action::See)?;
        let numbered = self.store.events_after(caller.workspace, after, AT_ONCE).await?;
        if numbered.is_empty() {
            return Ok(Vec::new());
        }
        let badges = self.badges(caller).await?;
        let now = self.now();
        let is_newest = |seq: i64, kind| !numbered.iter().any(|(other, same)| *same == kind && *other > seq);
        let folded = numbered.iter().filter(|(seq, kind)| is_newest(*seq, *kind));
        Ok(folded.map(|&(seq, kind)| Event { seq, kind, now, badges }).collect())
    }

    /// The badges.
    ///
    /// # Errors
    /// When the database fails or the role does not allow it.
    pub async fn badges(&self, caller: &Caller) -> Answer<Badges> {
        caller.may(Action::See)?;
        Ok(Badges {
            unread: self.store.count_unread(caller.workspace, caller.person).await?,
            disconnected: self.store.count_disconnected(caller.workspace).await?,
            missed: self.store.missed_posts(caller.workspace).await?,
        })
    }
}
