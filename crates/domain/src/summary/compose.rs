//! Compose: what can be picked, and what the person sends.

use serde::{Deserialize, Serialize};

use super::posts::ImageView;
use super::{End, Moment};
use crate::id::{AccountId, PostId};
use crate::platform::Platform;
use crate::post::Target;
use crate::text::Problem;

/// What Compose offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposePage {
    /// The accounts.
    pub accounts: Vec<ComposeAccount>,
    /// The form's start values: an existing draft or post, or defaults for a new one.
    pub start: ComposeStart,
    /// The zones that can be picked; the workspace's first.
    pub zones: Vec<String>,
}

/// An account that can be picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeAccount {
    /// Id.
    pub id: AccountId,
    /// Name.
    pub name: String,
    /// Platform; its limits come from `domain::policy`.
    pub platform: Platform,
    /// Places inside it (id, name), where one must be chosen.
    pub boards: Vec<(String, String)>,
    /// Whether it can post now.
    pub can_post: bool,
    /// When its login ends, where a person must act.
    pub end: Option<End>,
    /// Whether that is so near that somebody should act now.
    pub ends_soon: bool,
    /// Who signs in there.
    pub login_of: String,
}

/// The values that the form starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeStart {
    /// The post that is edited.
    pub post: Option<PostId>,
    /// Text.
    pub text: String,
    /// Title.
    pub title: String,
    /// Link.
    pub link: String,
    /// Images.
    pub images: Vec<ImageView>,
    /// Picked accounts.
    pub targets: Vec<Target>,
    /// "2026-12-03".
    pub date: String,
    /// "09:00".
    pub time: String,
    /// "Europe/Berlin".
    pub zone: String,
}

/// What the person sends. The field names are those of the form, so that it works before WASM arrives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeInput {
    /// The post that is edited; empty for a new one.
    #[serde(default)]
    pub post: String,
    /// Text.
    #[serde(default)]
    pub text: String,
    /// Title.
    #[serde(default)]
    pub title: String,
    /// Link.
    #[serde(default)]
    pub link: String,
    /// Ids of picked accounts.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Chosen boards, as "account id:board id".
    #[serde(default)]
    pub boards: Vec<String>,
    /// Ids of images, in order.
    #[serde(default)]
    pub images: Vec<String>,
    /// Alternative texts, in the order of `images`.
    #[serde(default)]
    pub alts: Vec<String>,
    /// "2026-12-03".
    #[serde(default)]
    pub date: String,
    /// "09:00".
    #[serde(default)]
    pub time: String,
    /// "Europe/Berlin".
    #[serde(default)]
    pub zone: String,
    /// What to do: `schedule`, `now` or `draft`.
    #[serde(default)]
    pub then: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Composed {
    /// The post.
    pub post: PostId,
    /// When it is due; none for a draft.
    pub due: Option<Moment>,
    /// How a gap or fold of summer time was decided.
    pub clock_change: Option<ClockChange>,
}

/// A wall time that does not exist, or exists twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ClockChange {
    /// "This day has no 02:30 in Berlin; the post goes out at 03:30."
    Gap {
        /// What was asked: "02:30".
        asked: String,
        /// What it became: "03:30".
        becomes: String,
    },
    /// "02:30 comes twice; we take the first."
    Fold {
        /// What was asked.
        asked: String,
    },
}

/// What is wrong with a composed post, per account where it differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProblem {
    /// The account; none when it concerns the whole post.
    pub account: Option<AccountId>,
    /// Its platform.
    pub platform: Option<Platform>,
    /// The problem.
    pub problem: Problem,
}
