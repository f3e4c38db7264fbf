//! Looking for a post whose answer was lost. A match proves; absence in a list never does.

use std::time::Duration;

use domain::cause::{Class, Verdict};
use domain::delivery::{DeliveryEvent, DeliveryState};
use domain::time::Timestamp;
use platforms::adapter::{CallError, Looked, RemotePost};
use store::publishing::Also;

use super::claim::{ASK_AFTER, asking};
use super::commit::{FIRST_FOLLOW, worked};
use super::held::{Change, Held};
use super::load::{Load, Loaded, load};
use super::withdrawn::{Withdrawn, withdrawn};
use crate::WorkerError;

/// We look at once, and at these moments after the outcome became unknown; at the last of them a person is asked.
const LOOKS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(20), ASK_AFTER];

/// Looks for a delivery whose outcome is unknown.
pub(super) async fn look(held: Held) -> Result<(), WorkerError> {
    match load(&held).await {
        Ok(Load::Ready(loaded)) => look_with(held, &loaded).await,
        // Without the login, or without an image to compare, nobody can look but a person.
        Ok(Load::Unlinked | Load::Refused(_)) => not_found(&held, Change::default()).await,
        Err(error @ WorkerError::Service(_)) => {
            tracing::error!(delivery.id = %held.claimed.id, error = &error as &dyn std::error::Error, "cannot look for a delivery");
            not_found(&held, Change::default()).await
        }
        Err(error) => Err(error),
    }
}

/// The same with everything at hand.
pub(super) async fn look_with(held: Held, loaded: &Loaded) -> Result<(), WorkerError> {
    let store = &held.inner.services.store;
    let since = match held.claimed.state {
        DeliveryState::Confirming { since } | DeliveryState::Unconfirmed { since, .. } => since,
        _ => held.inner.now(),
    };
    let attempted_at = store.last_commit(held.claimed.workspace, held.claimed.id).await?.unwrap_or(since);
    let acting = &loaded.acting;
    match acting.adapter.look(&acting.app, &loaded.job, &loaded.done, attempted_at, held.inner.now()).await {
        Ok(Looked::Matches(matches)) => {
            let mut free = Vec::new();
            for found in matches {
                if !store.is_bound(held.claimed.account, &found.remote_id, held.claimed.id).await? {
                    free.push(found);
                }
            }
            match free.len() {
                1 => found(held, free.remove(0)).await,
                0 => {
                    let change = Change { records: vec![held.line("look", "not_found")], ..Change::default() };
                    not_found(&held, change).await
                }
                // Which of them is ours, no machine can tell.
                _ => ask(&held, held.line("look", "several")).await,
            }
        }
        Ok(Looked::Processing { handle }) if matches!(held.claimed.state, DeliveryState::Confirming { .. }) => {
            let now = held.inner.now();
            let state = held.after([DeliveryEvent::AcceptedForProcessing { handle }], now)?;
            let change = Change { records: vec![held.line("look", "found")], also: worked(&held), ..Change::default() };
            held.finish(state, Some(now + FIRST_FOLLOW), change).await
        }
        Ok(Looked::ProvenAbsent) if matches!(held.claimed.state, DeliveryState::Confirming { .. }) => {
            let now = held.inner.now();
            let state = held.after([DeliveryEvent::ProvenAbsent], now)?;
            let change = Change { records: vec![held.line("look", "absent")], ..Change::default() };
            held.finish(state, Some(now), change).await
        }
        // A person has been asked already, and theirs is the word now.
        Ok(Looked::Processing { .. } | Looked::ProvenAbsent) => not_found(&held, Change::default()).await,
        Err(error) => {
            let mut change = Change { records: vec![held.line("look", "failed")], ..Change::default() };
            if let CallError::Answered { verdict, .. } = error {
                change.also.extend(follows(&held, verdict).await);
            }
            not_found(&held, change).await
        }
    }
}

/// What a refused look says about login and account.
async fn follows(held: &Held, verdict: Box<Verdict>) -> Option<Also> {
    let claimed = &held.claimed;
    if verdict.class == Class::AccessExpired {
        return Some(Also::RenewNow(claimed.grant));
    }
    if !verdict.class.needs_sign_in() {
        return None;
    }
    match withdrawn(held, verdict).await {
        Withdrawn::Login(verdict) => Some(Also::RefuseLogin(claimed.grant, verdict, held.thread_id())),
        Withdrawn::Account(verdict) => Some(Also::BlockAccount(claimed.account, verdict, held.thread_id())),
        Withdrawn::OldToken(keep) => keep,
        Withdrawn::Access(_) => Some(Also::RenewNow(claimed.grant)),
        Withdrawn::Blocked(_) => Some(Also::ProbeSoon(claimed.grant)),
        Withdrawn::App(_) | Withdrawn::Untold(_) => None,
    }
}

async fn found(held: Held, post: RemotePost) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let RemotePost { remote_id, link, created_at } = post;
    let state = held.after([DeliveryEvent::Found { remote_id, link, created_at }], now)?;
    let mut also = worked(&held);
    also.push(Also::Back(held.root()));
    let change = Change { records: vec![held.line("look", "found")], also, ..Change::default() };
    metrics::counter!("stayposted_found_total", "platform" => held.claimed.platform.code()).increment(1);
    match held.finish(state, None, change).await {
        // Another delivery with the same text was bound to it a moment ago.
        Err(WorkerError::Store(error)) if error.is_duplicate() => ask(&held, held.line("look", "several")).await,
        other => other,
    }
}

/// When we look next, while the platform shows nothing.
fn next_look(state: &DeliveryState, now: Timestamp) -> Option<Timestamp> {
    match state {
        DeliveryState::Confirming { since } => LOOKS.iter().map(|look| *since + *look).find(|look| *look > now),
        other => other.next_look(now),
    }
}

/// Nothing was found, which proves nothing: we go on looking, and ask in time.
async fn not_found(held: &Held, mut change: Change) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let next = next_look(&held.claimed.state, now);
    if next.is_none() && matches!(held.claimed.state, DeliveryState::Confirming { .. }) {
        let asked = asking(held);
        change.records.extend(asked.records);
        change.also.extend(asked.also);
        let state = held.after([DeliveryEvent::Ask], now)?;
        let next = next_look(&state, now);
        return held.finish(state, next, change).await;
    }
    held.finish(held.claimed.state.clone(), next, change).await
}

async fn ask(held: &Held, line: store::deliveries::Record) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let mut change = Change { records: vec![line], ..Change::default() };
    let state = match held.claimed.state {
        DeliveryState::Confirming { .. } => {
            let asked = asking(held);
            change.records.extend(asked.records);
            change.also.extend(asked.also);
            held.after([DeliveryEvent::Ask], now)?
        }
        _ => held.claimed.state.clone(),
    };
    let next = next_look(&state, now);
    held.finish(state, next, change).await
}
