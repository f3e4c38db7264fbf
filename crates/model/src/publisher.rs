//! One worker and one delivery: as `worker::publisher` does it.

use domain::account::AccountState;
use domain::backoff::Backoff;
use domain::cause::{Cause, Class};
use domain::delivery::{
    ASK_AFTER, Circumstances, DeliveryEvent, DeliveryState, Duty, Fate, LATE_AT_MOST, MissedWhy, RENEWAL_WAIT, Sighting,
};
use domain::grant::speaks_of;
use domain::lease::{LEASE, LONGEST_UPLOAD, is_trusted};
use domain::time::Timestamp;

use crate::engine::Engine;
use crate::state::{Asked, Job, Lease, Reply, Request, START, State, Step};

impl Engine {
    pub(crate) fn claim(&self, state: &mut State, worker: usize, delivery: usize) {
        let clock = self.clock(state, worker);
        let (until, row) = (clock + LEASE, &mut state.rows[delivery]);
        row.fence += 1;
        row.lease = Some(Lease { holder: worker, fence: row.fence, until });
        let mut job = Job { fence: row.fence, until, state: row.state.clone(), attempts: row.attempts, used: 0, pair: 0, step: Step::Look };
        let events = match row.state.duty(START, clock) {
            duty @ (Duty::Begin | Duty::Resume) => {
                let around = Circumstances {
                    account: AccountState::Ok,
                    login: state.login.state,
                    access_expires_at: None,
                    has_refresh: self.is_renewable(),
                    not_after: None,
                    late_until: START + LATE_AT_MOST,
                    was_tried: row.attempts > 0,
                    limit: None,
                };
                job.step = Step::Claimed;
                match around.fate(clock) {
                    Fate::Go if duty == Duty::Resume => Vec::new(),
                    Fate::Go => {
                        row.attempts += 1;
                        job.attempts = row.attempts;
                        vec![DeliveryEvent::Claimed]
                    }
                    Fate::Miss(why) => {
                        self.write(state, delivery, &job, &[DeliveryEvent::Miss(why)], clock, None);
                        return;
                    }
                    Fate::Wait { until, .. } => {
                        let not_done = DeliveryEvent::NotDone { retry_at: until, give_up_at: START + LATE_AT_MOST };
                        let events = if duty == Duty::Resume { vec![not_done] } else { vec![DeliveryEvent::Claimed, not_done] };
                        self.write(state, delivery, &job, &events, clock, None);
                        return;
                    }
                }
            }
            Duty::Doubt => vec![DeliveryEvent::OutcomeUnknown],
            Duty::AskAndLook => vec![DeliveryEvent::Ask],
            Duty::Look => Vec::new(),
            Duty::Check | Duty::Give(_) | Duty::Follow | Duty::ReadBack | Duty::Nothing => return,
        };
        if self.write(state, delivery, &job, &events, clock, Some(until)) {
            job.state = state.rows[delivery].state.clone();
            state.workers[worker].jobs[delivery] = Some(job);
        }
    }

    fn holds(&self, state: &State, delivery: usize, job: &Job) -> bool {
        !self.guards.fence || state.rows[delivery].lease.is_some_and(|lease| lease.fence == job.fence)
    }

    /// Writes a move, if its lease still holds the row: the state after `events`, and what is told of it. `keep_until` goes
    /// on under the lease; none gives the row back.
    fn write(
        &self,
        state: &mut State,
        delivery: usize,
        job: &Job,
        events: &[DeliveryEvent],
        now: Timestamp,
        keep: Option<Timestamp>,
    ) -> bool {
        if !self.holds(state, delivery, job) {
            return false;
        }
        let mut next = job.state.clone();
        for event in events {
            match next.after(event.clone(), now) {
                Ok(after) => next = after,
                // What the table does not list is an error, and the row is left to its lease.
                Err(_) => return false,
            }
            match event {
                DeliveryEvent::Ask => state.told.asked[delivery] += 1,
                DeliveryEvent::Miss(_) => state.told.missed[delivery] += 1,
                DeliveryEvent::Found { .. } => state.told.asked[delivery] = 0,
                _ => {}
            }
        }
        let row = &mut state.rows[delivery];
        row.state = next;
        match keep {
            Some(until) => row.lease = row.lease.map(|lease| Lease { until, ..lease }),
            None => {
                row.work_at = work_at(&row.state, now);
                row.lease = None;
            }
        }
        true
    }

    /// One step; `shown` whether the platform's list shows the newest posts. The delivery is given up by leaving the worker's
    /// hands empty.
    pub(crate) fn go(&self, state: &mut State, worker: usize, delivery: usize, shown: bool) {
        let Some(mut job) = state.workers[worker].jobs[delivery].take() else { return };
        let clock = self.clock(state, worker);
        match job.step.clone() {
            Step::Claimed => {
                (job.used, job.pair) = (state.login.generation, state.login.pair);
                job.step = Step::Opened;
            }
            Step::Opened if self.guards.write_ahead => {
                job.until = clock + LEASE;
                if !self.write(state, delivery, &job, &[DeliveryEvent::CommitIntended], clock, Some(job.until)) {
                    return;
                }
                job.state = state.rows[delivery].state.clone();
                job.step = Step::Intended;
            }
            Step::Opened => job.step = Step::Intended,
            Step::Intended => {
                if self.guards.trust_window && !is_trusted(job.until, clock) {
                    self.write(state, delivery, &job, &[not_done(&job, clock)], clock, None);
                    return;
                }
                let until = state.now + LONGEST_UPLOAD;
                state.wire.push(Request {
                    from: worker,
                    what: Asked::Publish(delivery),
                    pair: job.pair,
                    until,
                    is_awaited: true,
                    is_last_resort: false,
                });
                job.step = Step::Sent;
            }
            Step::Sent => {}
            Step::Answered(reply) => {
                // Without the write-ahead, the intent is only known now.
                if !self.guards.write_ahead && matches!(job.state, DeliveryState::Preparing { .. }) {
                    let Ok(intended) = job.state.after(DeliveryEvent::CommitIntended, clock) else { return };
                    job.state = intended;
                }
                if !self.settle(state, delivery, &mut job, &reply, clock) {
                    return;
                }
            }
            Step::Look => {
                let posts = state.platform.posts.iter().enumerate();
                let matching = posts.filter(|(_, of)| shown && (self.same_words || **of == delivery));
                let posts: Vec<u8> = matching.filter_map(|(number, _)| u8::try_from(number).ok()).collect();
                if !self.same_words {
                    return self.seen(state, delivery, &job, &posts, false, clock);
                }
                job.step = Step::Shown(posts);
            }
            Step::Shown(posts) => {
                let is_unclear = |state: &DeliveryState| {
                    use DeliveryState as S;
                    let is_open =
                        matches!(state, S::Committing { .. } | S::Confirming { .. } | S::Unconfirmed { .. } | S::Processing { .. });
                    // A person's word binds no post.
                    is_open || matches!(state, S::Published { remote_id: None, .. })
                };
                let has_twin = !posts.is_empty() && is_unclear(&state.rows[1 - delivery].state);
                job.step = Step::Compared(posts, has_twin);
            }
            Step::Compared(posts, has_twin) => return self.seen(state, delivery, &job, &posts, has_twin, clock),
        }
        state.workers[worker].jobs[delivery] = Some(job);
    }

    /// Writes what became of a commit. `true`: the worker goes on with the delivery and looks for it.
    fn settle(&self, state: &mut State, delivery: usize, job: &mut Job, reply: &Reply, clock: Timestamp) -> bool {
        match reply {
            Reply::Accepted(post) if !is_bound(state, *post, delivery) => {
                let accepted = DeliveryEvent::Accepted { remote_id: post.to_string(), link: None };
                self.write(state, delivery, job, &[accepted], clock, None);
                false
            }
            Reply::Accepted(_) | Reply::Pair(_) | Reply::Lost => {
                job.until = clock + LEASE;
                if !self.write(state, delivery, job, &[DeliveryEvent::OutcomeUnknown], clock, Some(job.until)) {
                    return false;
                }
                job.state = state.rows[delivery].state.clone();
                job.step = Step::Look;
                true
            }
            Reply::NotDone => {
                self.write(state, delivery, job, &[not_done(job, clock)], clock, None);
                false
            }
            // The access token is not taken; a renewal brings the next one.
            Reply::Refused if self.is_renewable() => {
                let wait = if job.attempts <= 1 { RENEWAL_WAIT } else { Backoff::DELIVERY.wait(job.attempts, 0.5, None) };
                let event = DeliveryEvent::NotDone { retry_at: clock + wait, give_up_at: START + LATE_AT_MOST };
                let is_current = !self.guards.re_read || speaks_of(job.used, state.login.generation);
                if self.write(state, delivery, job, &[event], clock, None) && is_current {
                    state.login.refresh_at = Some(state.login.refresh_at.map_or(clock, |due| due.min(clock)));
                }
                false
            }
            Reply::Refused => {
                if self.guards.re_read && !speaks_of(job.used, state.login.generation) {
                    let event = DeliveryEvent::NotDone { retry_at: clock + RENEWAL_WAIT, give_up_at: START + LATE_AT_MOST };
                    self.write(state, delivery, job, &[event], clock, None);
                    return false;
                }
                let events = [not_done(job, clock), DeliveryEvent::Miss(MissedWhy::Disconnected)];
                if self.write(state, delivery, job, &events, clock, None)
                    && let Ok(next) = state.login.state.after_refusal(Class::Revoked, Cause::UserAction, clock)
                {
                    self.lose(state, next);
                }
                false
            }
        }
    }

    fn seen(&self, state: &mut State, delivery: usize, job: &Job, posts: &[u8], has_twin: bool, clock: Timestamp) {
        let free: Vec<u8> = posts.iter().copied().filter(|post| !is_bound(state, *post, delivery)).collect();
        let events = match Sighting::of(free.len(), has_twin) {
            Sighting::Found => vec![DeliveryEvent::Found { remote_id: free[0].to_string(), link: None, created_at: START }],
            Sighting::NotFound | Sighting::Ambiguous if job.state.is_to_ask(clock) => vec![DeliveryEvent::Ask],
            Sighting::NotFound | Sighting::Ambiguous => Vec::new(),
        };
        self.write(state, delivery, job, &events, clock, None);
    }
}

fn not_done(job: &Job, now: Timestamp) -> DeliveryEvent {
    let wait = Backoff::DELIVERY.wait(job.attempts.max(1), 0.5, None);
    DeliveryEvent::NotDone { retry_at: now + wait, give_up_at: START + LATE_AT_MOST }
}

/// Whether a post is another delivery's: the unique index on remote ids.
fn is_bound(state: &State, post: u8, except: usize) -> bool {
    let other = &state.rows[1 - except].state;
    matches!(other, DeliveryState::Published { remote_id: Some(remote_id), .. } if *remote_id == post.to_string())
}

/// When a worker has something to do with it next. The model looks at once and when it is time to ask; the looks in between,
/// and those of the day after, could only find what these find.
fn work_at(state: &DeliveryState, now: Timestamp) -> Option<Timestamp> {
    match state {
        DeliveryState::Waiting { retry_at, give_up_at } => Some((*retry_at).min(*give_up_at)),
        DeliveryState::Confirming { since } => state.next_look(now).map(|look| look.max(*since + ASK_AFTER)),
        _ => None,
    }
}
