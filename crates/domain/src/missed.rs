//! Catching up on missed posts: the rule, and why a post is left out (ux.md section 4, "Monday, 23 missed").

use serde::{Deserialize, Serialize};

/// How new times are proposed: "At most one extra post a day per account, at its usual times, from today."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUpRule {
    /// Extra posts a day and account, 1 to 10.
    pub per_day: u32,
    /// First day, counted from today: 0 is today.
    pub from_day: u32,
}

impl Default for CatchUpRule {
    /// ux.md section 8.
    fn default() -> Self {
        Self { per_day: 1, from_day: 0 }
    }
}

/// Extra posts stand at least this many hours apart (ux.md section 8).
pub const APART_HOURS: u32 = 2;
/// The first hour of the account's day at which an extra post may go out.
pub const DAY_FROM_HOUR: i8 = 7;
/// The hour at which the account's day ends for extra posts.
pub const DAY_TO_HOUR: i8 = 21;
/// Extra posts are placed at most this many days ahead; the rest stays missed.
pub const DAYS_AHEAD: u32 = 14;
/// A missed post older than this is proposed unticked.
pub const STALE_DAYS: u64 = 3;

/// Why a missed post is not ticked by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// "Do not send after" has passed.
    TooLate,
    /// It is older than three days.
    Old,
    /// The text names a day that has passed; only a hint.
    NamesAPastDay,
    /// No free time within fourteen days.
    NoFreeTime,
    /// Its account is still disconnected, so a new time would be missed again.
    StillDisconnected,
}
