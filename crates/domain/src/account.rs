//! The state of an account, beside the state of the login it stands on.

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::grant::GrantState;
use crate::time::Timestamp;

/// The state of an account (design section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    /// Nothing stands in its way.
    Ok,
    /// The login lives, and this account cannot be posted to: role lost, suspended, checkpoint.
    Blocked {
        /// When that began.
        since: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// A person paused posting.
    Paused {
        /// Since when.
        since: Timestamp,
    },
    /// The platform says that it no longer exists.
    Gone {
        /// Since when.
        since: Timestamp,
    },
    /// Taken out by a person.
    Unlinked,
}

impl AccountState {
    /// The name of the state, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Blocked { .. } => "blocked",
            Self::Paused { .. } => "paused",
            Self::Gone { .. } => "gone",
            Self::Unlinked => "unlinked",
        }
    }
}

/// Whether an account can post now: it is `Ok`, and its grant is `Live`, or `Retrying` with a token that still works.
pub fn can_post(account: AccountState, grant: GrantState, access_works_until: Option<Timestamp>, now: Timestamp) -> bool {
    account == AccountState::Ok
        && match grant {
            GrantState::Live => true,
            // An end that was never stated does not take a login offline.
            GrantState::Retrying { .. } => access_works_until.is_none_or(|end| end > now),
            GrantState::SignInNeeded { .. } | GrantState::Unlinked => false,
        }
}

/// Whether an account counts as disconnected: the number in the `!` of Linked Accounts.
pub fn is_disconnected(account: AccountState, grant: GrantState) -> bool {
    match account {
        AccountState::Unlinked => false,
        AccountState::Blocked { .. } | AccountState::Gone { .. } => true,
        AccountState::Ok | AccountState::Paused { .. } => matches!(grant, GrantState::SignInNeeded { .. }),
    }
}
