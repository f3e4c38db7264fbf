//! Who may do what (design section 10).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{PersonId, WorkspaceId};

/// What a person may do in one workspace. Ordered: each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Writes and schedules posts, and refreshes logins.
    Editor,
    /// Links and unlinks accounts, and manages people.
    Admin,
    /// Owns the workspace.
    Owner,
}

impl Role {
    /// Every role, lowest first.
    pub const ALL: &'static [Self] = &[Self::Viewer, Self::Editor, Self::Admin, Self::Owner];

    /// The name in SQL and in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether a person with this role may do `action`.
    pub fn may(self, action: Action) -> bool {
        self >= match action {
            Action::See => Self::Viewer,
            Action::RefreshLogin | Action::WritePosts | Action::AnswerInbox => Self::Editor,
            Action::ManageAccounts | Action::ManagePeople => Self::Admin,
            Action::OwnWorkspace => Self::Owner,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.iter().copied().find(|role| role.code() == text).ok_or(UnknownRole)
    }
}

/// Something a server function does for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look at accounts, posts and the inbox.
    See,
    /// Start the sign-in that brings a login back.
    RefreshLogin,
    /// Write, schedule, reschedule, cancel posts, and answer whether one appeared.
    WritePosts,
    /// Read, snooze and answer threads for everybody.
    AnswerInbox,
    /// Link, unlink and pause accounts.
    ManageAccounts,
    /// Invite people and change their roles.
    ManagePeople,
    /// Rename or erase the workspace.
    OwnWorkspace,
}

/// How the caller showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The session cookie of a browser.
    Cookie,
    /// A bearer token of the API.
    Bearer,
}

/// Who is asking, and for which workspace. Every call that touches a workspace takes one; role and workspace are
/// read from the database at each request (reliability S2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub person: PersonId,
    /// The workspace that the request names, or the one last used.
    pub workspace: WorkspaceId,
    /// The person's role in it.
    pub role: Role,
    /// Whether the person also runs this installation.
    pub is_operator: bool,
    /// Cookie or bearer token.
    pub via: Via,
}

/// The caller's role does not allow this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role {role} may not do this")]
pub struct NotAllowed {
    /// The role the caller has.
    pub role: Role,
}

impl Caller {
    /// Whether the caller may do `action`.
    ///
    /// # Errors
    /// [`NotAllowed`] when the role is too low.
    pub fn may(&self, action: Action) -> Result<(), NotAllowed> {
        if self.role.may(action) { Ok(()) } else { Err(NotAllowed { role: self.role }) }
    }
}
