//! Publishes what is due: each delivery is accepted by its platform at most once by our hand (design section 5).
//!
//! `claim` takes due rows and decides what must not even be tried. `prepare` does the repeatable steps. `commit` writes
//! the intent, sends the one request that makes a post public, and writes what became of it. `confirm` looks for posts
//! whose answer was lost, follows those being processed, and reads published ones back. `preflight` checks ahead of time. `withdrawn` asks
//! whether a refused token means the login or this account alone.

mod announce;
mod claim;
mod commit;
mod confirm;
mod follow_up;
mod held;
mod load;
mod memory;
mod preflight;
mod prepare;
mod withdrawn;
mod write;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::id::{DeliveryId, LeaseId, NodeId};
use domain::lease;
use domain::platform::Platform;
use domain::policy;
use domain::time::Timestamp;
use service::Services;
use store::StoreError;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use crate::WorkerError;
use crate::absence;
use claim::Work;
use held::Held;
use memory::Memory;
use write::Writer;

/// At most so many deliveries are worked on at once, over all platforms.
const AT_ONCE: usize = 64;

/// The publishing loop of one process.
#[derive(Debug)]
pub struct Publisher {
    inner: Arc<Inner>,
    all: Arc<Semaphore>,
    slots: HashMap<Platform, Arc<Semaphore>>,
    running: JoinSet<()>,
    /// Runs from the first tick on.
    heartbeat: Option<AbortHandle>,
}

/// What every delivery under way needs.
#[derive(Debug)]
struct Inner {
    services: Services,
    node: NodeId,
    writer: Writer,
    memory: Memory,
}

impl Inner {
    /// World time.
    fn now(&self) -> Timestamp {
        self.services.clocks.world.now()
    }

    /// Wall time.
    fn wall(&self) -> Timestamp {
        self.services.clocks.wall.now()
    }

    /// Until when a lease holds that is taken or renewed now.
    fn lease_until(&self) -> Timestamp {
        self.wall() + lease::LEASE
    }
}

impl Publisher {
    /// A publisher that works under the id of `node`.
    pub fn new(services: Services, node: NodeId) -> Self {
        let writer = Writer::new(services.store.clone());
        let slots = Platform::ALL.iter().map(|platform| (*platform, Arc::new(Semaphore::new(policy::of(*platform).slots)))).collect();
        Self {
            inner: Arc::new(Inner { services, node, writer, memory: Memory::default() }),
            all: Arc::new(Semaphore::new(AT_ONCE)),
            slots,
            running: JoinSet::new(),
            heartbeat: None,
        }
    }

    /// Claims what is due, up to the free slots of each platform, and starts it. Returns how many were started.
    ///
    /// # Errors
    /// When the database fails. What runs already goes on.
    pub async fn tick(&mut self) -> Result<usize, WorkerError> {
        while self.running.try_join_next().is_some() {}
        if self.heartbeat.is_none() {
            self.begin().await?;
        }
        let mut count = 0;
        for platform in Platform::ALL {
            count += self.start_due(*platform).await?;
        }
        if count == 0 && self.in_flight() == 0 {
            self.inner.memory.forget_access();
        }
        Ok(count)
    }

    /// The first thing a process does: it takes back the rows of its own earlier life, and says so if it was away.
    async fn begin(&mut self) -> Result<(), WorkerError> {
        let services = &self.inner.services;
        let reclaimed = services.store.reclaim_deliveries(self.inner.node).await?;
        if reclaimed > 0 {
            tracing::info!(reclaimed, "took back deliveries of this node's earlier run");
        }
        absence::note_return(services).await?;
        self.heartbeat = Some(tokio::spawn(absence::keep_beating(services.clone())).abort_handle());
        Ok(())
    }

    async fn start_due(&mut self, platform: Platform) -> Result<usize, WorkerError> {
        let Some(slots) = self.slots.get(&platform).cloned() else { return Ok(0) };
        let free = slots.available_permits().min(self.all.available_permits());
        let claimed = claim::claim(&self.inner, platform, free).await?;
        let mut count = 0;
        for (held, work) in claimed {
            let (Ok(slot), Ok(one)) = (Arc::clone(&slots).try_acquire_owned(), Arc::clone(&self.all).try_acquire_owned()) else {
                // Only what had to be asked about is claimed beyond the slots: it is looked for when one is free.
                held.put_back(Duration::from_secs(5)).await?;
                continue;
            };
            count += 1;
            let wake = Arc::clone(&self.inner.services.wake);
            let holding = hold(Arc::clone(&self.inner), held.claimed.id, held.claimed.lease);
            self.running.spawn(async move {
                tokio::select! {
                    () = work_on(held, work) => {}
                    () = holding => {}
                }
                drop((slot, one));
                // A slot is free, and there may be a new moment to wait for.
                wake.notify_one();
            });
        }
        Ok(count)
    }

    /// When a tick is needed next, in world time; none while nothing is planned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, WorkerError> {
        let next = self.inner.services.store.next_delivery(self.inner.now(), self.inner.wall()).await?;
        let is_full = self.all.available_permits() == 0 || self.slots.values().any(|slots| slots.available_permits() == 0);
        // With no slot free there is nothing to claim before one ends, and that wakes us.
        Ok(if is_full { next.map(|at| at.max(self.inner.now() + Duration::from_secs(1))) } else { next })
    }

    /// Number of deliveries under way here.
    pub fn in_flight(&self) -> usize {
        AT_ONCE - self.all.available_permits()
    }

    /// Waits until nothing is under way here any more.
    pub async fn idle(&mut self) {
        while self.running.join_next().await.is_some() {}
        self.inner.writer.flush().await;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.abort();
        }
    }
}

/// Holds a lease for as long as it is worked under; never ends. Once it is lost, the work's next write finds that out.
async fn hold(inner: Arc<Inner>, delivery: DeliveryId, lease: LeaseId) {
    loop {
        tokio::time::sleep(lease::HOLD_EVERY).await;
        match inner.services.store.keep_delivery(delivery, lease, inner.lease_until()).await {
            Ok(()) => {}
            Err(StoreError::LeaseLost) => std::future::pending().await,
            Err(error) => {
                tracing::warn!(delivery.id = %delivery, error = &error as &dyn std::error::Error, "a lease could not be held for longer");
            }
        }
    }
}

/// Does what a claimed delivery needs. What goes wrong below classification is logged here, once; the lease then runs
/// out, and the state says how to go on.
async fn work_on(held: Held, work: Work) {
    let id = held.claimed.id;
    let done = match work {
        Work::Send => prepare::send(held).await,
        Work::Look => confirm::look(held).await,
        Work::Follow => follow_up::follow(held).await,
        Work::ReadBack => follow_up::read_back(held).await,
        Work::Check => preflight::check(held).await,
    };
    match done {
        Ok(()) => {}
        // A person changed it, or another worker took it over: theirs is the word.
        Err(WorkerError::Store(StoreError::LeaseLost)) => tracing::info!(delivery.id = %id, "the lease was lost"),
        Err(error) => tracing::error!(delivery.id = %id, error = &error as &dyn std::error::Error, "a delivery was left to its lease"),
    }
}
