//! The one request that makes a post public: written down before it leaves, and never sent a second time.

use std::time::Duration;

use domain::cause::Verdict;
use domain::delivery::{DeliveryEvent, DeliveryState};
use domain::grant::GrantState;
use domain::id::AttemptId;
use domain::inbox::Root;
use domain::lease;
use domain::summary::accounts::Health;
use platforms::adapter::{Committed, HttpError};
use store::deliveries::Record;
use store::publishing::{Also, Ended};

use super::confirm;
use super::follow_up::next_read_back;
use super::held::{Change, Held};
use super::load::Loaded;
use super::prepare::{Trouble, answered, not_done};
use crate::WorkerError;

/// What is being processed is asked about first after this.
pub(super) const FIRST_FOLLOW: Duration = Duration::from_secs(10);

/// Writes the intent, sends, and writes what became of it.
pub(super) async fn commit(mut held: Held, loaded: Loaded) -> Result<(), WorkerError> {
    let attempt = held.attempt_id();
    let now = held.inner.now();
    let state = held.after([DeliveryEvent::CommitIntended], now)?;
    let intent = Record { id: attempt, kind: "commit", at: now, ended_at: None, outcome: None, detail: None };
    held.go_on(state, Change { records: vec![intent], ..Change::default() }).await?;
    // Somebody who was stopped for long may no longer send: another one may be looking by now. Certainly not sent, which
    // is written if the row is still ours.
    if !lease::is_trusted(held.until, held.inner.wall()) {
        tracing::warn!(delivery.id = %held.claimed.id, "too long stopped to send");
        return not_done(&held, Trouble::Ours, Some(ended(attempt, "not_done"))).await;
    }
    let committed = loaded.acting.adapter.commit(&loaded.acting.app, &loaded.job, &loaded.done, held.inner.now()).await;
    settle(held, loaded, attempt, committed).await
}

fn ended(id: AttemptId, outcome: &'static str) -> Ended {
    Ended { id, outcome, detail: None }
}

async fn settle(held: Held, loaded: Loaded, attempt: AttemptId, committed: Committed) -> Result<(), WorkerError> {
    match committed {
        Committed::Published { remote_id, link } => {
            match published(&held, remote_id, link, Some(ended(attempt, "done"))).await {
                // The platform names an id that another delivery has: that is no proof for this one.
                Err(WorkerError::Store(error)) if error.is_duplicate() => unknown(held, loaded, attempt, None, None).await,
                other => other,
            }
        }
        Committed::Processing { handle } => {
            let now = held.inner.now();
            let state = held.after([DeliveryEvent::AcceptedForProcessing { handle }], now)?;
            let change = Change { ended: Some(ended(attempt, "done")), also: worked(&held), ..Change::default() };
            held.finish(state, Some(now + FIRST_FOLLOW), change).await
        }
        Committed::Refused { verdict, wait } => {
            let open = Some(ended(attempt, "refused"));
            answered(&held, *verdict, wait, open).await
        }
        Committed::NotSent(error) => {
            tracing::warn!(delivery.id = %held.claimed.id, %error, "a commit did not leave");
            not_done(&held, Trouble::Platform(None), Some(ended(attempt, "not_done"))).await
        }
        Committed::Unknown { evidence, error } => unknown(held, loaded, attempt, evidence, error).await,
    }
}

/// What goes with a call that worked. In a burst that is noted once in a while, and at once after trouble.
pub(super) fn worked(held: &Held) -> Vec<Also> {
    let (claimed, memory, now) = (&held.claimed, &held.inner.memory, held.inner.now());
    let had_trouble = claimed.attempts > 1 || claimed.login != GrantState::Live;
    let mut also = Vec::new();
    if memory.is_good_news(claimed.account, now) || had_trouble {
        also.push(Also::GoodCall(claimed.grant, claimed.account));
        also.push(Also::Health(claimed.account, Health::Fine));
    }
    if memory.is_answering_news(claimed.workspace, claimed.platform, now) || had_trouble {
        also.push(Also::Back(Root::Platform { platform: claimed.platform }));
    }
    also
}

/// The platform accepted it and says where it is.
pub(super) async fn published(held: &Held, remote_id: String, link: Option<String>, end: Option<Ended>) -> Result<(), WorkerError> {
    let now = held.inner.now();
    let mut also = worked(held);
    if held.claimed.attempts > 1 {
        also.push(Also::Back(held.root()));
    }
    let state = held.after([DeliveryEvent::Accepted { remote_id, link }], now)?;
    let work_at = next_read_back(&state, now);
    metrics::counter!("stayposted_published_total", "platform" => held.claimed.platform.code()).increment(1);
    metrics::histogram!("stayposted_lateness_seconds").record(now.since(held.claimed.due_at).as_secs_f64());
    held.finish(state, work_at, Change { ended: end, also, ..Change::default() }).await
}

/// The request may have left and no answer says what became of it: look at once, and never send again.
async fn unknown(
    mut held: Held,
    loaded: Loaded,
    attempt: AttemptId,
    evidence: Option<Box<Verdict>>,
    error: Option<HttpError>,
) -> Result<(), WorkerError> {
    tracing::warn!(delivery.id = %held.claimed.id, error = error.as_ref().map(ToString::to_string), "the outcome of a commit is unknown");
    let now = held.inner.now();
    let state = held.after([DeliveryEvent::OutcomeUnknown], now)?;
    debug_assert!(matches!(state, DeliveryState::Confirming { .. }), "unknown is confirming");
    let detail = evidence.and_then(|verdict| serde_json::to_string(&verdict).ok());
    let change = Change { ended: Some(Ended { id: attempt, outcome: "unknown", detail }), ..Change::default() };
    held.go_on(state, change).await?;
    confirm::look_with(held, &loaded).await
}
