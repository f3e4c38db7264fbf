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

/// A measurement that took longer than this tells too little.
const QUICK: Duration = Duration::from_secs(2);
/// How often the database is asked for the time.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// The clock of a node: that of its machine, set right by the database's. Nodes that share a database agree on when a
/// lease has run out and what is due, however wrong their machines are (reliability, *Which time decides due*).
#[derive(Debug, Clone)]
pub struct NodeClock {
    machine: Arc<dyn Clock>,
    /// Microseconds by which the database's clock is ahead.
    behind: Arc<AtomicI64>,
}

impl NodeClock {
    /// The machine's own time until [`NodeClock::ask`] has been answered.
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, behind: Arc::new(AtomicI64::new(0)) }
    }

    /// Asks the database for the time and takes it over. SQLite lies on this machine and has no other time.
    ///
    /// # Errors
    /// When the database fails; the clock goes on as it did.
    pub async fn ask(&self, store: &Store) -> Result<(), StoreError> {
        let asked = self.machine.now();
        let Some(database) = store.now().await? else { return Ok(()) };
        let answered = self.machine.now();
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
            tracing::warn!(seconds = behind / 1_000_000, "this machine's clock differs from the database's, which counts");
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
        Timestamp(self.machine.now().0.saturating_add(self.behind.load(Ordering::SeqCst)))
    }
}

#[cfg(test)]
mod tests {
    use testkit::FakeClock;

    use super::*;

    #[test]
    fn a_wrong_machine_follows_the_database() {
        let machine = FakeClock::default();
        let clock = NodeClock::new(Arc::new(machine.clone()));
        let right = machine.now() + Duration::from_secs(300);
        clock.set_right(machine.now(), right, machine.now());
        assert_eq!(clock.now(), right);
        machine.advance(Duration::from_secs(10));
        assert_eq!(clock.now(), right + Duration::from_secs(10));
    }

    #[tokio::test]
    async fn every_database_of_several_nodes_tells_the_time() {
        for fresh in testkit::db::each().await {
            let machine = FakeClock::default();
            let clock = NodeClock::new(Arc::new(machine.clone()));
            clock.ask(&fresh.store).await.unwrap();
            let system = SystemClock.now();
            let expected = if fresh.store.is_shared() { system } else { machine.now() };
            let apart = (clock.now().0 - expected.0).unsigned_abs();
            assert!(apart < 5_000_000, "{apart} microseconds");
        }
    }
}
