//! The frame around every screen.

use serde::{Deserialize, Serialize};

use super::Moment;
use crate::id::{PersonId, WorkspaceId};
use crate::role::Role;
use crate::time::Timestamp;

/// The frame: who is signed in, where, and what the badges show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// The person.
    pub person: PersonSummary,
    /// The workspace that is open.
    pub workspace: WorkspaceSummary,
    /// All workspaces of the person, by name.
    pub workspaces: Vec<WorkspaceSummary>,
    /// The badges.
    pub badges: Badges,
    /// The number of the last event that this answer includes; the stream starts after it.
    pub event_seq: i64,
    /// The server's world time, from which the browser counts.
    pub now: Timestamp,
    /// Set while platforms are simulated.
    pub rehearsal: Option<Rehearsal>,
}

/// A person, for the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSummary {
    /// Id.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// "MJ".
    pub initials: String,
    /// E-mail address.
    pub email: String,
    /// Whether the person runs this installation.
    pub is_operator: bool,
}

/// A workspace, for the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceSummary {
    /// Id.
    pub id: WorkspaceId,
    /// The name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The caller's role in it.
    pub role: Role,
    /// Its zone ("Europe/Berlin").
    pub zone: String,
}

/// The numbers in navigation and tab title.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badges {
    /// Unread threads; falls by reading.
    pub unread: u32,
    /// Disconnected accounts; falls only when they work again.
    pub disconnected: u32,
    /// Missed posts that wait for a decision.
    pub missed: u32,
}

/// The striped strip on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What the moved clock shows.
    pub clock: Moment,
    /// Where the simulated platforms stand, for links to their feeds (ends without a slash).
    pub platforms_url: String,
}

/// One numbered event, as the stream sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the workspace.
    pub seq: i64,
    /// What kind of thing changed.
    pub kind: EventKind,
    /// The server's world time when it was sent.
    pub now: Timestamp,
    /// The badges after it, for the person whose stream it is.
    pub badges: Badges,
}

/// What kind of thing changed; pages reload what they show of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An account or its login.
    Accounts,
    /// A post or a delivery.
    Posts,
    /// A thread.
    Inbox,
    /// The rehearsal clock was moved.
    Clock,
}

impl EventKind {
    /// The name in SQL and on the stream.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Posts => "posts",
            Self::Inbox => "inbox",
            Self::Clock => "clock",
        }
    }
}
