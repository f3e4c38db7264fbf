//! Who did what to what, and when. Rows are only ever added.

use domain::id::{PersonId, WorkspaceId};
use domain::time::Timestamp;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// What was done: `login.lost`, `account.unlinked`.
    pub action: String,
    /// To what: `login:{id}`.
    pub object: String,
    /// When (world time).
    pub at: Timestamp,
}

impl Tx {
    /// Notes that something was done. `person` is none where the machine did it by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &mut self,
        id: [u8; 16],
        workspace: Option<WorkspaceId>,
        person: Option<PersonId>,
        action: &'static str,
        object: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "insert into audit (id, workspace_id, person_id, action, object, at) values ($1, $2, $3, $4, $5, $6)",
            args![id, workspace, person, action, object, now],
        )
        .await?;
        Ok(())
    }
}

impl Store {
    /// What was done to one object, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_of(&self, workspace: WorkspaceId, object: &str, most: i64) -> Result<Vec<AuditLine>, StoreError> {
        let rows: Vec<(String, String, i64)> = self
            .rows(
                "select action, object, at from audit where workspace_id = $1 and object = $2 order by at desc, id desc limit $3",
                args![workspace, object, most],
            )
            .await?;
        Ok(rows.into_iter().map(|(action, object, at)| AuditLine { action, object, at: Timestamp(at) }).collect())
    }
}
