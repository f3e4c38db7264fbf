//! After the platform accepted a post: following what it processes, and reading back what is online.

use std::time::Duration;

use domain::cause::Class;
use domain::delivery::{DeliveryEvent, DeliveryState, FailedWhy};
use domain::inbox::Stage;
use domain::time::{Timestamp, hours, minutes};
use platforms::adapter::{Committed, SeenOnline};
use store::publishing::Also;

use super::commit::{published, worked};
use super::held::{Change, Held};
use super::load::{Load, access, load};
use crate::WorkerError;

/// A published post is read back at these moments after it went online; after the last we leave it unseen.
const READ_BACKS: [Duration; 5] = [Duration::from_secs(3), minutes(1), minutes(10), hours(1), hours(6)];

/// When a published post is read back next; none when it was seen, or nobody expects to see it any more.
pub(super) fn next_read_back(state: &DeliveryState, now: Timestamp) -> Option<Timestamp> {
    match state {
        DeliveryState::Published { at, seen_at: None, remote_id: Some(_), .. } => {
            READ_BACKS.iter().map(|wait| *at + *wait).find(|next| *next > now)
        }
        _ => None,
    }
}

/// Reads a published post back. That it fails says nothing about the post.
pub(super) async fn read_back(held: Held) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let state = held.claimed.state.clone();
    let DeliveryState::Published { remote_id: Some(remote_id), seen_at: None, .. } = &state else {
        return held.finish(state, None, Change::default()).await;
    };
    let Ok(Some(acting)) = access(&held).await else {
        let next = next_read_back(&state, now);
        return held.finish(state, next, Change::default()).await;
    };
    let seen = acting.adapter.read_back(&acting.app, &acting.account, remote_id, now).await;
    let now = held.inner.now();
    match seen {
        Ok(SeenOnline::Yes) => {
            let change = Change { records: vec![held.line("read_back", "done")], also: worked(&held), ..Change::default() };
            held.finish(held.after([DeliveryEvent::Seen], now)?, None, change).await
        }
        Ok(SeenOnline::CannotTell) => held.finish(state, None, Change::default()).await,
        Ok(SeenOnline::No) | Err(_) => {
            let next = next_read_back(&state, now);
            held.finish(state, next, Change::default()).await
        }
    }
}

/// Asks what became of something accepted for processing.
pub(super) async fn follow(held: Held) -> Result<(), WorkerError> {
    let DeliveryState::Processing { handle } = held.claimed.state.clone() else {
        return held.finish(held.claimed.state.clone(), None, Change::default()).await;
    };
    let Ok(Load::Ready(loaded)) = load(&held).await else { return later(&held).await };
    match loaded.acting.adapter.follow(&loaded.acting.app, &loaded.job, &handle, held.inner.now()).await {
        Ok(Committed::Published { remote_id, link }) => published(&held, remote_id, link, None).await,
        Ok(Committed::Refused { verdict, .. }) if matches!(verdict.class, Class::BadContent | Class::PolicyBlock) => {
            let state = held.after([DeliveryEvent::ProcessingFailed(FailedWhy::Refused(verdict))], held.inner.now())?;
            let change = Change {
                records: vec![held.line("look", "refused")],
                also: vec![Also::Tell(held.root(), Stage::Refused, held.thread_id())],
                ..Change::default()
            };
            held.finish(state, None, change).await
        }
        Ok(Committed::Processing { .. } | Committed::Refused { .. } | Committed::NotSent(_) | Committed::Unknown { .. }) | Err(_) => {
            later(&held).await
        }
    }
}

/// Asked again after half the time it has taken so far.
async fn later(held: &Held) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let sent = held.inner.services.store.last_commit(held.claimed.workspace, held.claimed.id).await?.unwrap_or(held.claimed.due_at);
    let wait = (now.since(sent) / 2).clamp(super::commit::FIRST_FOLLOW, minutes(30));
    held.finish(held.claimed.state.clone(), Some(now + wait), Change::default()).await
}
