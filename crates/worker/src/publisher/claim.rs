//! The claim: takes what is due and decides, in the same transaction, what must not even be tried.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::account::{AccountState, can_post};
use domain::delivery::{ASK_WITHIN, DeliveryEvent, DeliveryState, MissedWhy};
use domain::grant::GrantState;
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

/// A person is asked this long after the outcome became unknown; a call that hangs until its timeout still leaves time
/// within [`ASK_WITHIN`].
pub(super) const ASK_AFTER: Duration = Duration::from_secs(ASK_WITHIN.as_secs() * 2 / 3);
/// What goes out later than this is spaced out.
const LATE: Duration = minutes(5);
/// Late posts of one account go out this far apart.
const APART: Duration = Duration::from_secs(60);
/// A token that ends within this time is renewed before it is used.
const TOKEN_MARGIN: Duration = Duration::from_secs(30);
/// How long a renewal is waited for.
const RENEWAL_WAIT: Duration = Duration::from_secs(5);
/// How long a login in trouble is waited for before it is tried again.
const TROUBLE_WAIT: Duration = Duration::from_secs(45);

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

/// What becomes of something due.
enum Fate {
    Go,
    Miss(MissedWhy),
    Wait { until: Timestamp, renew: bool },
    Space(Timestamp),
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
        match held.claimed.state.clone() {
            DeliveryState::Scheduled if held.claimed.due_at > now => Ok(Some((held, Work::Check))),
            DeliveryState::Scheduled | DeliveryState::Waiting { .. } | DeliveryState::Preparing { .. } => {
                match self.fate(tx, &held.claimed).await? {
                    Fate::Go => {
                        if !matches!(held.claimed.state, DeliveryState::Preparing { .. }) {
                            held.is_first_try = held.claimed.attempts == 0;
                            held.claimed.state = held.after([DeliveryEvent::Claimed], now)?;
                            held.claimed.attempts = held.claimed.attempts.saturating_add(1);
                            self.begins = true;
                        }
                        Ok(Some((held, Work::Send)))
                    }
                    Fate::Miss(why) => self.miss(tx, &held, why).await,
                    Fate::Wait { until, renew } => self.wait(tx, &held, until, renew).await,
                    Fate::Space(until) => {
                        tx.put_back(held.claimed.id, held.claimed.lease, until).await?;
                        Ok(None)
                    }
                }
            }
            DeliveryState::AwaitingApproval => self.miss(tx, &held, MissedWhy::NotApproved).await,
            // Its lease ran out while the request may have left: look, never send.
            DeliveryState::Committing { .. } => {
                let state = held.after([DeliveryEvent::OutcomeUnknown], now)?;
                let ended = tx.open_commit(held.claimed.id).await?.map(|id| Ended { id, outcome: "unknown", detail: None });
                self.write(tx, &mut held, state, Change { ended, ..Change::default() }).await?;
                Ok(Some((held, Work::Look)))
            }
            DeliveryState::Confirming { since } => {
                if now >= since + ASK_AFTER {
                    let state = held.after([DeliveryEvent::Ask], now)?;
                    let change = asking(&held);
                    self.write(tx, &mut held, state, change).await?;
                }
                Ok(Some((held, Work::Look)))
            }
            DeliveryState::Unconfirmed { .. } => Ok(Some((held, Work::Look))),
            DeliveryState::Processing { .. } => Ok(Some((held, Work::Follow))),
            DeliveryState::Published { .. } => Ok(Some((held, Work::ReadBack))),
            state @ (DeliveryState::Missed { .. } | DeliveryState::Failed { .. } | DeliveryState::Canceled { .. }) => {
                let to = held.to(state, None, None, Change::default());
                tx.move_delivery(&to, &mut self.together).await?;
                Ok(None)
            }
        }
    }

    /// Writes a move inside the claim, after which we go on.
    async fn write(&mut self, tx: &mut Tx, held: &mut Held, state: DeliveryState, change: Change) -> Result<(), WorkerError> {
        let to = held.to(state.clone(), Some(held.claimed.work_at), Some(held.until), change);
        tx.move_delivery(&to, &mut self.together).await?;
        held.claimed.state = state;
        Ok(())
    }

    async fn fate(&mut self, tx: &mut Tx, claimed: &Claimed) -> Result<Fate, WorkerError> {
        let now = self.now;
        match claimed.account_state {
            AccountState::Ok => {}
            AccountState::Paused { .. } => return Ok(Fate::Miss(MissedWhy::Paused)),
            AccountState::Blocked { .. } | AccountState::Gone { .. } | AccountState::Unlinked => {
                return Ok(Fate::Miss(MissedWhy::AccountBlocked));
            }
        }
        if matches!(claimed.login, GrantState::SignInNeeded { .. } | GrantState::Unlinked) {
            return Ok(Fate::Miss(MissedWhy::Disconnected));
        }
        if claimed.not_after.is_some_and(|end| end < now) {
            return Ok(Fate::Miss(MissedWhy::TooLate));
        }
        if now >= claimed.late_until {
            // Nothing held it up but us, unless it was waiting for the platform.
            let was_tried = claimed.attempts > 0;
            return Ok(Fate::Miss(if was_tried { MissedWhy::PlatformDown } else { MissedWhy::WeWereOff }));
        }
        // A login in trouble is not a lost one: it waits, like the platform behind it.
        if !can_post(claimed.account_state, claimed.login, claimed.access_expires_at, now) {
            return Ok(Fate::Wait { until: now + TROUBLE_WAIT, renew: true });
        }
        if claimed.has_refresh && claimed.access_expires_at.is_some_and(|end| end <= now + TOKEN_MARGIN) {
            return Ok(Fate::Wait { until: now + RENEWAL_WAIT, renew: true });
        }
        let (app, account) = (format!("app:{}", claimed.app), format!("account:{}", claimed.account));
        let limit = self.limits.iter().filter(|(subject, _)| *subject == app || *subject == account).map(|(_, until)| *until).max();
        if let Some(until) = limit {
            return Ok(Fate::Wait { until, renew: false });
        }
        if now.since(claimed.due_at) > LATE
            && !matches!(claimed.state, DeliveryState::Preparing { .. })
            && let Some(until) = self.spaced(tx, claimed.account).await?
        {
            return Ok(Fate::Space(until));
        }
        Ok(Fate::Go)
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
            change.also.push(Also::RenewNow(held.claimed.grant));
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
