//! Tells open pages that posts have changed: at once when it is quiet, ten times a second in a burst.
//!
//! The events follow the moves in a transaction of their own. What a killed process did not get to tell is told again by
//! the next one (see `absence`): an event says that something changed, and a page that hears it twice reloads twice.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::id::WorkspaceId;
use domain::time::Timestamp;
use store::Store;
use tokio::sync::{mpsc, oneshot};

/// Between two announcements.
const PAUSE: Duration = Duration::from_millis(100);
/// After one that could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Note {
    Changed(BTreeSet<WorkspaceId>, Timestamp),
    Flush(oneshot::Sender<()>),
}

/// The one task of this process that announces. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Announcer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    notes: OnceLock<mpsc::UnboundedSender<Note>>,
}

impl Announcer {
    pub(super) fn new(store: Store) -> Self {
        Self(Arc::new(Inner { store, notes: OnceLock::new() }))
    }

    fn notes(&self) -> &mpsc::UnboundedSender<Note> {
        self.0.notes.get_or_init(|| {
            let (notes, waiting) = mpsc::unbounded_channel();
            tokio::spawn(run(self.0.store.clone(), waiting));
            notes
        })
    }

    pub(super) fn announce(&self, changed: BTreeSet<WorkspaceId>, now: Timestamp) {
        if !changed.is_empty() {
            let _ = self.notes().send(Note::Changed(changed, now));
        }
    }

    /// Waits until all that was announced is written.
    pub(super) async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        if self.0.notes.get().is_some_and(|notes| notes.send(Note::Flush(answer)).is_ok()) {
            let _ = answered.await;
        }
    }
}

async fn run(store: Store, mut waiting: mpsc::UnboundedReceiver<Note>) {
    let (mut changed, mut now) = (BTreeSet::new(), Timestamp::default());
    let mut notes = Vec::new();
    loop {
        // What could not be written is tried again without waiting for more.
        if changed.is_empty() && waiting.recv_many(&mut notes, usize::MAX).await == 0 {
            return;
        }
        while let Ok(note) = waiting.try_recv() {
            notes.push(note);
        }
        let mut flushes = Vec::new();
        for note in notes.drain(..) {
            match note {
                Note::Changed(workspaces, at) => {
                    changed.extend(workspaces);
                    now = now.max(at);
                }
                Note::Flush(answer) => flushes.push(answer),
            }
        }
        let mut pause = Duration::ZERO;
        if !changed.is_empty() {
            match store.announce_posts(&changed, now).await {
                Ok(()) => {
                    changed.clear();
                    pause = PAUSE;
                }
                // The process ends; the next one tells.
                Err(_) if waiting.is_closed() => return,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "open pages could not be told that posts changed");
                    pause = AFTER_FAILURE;
                }
            }
        }
        for flush in flushes.drain(..) {
            let _ = flush.send(());
            pause = Duration::ZERO;
        }
        tokio::time::sleep(pause).await;
    }
}
