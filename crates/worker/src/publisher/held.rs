//! A delivery that this worker holds, and the writing of its moves.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{DeliveryEvent, DeliveryState};
use domain::id::{AttemptId, ThreadId};
use domain::inbox::Root;
use domain::time::Timestamp;
use store::StoreError;
use store::deliveries::Record;
use store::publishing::{Also, Claimed, Ended, Move};

use super::Inner;
use super::load::SharedAccess;
use crate::WorkerError;

/// How often a write is tried that must not be lost, before the lease is left to run out.
const WRITE_TRIES: u32 = 5;

/// A delivery under our lease.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) inner: Arc<Inner>,
    pub(super) claimed: Claimed,
    /// The opened login, shared by all that were claimed together for one account.
    pub(super) access: SharedAccess,
    /// Whether nothing was ever begun for it, so that no steps can be remembered.
    pub(super) is_first_try: bool,
    /// Wall time at which our lease ends.
    pub(super) until: Timestamp,
}

/// A change to be written: the event, and what goes with it.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) records: Vec<Record>,
    pub(super) ended: Option<Ended>,
    pub(super) step: Option<(i64, String, String)>,
    pub(super) also: Vec<Also>,
    pub(super) is_checked: bool,
}

impl Held {
    pub(super) fn attempt_id(&self) -> AttemptId {
        AttemptId(self.inner.services.new_id())
    }

    pub(super) fn thread_id(&self) -> ThreadId {
        ThreadId(self.inner.services.new_id())
    }

    /// The root of this delivery's own thread.
    pub(super) fn root(&self) -> Root {
        Root::Delivery { delivery: self.claimed.id, post: self.claimed.post }
    }

    /// A line of the story that begins and ends now.
    pub(super) fn line(&self, kind: &'static str, outcome: &'static str) -> Record {
        Record::moment(self.attempt_id(), kind, outcome, self.inner.now())
    }

    /// Which pair of tokens is used for it.
    pub(super) fn used(&self) -> i64 {
        self.access.get().and_then(Option::as_ref).map_or(self.claimed.generation, |acting| acting.generation)
    }

    /// The state after `events`, in order.
    pub(super) fn after(&self, events: impl IntoIterator<Item = DeliveryEvent>, now: Timestamp) -> Result<DeliveryState, WorkerError> {
        let mut state = self.claimed.state.clone();
        for event in events {
            state = state.after(event, now)?;
        }
        Ok(state)
    }

    /// The move to `state`, given back or kept.
    pub(super) fn to(&self, state: DeliveryState, work_at: Option<Timestamp>, keep_until: Option<Timestamp>, change: Change) -> Move {
        Move {
            workspace: self.claimed.workspace,
            delivery: self.claimed.id,
            lease: self.claimed.lease,
            fence: self.claimed.fence,
            state,
            work_at,
            keep_until,
            is_checked: change.is_checked,
            step: change.step,
            records: change.records,
            ended: change.ended,
            also: change.also,
            now: self.inner.now(),
        }
    }

    /// Writes a move after which we go on with the delivery; the lease begins anew.
    pub(super) async fn go_on(&mut self, state: DeliveryState, change: Change) -> Result<(), WorkerError> {
        let until = self.inner.lease_until();
        let to = self.to(state.clone(), Some(self.claimed.work_at), Some(until), change);
        self.inner.writer.write(self.claimed.grant, to).await?;
        self.until = until;
        self.claimed.state = state;
        Ok(())
    }

    /// Writes a move after which the delivery is given back. What the platform answered must not be lost to a passing
    /// trouble of the database, so this is tried again while the lease lasts.
    pub(super) async fn finish(&self, state: DeliveryState, work_at: Option<Timestamp>, change: Change) -> Result<(), WorkerError> {
        let has_new_token = change.also.iter().any(|also| matches!(also, Also::AccountToken(..)));
        self.write_for_sure(self.to(state, work_at, None, change)).await?;
        if has_new_token {
            self.inner.memory.forget(self.claimed.account);
        }
        Ok(())
    }

    async fn write_for_sure(&self, to: Move) -> Result<(), WorkerError> {
        let mut wait = Duration::from_millis(200);
        for _ in 1..WRITE_TRIES {
            match self.inner.writer.write(self.claimed.grant, to.clone()).await {
                Err(error) if is_passing(&error) && self.inner.wall() < self.until => {
                    tracing::warn!(delivery.id = %self.claimed.id, error = &error as &dyn std::error::Error, "writing an outcome failed, trying again");
                    tokio::time::sleep(wait).await;
                    wait *= 4;
                }
                other => return Ok(other?),
            }
        }
        Ok(self.inner.writer.write(self.claimed.grant, to).await?)
    }

    /// Gives the delivery back as it is, to be looked at again after `wait`.
    pub(super) async fn put_back(&self, wait: Duration) -> Result<(), WorkerError> {
        let mut tx = self.inner.services.store.begin().await?;
        tx.put_back(self.claimed.id, self.claimed.lease, self.inner.now() + wait).await?;
        Ok(tx.commit().await?)
    }
}

/// Whether the same write may work a moment later.
fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Database(_)) && !error.is_duplicate()
}
