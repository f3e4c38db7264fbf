//! Linking accounts and the result of a consent.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ConsentId, GrantId};
use crate::platform::Platform;

/// Where the browser goes to sign in at a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoingTo {
    /// The platform.
    pub platform: Platform,
    /// The address of its consent page.
    pub url: String,
}

/// The page that a consent returns to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentResult {
    /// The consent.
    pub consent: ConsentId,
    /// The platform.
    pub platform: Platform,
    /// The login that was to be brought back; none for a first link.
    pub grant: Option<GrantId>,
    /// What came of it.
    pub outcome: ConsentOutcome,
    /// Missed posts that wait for a decision.
    pub missed: u32,
    /// Drafts that unlinking left for accounts which are back now.
    pub drafts: u32,
}

/// What came of a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ConsentOutcome {
    /// First link: choose what to link.
    Choose {
        /// Who signed in.
        login_of: String,
        /// What can be chosen.
        choices: Vec<Choice>,
    },
    /// All accounts are back, or everything chosen is linked.
    AllBack {
        /// Their names.
        accounts: Vec<String>,
    },
    /// Some are back.
    SomeBack {
        /// Names of those that are.
        back: Vec<String>,
        /// Those that are not, each with its reason.
        missing: Vec<Missing>,
    },
    /// Somebody else signed in; nothing was changed.
    OtherPerson {
        /// Who.
        signed_in: String,
        /// Whose login it is.
        belongs_to: String,
        /// Names of accounts that the other person manages too and could take over; empty where that is not possible.
        could_take_over: Vec<String>,
    },
    /// A permission was not given.
    PermissionMissing {
        /// The platform's names of what is missing.
        scopes: Vec<String>,
    },
    /// The login has nothing that can be posted to.
    NothingToPostTo,
    /// The person pressed Cancel at the platform.
    Cancelled,
    /// It took longer than ten minutes.
    TooLate,
    /// This sign-in was already used.
    AlreadyUsed,
    /// The platform let the person in, and then did not answer what a login needs to know.
    Unfinished {
        /// We go on asking without anybody: the login is back, its accounts follow. Otherwise nothing was changed so far,
        /// and the person may have it asked once more while the sign-in is kept (an hour).
        by_itself: bool,
    },
    /// The platform refused the sign-in, or could not be reached; nothing was changed.
    Failed {
        /// The platform's words, plain text, if it said something.
        text: Option<String>,
    },
}

/// An account that a first link offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The platform's id, as form value.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// Whether the person's role allows posting.
    pub may_post: bool,
    /// Whether it is linked here already (through another login when `elsewhere`).
    pub is_linked: bool,
}

/// An account that did not come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: MissingWhy,
}

/// Why an account did not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingWhy {
    /// It was not ticked at the platform, or the person no longer manages it: the platform does not tell which.
    NotTicked,
    /// The person no longer has a role that may post.
    RoleGone,
}
