//! Reading the inbox: threads, their stories, and what a person has read.

use domain::id::{PersonId, ThreadId, WorkspaceId};
use domain::inbox::{Root, Stage};
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::records::{at, count, id_bytes, parsed};

const TABLE: &str = "threads";

/// A thread as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Id.
    pub id: ThreadId,
    /// What it is about.
    pub root: Root,
    /// How far its story has come.
    pub stage: Stage,
    /// Whether somebody has something to do.
    pub needs: bool,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Whether the person has not read the last entry that is worth reading: "back to normal" asks nobody to look.
    pub is_unread: bool,
}

#[derive(FromRow)]
struct ThreadRow {
    id: Vec<u8>,
    root: String,
    stage: String,
    needs: bool,
    opened_at: i64,
    updated_at: i64,
    resolved_at: Option<i64>,
    entry_count: i64,
    read_number: Option<i64>,
}

impl TryFrom<ThreadRow> for Thread {
    type Error = StoreError;
    fn try_from(row: ThreadRow) -> Result<Self, StoreError> {
        let worth_reading = row.entry_count - i64::from(row.resolved_at.is_some());
        Ok(Self {
            id: ThreadId(id_bytes(TABLE, &row.id)?),
            root: parsed(TABLE, &row.root)?,
            stage: parsed(TABLE, &row.stage)?,
            needs: row.needs,
            opened_at: Timestamp(row.opened_at),
            updated_at: Timestamp(row.updated_at),
            resolved_at: at(row.resolved_at),
            is_unread: row.read_number.unwrap_or(0) < worth_reading,
        })
    }
}

macro_rules! threads {
    ($rest:literal) => {
        concat!(
            "select t.id, t.root, t.stage, t.needs, t.opened_at, t.updated_at, t.resolved_at, t.entry_count, r.number as read_number \
             from threads t left join thread_reads r on r.thread_id = t.id and r.person_id = $2 where t.workspace_id = $1 ",
            $rest
        )
    };
}

impl Store {
    /// The threads of a workspace, newest first: all, or the open ones that need somebody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn threads(&self, workspace: WorkspaceId, person: PersonId, all: bool, most: i64) -> Result<Vec<Thread>, StoreError> {
        const ALL: &str = threads!("order by t.updated_at desc, t.id desc limit $3");
        const NEEDED: &str = threads!("and t.needs = true and t.resolved_at is null order by t.updated_at desc, t.id desc limit $3");
        let rows: Vec<ThreadRow> = self.rows(if all { ALL } else { NEEDED }, args![workspace, person, most]).await?;
        rows.into_iter().map(Thread::try_from).collect()
    }

    /// One thread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread(&self, workspace: WorkspaceId, person: PersonId, id: ThreadId) -> Result<Option<Thread>, StoreError> {
        const SQL: &str = threads!("and t.id = $3");
        let row: Option<ThreadRow> = self.row(SQL, args![workspace, person, id]).await?;
        row.map(Thread::try_from).transpose()
    }

    /// The story of a thread, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread_entries(&self, workspace: WorkspaceId, id: ThreadId) -> Result<Vec<(Timestamp, Stage)>, StoreError> {
        let rows: Vec<(i64, String)> = self
            .rows(
                "select e.at, e.stage from thread_entries e join threads t on t.id = e.thread_id \
                 where e.thread_id = $1 and t.workspace_id = $2 order by e.number",
                args![id, workspace],
            )
            .await?;
        rows.into_iter().map(|(at, stage)| Ok((Timestamp(at), parsed("thread_entries", &stage)?))).collect()
    }

    /// How many open threads need somebody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_needs(&self, workspace: WorkspaceId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row("select count(*) from threads where workspace_id = $1 and needs = true and resolved_at is null", args![workspace])
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }

    /// How many threads a person has not read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_unread(&self, workspace: WorkspaceId, person: PersonId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from threads t left join thread_reads r on r.thread_id = t.id and r.person_id = $2 \
                 where t.workspace_id = $1 \
                 and coalesce(r.number, 0) < t.entry_count - case when t.resolved_at is null then 0 else 1 end",
                args![workspace, person],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }

    /// How many accounts of a workspace are disconnected: the number in the `!` of Linked Accounts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_disconnected(&self, workspace: WorkspaceId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from accounts a join grants g on g.id = a.grant_id where a.workspace_id = $1 and a.state <> 'unlinked' \
                 and (a.state in ('blocked', 'gone') or g.state = 'sign_in_needed')",
                args![workspace],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }
}

impl Tx {
    /// Marks a thread read for a person. Returns whether there is such a thread and the person had not read it all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_read(&mut self, workspace: WorkspaceId, person: PersonId, id: ThreadId, now: Timestamp) -> Result<bool, StoreError> {
        let changed = self
            .run(
                "insert into thread_reads (thread_id, person_id, number) \
                 select id, $2, entry_count from threads where id = $3 and workspace_id = $1 \
                 on conflict (thread_id, person_id) do update set number = excluded.number where thread_reads.number < excluded.number",
                args![workspace, person, id],
            )
            .await?;
        if changed == 1 {
            self.event(workspace, EventKind::Inbox, now).await?;
        }
        Ok(changed == 1)
    }

    /// The stage of the open thread of a root, if one is open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_stage(&mut self, workspace: WorkspaceId, root: &Root) -> Result<Option<Stage>, StoreError> {
        let row: Option<(String,)> = self
            .row(
                "select stage from threads where workspace_id = $1 and root_key = $2 and resolved_at is null",
                args![workspace, root.key()],
            )
            .await?;
        row.map(|(stage,)| parsed(TABLE, &stage)).transpose()
    }

    /// Closes the thread of a root without "back to normal", because a wider one tells the story now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_quietly(&mut self, workspace: WorkspaceId, root: &Root, now: Timestamp) -> Result<(), StoreError> {
        let closed = self
            .run(
                "update threads set needs = $3, resolved_at = $4 where workspace_id = $1 and root_key = $2 and resolved_at is null",
                args![workspace, root.key(), false, now],
            )
            .await?;
        if closed > 0 {
            self.event(workspace, EventKind::Inbox, now).await?;
        }
        Ok(())
    }
}
