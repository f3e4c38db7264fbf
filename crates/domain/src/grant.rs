//! The life of a grant (design section 4): a pure state machine, the same for server, model and tests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Class, OurFault};
use crate::policy::{Policy, Renewal};
use crate::time::Timestamp;

/// The state of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GrantState {
    /// Usable.
    Live,
    /// The last `attempt` refreshes in a row brought no new tokens, for reasons that may pass.
    Retrying {
        /// When the trouble began.
        since: Timestamp,
        /// Failures in a row.
        attempt: u32,
        /// When we try again.
        retry_at: Timestamp,
    },
    /// The platform refused. Only the person can repair this, by signing in again.
    SignInNeeded {
        /// When the refusal came.
        since: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// Taken out by a person.
    Unlinked,
}

/// How one refresh ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefreshOutcome {
    /// New tokens came and were saved.
    Renewed,
    /// Certainly nothing happened, for a reason that may pass.
    NotDone,
    /// The request left and no answer says what became of it: the refresh token may be spent.
    Unknown,
    /// A classified refusal which only a new sign-in repairs.
    Refused(Cause),
}

/// The circumstances of one refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// World time.
    pub now: Timestamp,
    /// How long to wait before the next try.
    pub wait: Duration,
    /// An earlier attempt with this same pair ended unknown.
    pub answer_lost: bool,
}

/// The state does not know this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this state does not know this event")]
pub struct InvalidTransition;

impl GrantState {
    /// The state after one refresh.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the grant needs a person or was unlinked: nobody refreshes those.
    pub fn after_refresh(self, outcome: RefreshOutcome, round: &Round) -> Result<Self, InvalidTransition> {
        let &Round { now, wait, answer_lost } = round;
        let (since, attempt) = match self {
            Self::Live => (now, 1),
            Self::Retrying { since, attempt, .. } => (since, attempt.saturating_add(1)),
            Self::SignInNeeded { .. } | Self::Unlinked => return Err(InvalidTransition),
        };
        Ok(match outcome {
            RefreshOutcome::Renewed => Self::Live,
            // Some platforms honour a spent pair for a short while after a lost answer,
            // so the first time we ask again at once; after that it is trouble that may pass.
            RefreshOutcome::Unknown if !answer_lost => Self::Retrying { since, attempt, retry_at: now },
            RefreshOutcome::NotDone | RefreshOutcome::Unknown => Self::Retrying { since, attempt, retry_at: now + wait },
            // Nobody revoked a pair that our own lost request may have spent.
            RefreshOutcome::Refused(_) if answer_lost => {
                Self::SignInNeeded { since: now, cause: Cause::TechnicalIssue(OurFault::LostAnswer) }
            }
            RefreshOutcome::Refused(cause) => Self::SignInNeeded { since: now, cause },
        })
    }

    /// The state after a call other than a refresh (probe, publish) met a classified refusal of the login.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the class does not need a sign-in, or the grant was unlinked.
    pub fn after_refusal(self, class: Class, cause: Cause, now: Timestamp) -> Result<Self, InvalidTransition> {
        match self {
            Self::Unlinked => Err(InvalidTransition),
            _ if !class.needs_sign_in() => Err(InvalidTransition),
            // The first refusal tells when it ended; a later one does not move that.
            Self::SignInNeeded { .. } => Ok(self),
            Self::Live | Self::Retrying { .. } => Ok(Self::SignInNeeded { since: now, cause }),
        }
    }

    /// The state after a call showed that the login works.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the grant was unlinked. A grant that needs a sign-in stays so: only a consent repairs it.
    pub fn after_good_call(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Live | Self::Retrying { .. } => Ok(Self::Live),
            Self::SignInNeeded { .. } => Ok(self),
            Self::Unlinked => Err(InvalidTransition),
        }
    }

    /// The state after the person has signed in again, from whatever state.
    pub const fn after_consent(self) -> Self {
        Self::Live
    }

    /// The state after a person took the login out.
    pub const fn after_unlink(self) -> Self {
        Self::Unlinked
    }

    /// The name of the state, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Retrying { .. } => "retrying",
            Self::SignInNeeded { .. } => "sign_in_needed",
            Self::Unlinked => "unlinked",
        }
    }
}

/// Whether what a platform said of the pair `used` says something about the login: not when a newer pair has come
/// meanwhile. Asked again in the transaction that would write it.
pub const fn speaks_of(used: i64, newest: i64) -> bool {
    used >= newest
}

/// Whether a fresh pair, won with the pair before `fresh`, becomes the newest. Whoever won it and whether their lease still
/// holds does not matter: a platform that rotates has made it the one that lives.
pub fn becomes_newest(fresh: i64, newest: i64, state: GrantState) -> bool {
    fresh > newest && state != GrantState::Unlinked
}

/// Who brings a login over its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenewedBy {
    /// We do, unattended.
    Us,
    /// A person has to sign in.
    Person,
    /// It does not end.
    Nobody,
}

/// What the platform said about the tokens it gave. None of these moments takes a login offline by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenTimes {
    /// When this pair was given.
    pub issued_at: Timestamp,
    /// End of the access token, if stated.
    pub access_expires_at: Option<Timestamp>,
    /// End of the refresh token, if there is one with a stated end.
    pub refresh_expires_at: Option<Timestamp>,
    /// Whether there is a refresh token at all.
    pub has_refresh: bool,
}

/// When a grant acts, worked out from its tokens and the platform's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The end as the platform stated it; may be none.
    pub expires_at: Option<Timestamp>,
    /// When a person must act: from the answer, else from the policy's table. None where we renew without end.
    pub act_by: Option<Timestamp>,
    /// Whether `act_by` was stated by the platform (it has its minute) or derived from our table ("about").
    pub act_by_is_stated: bool,
    /// Who renews, computed for this grant.
    pub renewed_by: RenewedBy,
    /// When we next renew, if we do.
    pub refresh_at: Option<Timestamp>,
}

impl Schedule {
    /// Works out a grant's schedule. `spread` in `0.0..1.0` is the grant's own constant jitter (requirement B5), so
    /// that a million grants of one day do not renew in one second.
    pub fn of(policy: &Policy, tokens: &TokenTimes, spread: f64) -> Self {
        let from_table = policy.login_lasts.map(|life| tokens.issued_at + life);
        let can_renew = tokens.has_refresh && !matches!(policy.renewal, Renewal::None);
        if can_renew {
            let life = tokens.refresh_expires_at.or(tokens.access_expires_at).map(|end| end.since(tokens.issued_at));
            let refresh_at = match (policy.renewal, life) {
                (Renewal::Sliding { .. }, Some(life)) => {
                    Some(tokens.issued_at + life.div_f64(3.0).mul_f64(0.95 + 0.1 * spread.clamp(0.0, 1.0)))
                }
                (Renewal::Sliding { .. }, None) => from_table.map(|end| tokens.issued_at + end.since(tokens.issued_at).div_f64(3.0)),
                (Renewal::None, _) => None,
            };
            return Self {
                expires_at: tokens.refresh_expires_at,
                act_by: tokens.refresh_expires_at.or(from_table),
                act_by_is_stated: tokens.refresh_expires_at.is_some(),
                renewed_by: RenewedBy::Us,
                refresh_at,
            };
        }
        let act_by = tokens.access_expires_at.or(from_table);
        Self {
            expires_at: tokens.access_expires_at,
            act_by,
            act_by_is_stated: tokens.access_expires_at.is_some(),
            renewed_by: if act_by.is_some() { RenewedBy::Person } else { RenewedBy::Nobody },
            refresh_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;
    use crate::time::{days, minutes};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const ROUND: Round = Round { now: NOW, wait: minutes(1), answer_lost: false };
    const LOST: Round = Round { answer_lost: true, ..ROUND };

    #[test]
    fn a_lost_answer_is_asked_again_at_once_and_then_waits() {
        let first = GrantState::Live.after_refresh(RefreshOutcome::Unknown, &ROUND).unwrap();
        assert_eq!(first, GrantState::Retrying { since: NOW, attempt: 1, retry_at: NOW });
        let second = first.after_refresh(RefreshOutcome::Unknown, &LOST).unwrap();
        assert_eq!(second, GrantState::Retrying { since: NOW, attempt: 2, retry_at: NOW + minutes(1) });
    }

    #[test]
    fn a_refusal_after_a_lost_answer_is_our_fault() {
        let state = GrantState::Live.after_refresh(RefreshOutcome::Refused(Cause::UserAction), &LOST).unwrap();
        assert_eq!(state, GrantState::SignInNeeded { since: NOW, cause: Cause::TechnicalIssue(OurFault::LostAnswer) });
    }

    #[test]
    fn nobody_refreshes_what_needs_a_person() {
        let lost = GrantState::SignInNeeded { since: NOW, cause: Cause::Expired };
        for state in [lost, GrantState::Unlinked] {
            assert_eq!(state.after_refresh(RefreshOutcome::Renewed, &ROUND), Err(InvalidTransition));
        }
    }

    #[test]
    fn only_a_class_that_needs_a_sign_in_disconnects() {
        for class in [Class::Transient, Class::RateLimited, Class::AppMisconfigured, Class::PermissionLost, Class::Unknown] {
            assert_eq!(GrantState::Live.after_refusal(class, Cause::Unknown, NOW), Err(InvalidTransition), "{class:?}");
        }
        assert!(GrantState::Live.after_refusal(Class::Expired, Cause::Expired, NOW).is_ok());
    }

    #[test]
    fn a_sliding_login_is_renewed_near_a_third_of_its_life() {
        let tokens = TokenTimes {
            issued_at: NOW,
            access_expires_at: Some(NOW + days(30)),
            refresh_expires_at: Some(NOW + days(60)),
            has_refresh: true,
        };
        let schedule = Schedule::of(policy::of(crate::platform::Platform::Pinterest), &tokens, 0.5);
        assert_eq!(schedule.refresh_at, Some(NOW + days(20)));
        assert_eq!(schedule.renewed_by, RenewedBy::Us);
        assert_eq!(schedule.act_by, Some(NOW + days(60)));
    }

    #[test]
    fn a_login_without_refresh_names_the_moment_for_a_person() {
        let tokens = TokenTimes { issued_at: NOW, access_expires_at: None, refresh_expires_at: None, has_refresh: false };
        let schedule = Schedule::of(policy::of(crate::platform::Platform::Facebook), &tokens, 0.5);
        assert_eq!(schedule.act_by, Some(NOW + days(60)));
        assert!(!schedule.act_by_is_stated);
        assert_eq!(schedule.renewed_by, RenewedBy::Person);
        assert_eq!(schedule.refresh_at, None);
    }
}
