//! Many deliveries, few transactions: moves that arrive while one transaction is being written go into the next together.
//! A commit must be on disk before its request leaves, and one flush of the disk serves all that wait for it.

use domain::time::Timestamp;
use store::publishing::{Move, Together};
use store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// At most so many moves stand in one transaction.
const MOST: usize = 128;

type Waiting = (Move, oneshot::Sender<Result<(), StoreError>>);

/// The one task of this process that writes moves.
#[derive(Debug)]
pub(super) struct Writer {
    store: Store,
    queue: std::sync::OnceLock<mpsc::UnboundedSender<Waiting>>,
}

impl Writer {
    pub(super) const fn new(store: Store) -> Self {
        Self { store, queue: std::sync::OnceLock::new() }
    }

    /// Writes one move; it is on disk when this returns.
    pub(super) async fn write(&self, to: Move) -> Result<(), StoreError> {
        let queue = self.queue.get_or_init(|| {
            let (queue, waiting) = mpsc::unbounded_channel();
            tokio::spawn(run(self.store.clone(), waiting));
            queue
        });
        let (answer, answered) = oneshot::channel();
        // The task ends when the writer is dropped, and then nobody is left to ask.
        queue.send((to, answer)).map_err(|_| StoreError::Changed)?;
        answered.await.unwrap_or(Err(StoreError::Changed))
    }
}

async fn run(store: Store, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
    let mut batch: Vec<Waiting> = Vec::new();
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        // Those that were woken together with the first get their turn to ask for the same flush.
        tokio::task::yield_now().await;
        while batch.len() < MOST
            && let Ok(more) = waiting.try_recv()
        {
            batch.push(more);
        }
        write_together(&store, std::mem::take(&mut batch)).await;
    }
}

async fn write_together(store: &Store, mut batch: Vec<Waiting>) {
    if batch.len() > 1 {
        let all: Vec<&Move> = batch.iter().map(|(to, _)| to).collect();
        if let Ok(()) = write_all(store, &all).await {
            for (_, answer) in batch {
                let _ = answer.send(Ok(()));
            }
            return;
        }
        // One of them cannot be written, and that is no reason for the others to wait: each alone.
    }
    for (to, answer) in batch.drain(..) {
        let _ = answer.send(write_all(store, &[&to]).await);
    }
}

async fn write_all(store: &Store, moves: &[&Move]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let mut together = Together::default();
    let mut now = Timestamp::default();
    for to in moves {
        tx.move_delivery(to, &mut together).await?;
        now = now.max(to.now);
    }
    tx.end_together(together, now).await?;
    tx.commit().await
}
