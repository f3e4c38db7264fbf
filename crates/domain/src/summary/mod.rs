//! What the screens show, as the server functions return it. Facts and formatted moments; sentences are the view's.
//!
//! Zones and locales are the server's work (stack.md 4.6): a [`Moment`] carries the text to show, made in the
//! person's zone, so that server and browser render the same.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

pub mod accounts;
pub mod compose;
pub mod inbox;
pub mod link;
pub mod overview;
pub mod posts;
pub mod refusal;
pub mod shell;

/// A moment with the texts to show for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The moment itself, for countdowns.
    pub at: Timestamp,
    /// "Thu 3 Dec, 14:02", always with the weekday (ux.md rule 6).
    pub text: String,
    /// "Thu 3 Dec".
    pub day: String,
    /// "14:02".
    pub time: String,
    /// "today 17:30", "tomorrow 09:00", within this week "Fri 20:41", else as `text`.
    pub near: String,
}

/// The end of a login as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When a person must act.
    pub moment: Moment,
    /// Whether the platform stated it (it has its minute), or it is from our table ("about Thu 3 Dec").
    pub is_stated: bool,
    /// Whether it has passed.
    pub is_past: bool,
}
