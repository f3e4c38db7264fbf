//! Threads of the inbox: one per root, widest first (design section 6). Facts only; the words are the view's.

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::id::{AccountId, DeliveryId, GrantId, PostId};
use crate::platform::Platform;
use crate::time::Timestamp;

/// What a thread is about; exactly one open thread exists per root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "root", rename_all = "snake_case")]
pub enum Root {
    /// A platform does not answer, for everybody.
    Platform {
        /// Which.
        platform: Platform,
    },
    /// The app's own registration is refused: the operator's matter.
    App {
        /// Which.
        platform: Platform,
    },
    /// We were not running.
    Absence,
    /// A login ends or was lost.
    Login {
        /// Which.
        grant: GrantId,
    },
    /// One account is blocked or gone while its login lives.
    Account {
        /// Which.
        account: AccountId,
    },
    /// A post was refused or needs an answer.
    Delivery {
        /// Which.
        delivery: DeliveryId,
        /// Its post.
        post: PostId,
    },
}

impl Root {
    /// The key under which the open thread of this root is found.
    pub fn key(&self) -> String {
        match self {
            Self::Platform { platform } => format!("platform:{platform}"),
            Self::App { platform } => format!("app:{platform}"),
            Self::Absence => "absence".to_owned(),
            Self::Login { grant } => format!("login:{grant}"),
            Self::Account { account } => format!("account:{account}"),
            Self::Delivery { delivery, .. } => format!("delivery:{delivery}"),
        }
    }
}

/// How far a thread's story has come. Each new stage is one entry of the thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The login ends soon and a person must act.
    EndsSoon {
        /// When.
        act_by: Timestamp,
        /// Whether the platform stated the moment.
        is_stated: bool,
    },
    /// The login was lost, or the account blocked.
    Lost {
        /// Why.
        cause: Cause,
    },
    /// A renewal keeps failing and deliveries are held up, or the access token is dead: nothing to do.
    Trouble,
    /// Posts came due and did not go out.
    Missed {
        /// How many posts so far.
        posts: u32,
    },
    /// The platform refused a post.
    Refused,
    /// Nobody can tell whether a post is online.
    NeedsAnswer,
    /// We were off between these moments.
    WasOff {
        /// From.
        from: Timestamp,
        /// Until.
        until: Timestamp,
    },
    /// Back to normal: the last line of the story.
    Back,
}

impl Stage {
    /// The name of the stage, as stored.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EndsSoon { .. } => "ends_soon",
            Self::Lost { .. } => "lost",
            Self::Trouble => "trouble",
            Self::Missed { .. } => "missed",
            Self::Refused => "refused",
            Self::NeedsAnswer => "needs_answer",
            Self::WasOff { .. } => "was_off",
            Self::Back => "back",
        }
    }

    /// Whether a person has something to do at this stage.
    pub const fn needs_somebody(&self) -> bool {
        !matches!(self, Self::Trouble | Self::Back)
    }
}
