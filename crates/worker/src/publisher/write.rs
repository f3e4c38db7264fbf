//! Many deliveries, few transactions: moves that arrive while one transaction is being written go into the next together.
//! A commit must be on disk before its request leaves, and one flush of the disk serves all that wait for it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use domain::id::{GrantId, WorkspaceId};
use domain::time::Timestamp;
use store::publishing::{Move, Together};
use store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::announce::Announcer;

/// At most so many moves stand in one transaction.
const MOST: usize = 128;

type Waiting = (Move, oneshot::Sender<Result<(), StoreError>>);

/// PostgreSQL takes several transactions at once. Each lane has its own logins, so that no two wait for one another's.
const LANES: usize = 4;

/// The tasks of this process that write moves: one for SQLite, which has one writer anyway.
#[derive(Debug)]
pub(super) struct Writer {
    store: Store,
    lanes: Vec<OnceLock<mpsc::UnboundedSender<Waiting>>>,
    announcer: Announcer,
}

impl Writer {
    pub(super) fn new(store: Store) -> Self {
        let lanes = if store.is_shared() { LANES } else { 1 };
        let announcer = Announcer::new(store.clone());
        Self { store, lanes: (0..lanes).map(|_| OnceLock::new()).collect(), announcer }
    }

    /// Tells open pages that posts of these workspaces have changed.
    pub(super) fn announce(&self, changed: BTreeSet<WorkspaceId>, now: Timestamp) {
        self.announcer.announce(changed, now);
    }

    /// Waits until all that was announced is written.
    pub(super) async fn flush(&self) {
        self.announcer.flush().await;
    }

    /// Writes one move of a delivery behind `login`; it is on disk when this returns.
    pub(super) async fn write(&self, login: GrantId, to: Move) -> Result<(), StoreError> {
        let lane = usize::from(login.bytes()[15]) % self.lanes.len();
        let queue = self.lanes[lane].get_or_init(|| {
            let (queue, waiting) = mpsc::unbounded_channel();
            tokio::spawn(run(self.store.clone(), self.announcer.clone(), waiting));
            queue
        });
        let (answer, answered) = oneshot::channel();
        // The task ends when the writer is dropped, and then nobody is left to ask.
        queue.send((to, answer)).map_err(|_| StoreError::Changed)?;
        answered.await.unwrap_or(Err(StoreError::Changed))
    }
}

async fn run(store: Store, announcer: Announcer, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
    let mut batch: Vec<Waiting> = Vec::new();
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        // Those that were woken together with the first get their turn to ask for the same flush.
        tokio::task::yield_now().await;
        while batch.len() < MOST
            && let Ok(more) = waiting.try_recv()
        {
            batch.push(more);
        }
        write_together(&store, &announcer, std::mem::take(&mut batch)).await;
    }
}

async fn write_together(store: &Store, announcer: &Announcer, mut batch: Vec<Waiting>) {
    if batch.len() > 1 {
        let all: Vec<&Move> = batch.iter().map(|(to, _)| to).collect();
        if let Ok(()) = write_all(store, announcer, &all).await {
            for (_, answer) in batch {
                let _ = answer.send(Ok(()));
            }
            return;
        }
        // One of them cannot be written, and that is no reason for the others to wait: each alone.
    }
    for (to, answer) in batch.drain(..) {
        let _ = answer.send(write_all(store, announcer, &[&to]).await);
    }
}

async fn write_all(store: &Store, announcer: &Announcer, moves: &[&Move]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let mut together = Together::default();
    let mut now = Timestamp::default();
    for to in moves {
        tx.move_delivery(to, &mut together).await?;
        now = now.max(to.now);
    }
    let changed = tx.end_together(together, now).await?;
    tx.commit().await?;
    announcer.announce(changed, now);
    Ok(())
}
