//! The platform, and what can become of a request on its way.

use crate::engine::{Engine, Login};
use crate::state::{Asked, KeepStep, Reply, Request, State, Step};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The platform does what is asked, or refuses the tokens, and the answer arrives.
    Answer,
    /// It does so, and the answer is lost.
    AnswerLost,
    /// The request is lost.
    RequestLost,
    /// The request never leaves.
    NotSent,
    /// A request that nobody waits for any more ends on its way.
    Gone,
}

impl Engine {
    pub(crate) fn outcomes(&self, state: &State, request: &Request) -> Vec<Outcome> {
        if !request.is_awaited {
            return vec![Outcome::Answer, Outcome::Gone];
        }
        let mut all = vec![Outcome::Answer];
        if state.faults > 0 {
            all.extend([Outcome::AnswerLost, Outcome::RequestLost, Outcome::NotSent]);
        }
        all
    }

    pub(crate) fn meet(&self, state: &mut State, index: usize, outcome: Outcome) {
        let request = state.wire.remove(index);
        let reply = match outcome {
            Outcome::Answer => self.serve(state, &request),
            Outcome::AnswerLost => {
                self.serve(state, &request);
                state.platform.is_answer_lost |= request.what == Asked::Renew;
                Reply::Lost
            }
            Outcome::RequestLost | Outcome::Gone => Reply::Lost,
            Outcome::NotSent => Reply::NotDone,
        };
        if !matches!(outcome, Outcome::Answer | Outcome::Gone) {
            state.faults -= 1;
        }
        if !request.is_awaited {
            state.platform.is_answer_lost |= request.what == Asked::Renew && outcome == Outcome::Answer;
            return;
        }
        let worker = &mut state.workers[request.from];
        match request.what {
            Asked::Publish(delivery) => {
                if let Some(job) = &mut worker.jobs[delivery] {
                    job.step = Step::Answered(reply);
                }
            }
            Asked::Renew => {
                if let Some(keep) = &mut worker.keep {
                    keep.step = KeepStep::Answered(reply);
                }
            }
        }
    }

    fn serve(&self, state: &mut State, request: &Request) -> Reply {
        let is_stopped = state.workers[request.from].is_stopped;
        let platform = &mut state.platform;
        let is_live = request.pair == platform.live && !platform.is_revoked;
        match request.what {
            Asked::Publish(delivery) if is_live => {
                platform.posts.push(delivery);
                Reply::Accepted(u8::try_from(platform.posts.len() - 1).unwrap_or(u8::MAX))
            }
            Asked::Renew if is_live => {
                platform.live += 1;
                // Whoever is stopped now has the answer in front of it and cannot read it.
                platform.is_answer_lost = is_stopped;
                Reply::Pair(platform.live)
            }
            Asked::Renew if self.login == Login::Forgiving && request.pair + 1 == platform.live && !platform.is_revoked => {
                Reply::Pair(platform.live)
            }
            Asked::Renew => {
                // Shown twice. A pair of before the person's last sign-in is another login's.
                let is_of_this_login = state.login.generation == 1 || state.consents == self.consents;
                if self.login == Login::Strict && is_of_this_login && !platform.is_revoked {
                    platform.is_revoked = true;
                    // A dead process's request that arrives late would have cost the login either way.
                    platform.is_lost_by_us |= !platform.is_answer_lost && !request.is_last_resort && request.is_awaited;
                }
                Reply::Refused
            }
            Asked::Publish(_) => Reply::Refused,
        }
    }
}
