//! Posts, one post with its proof of posting, and missed posts.

use serde::{Deserialize, Serialize};

use super::Moment;
use super::inbox::ThreadRow;
use crate::delivery::{CanceledWhy, FailedWhy, KnownBy, MissedWhy};
use crate::id::{AccountId, CatchUpId, DeliveryId, MediaId, PostId};
use crate::missed::{CatchUpRule, LeftOut};
use crate::platform::Platform;
use crate::post::PostStatus;

/// The tabs of Posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostsTab {
    /// Planned and under way, next first.
    #[default]
    Planned,
    /// Missed, failed, needs an answer; newest first.
    DidNotGoOut,
    /// Online, newest first.
    Published,
    /// Drafts, newest first.
    Drafts,
}

/// The page Posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostsPage {
    /// The tab that is shown.
    pub tab: PostsTab,
    /// Number of posts per tab, in the order of the enum.
    pub counts: [u32; 4],
    /// The rows, at most 100.
    pub rows: Vec<PostLine>,
    /// Whether there are more.
    pub has_more: bool,
}

/// A post in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostLine {
    /// Id.
    pub id: PostId,
    /// Its beginning, or empty when it has no text.
    pub text: String,
    /// Number of images.
    pub images: u32,
    /// When it is or was due; none for drafts without a time.
    pub due: Option<Moment>,
    /// The sum of its deliveries.
    pub status: PostStatus,
    /// Its deliveries.
    pub deliveries: Vec<DeliveryLine>,
}

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryLine {
    /// Id.
    pub id: DeliveryId,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// Its platform.
    pub platform: Platform,
    /// How it is.
    pub status: DeliveryStatus,
    /// Whether it will not go out unless somebody acts (planned after the login's end, or disconnected).
    pub at_risk: bool,
}

/// How a delivery is, for the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Waits for its time.
    Planned,
    /// Waits for approval.
    AwaitingApproval,
    /// Is being sent.
    Sending,
    /// Accepted, not public yet.
    Processing,
    /// We are looking whether it is there.
    Checking,
    /// A person is asked.
    NeedsAnswer {
        /// Since when.
        asked: Moment,
    },
    /// Waits for the platform.
    Waiting {
        /// Next try.
        retry: Moment,
    },
    /// Online.
    Published {
        /// Since when.
        at: Moment,
        /// Its address.
        link: Option<String>,
        /// How we know.
        known_by: KnownBy,
        /// When it was read back.
        seen: Option<Moment>,
    },
    /// Due, and not sent.
    Missed {
        /// Why.
        why: MissedWhy,
        /// When.
        at: Moment,
    },
    /// Refused.
    Failed {
        /// Why.
        why: FailedWhy,
        /// When.
        at: Moment,
    },
    /// Taken out.
    Canceled {
        /// Why.
        why: CanceledWhy,
    },
}

/// The page of one post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostPage {
    /// The facts of the list.
    pub line: PostLine,
    /// The whole text.
    pub text: String,
    /// The title.
    pub title: String,
    /// The link.
    pub link: String,
    /// The images.
    pub images: Vec<ImageView>,
    /// Who wrote it.
    pub author: String,
    /// The zone in which its time was picked.
    pub zone: String,
    /// What a new time begins with, "2026-12-03" in that zone: the picked day while it lies ahead, else that of the next
    /// free time.
    pub wall_date: Option<String>,
    /// The same, "09:00".
    pub wall_time: Option<String>,
    /// Proof of posting: each delivery with its story.
    pub proofs: Vec<Proof>,
    /// Whether it can still be edited and cancelled.
    pub can_edit: bool,
    /// Whether some of it can be given a new time.
    pub can_reschedule: bool,
}

/// An image of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageView {
    /// Id.
    pub id: MediaId,
    /// Where the browser gets it.
    pub url: String,
    /// Alternative text.
    pub alt: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// The history of a delivery down to the read-back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The delivery.
    pub delivery: DeliveryLine,
    /// The platform's id.
    pub remote_id: Option<String>,
    /// Where a person can look, while nobody can tell whether it is online.
    pub look_url: Option<String>,
    /// The story, oldest first.
    pub steps: Vec<ProofStep>,
}

/// One line of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofStep {
    /// When.
    pub at: Moment,
    /// With seconds: "09:00:03".
    pub clock: String,
    /// What.
    pub what: ProofWhat,
}

/// What happened to a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ProofWhat {
    /// It was planned.
    Planned,
    /// Everything was checked ahead of time and was fine.
    Checked,
    /// An image was uploaded.
    Uploaded,
    /// It was sent.
    Sent,
    /// The platform accepted it.
    Accepted,
    /// No answer came.
    NoAnswer,
    /// The platform asked us to wait, or was in trouble; certainly not sent.
    NotSent,
    /// The platform refused it.
    Refused,
    /// We looked and did not find it.
    LookedNotFound,
    /// We looked and found it.
    LookedFound,
    /// A person was asked.
    Asked,
    /// A person said that it is there.
    PersonSaidThere,
    /// A person said that it is not there.
    PersonSaidAbsent,
    /// It was read back from the platform.
    SeenOnline,
    /// It was missed.
    Missed {
        /// Why.
        why: MissedWhy,
    },
    /// It was given a new time.
    Rescheduled,
    /// It was taken out.
    Canceled,
}

/// The page Missed posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedPage {
    /// Number of posts.
    pub posts: u32,
    /// On how many accounts.
    pub accounts: u32,
    /// The earliest and latest moment that was missed.
    pub span: Option<(Moment, Moment)>,
    /// The rule behind the proposals.
    pub rule: CatchUpRule,
    /// Under three hours late: "Send now".
    pub send_now: Vec<MissedRow>,
    /// The rest, oldest first.
    pub rows: Vec<MissedRow>,
    /// The last application, while it can be undone.
    pub undo: Option<UndoOffer>,
    /// What keeps some of them from going out until somebody acts, worst first.
    pub needs: Vec<ThreadRow>,
    /// Zone of the proposed times.
    pub zone: String,
}

/// A missed post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedRow {
    /// The post.
    pub post: PostLine,
    /// When it was due.
    pub was_due: Moment,
    /// Why it was missed (the first delivery's reason).
    pub why: MissedWhy,
    /// The proposed time.
    pub suggestion: Option<Moment>,
    /// The proposal as a form value: date "2026-12-03", in the workspace's zone.
    pub date: String,
    /// The proposal as a form value: time "09:00".
    pub time: String,
    /// Why it is not ticked.
    pub left_out: Option<LeftOut>,
}

/// An application of new times that can still be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoOffer {
    /// Its id.
    pub id: CatchUpId,
    /// How many posts got a new time.
    pub posts: u32,
    /// The first of the new times; undo ends there.
    pub first: Moment,
}

/// The answer to applying new times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// How many posts got a new time, those that are sent at once included.
    pub posts: u32,
    /// How many of them are sent at once: these cannot be undone.
    pub now: u32,
    /// What can be undone.
    pub undo: Option<UndoOffer>,
}
