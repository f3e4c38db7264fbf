//! Growing, jittered waits.

use std::time::Duration;

use crate::time::{hours, minutes};

/// How waits grow: doubling from `first` up to `longest`, each spread by a quarter either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer than this before jitter.
    pub longest: Duration,
}

impl Backoff {
    /// For renewals and probes: half a minute up to an hour, for ever.
    pub const RENEWAL: Self = Self { first: Duration::from_secs(30), longest: hours(1) };
    /// For deliveries that were certainly not sent: half a minute up to ten minutes.
    pub const DELIVERY: Self = Self { first: Duration::from_secs(30), longest: minutes(10) };

    /// The wait after failure number `attempt` (counted from 1). `chance` in `0.0..1.0` spreads it; a wait that the
    /// platform asked for is a floor.
    pub fn wait(&self, attempt: u32, chance: f64, asked: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1).min(20)));
        let jittered = doubled.min(self.longest).mul_f64(0.75 + 0.5 * chance.clamp(0.0, 1.0));
        // An asked wait is obeyed, yet a hostile one must not park a row for years.
        jittered.max(asked.unwrap_or_default().min(hours(24)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let wait = |attempt| Backoff::RENEWAL.wait(attempt, 0.5, None);
        assert_eq!(wait(1), Duration::from_secs(30));
        assert_eq!(wait(2), Duration::from_secs(60));
        assert_eq!(wait(1_000_000), hours(1));
    }

    #[test]
    fn the_platforms_wait_is_a_floor_and_has_a_ceiling() {
        assert_eq!(Backoff::RENEWAL.wait(1, 0.0, Some(minutes(5))), minutes(5));
        assert_eq!(Backoff::RENEWAL.wait(1, 0.0, Some(hours(1_000_000))), hours(24));
    }
}
