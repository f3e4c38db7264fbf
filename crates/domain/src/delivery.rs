//! The life of a delivery (design section 5): one revision to one account. A pure state machine, the same for
//! server, model and tests. The full table stands in `ARCHITECTURE.md`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::{AccountState, can_post};
use crate::cause::Verdict;
use crate::grant::{GrantState, InvalidTransition};
use crate::time::{Timestamp, hours, minutes};

/// Through trouble of the platform or our own absence a delivery may still go out this late.
pub const LATE_AT_MOST: Duration = hours(3);
/// A delivery waits this long for an earlier one of the same account.
pub const ORDER_WAIT: Duration = minutes(10);
/// After an unknown outcome we keep looking for the post this long.
pub const KEEP_LOOKING: Duration = hours(24);
/// After an unknown outcome a person is asked within this time. World and wall run alike here.
pub const ASK_WITHIN: Duration = Duration::from_secs(60);
/// They are asked this long after it; a call that hangs until its timeout still leaves time within [`ASK_WITHIN`].
pub const ASK_AFTER: Duration = Duration::from_secs(40);
/// While the outcome is unknown we look at once, and this long after; at the last of these a person is asked.
const LOOKS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(20), ASK_AFTER];
/// A token that ends within this time is renewed before it is used.
pub const TOKEN_MARGIN: Duration = Duration::from_secs(30);
/// How long a renewal is waited for.
pub const RENEWAL_WAIT: Duration = Duration::from_secs(5);
/// How long a login in trouble is waited for before it is tried again.
pub const TROUBLE_WAIT: Duration = Duration::from_secs(45);
/// Login, scopes, media, limits and quota are checked this long before a post is due.
pub const PRE_FLIGHT: Duration = minutes(60);

/// Why a delivery was missed. The post itself is fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedWhy {
    /// The login was lost.
    Disconnected,
    /// The account was blocked or gone.
    AccountBlocked,
    /// A person paused the account.
    Paused,
    /// The platform did not answer for longer than the delivery may be late.
    PlatformDown,
    /// Stayposted was not running.
    WeWereOff,
    /// A backup was restored.
    Restored,
    /// "Do not send after" had passed.
    TooLate,
    /// Nobody approved it in time.
    NotApproved,
}

impl MissedWhy {
    /// The name, as stored and counted.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::AccountBlocked => "account_blocked",
            Self::Paused => "paused",
            Self::PlatformDown => "platform_down",
            Self::WeWereOff => "we_were_off",
            Self::Restored => "restored",
            Self::TooLate => "too_late",
            Self::NotApproved => "not_approved",
        }
    }
}

/// Why a delivery failed: the post itself was refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedWhy {
    /// The platform refused text, media, place or policy.
    Refused(Box<Verdict>),
    /// Our own check before sending found what the platform would refuse.
    Content(crate::text::Problem),
    /// An image of the post is no longer in the media store.
    MediaGone,
}

/// Why a delivery was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanceledWhy {
    /// A person cancelled the post.
    Person,
    /// A missed post was dismissed.
    Dropped,
    /// Its account was unlinked; the text lives on as a draft.
    Unlinked,
    /// An edit replaced it by a delivery of a newer revision.
    Replaced,
}

/// How we know that a post is online.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// The platform answered our request with the id.
    Answer,
    /// The answer was lost; we found the post by looking.
    Found,
    /// A person looked and told us.
    Person,
}

/// The state of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for somebody's approval.
    AwaitingApproval,
    /// Waits for its time.
    Scheduled,
    /// Repeatable steps: uploads, containers. `step` counts those done and remembered.
    Preparing {
        /// Steps done.
        step: u32,
    },
    /// The attempt is durable; the one request that makes the post public may leave.
    Committing {
        /// When the intent was written.
        since: Timestamp,
    },
    /// Accepted, not public yet.
    Processing {
        /// The platform's name of it.
        handle: String,
    },
    /// The outcome is unknown and we are looking.
    Confirming {
        /// When the outcome became unknown.
        since: Timestamp,
    },
    /// No machine can tell; a person is asked. We keep looking.
    Unconfirmed {
        /// When we asked.
        asked_at: Timestamp,
        /// When the outcome became unknown.
        since: Timestamp,
    },
    /// Certainly not sent; trouble that may pass.
    Waiting {
        /// When we try again.
        retry_at: Timestamp,
        /// When it becomes missed instead.
        give_up_at: Timestamp,
    },
    /// Online.
    Published {
        /// The platform's id; none when only a person's word tells.
        remote_id: Option<String>,
        /// Its address.
        link: Option<String>,
        /// When it was accepted, as far as we know.
        at: Timestamp,
        /// How we know.
        known_by: KnownBy,
        /// When we read it back.
        seen_at: Option<Timestamp>,
    },
    /// Due, and not sent for a reason outside the post.
    Missed {
        /// The reason.
        why: MissedWhy,
        /// When it was given up.
        at: Timestamp,
    },
    /// The post was refused.
    Failed {
        /// The reason.
        why: FailedWhy,
        /// When.
        at: Timestamp,
    },
    /// Taken out.
    Canceled {
        /// The reason.
        why: CanceledWhy,
    },
}

/// What can happen to a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// An admin approved it.
    Approved,
    /// A worker took it at its time, or resumes it after a wait.
    Claimed,
    /// One more repeatable step is done and remembered.
    StepDone,
    /// All steps are done: the intent to commit is written with this event.
    CommitIntended,
    /// Certainly not sent, for a reason that may pass.
    NotDone {
        /// When to try again.
        retry_at: Timestamp,
        /// When to give up.
        give_up_at: Timestamp,
    },
    /// The platform refused the post itself; certainly not sent.
    Refused(FailedWhy),
    /// The platform accepted it and it is online.
    Accepted {
        /// The platform's id.
        remote_id: String,
        /// Its address.
        link: Option<String>,
    },
    /// The platform accepted it and makes it public later.
    AcceptedForProcessing {
        /// The platform's name of it.
        handle: String,
    },
    /// The request may have left and no answer says what became of it; also a lease that ran out while committing.
    OutcomeUnknown,
    /// We looked and found exactly one match.
    Found {
        /// The platform's id.
        remote_id: String,
        /// Its address.
        link: Option<String>,
        /// When the platform says it was created.
        created_at: Timestamp,
    },
    /// Proof that it does not exist, and that no request still under way can make it. Never: absence in a list.
    ProvenAbsent,
    /// No machine can tell: ask.
    Ask,
    /// A person says that it is there.
    PersonSaysThere,
    /// A person says that it is not there and wants it sent again, or at a new time.
    PersonSaysAbsent,
    /// It cannot go out for a reason outside the post.
    Miss(MissedWhy),
    /// A person cancels it, or it is replaced, or its account is unlinked.
    Cancel(CanceledWhy),
    /// A person, or the catch-up policy, gives it a new time.
    Reschedule,
    /// The platform could not finish processing it.
    ProcessingFailed(FailedWhy),
    /// We read it back from the platform.
    Seen,
}

impl DeliveryState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`InvalidTransition`] for any pair that the table of design section 5 does not list.
    pub fn after(&self, event: DeliveryEvent, now: Timestamp) -> Result<Self, InvalidTransition> {
        use DeliveryEvent as E;
        use DeliveryState as S;
        Ok(match (self, event) {
            (S::AwaitingApproval, E::Approved) => S::Scheduled,
            (S::AwaitingApproval | S::Scheduled | S::Preparing { .. } | S::Waiting { .. }, E::Miss(why)) => S::Missed { why, at: now },
            (S::AwaitingApproval | S::Scheduled, E::Cancel(why)) => S::Canceled { why },
            // A new time before the claim keeps the state; after a miss, a refusal or a person's word it is a new plan.
            (S::AwaitingApproval, E::Reschedule) => S::AwaitingApproval,
            (S::Scheduled | S::Missed { .. } | S::Failed { .. }, E::Reschedule) => S::Scheduled,
            (S::Missed { .. } | S::Failed { .. }, E::Cancel(why)) => S::Canceled { why },

            (S::Scheduled | S::Waiting { .. }, E::Claimed) => S::Preparing { step: 0 },
            (S::Preparing { step }, E::StepDone) => S::Preparing { step: step.saturating_add(1) },
            (S::Preparing { .. }, E::CommitIntended) => S::Committing { since: now },
            (S::Preparing { .. } | S::Committing { .. }, E::NotDone { retry_at, give_up_at }) => S::Waiting { retry_at, give_up_at },
            (S::Preparing { .. } | S::Committing { .. }, E::Refused(why)) => S::Failed { why, at: now },

            (S::Committing { .. }, E::Accepted { remote_id, link }) => {
                S::Published { remote_id: Some(remote_id), link, at: now, known_by: KnownBy::Answer, seen_at: None }
            }
            (S::Committing { .. } | S::Confirming { .. }, E::AcceptedForProcessing { handle }) => S::Processing { handle },
            (S::Committing { .. }, E::OutcomeUnknown) => S::Confirming { since: now },

            (S::Confirming { .. } | S::Unconfirmed { .. }, E::Found { remote_id, link, created_at }) => {
                S::Published { remote_id: Some(remote_id), link, at: created_at, known_by: KnownBy::Found, seen_at: Some(now) }
            }
            (S::Confirming { .. }, E::ProvenAbsent) => S::Scheduled,
            (S::Confirming { since }, E::Ask) => S::Unconfirmed { asked_at: now, since: *since },
            (S::Unconfirmed { since, .. }, E::PersonSaysThere) => {
                S::Published { remote_id: None, link: None, at: *since, known_by: KnownBy::Person, seen_at: None }
            }
            (S::Unconfirmed { .. }, E::PersonSaysAbsent) => S::Scheduled,

            (S::Processing { handle }, E::Accepted { remote_id, link }) => S::Published {
                remote_id: Some(if remote_id.is_empty() { handle.clone() } else { remote_id }),
                link,
                at: now,
                known_by: KnownBy::Answer,
                seen_at: None,
            },
            (S::Processing { .. }, E::ProcessingFailed(why)) => S::Failed { why, at: now },

            (S::Published { remote_id, link, at, known_by, .. }, E::Seen) => {
                S::Published { remote_id: remote_id.clone(), link: link.clone(), at: *at, known_by: *known_by, seen_at: Some(now) }
            }
            _ => return Err(InvalidTransition),
        })
    }

    /// The name of the state, as stored.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting_approval",
            Self::Scheduled => "scheduled",
            Self::Preparing { .. } => "preparing",
            Self::Committing { .. } => "committing",
            Self::Processing { .. } => "processing",
            Self::Confirming { .. } => "confirming",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Waiting { .. } => "waiting",
            Self::Published { .. } => "published",
            Self::Missed { .. } => "missed",
            Self::Failed { .. } => "failed",
            Self::Canceled { .. } => "canceled",
        }
    }

    /// Whether a person may still edit or cancel it: until the claim.
    pub const fn is_planned(&self) -> bool {
        matches!(self, Self::AwaitingApproval | Self::Scheduled)
    }

    /// Whether it did not go out and somebody may want to do something about it.
    pub const fn did_not_go_out(&self) -> bool {
        matches!(self, Self::Missed { .. } | Self::Failed { .. } | Self::Unconfirmed { .. })
    }

    /// What the worker that claims it owes it, be it claimed at its time or because a lease ran out: nothing is ever sent
    /// a second time.
    pub fn duty(&self, due_at: Timestamp, now: Timestamp) -> Duty {
        match self {
            Self::Scheduled if due_at > now => Duty::Check,
            Self::Scheduled | Self::Waiting { .. } => Duty::Begin,
            Self::Preparing { .. } => Duty::Resume,
            Self::AwaitingApproval => Duty::Give(MissedWhy::NotApproved),
            Self::Committing { .. } => Duty::Doubt,
            Self::Confirming { .. } if self.is_to_ask(now) => Duty::AskAndLook,
            Self::Confirming { .. } | Self::Unconfirmed { .. } => Duty::Look,
            Self::Processing { .. } => Duty::Follow,
            Self::Published { .. } => Duty::ReadBack,
            Self::Missed { .. } | Self::Failed { .. } | Self::Canceled { .. } => Duty::Nothing,
        }
    }

    /// Whether looking has lasted long enough: now a person is asked.
    pub fn is_to_ask(&self, now: Timestamp) -> bool {
        matches!(self, Self::Confirming { since } if now >= *since + ASK_AFTER)
    }

    /// When one is looked for again whose outcome is unknown: while nobody was asked, after 5, 20 and 40 seconds; then after
    /// 1, 5, 20 and 60 minutes, then hourly, for 24 hours (ux.md section 4, Not confirmed).
    pub fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let since = match self {
            Self::Confirming { since } => return LOOKS.iter().map(|look| *since + *look).find(|look| *look > now),
            Self::Unconfirmed { since, .. } => *since,
            _ => return None,
        };
        let steps = [minutes(1), minutes(5), minutes(20), minutes(60)];
        let fixed = steps.into_iter().map(|step| since + step);
        let hourly = (2..=24).map(|n| since + hours(n));
        fixed.chain(hourly).find(|look| *look > now)
    }
}

/// What a worker does with a delivery that it has claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Duty {
    /// Not due yet: check ahead of time.
    Check,
    /// Begin it: prepare, then commit.
    Begin,
    /// Go on after the last remembered step.
    Resume,
    /// Give it up as missed.
    Give(MissedWhy),
    /// The request may have left and nobody waits for its answer any more: the outcome is unknown. Look, never send.
    Doubt,
    /// Look for it.
    Look,
    /// Ask a person, and look for it.
    AskAndLook,
    /// Ask what became of what is being processed.
    Follow,
    /// Read it back.
    ReadBack,
    /// It is settled.
    Nothing,
}

/// What surrounds a delivery that is due.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// How its account stands.
    pub account: AccountState,
    /// How the login stands.
    pub login: GrantState,
    /// When the access token ends, if stated.
    pub access_expires_at: Option<Timestamp>,
    /// Whether the login can be renewed without a person.
    pub has_refresh: bool,
    /// "Do not send after".
    pub not_after: Option<Timestamp>,
    /// Until when it may go out.
    pub late_until: Timestamp,
    /// Whether something but ourselves has held it up.
    pub was_tried: bool,
    /// Until when the platform must not be called for it.
    pub limit: Option<Timestamp>,
}

/// What becomes of something due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It goes out.
    Go,
    /// It must not even be tried.
    Miss(MissedWhy),
    /// Not now.
    Wait {
        /// Until then.
        until: Timestamp,
        /// Whether the login's tokens are to be renewed meanwhile.
        renew: bool,
    },
}

impl Circumstances {
    /// What becomes of a delivery that is due at `now`.
    pub fn fate(&self, now: Timestamp) -> Fate {
        match self.account {
            AccountState::Ok => {}
            AccountState::Paused { .. } => return Fate::Miss(MissedWhy::Paused),
            AccountState::Blocked { .. } | AccountState::Gone { .. } | AccountState::Unlinked => {
                return Fate::Miss(MissedWhy::AccountBlocked);
            }
        }
        if matches!(self.login, GrantState::SignInNeeded { .. } | GrantState::Unlinked) {
            return Fate::Miss(MissedWhy::Disconnected);
        }
        if self.not_after.is_some_and(|end| end < now) {
            return Fate::Miss(MissedWhy::TooLate);
        }
        if now >= self.late_until {
            // Nothing held it up but us, unless it was waiting for the platform.
            return Fate::Miss(if self.was_tried { MissedWhy::PlatformDown } else { MissedWhy::WeWereOff });
        }
        // A login in trouble is not a lost one: it waits, like the platform behind it.
        if !can_post(self.account, self.login, self.access_expires_at, now) {
            return Fate::Wait { until: now + TROUBLE_WAIT, renew: true };
        }
        if self.has_refresh && self.access_expires_at.is_some_and(|end| end <= now + TOKEN_MARGIN) {
            return Fate::Wait { until: now + RENEWAL_WAIT, renew: true };
        }
        self.limit.map_or(Fate::Go, |until| Fate::Wait { until, renew: false })
    }
}

/// What a look at the platform says of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sighting {
    /// The one match is this delivery's post.
    Found,
    /// Nothing was seen, which proves nothing.
    NotFound,
    /// No machine can tell whose it is.
    Ambiguous,
}

impl Sighting {
    /// Judges the matches that are bound to no other delivery. `has_twin`: another delivery with the same words to the same
    /// account is of unknown outcome too, or there by a person's word, so that the match may just as well be that one's post.
    pub const fn of(free: usize, has_twin: bool) -> Self {
        match (free, has_twin) {
            (0, _) => Self::NotFound,
            (1, false) => Self::Found,
            _ => Self::Ambiguous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Class, Confidence};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn states() -> Vec<DeliveryState> {
        use DeliveryState as S;
        vec![
            S::AwaitingApproval,
            S::Scheduled,
            S::Preparing { step: 1 },
            S::Committing { since: NOW },
            S::Processing { handle: "h".into() },
            S::Confirming { since: NOW },
            S::Unconfirmed { asked_at: NOW, since: NOW },
            S::Waiting { retry_at: NOW, give_up_at: NOW },
            S::Published { remote_id: None, link: None, at: NOW, known_by: KnownBy::Answer, seen_at: None },
            S::Missed { why: MissedWhy::Disconnected, at: NOW },
            S::Failed { why: FailedWhy::MediaGone, at: NOW },
            S::Canceled { why: CanceledWhy::Person },
        ]
    }

    fn events() -> Vec<(&'static str, DeliveryEvent)> {
        use DeliveryEvent as E;
        let verdict = Verdict::plain(Class::BadContent, Cause::Unknown, Confidence::Certain, NOW);
        vec![
            ("approved", E::Approved),
            ("claimed", E::Claimed),
            ("step done", E::StepDone),
            ("commit intended", E::CommitIntended),
            ("not done", E::NotDone { retry_at: NOW, give_up_at: NOW }),
            ("refused", E::Refused(FailedWhy::Refused(Box::new(verdict)))),
            ("accepted", E::Accepted { remote_id: "1".into(), link: None }),
            ("accepted for processing", E::AcceptedForProcessing { handle: "h".into() }),
            ("outcome unknown", E::OutcomeUnknown),
            ("found", E::Found { remote_id: "1".into(), link: None, created_at: NOW }),
            ("proven absent", E::ProvenAbsent),
            ("ask", E::Ask),
            ("person says there", E::PersonSaysThere),
            ("person says absent", E::PersonSaysAbsent),
            ("miss", E::Miss(MissedWhy::Disconnected)),
            ("cancel", E::Cancel(CanceledWhy::Person)),
            ("reschedule", E::Reschedule),
            ("processing failed", E::ProcessingFailed(FailedWhy::MediaGone)),
            ("seen", E::Seen),
        ]
    }

    /// The whole table, as it stands in ARCHITECTURE.md. What is not listed is an error.
    const TABLE: &[(&str, &str, &str)] = &[
        ("awaiting_approval", "approved", "scheduled"),
        ("awaiting_approval", "miss", "missed"),
        ("awaiting_approval", "cancel", "canceled"),
        ("awaiting_approval", "reschedule", "awaiting_approval"),
        ("scheduled", "claimed", "preparing"),
        ("scheduled", "miss", "missed"),
        ("scheduled", "cancel", "canceled"),
        ("scheduled", "reschedule", "scheduled"),
        ("preparing", "step done", "preparing"),
        ("preparing", "commit intended", "committing"),
        ("preparing", "not done", "waiting"),
        ("preparing", "refused", "failed"),
        ("preparing", "miss", "missed"),
        ("committing", "accepted", "published"),
        ("committing", "accepted for processing", "processing"),
        ("committing", "not done", "waiting"),
        ("committing", "refused", "failed"),
        ("committing", "outcome unknown", "confirming"),
        ("processing", "accepted", "published"),
        ("processing", "processing failed", "failed"),
        ("confirming", "found", "published"),
        ("confirming", "accepted for processing", "processing"),
        ("confirming", "proven absent", "scheduled"),
        ("confirming", "ask", "unconfirmed"),
        ("unconfirmed", "found", "published"),
        ("unconfirmed", "person says there", "published"),
        ("unconfirmed", "person says absent", "scheduled"),
        ("waiting", "claimed", "preparing"),
        ("waiting", "miss", "missed"),
        ("published", "seen", "published"),
        ("missed", "reschedule", "scheduled"),
        ("missed", "cancel", "canceled"),
        ("failed", "reschedule", "scheduled"),
        ("failed", "cancel", "canceled"),
    ];

    #[test]
    fn every_pair_is_as_the_table_says() {
        for state in states() {
            for (name, event) in events() {
                let listed = TABLE.iter().find(|row| row.0 == state.code() && row.1 == name).map(|row| row.2);
                let got = state.after(event, NOW).ok();
                assert_eq!(got.as_ref().map(DeliveryState::code), listed, "{} + {name}", state.code());
            }
        }
    }

    #[test]
    fn nothing_leads_from_a_commit_back_to_a_second_commit_without_proof() {
        for (name, event) in events() {
            if let Ok(next) = (DeliveryState::Confirming { since: NOW }).after(event, NOW) {
                assert!(next.code() != "committing" && next.code() != "preparing", "{name}");
            }
        }
        assert_eq!(DeliveryState::Committing { since: NOW }.duty(NOW, NOW), Duty::Doubt);
    }

    #[test]
    fn we_look_three_times_before_a_person_is_asked_and_then_for_a_day() {
        let state = DeliveryState::Confirming { since: NOW };
        let second = |n| NOW + Duration::from_secs(n);
        assert_eq!([state.next_look(NOW), state.next_look(second(5)), state.next_look(second(20))], [5, 20, 40].map(|n| Some(second(n))));
        assert_eq!(state.next_look(NOW + ASK_AFTER), None);
        assert_eq!([state.is_to_ask(second(39)), state.is_to_ask(NOW + ASK_AFTER)], [false, true]);

        let asked = DeliveryState::Unconfirmed { asked_at: NOW + ASK_AFTER, since: NOW };
        assert_eq!(asked.next_look(NOW), Some(NOW + minutes(1)));
        assert_eq!(asked.next_look(NOW + minutes(1)), Some(NOW + minutes(5)));
        assert_eq!(asked.next_look(NOW + minutes(60)), Some(NOW + hours(2)));
        assert_eq!(asked.next_look(NOW + hours(24)), None);
    }

    #[test]
    fn every_state_that_is_not_settled_has_a_duty() {
        for state in states() {
            let is_settled = matches!(state.code(), "missed" | "failed" | "canceled");
            assert_eq!(state.duty(NOW, NOW) == Duty::Nothing, is_settled, "{}", state.code());
        }
        assert_eq!(DeliveryState::Scheduled.duty(NOW + minutes(1), NOW), Duty::Check);
    }

    #[test]
    fn a_match_is_ours_only_while_no_other_delivery_may_have_made_it() {
        assert_eq!(Sighting::of(1, false), Sighting::Found);
        assert_eq!(Sighting::of(1, true), Sighting::Ambiguous);
        assert_eq!(Sighting::of(2, false), Sighting::Ambiguous);
        assert_eq!([Sighting::of(0, false), Sighting::of(0, true)], [Sighting::NotFound; 2]);
    }
}
