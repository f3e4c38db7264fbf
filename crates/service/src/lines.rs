//! From rows to what lists show of posts.

use std::collections::HashMap;

use domain::delivery::DeliveryState;
use domain::grant::RenewedBy;
use domain::id::{AccountId, WorkspaceId};
use domain::post::PostStatus;
use domain::summary::posts::{DeliveryLine, DeliveryStatus, PostLine};
use domain::summary::{End, Moment};
use domain::text::beginning;
use domain::time::Timestamp;
use store::deliveries::{Delivery, Standing};
use store::posts::Post;

use crate::access::WARN_AHEAD;
use crate::moments::Zone;
use crate::{ServiceError, Services};

/// The longest beginning of a text in a list, in graphemes.
const BEGINNING: usize = 120;

/// What is needed to show posts of one workspace: its zone, the time, and how its accounts stand.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) zone: Zone,
    pub(crate) zone_name: String,
    pub(crate) now: Timestamp,
    pub(crate) standings: HashMap<AccountId, Standing>,
}

impl Services {
    pub(crate) async fn posts_view(&self, workspace: WorkspaceId) -> Result<View, ServiceError> {
        let zone_name = self.store.workspace_zone(workspace).await?.ok_or(ServiceError::Contradiction("a caller without a workspace"))?;
        let standings = self.store.all_standings(workspace).await?;
        let standings = standings.into_iter().map(|standing| (standing.account, standing)).collect();
        Ok(View { zone: Zone::stored(&zone_name), zone_name, now: self.now(), standings })
    }
}

impl View {
    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        self.zone.moment(at, self.now)
    }

    /// The end of a login, where a person must act.
    pub(crate) fn end(&self, standing: &Standing) -> Option<End> {
        let at = standing.act_by.filter(|_| standing.renewed_by == RenewedBy::Person)?;
        Some(End { moment: self.moment(at), is_stated: standing.act_by_is_stated, is_past: at <= self.now })
    }

    /// Whether that end is so near that the inbox warns of it.
    pub(crate) fn ends_soon(&self, standing: &Standing) -> bool {
        self.end(standing).is_some_and(|end| end.moment.at <= self.now + WARN_AHEAD)
    }

    /// Whether a delivery will not go out unless somebody acts.
    pub(crate) fn is_at_risk(&self, delivery: &Delivery) -> bool {
        let is_ahead = delivery.state.is_planned() || matches!(delivery.state, DeliveryState::Waiting { .. });
        is_ahead && self.standings.get(&delivery.account).is_some_and(|standing| standing.is_at_risk(delivery.due_at))
    }

    fn status(&self, state: &DeliveryState) -> DeliveryStatus {
        match state {
            DeliveryState::AwaitingApproval => DeliveryStatus::AwaitingApproval,
            DeliveryState::Scheduled => DeliveryStatus::Planned,
            DeliveryState::Preparing { .. } | DeliveryState::Committing { .. } => DeliveryStatus::Sending,
            DeliveryState::Processing { .. } => DeliveryStatus::Processing,
            DeliveryState::Confirming { .. } => DeliveryStatus::Checking,
            DeliveryState::Unconfirmed { asked_at, .. } => DeliveryStatus::NeedsAnswer { asked: self.moment(*asked_at) },
            DeliveryState::Waiting { retry_at, .. } => DeliveryStatus::Waiting { retry: self.moment(*retry_at) },
            DeliveryState::Published { link, at, known_by, seen_at, .. } => DeliveryStatus::Published {
                at: self.moment(*at),
                link: link.clone(),
                known_by: *known_by,
                seen: seen_at.map(|at| self.moment(at)),
            },
            DeliveryState::Missed { why, at } => DeliveryStatus::Missed { why: *why, at: self.moment(*at) },
            DeliveryState::Failed { why, at } => DeliveryStatus::Failed { why: why.clone(), at: self.moment(*at) },
            DeliveryState::Canceled { why } => DeliveryStatus::Canceled { why: *why },
        }
    }

    pub(crate) fn delivery(&self, delivery: &Delivery) -> DeliveryLine {
        DeliveryLine {
            id: delivery.id,
            account: delivery.account,
            account_name: self.standings.get(&delivery.account).map(|standing| standing.name.clone()).unwrap_or_default(),
            platform: delivery.platform,
            status: self.status(&delivery.state),
            at_risk: self.is_at_risk(delivery),
        }
    }

    /// A post in a list; `due` is the moment that counts there.
    pub(crate) fn line(&self, post: &Post, deliveries: &[Delivery], due: Option<Timestamp>) -> PostLine {
        let shown = shown(deliveries);
        PostLine {
            id: post.id,
            text: beginning(&post.content.text, BEGINNING),
            images: u32::try_from(post.content.images.len()).unwrap_or(u32::MAX),
            due: due.or(post.due_at).map(|at| self.moment(at)),
            status: PostStatus::sum(post.is_draft, deliveries.iter().map(|delivery| &delivery.state)),
            deliveries: shown.into_iter().map(|delivery| self.delivery(delivery)).collect(),
        }
    }
}

/// The deliveries that are worth a line: cancelled ones only when there is nothing else.
pub(crate) fn shown(deliveries: &[Delivery]) -> Vec<&Delivery> {
    let alive: Vec<&Delivery> = deliveries.iter().filter(|delivery| !matches!(delivery.state, DeliveryState::Canceled { .. })).collect();
    if alive.is_empty() { deliveries.iter().collect() } else { alive }
}
