//! Linked Accounts and the account page.

use serde::{Deserialize, Serialize};

use super::{End, Moment};
use crate::cause::{Cause, Verdict};
use crate::grant::RenewedBy;
use crate::id::{AccountId, GrantId};
use crate::platform::Platform;
use crate::time::Timestamp;

/// The page Linked Accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsPage {
    /// World time at which this is true; every login line counts from it.
    pub now: Moment,
    /// Rows by trouble, then by name.
    pub rows: Vec<AccountRow>,
    /// Labels of the shared axis: 15 days back to 60 ahead, about every 15 days.
    pub axis: Vec<Moment>,
    /// What can be linked on this server.
    pub platforms: Vec<LinkablePlatform>,
    /// Whether the caller may link, unlink and pause.
    pub may_manage: bool,
    /// Whether the caller may refresh logins.
    pub may_refresh: bool,
}

/// A platform on the list of what can be linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkablePlatform {
    /// Which.
    pub platform: Platform,
    /// Whether an app is registered on this server.
    pub is_set_up: bool,
    /// How many days a login lasts by our table; none without end.
    pub lasts_days: Option<u32>,
    /// Who renews.
    pub renewed_by: RenewedBy,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Id.
    pub id: AccountId,
    /// Its login.
    pub grant: GrantId,
    /// Platform.
    pub platform: Platform,
    /// Name.
    pub name: String,
    /// Handle without `@`.
    pub handle: Option<String>,
    /// How it is.
    pub status: AccountStatus,
    /// Whose login it stands on: "Mara Jung".
    pub login_of: String,
    /// Names of the other accounts behind the same login.
    pub siblings: Vec<String>,
    /// Who renews the login.
    pub renewed_by: RenewedBy,
    /// When a person must act; only where a person must.
    pub act_by: Option<End>,
    /// When we renew next, if we do.
    pub renews_next: Option<Moment>,
    /// What it costs.
    pub cost: Cost,
    /// The login line.
    pub line: LoginLine,
    /// Whether Refresh Credentials is offered: disconnected, or early sign-in is permitted and useful.
    pub can_refresh: bool,
    /// Whether posting is paused.
    pub is_paused: bool,
}

/// How an account is, widest trouble first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AccountStatus {
    /// The login was lost.
    Disconnected {
        /// Since when.
        since: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// The login lives; this account cannot be posted to.
    Blocked {
        /// Since when.
        since: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// It no longer exists.
    Gone {
        /// Since when.
        since: Timestamp,
    },
    /// Trouble reaching the platform; we keep trying, nothing to do.
    Trouble {
        /// When we try again.
        retry_at: Timestamp,
    },
    /// A person has to sign in within 14 days.
    EndsSoon,
    /// Posting is paused.
    Paused,
    /// Fine.
    Connected,
}

impl AccountStatus {
    /// The order of rows: what needs somebody first.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Disconnected { .. } => 0,
            Self::Blocked { .. } => 1,
            Self::Gone { .. } => 2,
            Self::EndsSoon => 3,
            Self::Trouble { .. } => 4,
            Self::Paused => 5,
            Self::Connected => 6,
        }
    }

    /// Whether it counts in the `!` of Linked Accounts.
    pub const fn is_disconnected(self) -> bool {
        matches!(self, Self::Disconnected { .. } | Self::Blocked { .. } | Self::Gone { .. })
    }
}

/// What a lost or ending login costs, in posts to this account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Planned posts that will not go out unless somebody acts (after the end, or all while disconnected).
    pub will_not_go_out: u32,
    /// The first of them.
    pub next: Option<Moment>,
    /// Posts already missed and undecided.
    pub missed: u32,
    /// All planned posts.
    pub planned: u32,
    /// The next planned post of all.
    pub next_planned: Option<Moment>,
}

/// What the login line draws; the view turns moments into percent of the axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginLine {
    /// Left edge of the axis.
    pub from: Timestamp,
    /// Today.
    pub now: Timestamp,
    /// Right edge of the axis.
    pub to: Timestamp,
    /// When the login began (may lie left of the axis).
    pub began: Timestamp,
    /// The end after which nothing goes out; none when we renew or it does not end.
    pub end: Option<Timestamp>,
    /// Our renewals so far, within the axis.
    pub renewals: Vec<Timestamp>,
    /// Our next renewal.
    pub next_renewal: Option<Timestamp>,
    /// Planned posts within the axis.
    pub posts: Vec<Timestamp>,
}

/// The account page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPage {
    /// World time at which this is true.
    pub now: Moment,
    /// The same facts as in the list. Its `line` spans 90 days back and 60 ahead.
    pub row: AccountRow,
    /// What the platform said, when something is wrong.
    pub verdict: Option<VerdictSummary>,
    /// Planned posts that will not go out, next first, at most 20.
    pub at_risk: Vec<super::posts::PostLine>,
    /// 90 days, oldest first.
    pub health: Vec<HealthDay>,
    /// The last renewals and checks, newest first, at most 20.
    pub history: Vec<HistoryLine>,
    /// Whether the caller may unlink and pause.
    pub may_manage: bool,
    /// Whether the caller may refresh.
    pub may_refresh: bool,
    /// When the account was linked.
    pub linked_at: Moment,
    /// When a call last worked.
    pub last_good: Option<Moment>,
    /// Planned posts that would become drafts on unlinking.
    pub planned_posts: u32,
}

/// What the platform said, for "What Facebook said".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictSummary {
    /// The verdict.
    pub verdict: Verdict,
    /// When, formatted.
    pub at: Moment,
    /// The last good call, formatted.
    pub last_good: Option<Moment>,
}

/// One day of the health strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthDay {
    /// "Thu 3 Dec".
    pub day: String,
    /// How it was.
    pub health: Health,
}

/// How a day was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing is known.
    NoData,
    /// Fine.
    Fine,
    /// Trouble that we handled.
    Handled,
    /// Could not post.
    CouldNotPost,
}

/// One line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// When.
    pub at: Moment,
    /// What.
    pub what: HistoryWhat,
}

/// What happened to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryWhat {
    /// A person signed in.
    SignedIn,
    /// We renewed it.
    Renewed,
    /// A renewal failed for a reason that may pass.
    RenewalFailed,
    /// The answer of a renewal was lost.
    RenewalAnswerLost,
    /// The platform refused it.
    Refused,
}
