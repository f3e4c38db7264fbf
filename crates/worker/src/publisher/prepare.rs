//! The repeatable steps: uploads and containers. Each is remembered, so that a resumed delivery does not repeat it.

use std::time::Duration;

use domain::backoff::Backoff;
use domain::cause::{Class, Verdict};
use domain::delivery::{DeliveryEvent, DeliveryState, FailedWhy, MissedWhy, RENEWAL_WAIT};
use domain::inbox::Stage;
use domain::platform::Platform;
use domain::summary::accounts::Health;
use platforms::adapter::{CallError, Prepared};
use store::StoreError;
use store::publishing::{Also, Ended};

use super::claim::missing;
use super::commit;
use super::held::{Change, Held};
use super::load::{Load, load};
use super::withdrawn::{Withdrawn, withdrawn};
use crate::WorkerError;
use crate::whose::Refused;

/// More steps than any post has: an adapter that never gets ready is stopped.
const STEPS_MOST: usize = 64;

/// Sends a delivery: prepares it, then commits.
pub(super) async fn send(mut held: Held) -> Result<(), WorkerError> {
    let mut loaded = match load(&held).await {
        Ok(Load::Ready(loaded)) => loaded,
        Ok(Load::Unlinked) => return miss(&held, MissedWhy::Disconnected).await,
        Ok(Load::Refused(why)) => return refused(&held, why, None).await,
        // The vault or the media store has trouble: certainly not sent, and it may pass.
        Err(error @ WorkerError::Service(_)) => {
            tracing::error!(delivery.id = %held.claimed.id, error = &error as &dyn std::error::Error, "a delivery cannot be made ready");
            return not_done(&held, Trouble::Ours, None).await;
        }
        Err(error) => return Err(error),
    };
    for _ in 0..STEPS_MOST {
        let now = held.inner.now();
        match loaded.acting.adapter.prepare(&loaded.acting.app, &loaded.job, &loaded.done, now).await {
            Ok(Prepared::Ready) => return commit::commit(held, *loaded).await,
            Ok(Prepared::Step(step)) => {
                let state = held.after([DeliveryEvent::StepDone], held.inner.now())?;
                let number = i64::try_from(loaded.done.len()).unwrap_or(i64::MAX);
                let remembered = Some((number, step.kind.clone(), step.result.clone()));
                let change = Change { records: vec![held.line("prepare", "done")], step: remembered, ..Change::default() };
                held.go_on(state, change).await?;
                loaded.done.push(step);
            }
            Err(CallError::Answered { verdict, wait }) => return answered(&held, *verdict, wait, None).await,
            // Repeatable, so a lost answer costs nothing but the step.
            Err(CallError::NotSent(error) | CallError::Lost(error)) => {
                tracing::warn!(delivery.id = %held.claimed.id, %error, "preparing did not get through");
                return not_done(&held, Trouble::Platform(None), None).await;
            }
        }
    }
    tracing::error!(delivery.id = %held.claimed.id, "preparing never came to an end");
    not_done(&held, Trouble::Ours, None).await
}

/// Whose trouble keeps a delivery from being sent.
pub(super) enum Trouble {
    /// Ours: vault, media store.
    Ours,
    /// The platform does not answer, or says that it is in trouble; the wait that it asked for.
    Platform(Option<Duration>),
    /// The platform told us what is wrong.
    Said(Box<Verdict>, Option<Duration>),
    /// The token was an old one, and this keeps the newer one.
    OldToken(Box<Verdict>, Option<Also>),
}

/// What a classified refusal means: for the post, the login, the account, or only for now. Certainly not sent.
pub(super) async fn answered(held: &Held, verdict: Verdict, wait: Option<Duration>, open: Option<Ended>) -> Result<(), WorkerError> {
    let claimed = &held.claimed;
    match verdict.class {
        Class::BadContent | Class::PolicyBlock => refused(held, FailedWhy::Refused(Box::new(verdict)), open).await,
        class if class.needs_sign_in() || class.blocks_account() => match withdrawn(held, Box::new(verdict.clone())).await {
            Withdrawn::Login(Refused::Login(verdict)) => {
                let also = vec![Also::RefuseLogin(claimed.grant, held.used(), verdict.clone(), held.thread_id())];
                match lost(held, MissedWhy::Disconnected, also, &verdict, open.clone()).await {
                    // A newer pair has come since: the refusal speaks of the old one, and the delivery goes out with the new one.
                    Err(WorkerError::Store(StoreError::Changed)) => not_done(held, Trouble::Said(verdict, wait), open).await,
                    other => other,
                }
            }
            Withdrawn::Account(verdict) => {
                let also = vec![Also::BlockAccount(claimed.account, verdict.clone(), held.thread_id())];
                lost(held, MissedWhy::AccountBlocked, also, &verdict, open).await
            }
            // The keeper finds that out for the accounts beside this one.
            Withdrawn::Login(Refused::Blocked(verdict)) => {
                let block = Also::BlockAccount(claimed.account, verdict.clone(), held.thread_id());
                lost(held, MissedWhy::AccountBlocked, vec![block, Also::ProbeSoon(claimed.grant)], &verdict, open).await
            }
            Withdrawn::OldToken(keep) => not_done(held, Trouble::OldToken(Box::new(verdict), keep), open).await,
            Withdrawn::Login(Refused::Access(verdict) | Refused::App(verdict)) => not_done(held, Trouble::Said(verdict, wait), open).await,
            Withdrawn::Login(Refused::Trouble { wait }) => not_done(held, Trouble::Platform(wait), open).await,
        },
        _ => not_done(held, Trouble::Said(Box::new(verdict), wait), open).await,
    }
}

fn text(verdict: &Verdict) -> Option<String> {
    serde_json::to_string(verdict).ok()
}

/// The end of the commit's line, or a line of its own for the step that failed.
fn told(held: &Held, outcome: &'static str, detail: Option<String>, open: Option<Ended>) -> Change {
    match open {
        Some(open) => Change { ended: Some(Ended { outcome, detail: detail.or(open.detail), ..open }), ..Change::default() },
        None => {
            let mut line = held.line("prepare", outcome);
            line.detail = detail;
            Change { records: vec![line], ..Change::default() }
        }
    }
}

/// The post itself was refused.
pub(super) async fn refused(held: &Held, why: FailedWhy, open: Option<Ended>) -> Result<(), WorkerError> {
    let detail = match &why {
        FailedWhy::Refused(verdict) => text(verdict),
        FailedWhy::Content(_) | FailedWhy::MediaGone => None,
    };
    let mut change = told(held, "refused", detail, open);
    change.also.push(Also::Tell(held.root(), Stage::Refused, held.thread_id()));
    // A checkpoint or a suspension shows first as the refusal of one post; the next ones must not run into it too.
    if matches!(&why, FailedWhy::Refused(verdict) if verdict.class == Class::PolicyBlock) {
        change.also.push(Also::ProbeSoon(held.claimed.grant));
    }
    let state = held.after([DeliveryEvent::Refused(why)], held.inner.now())?;
    held.finish(state, None, change).await
}

/// It cannot go out, because account or login can no longer post.
pub(super) async fn miss(held: &Held, why: MissedWhy) -> Result<(), WorkerError> {
    let state = held.after([DeliveryEvent::Miss(why)], held.inner.now())?;
    held.finish(state, None, missing(held, why)).await
}

/// The same, told by the platform's refusal.
async fn lost(held: &Held, why: MissedWhy, also: Vec<Also>, verdict: &Verdict, open: Option<Ended>) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let mut change = told(held, "not_done", text(verdict), open);
    let missed = missing(held, why);
    change.records.extend(missed.records);
    change.also.extend(also);
    change.also.extend(missed.also);
    // From a commit there is no way to a miss but by certainty that nothing was sent.
    let certain = DeliveryEvent::NotDone { retry_at: now, give_up_at: held.claimed.late_until };
    let state = held.after([certain, DeliveryEvent::Miss(why)], now)?;
    held.finish(state, None, change).await
}

/// Certainly not sent, for a reason that may pass.
pub(super) async fn not_done(held: &Held, trouble: Trouble, open: Option<Ended>) -> Result<(), WorkerError> {
    let claimed = &held.claimed;
    let now = held.inner.now();
    let asked = match &trouble {
        Trouble::Said(_, wait) | Trouble::Platform(wait) => *wait,
        Trouble::Ours | Trouble::OldToken(..) => None,
    };
    let chance = held.inner.services.chance.fraction();
    let mut wait = Backoff::DELIVERY.wait(claimed.attempts.max(1), chance, asked);
    let mut also = vec![Also::Health(claimed.account, Health::Handled)];
    let mut detail = None;
    match &trouble {
        Trouble::Ours => {}
        Trouble::Platform(_) => also.push(Also::PlatformTrouble(claimed.platform, held.thread_id())),
        Trouble::OldToken(verdict, keep) => {
            detail = text(verdict);
            also.extend(keep.clone());
            if claimed.attempts <= 1 {
                wait = RENEWAL_WAIT;
            }
        }
        Trouble::Said(verdict, _) => {
            detail = text(verdict);
            match verdict.class {
                // Said of a pair that was replaced meanwhile: the new one is here already.
                class if class.needs_sign_in() => wait = RENEWAL_WAIT,
                Class::AccessExpired => {
                    also.push(Also::RenewNow(claimed.grant, held.used()));
                    if claimed.attempts <= 1 {
                        wait = RENEWAL_WAIT;
                    }
                }
                Class::RateLimited => {
                    also.push(Also::Limit { subject: limited(held, verdict), until: now + wait, code: verdict.code.clone() })
                }
                Class::AppMisconfigured | Class::ApiVersionRetired => {
                    also.push(Also::AppTrouble(claimed.platform, verdict.clone(), held.thread_id()));
                }
                _ => also.push(Also::PlatformTrouble(claimed.platform, held.thread_id())),
            }
        }
    }
    let give_up_at = claimed.late_until;
    let retry_at = now + wait;
    let mut change = told(held, "not_done", detail, open);
    change.also = also;
    let state = held.after([DeliveryEvent::NotDone { retry_at, give_up_at }], now)?;
    debug_assert!(matches!(state, DeliveryState::Waiting { .. }), "not done is waiting");
    held.finish(state, Some(retry_at.min(give_up_at)), change).await
}

/// Whom a rate limit concerns. Facebook's code 4 counts the calls of the app, all others those of page or person.
fn limited(held: &Held, verdict: &Verdict) -> String {
    let code = verdict.code.as_deref().unwrap_or_default();
    let is_of_app = held.claimed.platform == Platform::Facebook && (code == "4" || code.starts_with("4/"));
    if is_of_app { format!("app:{}", held.claimed.app) } else { format!("account:{}", held.claimed.account) }
}
