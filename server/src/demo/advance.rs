//! Moving the world clock: step by step, so that everything that was due on the way happens on the way.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::summary::shell::EventKind;
use domain::time::{Clock, OffsetClock, Timestamp};
use service::Services;
use simulator::Simulator;
use tokio::sync::{Mutex, watch};

/// How long one request waits for the clock to arrive; it goes on behind.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(14);
/// How often a step is looked at while the workers are busy with it.
const LOOK: Duration = Duration::from_millis(3);
/// A step that does not come to rest (a hung platform, say) holds the clock up no longer than this.
const STEP_WITHIN: Duration = Duration::from_secs(60);

/// Moves the clock. Clones share one clock.
#[derive(Debug, Clone)]
pub(super) struct Driver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    services: Services,
    simulator: Simulator,
    clock: OffsetClock,
    file: PathBuf,
    /// Held by whoever is stepping.
    stepping: Mutex<()>,
    /// Where the clock is going.
    target: watch::Sender<Timestamp>,
}

impl Driver {
    /// A driver for this world; the clock's offset is kept in `file`.
    pub(super) fn new(services: Services, simulator: Simulator, clock: OffsetClock, file: PathBuf) -> Self {
        let target = watch::Sender::new(clock.now());
        Self(Arc::new(Inner { services, simulator, clock, file, stepping: Mutex::new(()), target }))
    }

    /// World time.
    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Where the clock is going, or is.
    pub(super) fn target(&self) -> Timestamp {
        (*self.0.target.borrow()).max(self.now())
    }

    /// Sets the target `by` further than where the clock is going now, and starts going there.
    pub(super) fn go_on(&self, by: Duration) -> Timestamp {
        let target = self.target() + by;
        self.0.target.send_replace(target);
        let driver = self.clone();
        tokio::spawn(async move { driver.arrive().await });
        target
    }

    /// Waits until the clock has arrived and nothing due is left, at most `within`. Whether it has.
    pub(super) async fn settled(&self, target: Timestamp, within: Duration) -> bool {
        let arrived = async {
            loop {
                if self.now() >= target
                    && let Ok(_guard) = self.0.stepping.try_lock()
                    && self.is_at_rest().await
                {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(within, arrived).await.is_ok()
    }

    /// Steps to each next due moment until the target is reached.
    pub(super) async fn arrive(&self) {
        let _stepping = self.0.stepping.lock().await;
        loop {
            self.rest().await;
            let (now, target) = (self.now(), *self.0.target.borrow());
            if now >= target {
                break;
            }
            let next = [self.next_due().await, self.0.simulator.next_due()].into_iter().flatten().min();
            let step = next.filter(|next| *next > now).map_or(target, |next| next.min(target));
            self.0.clock.advance_to(step);
            self.0.services.wake.notify_waiters();
        }
        self.keep();
        self.announce().await;
    }

    async fn next_due(&self) -> Option<Timestamp> {
        self.0.services.store.next_work().await.ok().flatten()
    }

    /// Nothing is due and nobody is working.
    async fn is_at_rest(&self) -> bool {
        let due = self.next_due().await.is_some_and(|due| due <= self.now());
        let working = self.0.services.store.leases_held(self.0.services.clocks.wall.now()).await.unwrap_or_default();
        let there = self.0.simulator.next_due().is_some_and(|due| due <= self.now());
        !due && working == 0 && !there
    }

    async fn rest(&self) {
        let resting = async {
            while !self.is_at_rest().await {
                self.0.services.wake.notify_waiters();
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(STEP_WITHIN, resting).await.is_err() {
            tracing::warn!("something stays due; the clock goes on");
        }
    }

    fn keep(&self) {
        if let Err(error) = std::fs::write(&self.0.file, self.0.clock.offset().to_string()) {
            tracing::error!(%error, "the rehearsal's clock cannot be kept");
        }
        if let Err(error) = self.0.simulator.save() {
            tracing::error!(%error, "the simulated platforms cannot be kept");
        }
    }

    /// Tells every open page that the clock has moved.
    async fn announce(&self) {
        let told = async {
            for workspace in self.0.services.store.workspace_ids().await? {
                let mut tx = self.0.services.store.begin().await?;
                tx.event(workspace, EventKind::Clock, self.now()).await?;
                tx.commit().await?;
            }
            Ok::<_, store::StoreError>(())
        };
        if let Err(error) = told.await {
            tracing::error!(%error, "pages cannot be told that the clock has moved");
        }
    }
}
