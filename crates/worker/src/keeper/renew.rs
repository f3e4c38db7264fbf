//! Trades a refresh token for the next pair: written ahead, recorded in one transaction, and a newer pair is never thrown
//! away (reliability B1 to B4).

use domain::backoff::Backoff;
use domain::cause::{Cause, Class, OurFault};
use domain::grant::{GrantState, RefreshOutcome, Round, becomes_newest, speaks_of};
use domain::id::{AttemptId, LeaseId};
use domain::inbox::Root;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use platforms::adapter::Tokens;
use platforms::secret::RefreshToken;
use service::ServiceError;
use service::access::{Pair, first_warning, schedule_of, times_of};
use store::grants::{AttemptOutcome, Grant};
use store::{StoreError, Tx};

use super::Inner;
use super::judge::{self, Failure};
use crate::WorkerError;

/// One try to renew, as it was written ahead.
struct Attempt<'a> {
    id: AttemptId,
    lease: LeaseId,
    pair: &'a Pair,
    /// An earlier one with this same pair ended unknown.
    answer_lost: bool,
}

/// Renews a login whose renewal is due.
pub(super) async fn renew(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<(), WorkerError> {
    let Some(pair) = open(inner, grant, lease).await? else { return Ok(()) };
    let Some(refresh) = pair.refresh.clone() else {
        // The row says that there is one: the value is gone, and only a new sign-in brings another.
        return lose_to_our_fault(inner, grant, lease).await;
    };
    let now = inner.now();
    let id = AttemptId(inner.services.new_id());
    let mut tx = inner.services.store.begin().await?;
    let held = tx.lock_leased(grant.id, lease).await?.ok_or(StoreError::LeaseLost)?;
    if !speaks_of(pair.generation, held.generation) {
        // Somebody brought a newer pair since we opened this one.
        tx.release_grant(grant.id, lease).await?;
        return Ok(tx.commit().await?);
    }
    let answer_lost = tx.begin_attempt(id, &held, now).await?;
    tx.commit().await?;
    if let Err(error) = inner.hold(grant, lease).await {
        // It has not left: whoever renews next has lost no answer by it.
        let mut tx = inner.services.store.begin().await?;
        tx.end_attempt(id, AttemptOutcome::NotDone, None, inner.now()).await?;
        tx.commit().await?;
        return Err(error.into());
    }

    let answer = pair.adapter.renew(&pair.app, &refresh, now).await;
    let attempt = Attempt { id, lease, pair: &pair, answer_lost };
    let answer = judge::renewal(answer);
    inner.note_answer(grant.platform, grant.id, answer.as_ref().err().and_then(Failure::trouble));
    match answer {
        Ok(tokens) => renewed(inner, grant, &attempt, &refresh, &tokens, now).await,
        Err(failure) => failed(inner, grant, &attempt, failure).await,
    }
}

/// Opens the newest pair. A value that does not open is damaged (the start has checked the key), and only a new sign-in
/// brings another. `None`: that was written, or there is nothing to open.
pub(super) async fn open(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<Option<Pair>, WorkerError> {
    match inner.services.pair(grant.workspace, grant.id).await {
        Ok(Some(pair)) => Ok(Some(pair)),
        Ok(None) => {
            tracing::error!(grant.id = %grant.id, "a login without tokens");
            lose_to_our_fault(inner, grant, lease).await?;
            Ok(None)
        }
        Err(ServiceError::Vault(error)) => {
            tracing::error!(grant.id = %grant.id, %error, "the tokens of a login do not open");
            lose_to_our_fault(inner, grant, lease).await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

async fn lose_to_our_fault(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<(), WorkerError> {
    let now = inner.now();
    let mut tx = inner.services.store.begin().await?;
    let mut held = tx.lock_leased(grant.id, lease).await?.ok_or(StoreError::LeaseLost)?;
    if held.generation == grant.generation && matches!(held.state, GrantState::Live | GrantState::Retrying { .. }) {
        let state = GrantState::SignInNeeded { since: now, cause: Cause::TechnicalIssue(OurFault::Key) };
        tx.lose_login(&mut held, state, None, inner.thread_id(), now).await?;
    }
    tx.release_grant(grant.id, lease).await?;
    Ok(tx.commit().await?)
}

/// Keeps the pair, whether or not the lease is still ours: with a platform that rotates it is the one that lives.
async fn renewed(
    inner: &Inner,
    grant: &Grant,
    attempt: &Attempt<'_>,
    refresh: &RefreshToken,
    tokens: &Tokens,
    now: Timestamp,
) -> Result<(), WorkerError> {
    let generation = attempt.pair.generation + 1;
    let sealed = inner.services.seal_pair(grant.workspace, grant.id, generation, tokens, Some(refresh)).await?;
    let mut tx = inner.services.store.begin().await?;
    tx.end_attempt(attempt.id, AttemptOutcome::Renewed, None, inner.now()).await?;
    let Some(mut held) = tx.lock_grant(grant.workspace, grant.id).await? else { return Ok(tx.commit().await?) };
    let is_newer = becomes_newest(generation, held.generation, held.state);
    if is_newer {
        let mut times = times_of(tokens, now);
        if !times.has_refresh {
            // The stored one goes on, with the end it had.
            times.has_refresh = true;
            times.refresh_expires_at = held.tokens.refresh_expires_at;
        }
        tx.add_generation(held.workspace, held.id, &sealed, &times).await?;
        let before = held.state;
        held.generation = generation;
        held.tokens = times;
        held.schedule = schedule_of(attempt.pair.adapter.policy(), &times, held.spread_fraction());
        held.warn_at = first_warning(&held.schedule, now);
        held.last_good_at = Some(now);
        held.verdict = None;
        if let Some(scopes) = &tokens.scopes {
            held.scopes.clone_from(scopes);
        }
        let round = Round { now, wait: std::time::Duration::ZERO, answer_lost: attempt.answer_lost };
        // A refusal that another worker met meanwhile was of the pair that this answer replaced.
        held.state = before.after_refresh(RefreshOutcome::Renewed, &round).unwrap_or(GrantState::Live);
        tx.save_grant(&held).await?;
        came_back(&mut tx, &held, before, now).await?;
    }
    tx.release_grant(grant.id, attempt.lease).await?;
    tx.commit().await?;
    metrics::counter!("stayposted_renewals_total", "outcome" => "renewed", "platform" => grant.platform.code()).increment(1);
    tracing::info!(grant.id = %grant.id, generation, kept = is_newer, "login renewed");
    Ok(())
}

async fn came_back(tx: &mut Tx, grant: &Grant, before: GrantState, now: Timestamp) -> Result<(), StoreError> {
    if let GrantState::SignInNeeded { since, .. } = before {
        for account in tx.linked_accounts(grant.workspace, grant.id).await? {
            tx.note_outage(account.id, since, now).await?;
        }
        tx.back_to_normal(grant.workspace, &Root::Login { grant: grant.id }, now).await?;
    }
    if before != GrantState::Live {
        tx.end_trouble(grant, now).await?;
    }
    tx.app_works(grant.workspace, grant.platform, now).await?;
    tx.event(grant.workspace, EventKind::Accounts, now).await?;
    Ok(())
}

async fn failed(inner: &Inner, grant: &Grant, attempt: &Attempt<'_>, failure: Failure) -> Result<(), WorkerError> {
    let now = inner.now();
    let mut tx = inner.services.store.begin().await?;
    tx.end_attempt(attempt.id, failure.kept_as(), failure.verdict.as_deref(), now).await?;
    let Some(mut held) = tx.lock_leased(grant.id, attempt.lease).await? else {
        tx.commit().await?;
        return Err(StoreError::LeaseLost.into());
    };
    // With a newer pair here, what was said of the older one is no refusal.
    if speaks_of(attempt.pair.generation, held.generation) {
        write_failure(inner, &mut tx, &mut held, &failure, attempt.answer_lost, now).await?;
    }
    tx.release_grant(grant.id, attempt.lease).await?;
    tx.commit().await?;
    metrics::counter!("stayposted_renewals_total", "outcome" => "failed", "platform" => grant.platform.code()).increment(1);
    tracing::warn!(grant.id = %grant.id, outcome = ?failure.outcome, attempt = attempts_of(&held), "login not renewed");
    Ok(())
}

pub(super) const fn attempts_of(grant: &Grant) -> u32 {
    match grant.state {
        GrantState::Retrying { attempt, .. } => attempt,
        _ => 0,
    }
}

/// Moves a login by a failed renewal or probe, and tells what follows.
pub(super) async fn write_failure(
    inner: &Inner,
    tx: &mut Tx,
    held: &mut Grant,
    failure: &Failure,
    answer_lost: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let verdict = failure.verdict.as_deref();
    let wait = Backoff::RENEWAL.wait(attempts_of(held) + 1, inner.services.chance.fraction(), failure.wait);
    // Nobody refreshes what needs a person or was taken out meanwhile.
    let Ok(state) = held.state.after_refresh(failure.outcome, &Round { now, wait, answer_lost }) else { return Ok(()) };
    if matches!(state, GrantState::SignInNeeded { .. }) {
        return tx.lose_login(held, state, verdict, inner.thread_id(), now).await;
    }
    held.state = state;
    if let Some(verdict) = verdict {
        held.verdict = Some(verdict.clone());
    }
    tx.save_grant(held).await?;
    match verdict {
        Some(verdict) if matches!(verdict.class, Class::AppMisconfigured | Class::ApiVersionRetired) => {
            tx.app_trouble(held.workspace, held.platform, verdict, inner.thread_id(), now).await?;
        }
        Some(verdict) if verdict.class.blocks_account() || verdict.class == Class::PolicyBlock => {
            tx.block_login(held.workspace, held.id, verdict, inner.thread_id(), now).await?;
        }
        _ => tx.trouble(held, inner.thread_id(), now).await?,
    }
    tx.event(held.workspace, EventKind::Accounts, now).await?;
    Ok(())
}
