//! What is so at one moment: rows, workers, the wire and the platform.

use domain::delivery::DeliveryState;
use domain::grant::{GrantState, RefreshOutcome};
use domain::time::Timestamp;

/// When both deliveries and the renewal are due.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The world at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// True time; the second worker's clock is ahead of it.
    pub(crate) now: Timestamp,
    pub(crate) rows: [Row; 2],
    pub(crate) login: LoginRow,
    pub(crate) workers: [Worker; 2],
    pub(crate) wire: Vec<Request>,
    pub(crate) platform: Platform,
    pub(crate) told: Told,
    pub(crate) faults: u8,
    pub(crate) consents: u8,
    pub(crate) words: u8,
}

/// The right of one worker to a row. `fence` is what makes it this lease and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) holder: usize,
    pub(crate) fence: u8,
    pub(crate) until: Timestamp,
}

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) state: DeliveryState,
    pub(crate) work_at: Option<Timestamp>,
    pub(crate) lease: Option<Lease>,
    pub(crate) fence: u8,
    pub(crate) attempts: u32,
}

/// The login as stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LoginRow {
    pub(crate) state: GrantState,
    pub(crate) generation: i64,
    /// The platform's number of the newest pair.
    pub(crate) pair: u8,
    /// The newest pair that was ever stored.
    pub(crate) best: u8,
    pub(crate) refresh_at: Option<Timestamp>,
    pub(crate) lease: Option<Lease>,
    pub(crate) fence: u8,
    /// Tries to renew the newest generation: fence, generation and outcome.
    pub(crate) attempts: Vec<(u8, i64, Option<RefreshOutcome>)>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Worker {
    pub(crate) is_down: bool,
    pub(crate) is_stopped: bool,
    pub(crate) jobs: [Option<Job>; 2],
    pub(crate) keep: Option<Keep>,
}

/// A delivery in a worker's hands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) fence: u8,
    pub(crate) until: Timestamp,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    /// The generation of the tokens that are shown.
    pub(crate) used: i64,
    pub(crate) pair: u8,
    pub(crate) step: Step,
}

/// How far a worker is with a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Claimed for sending.
    Claimed,
    /// Its login is opened.
    Opened,
    /// The intent is written.
    Intended,
    /// The request left.
    Sent,
    /// The answer is here.
    Answered(Reply),
    /// It is to be looked for.
    Look,
    /// The platform has shown these posts.
    Shown(Vec<u8>),
    /// And whether there is a twin is known.
    Compared(Vec<u8>, bool),
}

/// A renewal in a worker's hands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Keep {
    pub(crate) fence: u8,
    pub(crate) until: Timestamp,
    pub(crate) generation: i64,
    pub(crate) pair: u8,
    pub(crate) answer_lost: bool,
    /// Whether the pair was spent, and its successor out of our reach, when the intent to show it was written.
    pub(crate) is_last_resort: bool,
    pub(crate) step: KeepStep,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum KeepStep {
    Leased,
    Opened,
    Held,
    Sent,
    Answered(Reply),
}

/// What an answer said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Reply {
    /// Online under this number.
    Accepted(u8),
    /// A fresh pair.
    Pair(u8),
    /// No answer.
    Lost,
    /// Certainly not done.
    NotDone,
    /// The tokens are not taken.
    Refused,
}

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) from: usize,
    pub(crate) what: Asked,
    pub(crate) pair: u8,
    /// It has arrived by then, or never does.
    pub(crate) until: Timestamp,
    /// Whether somebody still waits for the answer.
    pub(crate) is_awaited: bool,
    /// As in [`Keep`].
    pub(crate) is_last_resort: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Asked {
    Publish(usize),
    Renew,
}

/// What the platform knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Platform {
    /// The delivery of each post that was accepted.
    pub(crate) posts: Vec<usize>,
    /// The pair that lives.
    pub(crate) live: u8,
    pub(crate) is_revoked: bool,
    /// Whether nobody of us can have the answer that brought the living pair.
    pub(crate) is_answer_lost: bool,
    /// We lost the login by showing a pair twice although its answer could be had.
    pub(crate) is_lost_by_us: bool,
}

/// What people were told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Told {
    pub(crate) asked: [u8; 2],
    pub(crate) missed: [u8; 2],
    pub(crate) lost: u8,
}

impl Row {
    /// Whether nothing more happens by itself, and rightly so.
    pub(crate) fn is_settled(&self) -> bool {
        use DeliveryState as S;
        matches!(self.state, S::Published { .. } | S::Missed { .. } | S::Failed { .. } | S::Canceled { .. })
    }
}

impl LoginRow {
    /// When a keeper has something to do.
    pub(crate) fn work_at(&self) -> Option<Timestamp> {
        match self.state {
            GrantState::Live => self.refresh_at,
            GrantState::Retrying { retry_at, .. } => Some(retry_at),
            GrantState::SignInNeeded { .. } | GrantState::Unlinked => None,
        }
    }
}

impl Worker {
    /// Whether it does anything.
    pub(crate) const fn works(&self) -> bool {
        !self.is_down && !self.is_stopped
    }
}
