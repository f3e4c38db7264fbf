//! The system's clock, and what sets it right.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::time::{Clock, Timestamp};
use store::{Store, StoreError};

/// The wall clock of this machine: the one place that asks the system for the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one call to the system clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Counts on from the moment at which it was made, also while the machine sleeps, and does not jump when somebody sets the
/// machine's clock: nothing goes out early, and no lease ends or goes on, because of that.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    started: Timestamp,
    since: Duration,
}

impl SteadyClock {
    /// Begins with the machine's time.
    pub fn begin() -> Self {
        Self { started: SystemClock.now(), since: since_boot() }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        self.started + since_boot().saturating_sub(self.since)
    }
}

/// Time since the machine was started, with what it slept.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Elsewhere what counts while the machine sleeps has other names; there the machine's clock has to do, with its jumps.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    Duration::from_micros(u64::try_from(SystemClock.now().0).unwrap_or_default())
}

/// A measurement that took longer than this tells too little.
const QUICK: Duration = Duration::from_secs(2);
/// How often the database is asked for the time.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// The clock of a node: one that counts steadily, set right by the database's. Nodes that share a database agree on when a
/// lease has run out and what is due, however wrong their machines are (reliability, *Which time decides due*).
#[derive(Debug, Clone)]
pub struct NodeClock {
    steady: Arc<dyn Clock>,
    machine: Arc<dyn Clock>,
    /// Microseconds by which the database's clock is ahead of the steady one.
    behind: Arc<AtomicI64>,
}

impl NodeClock {
    /// This machine's time until [`NodeClock::ask`] has been answered.
    pub fn of_this_machine() -> Self {
        Self::new(Arc::new(SteadyClock::begin()), Arc::new(SystemClock))
    }

    /// Counts with `steady`. `machine` tells the time of a database that lies on this machine.
    pub fn new(steady: Arc<dyn Clock>, machine: Arc<dyn Clock>) -> Self {
        Self { steady, machine, behind: Arc::new(AtomicI64::new(0)) }
    }

    /// Asks the database for the time and takes it over. SQLite lies on this machine and has the machine's time.
    ///
    /// # Errors
    /// When the database fails; the clock goes on as it did.
    pub async fn ask(&self, store: &Store) -> Result<(), StoreError> {
        let asked = self.steady.now();
        let database = store.now().await?.unwrap_or_else(|| self.machine.now());
        let answered = self.steady.now();
        if answered.since(asked) <= QUICK {
            self.set_right(asked, database, answered);
        }
        Ok(())
    }

    /// The database's time was read at some moment between asking and the answer: half-way, as far as anybody knows.
    fn set_right(&self, asked: Timestamp, database: Timestamp, answered: Timestamp) {
        let halfway = asked.0 + (answered.0 - asked.0) / 2;
        let behind = database.0.saturating_sub(halfway);
        let before = self.behind.swap(behind, Ordering::SeqCst);
        if (behind - before).unsigned_abs() > 5_000_000 {
            tracing::warn!(
                seconds = (behind - before) / 1_000_000,
                "the time was set right: this machine's clock was changed, or differs from the database's"
            );
        }
    }

    /// Asks the database every minute, for ever.
    pub async fn keep_right(self, store: Store) {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if let Err(error) = self.ask(&store).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the database does not tell the time");
            }
        }
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.steady.now().0.saturating_add(self.behind.load(Ordering::SeqCst)))
    }
}

#[cfg(test)]
mod tests {
    use testkit::FakeClock;

    use super::*;

    fn node(steady: &FakeClock, machine: &FakeClock) -> NodeClock {
        NodeClock::new(Arc::new(steady.clone()), Arc::new(machine.clone()))
    }

    #[test]
    fn a_wrong_machine_follows_the_database() {
        let steady = FakeClock::default();
        let clock = node(&steady, &steady);
        let right = steady.now() + Duration::from_secs(300);
        clock.set_right(steady.now(), right, steady.now());
        assert_eq!(clock.now(), right);
        steady.advance(Duration::from_secs(10));
        assert_eq!(clock.now(), right + Duration::from_secs(10));
    }

    #[tokio::test]
    async fn every_database_of_several_nodes_tells_the_time() {
        for fresh in testkit::db::each().await {
            let machine = FakeClock::default();
            let clock = node(&FakeClock::default(), &machine);
            clock.ask(&fresh.store).await.unwrap();
            let system = SystemClock.now();
            let expected = if fresh.store.is_shared() { system } else { machine.now() };
            let apart = (clock.now().0 - expected.0).unsigned_abs();
            assert!(apart < 5_000_000, "{apart} microseconds");
        }
    }

    #[tokio::test]
    async fn a_jump_of_the_machines_clock_changes_nothing_until_it_is_taken_over() {
        let fresh = testkit::db::sqlite().await;
        for jump in [7_200_000_000, -7_200_000_000] {
            let (steady, machine) = (FakeClock::default(), FakeClock::default());
            let clock = node(&steady, &machine);
            clock.ask(&fresh.store).await.unwrap();
            machine.set(Timestamp(FakeClock::START.0 + jump));
            steady.advance(Duration::from_secs(1));
            assert_eq!(clock.now(), FakeClock::START + Duration::from_secs(1));
            clock.ask(&fresh.store).await.unwrap();
            assert_eq!(clock.now(), machine.now(), "somebody has set the clock right");
        }
    }

    #[test]
    fn the_steady_clock_goes_with_the_machine() {
        let clock = SteadyClock::begin();
        let (first, apart) = (clock.now(), clock.now().0 - SystemClock.now().0);
        assert!(apart.unsigned_abs() < 1_000_000, "{apart} microseconds");
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now().since(first) >= Duration::from_millis(5));
    }
}
