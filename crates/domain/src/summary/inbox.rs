//! Inbox and threads.

use serde::{Deserialize, Serialize};

use super::{End, Moment};
use crate::cause::Cause;
use crate::delivery::FailedWhy;
use crate::id::{AccountId, DeliveryId, GrantId, PostId, ThreadId};
use crate::inbox::Stage;
use crate::platform::Platform;

/// The page Inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxPage {
    /// Open threads that need somebody.
    pub needs_you: u32,
    /// The rows of the chosen tab, newest first, at most 100.
    pub rows: Vec<ThreadRow>,
}

/// A thread in a list. `about` and the numbers are all that title and cost line are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRow {
    /// Id.
    pub id: ThreadId,
    /// What it is about, with what the title needs.
    pub about: About,
    /// Its present stage.
    pub stage: Stage,
    /// Posts that will not go out unless somebody acts.
    pub will_not_go_out: u32,
    /// The first of them.
    pub next_lost: Option<Moment>,
    /// Posts missed so far and undecided.
    pub missed: u32,
    /// When the story last went on.
    pub updated: Moment,
    /// When this began (for lost logins: when it was lost).
    pub since: Moment,
    /// Whether the person has not read the last entry.
    pub is_unread: bool,
    /// Whether it is over.
    pub is_resolved: bool,
    /// Whether somebody has something to do.
    pub needs_somebody: bool,
}

/// What a thread is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    /// A login: [Refresh Credentials].
    Login {
        /// Which.
        grant: GrantId,
        /// Platform.
        platform: Platform,
        /// Whose: "Mara Jung".
        login_of: String,
        /// Accounts behind it.
        accounts: Vec<(AccountId, String)>,
        /// When a person must act.
        act_by: Option<End>,
        /// Why it was lost.
        cause: Option<Cause>,
        /// How many days such a login lasts, for "as Facebook does every 60 days".
        lasts_days: Option<u32>,
        /// Whether the person may sign in now.
        may_sign_in_now: bool,
    },
    /// One account.
    Account {
        /// Which.
        account: AccountId,
        /// Its login.
        grant: GrantId,
        /// Its name.
        name: String,
        /// Platform.
        platform: Platform,
        /// Why.
        cause: Option<Cause>,
    },
    /// A platform in trouble: nothing to do.
    Platform {
        /// Which.
        platform: Platform,
        /// Posts that wait.
        waiting: u32,
    },
    /// The app's registration.
    App {
        /// Which.
        platform: Platform,
        /// Logins behind it, all fine.
        logins: u32,
    },
    /// We were off.
    Absence {
        /// From.
        from: Moment,
        /// Until.
        until: Moment,
        /// Posts that came due meanwhile.
        due: u32,
        /// How many of them wait for a decision.
        waiting: u32,
    },
    /// A post was refused.
    Failed {
        /// The delivery.
        delivery: DeliveryId,
        /// Its post.
        post: PostId,
        /// The beginning of its text.
        text: String,
        /// Platform.
        platform: Platform,
        /// The account's name.
        account: String,
        /// Why.
        why: Option<FailedWhy>,
        /// How many other accounts have it online.
        others_have_it: u32,
    },
    /// Nobody can tell whether a post is online.
    NeedsAnswer {
        /// The delivery.
        delivery: DeliveryId,
        /// Its post.
        post: PostId,
        /// The beginning of its text.
        text: String,
        /// Platform.
        platform: Platform,
        /// The account's name.
        account: String,
        /// When it was sent, with seconds: "09:00:03".
        sent_clock: String,
        /// Where a person can look.
        look_url: Option<String>,
    },
}

/// The page of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadPage {
    /// The facts of the list.
    pub row: ThreadRow,
    /// The story, newest first.
    pub entries: Vec<Entry>,
    /// What the platform said, when that is why.
    pub verdict: Option<super::accounts::VerdictSummary>,
    /// Whether the caller may refresh logins.
    pub may_refresh: bool,
}

/// One line of a thread's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// What.
    pub stage: Stage,
}
