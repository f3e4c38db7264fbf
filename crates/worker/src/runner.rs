//! Waits and works: one timer armed at the next due moment, notifications for speed, a slow poll for certainty.
//! On PostgreSQL the database's announcements wake it too: what a person does may come in at another process.

use std::time::Duration;

use domain::id::NodeId;
use domain::time::{Timestamp, hours};
use service::Services;
use store::db::Announced;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;

use crate::WorkerError;
use crate::keeper::Keeper;
use crate::publisher::Publisher;
use crate::tidy;

/// However far ahead the next due moment is, the rows are looked at this often.
const POLL: Duration = Duration::from_secs(30);
/// What is due and could not be started is tried again after this.
const NOT_AT_ONCE: Duration = Duration::from_millis(100);
/// After a round that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// What nobody needs any more goes this often.
const TIDY_EVERY: Duration = hours(1);

/// Everything that happens unasked, in one process.
#[derive(Debug)]
pub struct Worker {
    services: Services,
    keeper: Keeper,
    publisher: Publisher,
    tidied_at: Option<Timestamp>,
}

impl Worker {
    /// A worker under the id of this process's node.
    pub fn new(services: Services, node: NodeId) -> Self {
        Self { keeper: Keeper::new(services.clone(), node), publisher: Publisher::new(services.clone(), node), services, tidied_at: None }
    }

    /// Works until `shutdown`; then starts nothing new and finishes what it holds.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let wake = std::sync::Arc::clone(&self.services.wake);
        let (mut announced, is_shared) = (self.services.store.announcements(), self.services.store.is_shared());
        while !shutdown.is_cancelled() {
            // Listening begins before the round, so that nothing that happens during it is missed.
            let mut woken = std::pin::pin!(wake.notified());
            woken.as_mut().enable();
            let wait = match self.tick().await {
                Ok(started) => self.wait(started).await,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a round failed");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = woken => {}
                () = heard(&mut announced), if is_shared => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.idle().await;
    }

    /// One round: starts what is due. Returns how many were started.
    ///
    /// # Errors
    /// When the database fails. What runs already goes on.
    pub async fn tick(&mut self) -> Result<usize, WorkerError> {
        // Posts first: they have a time.
        let published = self.publisher.tick().await;
        let kept = self.keeper.tick().await;
        self.tidy().await;
        Ok(published? + kept?)
    }

    async fn tidy(&mut self) {
        let wall = self.services.clocks.wall.now();
        if self.tidied_at.is_some_and(|last| wall < last + TIDY_EVERY) {
            return;
        }
        self.tidied_at = Some(wall);
        if let Err(error) = tidy::tidy(&self.services).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "tidying up failed");
        }
        if let Err(error) = self.services.tidy_sign_ins().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "tidying up sessions failed");
        }
    }

    async fn wait(&self, started: usize) -> Duration {
        match self.next_due().await {
            Ok(None) => POLL,
            Ok(Some(due)) => {
                let wait = due.since(self.services.now()).min(POLL);
                // What is due and was not started waits for something; what ends wakes us.
                if started == 0 { wait.max(NOT_AT_ONCE) } else { wait }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the next due moment cannot be read");
                AFTER_FAILURE
            }
        }
    }

    /// When there is something to do next, in world time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, WorkerError> {
        let (keeper, publisher) = (self.keeper.next_due().await?, self.publisher.next_due().await?);
        Ok([keeper, publisher].into_iter().flatten().min())
    }

    /// How many rows are being worked on here.
    pub fn in_flight(&self) -> usize {
        self.keeper.in_flight() + self.publisher.in_flight()
    }

    /// Waits until nothing is under way here any more.
    pub async fn idle(&mut self) {
        self.publisher.idle().await;
        self.keeper.idle().await;
    }

    /// Rounds until nothing is due at this moment, each waited for; at most `most`. For tests and the rehearsal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self, most: usize) -> Result<(), WorkerError> {
        for _ in 0..most {
            let started = self.tick().await?;
            self.idle().await;
            if started == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Waits for an announcement; all that have come by then are answered by one round.
async fn heard(announced: &mut Receiver<Announced>) {
    if matches!(announced.recv().await, Err(RecvError::Closed)) {
        return std::future::pending().await;
    }
    while !matches!(announced.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
}
