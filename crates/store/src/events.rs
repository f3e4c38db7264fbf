//! Numbered events for open pages (design section 6).

use domain::id::WorkspaceId;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;

use crate::args;
use crate::db::Store;
use crate::error::{StoreError, contradiction};

/// How long events are kept; a page that was away longer reloads everything.
pub const KEPT: std::time::Duration = domain::time::days(2);

pub(crate) fn event_kind(code: &str) -> Result<EventKind, StoreError> {
    [EventKind::Accounts, EventKind::Posts, EventKind::Inbox, EventKind::Clock]
        .into_iter()
        .find(|kind| kind.code() == code)
        .ok_or_else(|| contradiction("events", code))
}

impl Store {
    /// The number of a workspace's newest event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn event_seq(&self, workspace: WorkspaceId) -> Result<i64, StoreError> {
        let row: Option<(i64,)> = self.row("select event_seq from workspaces where id = $1", args![workspace]).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// Events after number `after`, oldest first, at most `most`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events_after(&self, workspace: WorkspaceId, after: i64, most: i64) -> Result<Vec<(i64, EventKind)>, StoreError> {
        let rows: Vec<(i64, String)> = self
            .rows("select seq, kind from events where workspace_id = $1 and seq > $2 order by seq limit $3", args![workspace, after, most])
            .await?;
        rows.into_iter().map(|(seq, kind)| Ok((seq, event_kind(&kind)?))).collect()
    }

    /// Drops events that no open page can still need.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_events(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.run("delete from events where at < $1", args![now - KEPT]).await
    }
}
