//! Signed-in browsers. Times here are wall time; only the hash of a token is stored.

use domain::id::{PersonId, SessionId};
use domain::time::Timestamp;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::records::id_bytes;

/// A session that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Id.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// The last request, to the minute.
    pub last_seen_at: Timestamp,
}

impl Store {
    /// The session of a token: seen after `idle_since`, and not at its absolute end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token_hash: [u8; 32], idle_since: Timestamp, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let row: Option<(Vec<u8>, Vec<u8>, i64)> = self
            .row(
                "select id, person_id, last_seen_at from sessions where token_hash = $1 and ends_at > $2 and last_seen_at > $3",
                args![token_hash, now, idle_since],
            )
            .await?;
        row.map(|(id, person, seen)| {
            Ok(Session {
                id: SessionId(id_bytes("sessions", &id)?),
                person: PersonId(id_bytes("sessions", &person)?),
                last_seen_at: Timestamp(seen),
            })
        })
        .transpose()
    }

    /// Notes a request of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.run("update sessions set last_seen_at = $2 where id = $1 and last_seen_at < $2", args![id, now]).await?;
        Ok(())
    }

    /// Ends the session of a token. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, token_hash: [u8; 32]) -> Result<bool, StoreError> {
        Ok(self.run("delete from sessions where token_hash = $1", args![token_hash]).await? == 1)
    }

    /// Drops sessions that have ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_sessions(&self, idle_since: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        self.run("delete from sessions where ends_at <= $1 or last_seen_at <= $2", args![now, idle_since]).await
    }
}

impl Tx {
    /// Starts a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(
        &mut self,
        id: SessionId,
        token_hash: [u8; 32],
        person: PersonId,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "insert into sessions (id, token_hash, person_id, created_at, last_seen_at, ends_at) values ($1, $2, $3, $4, $4, $5)",
            args![id, token_hash, person, now, ends_at],
        )
        .await?;
        Ok(())
    }
}
