//! One worker and the login: as `worker::keeper` does it.

use domain::backoff::Backoff;
use domain::cause::Cause;
use domain::grant::{GrantState, RefreshOutcome, Round, becomes_newest, speaks_of};
use domain::lease::{LEASE, LONGEST_CALL, is_trusted};

use crate::engine::Engine;
use crate::state::{Asked, Keep, KeepStep, Lease, Reply, Request, State};

impl Engine {
    pub(crate) fn keep(&self, state: &mut State, worker: usize) {
        let until = self.clock(state, worker) + LEASE;
        let login = &mut state.login;
        login.fence += 1;
        login.lease = Some(Lease { holder: worker, fence: login.fence, until });
        let keep =
            Keep { fence: login.fence, until, generation: 0, pair: 0, answer_lost: false, is_last_resort: false, step: KeepStep::Leased };
        state.workers[worker].keep = Some(keep);
    }

    fn holds_login(&self, state: &State, fence: u8) -> bool {
        !self.guards.fence || state.login.lease.is_some_and(|lease| lease.fence == fence)
    }

    /// One step. The renewal is given up by leaving the worker's hands empty.
    pub(crate) fn go_keep(&self, state: &mut State, worker: usize) {
        let Some(mut keep) = state.workers[worker].keep.take() else { return };
        let clock = self.clock(state, worker);
        match keep.step.clone() {
            KeepStep::Leased => {
                (keep.generation, keep.pair) = (state.login.generation, state.login.pair);
                keep.step = KeepStep::Opened;
            }
            KeepStep::Opened => {
                if !self.holds_login(state, keep.fence) {
                    return;
                }
                if self.guards.re_read && !speaks_of(keep.generation, state.login.generation) {
                    return release(state, &keep);
                }
                let is_unclear = |outcome: Option<RefreshOutcome>| matches!(outcome, None | Some(RefreshOutcome::Unknown));
                let attempts = &mut state.login.attempts;
                keep.answer_lost = attempts.iter().any(|(_, generation, outcome)| *generation == keep.generation && is_unclear(*outcome));
                if self.guards.write_ahead {
                    attempts.push((keep.fence, keep.generation, None));
                }
                keep.is_last_resort = state.platform.is_answer_lost;
                keep.until = clock + LEASE;
                if let Some(lease) = &mut state.login.lease {
                    lease.until = keep.until;
                }
                keep.step = KeepStep::Held;
            }
            KeepStep::Held => {
                if self.guards.trust_window && !is_trusted(keep.until, clock) {
                    return end(state, &keep, RefreshOutcome::NotDone);
                }
                let until = state.now + LONGEST_CALL;
                let is_last_resort = keep.is_last_resort;
                state.wire.push(Request { from: worker, what: Asked::Renew, pair: keep.pair, until, is_awaited: true, is_last_resort });
                keep.step = KeepStep::Sent;
            }
            KeepStep::Sent => {}
            KeepStep::Answered(reply) => return self.renewed(state, worker, &keep, &reply),
        }
        state.workers[worker].keep = Some(keep);
    }

    fn renewed(&self, state: &mut State, worker: usize, keep: &Keep, reply: &Reply) {
        let now = self.clock(state, worker);
        let outcome = match reply {
            Reply::Pair(pair) => {
                end(state, keep, RefreshOutcome::Renewed);
                let login = &mut state.login;
                let fresh = keep.generation + 1;
                if !self.guards.re_read || becomes_newest(fresh, login.generation, login.state) {
                    let round = Round { now, wait: std::time::Duration::ZERO, answer_lost: keep.answer_lost };
                    login.state = login.state.after_refresh(RefreshOutcome::Renewed, &round).unwrap_or(GrantState::Live);
                    (login.generation, login.pair, login.refresh_at) = (fresh, *pair, None);
                    login.best = login.best.max(*pair);
                    if *pair == state.platform.live {
                        state.platform.is_answer_lost = false;
                    }
                }
                return release(state, keep);
            }
            Reply::Lost | Reply::Accepted(_) => RefreshOutcome::Unknown,
            Reply::NotDone => RefreshOutcome::NotDone,
            Reply::Refused => RefreshOutcome::Refused(Cause::UserAction),
        };
        end(state, keep, outcome);
        if !self.holds_login(state, keep.fence) {
            return;
        }
        if !self.guards.re_read || speaks_of(keep.generation, state.login.generation) {
            let failures = if let GrantState::Retrying { attempt, .. } = state.login.state { attempt } else { 0 };
            let wait = Backoff::RENEWAL.wait(failures + 1, 0.5, None);
            if let Ok(next) = state.login.state.after_refresh(outcome, &Round { now, wait, answer_lost: keep.answer_lost }) {
                self.lose(state, next);
            }
        }
        release(state, keep);
    }

    /// Writes the login's state; its loss is told in the same transaction.
    pub(crate) fn lose(&self, state: &mut State, next: GrantState) {
        if matches!(next, GrantState::SignInNeeded { .. }) && next != state.login.state {
            state.told.lost += 1;
        }
        state.login.state = next;
    }
}

fn end(state: &mut State, keep: &Keep, outcome: RefreshOutcome) {
    for attempt in state.login.attempts.iter_mut().filter(|attempt| attempt.0 == keep.fence) {
        attempt.2 = Some(outcome);
    }
}

fn release(state: &mut State, keep: &Keep) {
    state.login.lease = state.login.lease.filter(|lease| lease.fence != keep.fence);
}
