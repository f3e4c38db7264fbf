//! Applications of new times to missed posts, so that they can be undone.

use domain::delivery::MissedWhy;
use domain::id::{CatchUpId, DeliveryId, PersonId, PostId, WorkspaceId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::posts::Wall;
use crate::threads::{id_bytes, json, parsed};

/// What one post was before it got a new time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The post.
    pub post: PostId,
    /// Its time before.
    pub was_due: Option<Timestamp>,
    /// As the person had picked it: date, time, zone.
    pub was_wall: (Option<String>, Option<String>, Option<String>),
    /// Its missed deliveries.
    pub deliveries: Vec<MovedDelivery>,
}

impl Moved {
    /// The wall time before.
    pub fn wall(&self) -> Wall {
        let (date, time, zone) = self.was_wall.clone();
        Wall { date, time, zone }
    }
}

/// What one delivery was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedDelivery {
    /// Which.
    pub id: DeliveryId,
    /// When it had been due.
    pub was_due: Timestamp,
    /// Why it had been missed.
    pub why: MissedWhy,
    /// Its new time.
    pub due: Timestamp,
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUp {
    /// Id.
    pub id: CatchUpId,
    /// What it moved.
    pub moves: Vec<Moved>,
    /// The first of the new times.
    pub first_due_at: Timestamp,
}

type Row = (Vec<u8>, String, i64);

fn read((id, moves, first): Row) -> Result<CatchUp, StoreError> {
    Ok(CatchUp { id: CatchUpId(id_bytes("catch_ups", &id)?), moves: parsed("catch_ups", &moves)?, first_due_at: Timestamp(first) })
}

impl Store {
    /// The newest application of a workspace that can still be undone.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn open_catch_up(&self, workspace: WorkspaceId, now: Timestamp) -> Result<Option<CatchUp>, StoreError> {
        let row: Option<Row> = self
            .row(
                "select id, moves, first_due_at from catch_ups where workspace_id = $1 and undone_at is null and first_due_at > $2 \
                 order by at desc, id desc limit 1",
                args![workspace, now],
            )
            .await?;
        row.map(read).transpose()
    }
}

impl Tx {
    /// Remembers an application.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_catch_up(
        &mut self,
        workspace: WorkspaceId,
        by: PersonId,
        done: &CatchUp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "insert into catch_ups (id, workspace_id, person_id, at, moves, first_due_at) values ($1, $2, $3, $4, $5, $6)",
            args![done.id, workspace, by, now, json("catch_ups", &done.moves)?, done.first_due_at],
        )
        .await?;
        Ok(())
    }

    /// Takes an application for undoing: marks it undone. None when there is none of that id, or it was undone before.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn take_catch_up(&mut self, workspace: WorkspaceId, id: CatchUpId, now: Timestamp) -> Result<Option<CatchUp>, StoreError> {
        let row: Option<Row> = self
            .row(
                "update catch_ups set undone_at = $3 where workspace_id = $1 and id = $2 and undone_at is null \
                 returning id, moves, first_due_at",
                args![workspace, id, now],
            )
            .await?;
        row.map(read).transpose()
    }
}
