//! Keeps every login alive as long as its platform allows (design section 4, reliability B1 to B7).
//!
//! One row, one lease: whoever holds it warns, renews or asks the platform how the login is, and writes what came of it
//! in one transaction. `renew` trades tokens, `probe` asks, `warn` tells ahead of time, `judge` says what an answer means,
//! `brake` slows down when a platform is in trouble.

mod brake;
mod judge;
mod probe;
mod renew;
mod warn;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::grant::GrantState;
use domain::id::{GrantId, LeaseId, NodeId, ThreadId};
use domain::lease;
use domain::platform::Platform;
use domain::policy;
use domain::time::Timestamp;
use service::Services;
use store::StoreError;
use store::grants::{Grant, LeasedGrant, NewLease};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::brake::Brake;
use self::judge::Failure;
use crate::WorkerError;

/// The keeper of one process.
#[derive(Debug)]
pub struct Keeper {
    inner: Arc<Inner>,
    slots: HashMap<Platform, Arc<Semaphore>>,
    running: JoinSet<()>,
    has_begun: bool,
}

/// What every login under way needs.
#[derive(Debug)]
struct Inner {
    services: Services,
    node: NodeId,
    brakes: Mutex<HashMap<Platform, Brake>>,
}

impl Inner {
    fn brake<T>(&self, platform: Platform, act: impl FnOnce(&mut Brake) -> T) -> T {
        act(self.brakes.lock().unwrap_or_else(PoisonError::into_inner).entry(platform).or_default())
    }

    /// Notes how a platform answered for a login: well, be it with a refusal, or with trouble and a wait that it asked for.
    fn note_answer(&self, platform: Platform, grant: GrantId, trouble: Option<Option<Duration>>) {
        let (chance, now) = (self.services.chance.fraction(), self.now());
        self.brake(platform, |brake| match trouble {
            None => brake.good(),
            Some(asked) => brake.failed(grant, asked, chance, now),
        });
    }

    /// World time.
    fn now(&self) -> Timestamp {
        self.services.clocks.world.now()
    }

    /// Wall time.
    fn wall(&self) -> Timestamp {
        self.services.clocks.wall.now()
    }

    fn thread_id(&self) -> ThreadId {
        ThreadId(self.services.new_id())
    }

    /// Holds a lease for as long as the next call may take. Lost when another worker has it, or when we were stopped so
    /// long meanwhile that one may have it by the time the call arrives.
    async fn hold(&self, grant: &Grant, lease: LeaseId) -> Result<(), StoreError> {
        let until = self.wall() + lease::LEASE;
        self.services.store.keep_grant(grant.id, lease, until).await?;
        if lease::is_trusted(until, self.wall()) { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

impl Keeper {
    /// A keeper that works under the id of `node`.
    pub fn new(services: Services, node: NodeId) -> Self {
        let slots = Platform::ALL.iter().map(|platform| (*platform, Arc::new(Semaphore::new(policy::of(*platform).slots)))).collect();
        let inner = Inner { services, node, brakes: Mutex::default() };
        Self { inner: Arc::new(inner), slots, running: JoinSet::new(), has_begun: false }
    }

    /// Leases what is due, up to the free slots of each platform, and starts it. Returns how many were started.
    ///
    /// # Errors
    /// When the database fails. What runs already goes on.
    pub async fn tick(&mut self) -> Result<usize, WorkerError> {
        while self.running.try_join_next().is_some() {}
        if !self.has_begun {
            let released = self.inner.services.store.release_grants_of(self.inner.node).await?;
            if released > 0 {
                tracing::info!(released, "took back logins of this node's earlier run");
            }
            self.has_begun = true;
        }
        let now = self.inner.now();
        // Most rounds find nothing due; that costs one look into an index and no write.
        if self.inner.services.store.next_grant_work(self.inner.wall()).await?.is_none_or(|due| due > now) {
            return Ok(0);
        }
        let mut count = 0;
        for platform in Platform::ALL {
            count += self.start_due(*platform, now).await?;
        }
        Ok(count)
    }

    async fn start_due(&mut self, platform: Platform, now: Timestamp) -> Result<usize, WorkerError> {
        let Some(slots) = self.slots.get(&platform).cloned() else { return Ok(0) };
        let free = slots.available_permits();
        if free == 0 {
            return Ok(0);
        }
        let wall = self.inner.wall();
        let lease = NewLease { id: LeaseId(self.inner.services.new_id()), holder: self.inner.node, wall, until: wall + lease::LEASE };
        let leased = self.inner.services.store.lease_grants(platform, free, now, &lease).await?;
        let count = leased.len();
        for leased in leased {
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            let inner = Arc::clone(&self.inner);
            let holding = keep_holding(Arc::clone(&inner), leased.grant.clone(), leased.lease);
            self.running.spawn(async move {
                tokio::select! {
                    () = look_after(&inner, leased) => {}
                    () = holding => {}
                }
                drop(slot);
                // A slot is free, and there may be a new moment to wait for.
                inner.services.wake.notify_one();
            });
        }
        Ok(count)
    }

    /// When a tick is needed next, in world time: also when another's lease of something due can have run out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, WorkerError> {
        let (now, wall) = (self.inner.now(), self.inner.wall());
        let store = &self.inner.services.store;
        let lease_ends = store.next_grant_lease_end(now, wall).await?.map(|until| now + until.since(wall));
        let next = [store.next_grant_work(wall).await?, lease_ends].into_iter().flatten().min();
        let is_full = self.slots.values().any(|slots| slots.available_permits() == 0);
        // With no slot free there is nothing to lease before one ends, and that wakes us.
        Ok(if is_full { next.map(|at| at.max(self.inner.now() + Duration::from_secs(1))) } else { next })
    }

    /// Number of logins under way here.
    pub fn in_flight(&self) -> usize {
        self.running.len()
    }

    /// Waits until nothing is under way here any more.
    pub async fn idle(&mut self) {
        while self.running.join_next().await.is_some() {}
    }
}

/// Holds a lease for as long as it is worked under; never ends. Once it is lost, the work's next write finds that out.
async fn keep_holding(inner: Arc<Inner>, grant: Grant, lease: LeaseId) {
    loop {
        tokio::time::sleep(lease::HOLD_EVERY).await;
        match inner.hold(&grant, lease).await {
            Ok(()) => {}
            Err(StoreError::LeaseLost) => std::future::pending().await,
            Err(error) => {
                tracing::warn!(grant.id = %grant.id, error = &error as &dyn std::error::Error, "a lease could not be held for longer")
            }
        }
    }
}

/// Does what a leased login needs. What goes wrong below classification is logged here, once; the lease then runs out,
/// and the row says how to go on.
async fn look_after(inner: &Inner, leased: LeasedGrant) {
    let LeasedGrant { grant, lease } = leased;
    match step(inner, &grant, lease).await {
        Ok(()) => {}
        Err(WorkerError::Store(StoreError::LeaseLost)) => tracing::info!(grant.id = %grant.id, "the lease was lost"),
        Err(error) => {
            tracing::error!(grant.id = %grant.id, error = &error as &dyn std::error::Error, "a login was left to its lease");
        }
    }
}

async fn step(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<(), WorkerError> {
    let now = inner.now();
    if grant.warn_at.is_some_and(|due| due <= now) {
        warn::warn(inner, grant, lease).await?;
    }
    let is_renewal_due = grant.is_renewal_due(now);
    let asks = match grant.state {
        GrantState::Live => is_renewal_due || grant.probe_at.is_some_and(|due| due <= now),
        GrantState::Retrying { retry_at, .. } => retry_at <= now,
        _ => false,
    };
    if !asks {
        return release(inner, grant, lease).await;
    }
    if let Some(wait) = inner.brake(grant.platform, |brake| brake.wait(grant.id, now)) {
        return put_off(inner, grant, lease, wait).await;
    }
    if is_renewal_due { renew::renew(inner, grant, lease).await } else { probe::probe(inner, grant, lease).await }
}

/// The platform is in trouble, and somebody else asks how it is: what was due here is certainly not done.
async fn put_off(inner: &Inner, grant: &Grant, lease: LeaseId, wait: Duration) -> Result<(), WorkerError> {
    let now = inner.now();
    let mut tx = inner.services.store.begin().await?;
    let mut held = tx.lock_leased(grant.id, lease).await?.ok_or(StoreError::LeaseLost)?;
    let failure = Failure { wait: Some(wait), ..Failure::NOT_DONE };
    renew::write_failure(inner, &mut tx, &mut held, &failure, false, now).await?;
    tx.release_grant(grant.id, lease).await?;
    Ok(tx.commit().await?)
}

async fn release(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<(), WorkerError> {
    let mut tx = inner.services.store.begin().await?;
    tx.release_grant(grant.id, lease).await?;
    Ok(tx.commit().await?)
}
