//! The claim: takes what is due and decides, in the same transaction, what must not even be tried.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{Circumstances, DeliveryEvent, DeliveryState, Duty, Fate, MissedWhy};
use domain::id::{AccountId, LeaseId};
use domain::inbox::{Root, Stage};
use domain::platform::Platform;
use domain::summary::accounts::Health;
use domain::time::{Timestamp, minutes};
use store::Tx;
use store::publishing::{Also, Behind, Claim, Claimed, Ended, Together};

use super::held::{Change, Held};
use super::{AT_ONCE, Inner};
use crate::WorkerError;

/// What goes out later than this is spaced out.
const LATE: Duration = minutes(5);
/// Late posts of one account go out this far apart.
const APART: Duration = Duration::from_secs(60);

/// What a claimed delivery needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// It is to be sent.
    Send,
    /// Its outcome is unknown.
    Look,
    /// It is being processed.
    Follow,
    /// It is online, and nobody has seen it there yet.
    ReadBack,
    /// It is due within the hour.
    Check,
}

/// Claims up to `free` deliveries of a platform. Those whose outcome is unknown come first and beyond the free slots:
/// asking a person in time needs no slot.
pub(super) async fn claim(inner: &Arc<Inner>, platform: Platform, free: usize) -> Result<Vec<(Held, Work)>, WorkerError> {
    let mut all = claim_some(inner, platform, AT_ONCE, true).await?;
    let free = free.saturating_sub(all.len());
    if free > 0 {
        all.extend(claim_some(inner, platform, free, false).await?);
    }
    Ok(all)
}

async fn claim_some(inner: &Arc<Inner>, platform: Platform, most: usize, unclear: bool) -> Result<Vec<(Held, Work)>, WorkerError> {
    let (now, wall, until) = (inner.now(), inner.wall(), inner.lease_until());
    if !inner.services.store.has_due(platform, unclear, now, wall).await? {
        return Ok(Vec::new());
    }
    let lease = LeaseId(inner.services.new_id());
    let mut tx = inner.services.store.begin().await?;
    let claimed = tx.claim_deliveries(&Claim { platform, unclear, most, lease, holder: inner.node, now, wall, until }).await?;
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let mut round = Round { now, limits: tx.limits(now).await?, last_sent: HashMap::new(), together: Together::default(), begins: false };
    let mut work = Vec::with_capacity(claimed.len());
    for claimed in claimed {
        let access = inner.memory.access(claimed.account, claimed.generation);
        let held = Held { inner: Arc::clone(inner), claimed, access, is_first_try: false, until };
        if let Some(next) = round.decide(&mut tx, held).await? {
            work.push(next);
        }
    }
    let Round { mut together, begins, .. } = round;
    if begins {
        tx.begin_claimed(lease, &DeliveryState::Scheduled.after(DeliveryEvent::Claimed, now)?, now).await?;
        for (held, _) in &work {
            together.changed(held.claimed.workspace);
        }
    }
    let changed = tx.end_together(together, now).await?;
    tx.commit().await?;
    inner.writer.announce(changed, now);
    Ok(work)
}

/// One claim.
struct Round {
    now: Timestamp,
    limits: Vec<(String, Timestamp)>,
    /// The last moment at which something went, or may go, to an account; for what is spaced out.
    last_sent: HashMap<AccountId, Option<Timestamp>>,
    together: Together,
    /// Whether anything is left that begins now.
    begins: bool,
}

impl Round {
    /// Decides what is done with one delivery. `None`: it has been written and given back.
    async fn decide(&mut self, tx: &mut Tx, mut held: Held) -> Result<Option<(Held, Work)>, WorkerError> {
        let now = self.now;
        match held.claimed.state.duty(held.claimed.due_at, now) {
            Duty::Check => Ok(Some((held, Work::Check))),
            duty @ (Duty::Begin | Duty::Resume) => self.send(tx, held, duty).await,
            Duty::Give(why) => self.miss(tx, &held, why).await,
            Duty::Doubt => {
                let state = held.after([DeliveryEvent::OutcomeUnknown], now)?;
                let ended = tx.open_commit(held.claimed.id).await?.map(|id| Ended { id, outcome: "unknown", detail: None });
                self.write(tx, &mut held, state, Change { ended, ..Change::default() }).await?;
                Ok(Some((held, Work::Look)))
            }
            Duty::AskAndLook => {
                let state = held.after([DeliveryEvent::Ask], now)?;
                let change = asking(&held);
                self.write(tx, &mut held, state, change).await?;
                Ok(Some((held, Work::Look)))
            }
            Duty::Look => Ok(Some((held, Work::Look))),
            Duty::Follow => Ok(Some((held, Work::Follow))),
            Duty::ReadBack => Ok(Some((held, Work::ReadBack))),
            Duty::Nothing => {
                let to = held.to(held.claimed.state.clone(), None, None, Change::default());
                tx.move_delivery(&to, &mut self.together).await?;
                Ok(None)
            }
        }
    }

    async fn send(&mut self, tx: &mut Tx, mut held: Held, duty: Duty) -> Result<Option<(Held, Work)>, WorkerError> {
        let now = self.now;
        match self.circumstances(&held.claimed).fate(now) {
            Fate::Go => {}
            Fate::Miss(why) => return self.miss(tx, &held, why).await,
            Fate::Wait { until, renew } => return self.wait(tx, &held, until, renew).await,
        }
        if duty == Duty::Resume {
            return Ok(Some((held, Work::Send)));
        }
        if now.since(held.claimed.due_at) > LATE
            && let Some(until) = self.spaced(tx, held.claimed.account).await?
        {
            tx.put_back(held.claimed.id, held.claimed.lease, until).await?;
            return Ok(None);
        }
        held.is_first_try = held.claimed.attempts == 0;
        held.claimed.state = held.after([DeliveryEvent::Claimed], now)?;
        held.claimed.attempts = held.claimed.attempts.saturating_add(1);
        self.begins = true;
        Ok(Some((held, Work::Send)))
    }

    /// Writes a move inside the claim, after which we go on.
    async fn write(&mut self, tx: &mut Tx, held: &mut Held, state: DeliveryState, change: Change) -> Result<(), WorkerError> {
        let to = held.to(state.clone(), Some(held.claimed.work_at), Some(held.until), change);
        tx.move_delivery(&to, &mut self.together).await?;
        held.claimed.state = state;
        Ok(())
    }

    fn circumstances(&self, claimed: &Claimed) -> Circumstances {
        let (app, account) = (format!("app:{}", claimed.app), format!("account:{}", claimed.account));
        let limits = self.limits.iter().filter(|(subject, _)| *subject == app || *subject == account);
        Circumstances {
            account: claimed.account_state,
            login: claimed.login,
            access_expires_at: claimed.access_expires_at,
            has_refresh: claimed.has_refresh,
            not_after: claimed.not_after,
            late_until: claimed.late_until,
            was_tried: claimed.attempts > 0,
            limit: limits.map(|(_, until)| *until).max(),
        }
    }

    /// When a late delivery may go, if not now: never everything at once.
    async fn spaced(&mut self, tx: &mut Tx, account: AccountId) -> Result<Option<Timestamp>, WorkerError> {
        let last = match self.last_sent.get(&account) {
            Some(last) => *last,
            None => tx.last_sent(account, self.now).await?,
        };
        let from = last.map_or(self.now, |last| (last + APART).max(self.now));
        self.last_sent.insert(account, Some(from));
        Ok((from > self.now).then_some(from))
    }

    async fn miss(&mut self, tx: &mut Tx, held: &Held, why: MissedWhy) -> Result<Option<(Held, Work)>, WorkerError> {
        let state = held.after([DeliveryEvent::Miss(why)], self.now)?;
        let to = held.to(state, None, None, missing(held, why));
        tx.move_delivery(&to, &mut self.together).await?;
        tracing::info!(delivery.id = %held.claimed.id, why = why.code(), "a delivery was missed");
        Ok(None)
    }

    async fn wait(&mut self, tx: &mut Tx, held: &Held, until: Timestamp, renew: bool) -> Result<Option<(Held, Work)>, WorkerError> {
        let give_up_at = held.claimed.late_until;
        let not_done = DeliveryEvent::NotDone { retry_at: until, give_up_at };
        let events = match held.claimed.state {
            DeliveryState::Preparing { .. } => vec![not_done],
            _ => vec![DeliveryEvent::Claimed, not_done],
        };
        let mut change = Change::default();
        if renew {
            change.also.push(Also::RenewNow(held.claimed.grant, held.claimed.generation));
        }
        let to = held.to(held.after(events, self.now)?, Some(until.min(give_up_at)), None, change);
        tx.move_delivery(&to, &mut self.together).await?;
        // It was held up by the other side, and is told so when it is given up.
        tx.count_try(held.claimed.id).await?;
        Ok(None)
    }
}

/// What goes with a miss: the line of the story, and the thread of its root.
pub(super) fn missing(held: &Held, why: MissedWhy) -> Change {
    let claimed = &held.claimed;
    let detail = serde_json::to_string(&why).unwrap_or_default();
    let mut change = Change { records: vec![held.line("miss", why.code()).with(detail)], ..Change::default() };
    let fresh = held.thread_id();
    match why {
        MissedWhy::Disconnected => {
            change.also.push(Also::TellMissed(Root::Login { grant: claimed.grant }, Behind::Login(claimed.grant), fresh));
            change.also.push(Also::Health(claimed.account, Health::CouldNotPost));
        }
        MissedWhy::AccountBlocked => {
            change.also.push(Also::TellMissed(Root::Account { account: claimed.account }, Behind::Account(claimed.account), fresh));
            change.also.push(Also::Health(claimed.account, Health::CouldNotPost));
        }
        MissedWhy::PlatformDown => {
            change.also.push(Also::TellMissed(Root::Platform { platform: claimed.platform }, Behind::Platform(claimed.platform), fresh));
            change.also.push(Also::Health(claimed.account, Health::CouldNotPost));
        }
        // Those have a thread of their own, or a person decided them; they count in Missed posts.
        MissedWhy::Paused | MissedWhy::WeWereOff | MissedWhy::Restored | MissedWhy::TooLate | MissedWhy::NotApproved => {}
    }
    change
}

/// What goes with asking a person.
pub(super) fn asking(held: &Held) -> Change {
    Change {
        records: vec![held.line("ask", "done")],
        also: vec![Also::Tell(held.root(), Stage::NeedsAnswer, held.thread_id())],
        ..Change::default()
    }
}
