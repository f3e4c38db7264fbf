//! Leases: the right of one worker to work on one row until a moment of wall time. Every node reads a clock of its own, so
//! the holder stops trusting its lease before others may take the row over.

use std::time::Duration;

use crate::delivery::ASK_AFTER;
use crate::time::Timestamp;

/// A lease on a delivery or a login lasts this long: a node that died is replaced by another after it. Each write that goes
/// on under a lease begins it anew, and who works holds it anew every [`HOLD_EVERY`].
pub const LEASE: Duration = Duration::from_secs(30);
/// A third of a lease: two holds may fail before it runs out.
pub const HOLD_EVERY: Duration = Duration::from_secs(10);
/// The clocks of two nodes may differ by this much. Each follows the database's clock, so it is the error of two readings.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// No call to a platform lasts longer.
pub const LONGEST_CALL: Duration = Duration::from_secs(20);
/// Nor does one that carries images.
pub const LONGEST_UPLOAD: Duration = Duration::from_secs(60);
/// What is left of a lease when its holder stops trusting it.
pub const MARGIN: Duration = Duration::from_secs(25);

// A renewal begun under trust is over before another node, whose clock may be ahead, can begin one with the same pair.
const _: () = assert!(MARGIN.as_secs() >= CLOCKS_DIFFER.as_secs() + LONGEST_CALL.as_secs());
// A commit begun under trust is over before a person can be asked about it, even by such a node: what they see is final.
const _: () = assert!(MARGIN.as_secs() + ASK_AFTER.as_secs() >= CLOCKS_DIFFER.as_secs() + LONGEST_UPLOAD.as_secs());
// A request whose sender died is over before a person can be asked about it.
const _: () = assert!(ASK_AFTER.as_secs() >= CLOCKS_DIFFER.as_secs() + LONGEST_CALL.as_secs());
const _: () = assert!(LEASE.as_secs() > MARGIN.as_secs() && LEASE.as_secs() >= 3 * HOLD_EVERY.as_secs());

/// Whether the holder of a lease that ends at `until` may still begin a request that must leave once: the trust window.
pub fn is_trusted(until: Timestamp, wall: Timestamp) -> bool {
    wall + MARGIN < until
}

/// Whether another worker may take over. The claims of `store` say the same in SQL.
pub fn has_run_out(until: Timestamp, wall: Timestamp) -> bool {
    until <= wall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_ends_before_a_node_whose_clock_is_ahead_takes_over() {
        let begun = Timestamp::from_seconds(1_800_000_000);
        let until = begun + LEASE;
        assert!(is_trusted(until, begun), "a fresh lease is trusted");
        let taken_over = until - CLOCKS_DIFFER;
        assert!(has_run_out(until, taken_over + CLOCKS_DIFFER), "by the clock that is ahead");
        assert!(!is_trusted(until, taken_over - LONGEST_CALL));
    }
}
