//! Looking for a post whose answer was lost. A match proves; absence in a list never does.

use domain::cause::{Class, Verdict};
use domain::delivery::{DeliveryEvent, DeliveryState, KEEP_LOOKING, Sighting};
use platforms::adapter::{CallError, Looked, RemotePost};
use store::StoreError;
use store::publishing::Also;

use super::claim::asking;
use super::commit::{FIRST_FOLLOW, worked};
use super::held::{Change, Held};
use super::load::{Load, Loaded, load};
use super::withdrawn::{Withdrawn, withdrawn};
use crate::WorkerError;
use crate::whose::Refused;

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
            // In this order: a twin that is settled in between has bound its post by the time that is asked.
            let (account, text, before) = (held.claimed.account, &held.claimed.content.text, attempted_at - KEEP_LOOKING);
            let has_twin = !matches.is_empty() && store.has_twin(account, text, before, held.claimed.id).await?;
            let mut free = Vec::new();
            for found in matches {
                if !store.is_bound(held.claimed.account, &found.remote_id, held.claimed.id).await? {
                    free.push(found);
                }
            }
            match Sighting::of(free.len(), has_twin) {
                Sighting::Found => found(held, free.remove(0)).await,
                Sighting::NotFound => {
                    let change = Change { records: vec![held.line("look", "not_found")], ..Change::default() };
                    not_found(&held, change).await
                }
                Sighting::Ambiguous => several(&held).await,
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
            let lines = change.records.clone();
            match not_found(&held, change).await {
                // A newer pair has come since: the next look shows that one.
                Err(WorkerError::Store(StoreError::Changed)) => not_found(&held, Change { records: lines, ..Change::default() }).await,
                other => other,
            }
        }
    }
}

/// What a refused look says about login and account.
async fn follows(held: &Held, verdict: Box<Verdict>) -> Option<Also> {
    let claimed = &held.claimed;
    if verdict.class == Class::AccessExpired {
        return Some(Also::RenewNow(claimed.grant, held.used()));
    }
    if !verdict.class.needs_sign_in() {
        return None;
    }
    match withdrawn(held, verdict).await {
        Withdrawn::Login(Refused::Login(verdict)) => Some(Also::RefuseLogin(claimed.grant, held.used(), verdict, held.thread_id())),
        Withdrawn::Account(verdict) => Some(Also::BlockAccount(claimed.account, verdict, held.thread_id())),
        Withdrawn::OldToken(keep) => keep,
        Withdrawn::Login(Refused::Access(_)) => Some(Also::RenewNow(claimed.grant, held.used())),
        Withdrawn::Login(Refused::Blocked(_)) => Some(Also::ProbeSoon(claimed.grant)),
        Withdrawn::Login(Refused::App(_) | Refused::Trouble { .. }) => None,
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
        Err(WorkerError::Store(error)) if error.is_duplicate() => several(&held).await,
        other => other,
    }
}

/// Which of them is ours, no machine can tell, as long as nothing else does. A person is asked no sooner for it: our own
/// request may still be under way.
async fn several(held: &Held) -> Result<(), WorkerError> {
    not_found(held, Change { records: vec![held.line("look", "several")], ..Change::default() }).await
}

/// Nothing was found, which proves nothing: we go on looking, and ask in time.
async fn not_found(held: &Held, mut change: Change) -> Result<(), WorkerError> {
    let now = held.inner.now();
    if held.claimed.state.is_to_ask(now) {
        let asked = asking(held);
        change.records.extend(asked.records);
        change.also.extend(asked.also);
        let state = held.after([DeliveryEvent::Ask], now)?;
        let next = state.next_look(now);
        return held.finish(state, next, change).await;
    }
    let next = held.claimed.state.next_look(now);
    held.finish(held.claimed.state.clone(), next, change).await
}
