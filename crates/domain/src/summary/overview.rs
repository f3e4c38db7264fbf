//! The start page.

use serde::{Deserialize, Serialize};

use super::Moment;
use super::inbox::ThreadRow;
use super::posts::PostLine;

/// The page Overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewPage {
    /// World time at which this is true.
    pub now: Moment,
    /// What needs somebody, worst first; the first is the yellow band.
    pub needs: Vec<ThreadRow>,
    /// Number of linked accounts.
    pub accounts: u32,
    /// How many of them work.
    pub connected: u32,
    /// Seven days from today.
    pub week: Vec<WeekDay>,
    /// The next posts, at most three.
    pub next: Vec<PostLine>,
    /// Logins that end within 60 days where a person must act, next first.
    pub coming_up: Vec<ComingUp>,
}

/// One day of the week strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekDay {
    /// "Thu".
    pub weekday: String,
    /// "Thu 3 Dec".
    pub day: String,
    /// Number of posts (each once).
    pub posts: u32,
    /// How many of them will not go out.
    pub will_not_go_out: u32,
    /// Whether it is today.
    pub is_today: bool,
}

/// A login that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingUp {
    /// Names of the accounts behind it.
    pub accounts: Vec<String>,
    /// The platform's name.
    pub platform: crate::platform::Platform,
    /// When.
    pub end: super::End,
    /// Posts planned after it.
    pub posts_after: u32,
    /// The first account, for the link.
    pub account: crate::id::AccountId,
}
