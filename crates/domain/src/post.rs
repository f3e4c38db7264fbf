//! What a person wrote: a post, its revisions, and where it goes.

use serde::{Deserialize, Serialize};

use crate::delivery::DeliveryState;
use crate::id::{AccountId, MediaId};

/// An image of a post with its alternative text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PostImage {
    /// The stored image.
    pub id: MediaId,
    /// What a person who cannot see it should hear.
    #[serde(default)]
    pub alt: String,
}

/// One account that a post goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The account.
    pub account: AccountId,
    /// The place inside the account (Pinterest: the id of a board).
    #[serde(default)]
    pub board: Option<String>,
}

/// The content of one revision; unchangeable once stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The text.
    #[serde(default)]
    pub text: String,
    /// The title, used where a platform has one.
    #[serde(default)]
    pub title: String,
    /// The link; empty for none.
    #[serde(default)]
    pub link: String,
    /// The images, in order.
    #[serde(default)]
    pub images: Vec<PostImage>,
    /// Where it goes.
    #[serde(default)]
    pub targets: Vec<Target>,
}

/// The sum of a post's deliveries (design section 5: partial success is a state of its own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostStatus {
    /// Not planned.
    Draft,
    /// All wait for their time.
    Planned,
    /// At least one is being sent, waits for the platform, or is being looked for.
    Underway,
    /// A person's answer is needed.
    NeedsAnswer,
    /// All are online.
    Published,
    /// Some are online and some did not go out.
    Partly,
    /// None is online; the reason lies outside the post.
    Missed,
    /// None is online; the post was refused.
    Failed,
    /// Taken out.
    Canceled,
}

impl PostStatus {
    /// The sum of `deliveries`; cancelled ones count only when there is nothing else.
    pub fn sum<'a>(is_draft: bool, deliveries: impl IntoIterator<Item = &'a DeliveryState>) -> Self {
        use DeliveryState as S;
        if is_draft {
            return Self::Draft;
        }
        let (mut planned, mut underway, mut ask, mut published, mut missed, mut failed) = (0, 0, 0, 0, 0, 0);
        for state in deliveries {
            match state {
                S::AwaitingApproval | S::Scheduled => planned += 1,
                S::Preparing { .. } | S::Committing { .. } | S::Processing { .. } | S::Confirming { .. } | S::Waiting { .. } => {
                    underway += 1;
                }
                S::Unconfirmed { .. } => ask += 1,
                S::Published { .. } => published += 1,
                S::Missed { .. } => missed += 1,
                S::Failed { .. } => failed += 1,
                S::Canceled { .. } => {}
            }
        }
        match () {
            () if ask > 0 => Self::NeedsAnswer,
            () if underway > 0 => Self::Underway,
            () if published > 0 && missed + failed > 0 => Self::Partly,
            () if failed > 0 => Self::Failed,
            () if missed > 0 => Self::Missed,
            () if planned > 0 && published > 0 => Self::Underway,
            () if planned > 0 => Self::Planned,
            () if published > 0 => Self::Published,
            () => Self::Canceled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{KnownBy, MissedWhy};
    use crate::time::Timestamp;

    #[test]
    fn some_online_and_some_missed_is_a_state_of_its_own() {
        let online = DeliveryState::Published { remote_id: None, link: None, at: Timestamp(0), known_by: KnownBy::Answer, seen_at: None };
        let missed = DeliveryState::Missed { why: MissedWhy::Disconnected, at: Timestamp(0) };
        assert_eq!(PostStatus::sum(false, [&online, &missed]), PostStatus::Partly);
        assert_eq!(PostStatus::sum(false, [&online]), PostStatus::Published);
        assert_eq!(PostStatus::sum(false, [&missed]), PostStatus::Missed);
        assert_eq!(PostStatus::sum(false, []), PostStatus::Canceled);
        assert_eq!(PostStatus::sum(true, [&missed]), PostStatus::Draft);
    }
}
