//! Everything that `cargo xtask faults` compares with the platforms, read as it stands. Only builds with cuts have it.

use domain::id::{DeliveryId, GrantId};
use domain::time::Timestamp;

use crate::args;
use crate::db::Store;
use crate::error::StoreError;
use crate::records::id_bytes;

/// A delivery.
#[derive(Debug, Clone)]
pub struct DeliveryTruth {
    /// Its id.
    pub id: DeliveryId,
    /// The revision's content, JSON.
    pub content: String,
    /// The platform's code.
    pub platform: String,
    /// The platform's id of the account.
    pub account: String,
    /// The state, JSON.
    pub detail: String,
    /// When a worker has something to do with it.
    pub work_at: Option<i64>,
    /// Commits that were written down, each before its request.
    pub commits: i64,
    /// Those among them whose end is not written.
    pub open_commits: i64,
}

/// A login.
#[derive(Debug, Clone)]
pub struct LoginTruth {
    /// Its id.
    pub id: GrantId,
    /// The platform's code.
    pub platform: String,
    /// The platform's id of the person.
    pub person: String,
    /// The code of its state.
    pub state: String,
    /// JSON of the cause.
    pub cause: Option<String>,
    /// The number of its newest tokens.
    pub generation: i64,
    /// Outcomes of its renewals, oldest first; none for those under way.
    pub renewals: Vec<Option<String>>,
}

/// A thread of the inbox.
#[derive(Debug, Clone)]
pub struct ThreadTruth {
    /// JSON of its root.
    pub root: String,
    /// Its stages, JSON, oldest first.
    pub stages: Vec<String>,
    /// Whether it is over.
    pub is_over: bool,
}

/// The numbers of a workspace's events, and its counter.
#[derive(Debug, Clone, Copy)]
pub struct EventTruth {
    /// How many there are. The oldest are tidied away.
    pub count: i64,
    /// The number of the oldest.
    pub first: i64,
    /// The counter.
    pub last: i64,
}

impl Store {
    /// All deliveries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn true_deliveries(&self) -> Result<Vec<DeliveryTruth>, StoreError> {
        type Row = (Vec<u8>, String, String, String, String, Option<i64>, i64, i64);
        let rows: Vec<Row> = self
            .rows(
                "select d.id, r.content, d.platform, a.remote_id, d.detail, d.work_at, \
                 (select count(*) from publish_attempts t where t.delivery_id = d.id and t.kind = 'commit'), \
                 (select count(*) from publish_attempts t where t.delivery_id = d.id and t.kind = 'commit' and t.ended_at is null) \
                 from deliveries d join post_revisions r on r.id = d.revision_id join accounts a on a.id = d.account_id order by d.id",
                args![],
            )
            .await?;
        rows.into_iter()
            .map(|(id, content, platform, account, detail, work_at, commits, open_commits)| {
                let id = DeliveryId(id_bytes("deliveries", &id)?);
                Ok(DeliveryTruth { id, content, platform, account, detail, work_at, commits, open_commits })
            })
            .collect()
    }

    /// All logins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn true_logins(&self) -> Result<Vec<LoginTruth>, StoreError> {
        type Row = (Vec<u8>, String, String, String, Option<String>, i64);
        let rows: Vec<Row> =
            self.rows("select id, platform, remote_person, state, cause, generation from grants order by id", args![]).await?;
        let attempts: Vec<(Vec<u8>, Option<String>)> =
            self.rows("select grant_id, outcome from refresh_attempts order by sent_at, id", args![]).await?;
        rows.into_iter()
            .map(|(id, platform, person, state, cause, generation)| {
                let renewals = attempts.iter().filter(|(grant, _)| *grant == id).map(|(_, outcome)| outcome.clone()).collect();
                let id = GrantId(id_bytes("grants", &id)?);
                Ok(LoginTruth { id, platform, person, state, cause, generation, renewals })
            })
            .collect()
    }

    /// All threads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn true_threads(&self) -> Result<Vec<ThreadTruth>, StoreError> {
        let rows: Vec<(Vec<u8>, String, Option<i64>)> = self.rows("select id, root, resolved_at from threads order by id", args![]).await?;
        let entries: Vec<(Vec<u8>, String)> =
            self.rows("select thread_id, stage from thread_entries order by thread_id, number", args![]).await?;
        Ok(rows
            .into_iter()
            .map(|(id, root, resolved_at)| {
                let stages = entries.iter().filter(|(thread, _)| *thread == id).map(|(_, stage)| stage.clone()).collect();
                ThreadTruth { root, stages, is_over: resolved_at.is_some() }
            })
            .collect())
    }

    /// The events of all workspaces.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn true_events(&self) -> Result<Vec<EventTruth>, StoreError> {
        let sql = "select (select count(*) from events e where e.workspace_id = w.id), \
                   coalesce((select min(seq) from events e where e.workspace_id = w.id), w.event_seq + 1), w.event_seq \
                   from workspaces w order by w.id";
        let rows: Vec<(i64, i64, i64)> = self.rows(sql, args![]).await?;
        Ok(rows.into_iter().map(|(count, first, last)| EventTruth { count, first, last }).collect())
    }

    /// How many rows still name a holder though its time was over at `wall`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue_leases(&self, wall: Timestamp) -> Result<i64, StoreError> {
        let sql = "select (select count(*) from grants where lease_id is not null and lease_until <= $1) \
                   + (select count(*) from deliveries where lease_id is not null and lease_until <= $1)";
        let row: Option<(i64,)> = self.row(sql, args![wall]).await?;
        Ok(row.map_or(0, |row| row.0))
    }
}
