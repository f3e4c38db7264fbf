//! Threads: exactly one open per root; the stories write themselves inside the transactions that cause them.

use domain::id::{ThreadId, WorkspaceId};
use domain::inbox::{Root, Stage};
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::Tx;
use crate::error::{StoreError, contradiction};

#[derive(FromRow)]
struct OpenRow {
    id: Vec<u8>,
    stage: String,
    entry_count: i64,
}

pub(crate) fn json<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| contradiction(table, error))
}

pub(crate) fn parsed<T: serde::de::DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| contradiction(table, error))
}

pub(crate) fn id_bytes(table: &'static str, bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| contradiction(table, "an id is not sixteen bytes"))
}

impl Tx {
    /// Brings the story of `root` to `stage`: opens its thread if none is open (with id `fresh`), adds an entry when the
    /// stage is another one, and only updates the last entry when the same stage merely counts on (`Missed`).
    /// Writes the inbox event when anything changed. Returns the thread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell(
        &mut self,
        workspace: WorkspaceId,
        root: &Root,
        stage: &Stage,
        fresh: ThreadId,
        now: Timestamp,
    ) -> Result<ThreadId, StoreError> {
        let key = root.key();
        let stage_text = json("threads", stage)?;
        let open: Option<OpenRow> = self
            .row(
                "select id, stage, entry_count from threads where workspace_id = $1 and root_key = $2 and resolved_at is null",
                args![workspace, &key],
            )
            .await?;
        let thread = match open {
            None => {
                self.run(
                    "insert into threads (id, workspace_id, root_key, root, stage, needs, opened_at, updated_at, entry_count) \
                     values ($1, $2, $3, $4, $5, $6, $7, $7, 1)",
                    args![fresh, workspace, &key, json("threads", root)?, &stage_text, stage.needs_somebody(), now],
                )
                .await?;
                self.entry(fresh, 1, &stage_text, now).await?;
                fresh
            }
            Some(open) => {
                let id = ThreadId(id_bytes("threads", &open.id)?);
                if open.stage == stage_text {
                    return Ok(id);
                }
                let before: Stage = parsed("threads", &open.stage)?;
                if before.code() == stage.code() {
                    self.run(
                        "update thread_entries set stage = $3 where thread_id = $1 and number = $2",
                        args![id, open.entry_count, &stage_text],
                    )
                    .await?;
                    self.run("update threads set stage = $2, updated_at = $3 where id = $1", args![id, &stage_text, now]).await?;
                } else {
                    self.entry(id, open.entry_count + 1, &stage_text, now).await?;
                    self.run(
                        "update threads set stage = $2, needs = $3, updated_at = $4, entry_count = entry_count + 1 where id = $1",
                        args![id, &stage_text, stage.needs_somebody(), now],
                    )
                    .await?;
                }
                id
            }
        };
        self.event(workspace, EventKind::Inbox, now).await?;
        Ok(thread)
    }

    /// Ends the story of `root` with "back to normal", if one is open. Returns whether one was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn back_to_normal(&mut self, workspace: WorkspaceId, root: &Root, now: Timestamp) -> Result<bool, StoreError> {
        let open: Option<OpenRow> = self
            .row(
                "select id, stage, entry_count from threads where workspace_id = $1 and root_key = $2 and resolved_at is null",
                args![workspace, root.key()],
            )
            .await?;
        let Some(open) = open else { return Ok(false) };
        let id = ThreadId(id_bytes("threads", &open.id)?);
        let stage = json("threads", &Stage::Back)?;
        self.entry(id, open.entry_count + 1, &stage, now).await?;
        self.run(
            "update threads set stage = $2, needs = $3, updated_at = $4, resolved_at = $4, entry_count = entry_count + 1 where id = $1",
            args![id, &stage, false, now],
        )
        .await?;
        self.event(workspace, EventKind::Inbox, now).await?;
        Ok(true)
    }

    async fn entry(&mut self, thread: ThreadId, number: i64, stage: &str, now: Timestamp) -> Result<(), StoreError> {
        self.run("insert into thread_entries (thread_id, number, at, stage) values ($1, $2, $3, $4)", args![thread, number, now, stage])
            .await?;
        Ok(())
    }
}
