//! What an answer means for a login.

use std::time::Duration;

use domain::cause::{Class, Verdict};
use domain::grant::RefreshOutcome;
use platforms::adapter::{CallError, Tokens};
use store::grants::AttemptOutcome;

/// How a try to renew failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) outcome: RefreshOutcome,
    pub(super) verdict: Option<Box<Verdict>>,
    /// The wait that the platform asked for.
    pub(super) wait: Option<Duration>,
}

impl Failure {
    /// Certainly nothing happened, and nothing was said.
    pub(super) const NOT_DONE: Self = Self { outcome: RefreshOutcome::NotDone, verdict: None, wait: None };

    /// Whether it is trouble of the platform that may pass, and the wait that was asked for. A platform that says what it
    /// dislikes about a login or about our registration is not in trouble.
    pub(super) fn trouble(&self) -> Option<Option<Duration>> {
        let class = self.verdict.as_ref().map_or(Class::Transient, |verdict| verdict.class);
        matches!(class, Class::Transient | Class::RateLimited | Class::Unknown).then_some(self.wait)
    }

    /// How it is kept.
    pub(super) const fn kept_as(&self) -> AttemptOutcome {
        match self.outcome {
            RefreshOutcome::Renewed => AttemptOutcome::Renewed,
            RefreshOutcome::NotDone => AttemptOutcome::NotDone,
            RefreshOutcome::Unknown => AttemptOutcome::Unknown,
            RefreshOutcome::Refused(_) => AttemptOutcome::Refused,
        }
    }
}

/// What came of a request to renew.
pub(super) fn renewal(answer: Result<Tokens, CallError>) -> Result<Tokens, Failure> {
    let error = match answer {
        // Nothing that could be shown to the platform: no answer that can be read.
        Ok(tokens) if tokens.access.to_seal().is_empty() => {
            return Err(Failure { outcome: RefreshOutcome::Unknown, verdict: None, wait: None });
        }
        Ok(tokens) => return Ok(tokens),
        Err(error) => error,
    };
    Err(match error {
        CallError::NotSent(_) => Failure::NOT_DONE,
        CallError::Lost(_) => Failure { outcome: RefreshOutcome::Unknown, verdict: None, wait: None },
        CallError::Answered { verdict, wait } => Failure { outcome: outcome_of(&verdict, wait.is_some()), verdict: Some(verdict), wait },
    })
}

fn outcome_of(verdict: &Verdict, asks_to_wait: bool) -> RefreshOutcome {
    match verdict.class {
        class if class.needs_sign_in() => RefreshOutcome::Refused(verdict.cause),
        // A server in trouble, or an answer nobody can read, may stand behind a renewal that was done. One that asks us
        // to wait says that it was not.
        Class::Transient | Class::Unknown if !asks_to_wait => match verdict.status {
            Some(400..=429) => RefreshOutcome::NotDone,
            _ => RefreshOutcome::Unknown,
        },
        _ => RefreshOutcome::NotDone,
    }
}

#[cfg(test)]
mod tests {
    use domain::cause::{Cause, Confidence};
    use domain::time::Timestamp;
    use platforms::adapter::HttpError;
    use platforms::secret::AccessToken;

    use super::*;

    fn answered(class: Class, status: u16, wait: Option<Duration>) -> Result<Tokens, CallError> {
        let verdict = Verdict { status: Some(status), ..Verdict::plain(class, Cause::Unknown, Confidence::Guess, Timestamp(0)) };
        Err(CallError::Answered { verdict: Box::new(verdict), wait })
    }

    fn outcome(answer: Result<Tokens, CallError>) -> RefreshOutcome {
        renewal(answer).unwrap_err().outcome
    }

    #[test]
    fn a_server_in_trouble_may_have_renewed() {
        assert_eq!(outcome(answered(Class::Transient, 500, None)), RefreshOutcome::Unknown);
        assert_eq!(outcome(answered(Class::Transient, 200, None)), RefreshOutcome::Unknown);
        assert_eq!(outcome(answered(Class::Unknown, 200, None)), RefreshOutcome::Unknown);
        assert_eq!(outcome(Err(CallError::Lost(HttpError("cut".to_owned())))), RefreshOutcome::Unknown);
    }

    #[test]
    fn one_that_never_left_or_was_put_off_has_not() {
        assert_eq!(outcome(Err(CallError::NotSent(HttpError("refused".to_owned())))), RefreshOutcome::NotDone);
        assert_eq!(outcome(answered(Class::Transient, 400, None)), RefreshOutcome::NotDone);
        assert_eq!(outcome(answered(Class::Transient, 503, Some(Duration::from_secs(9)))), RefreshOutcome::NotDone);
        assert_eq!(outcome(answered(Class::RateLimited, 429, None)), RefreshOutcome::NotDone);
    }

    #[test]
    fn only_a_classified_refusal_is_one() {
        assert_eq!(outcome(answered(Class::Revoked, 400, None)), RefreshOutcome::Refused(Cause::Unknown));
        for class in [Class::AppMisconfigured, Class::ApiVersionRetired, Class::PermissionLost, Class::PolicyBlock, Class::AccessExpired] {
            assert_eq!(outcome(answered(class, 400, None)), RefreshOutcome::NotDone, "{class:?}");
        }
    }

    #[test]
    fn an_empty_access_token_is_no_answer() {
        let tokens =
            Tokens { access: AccessToken::new(String::new()), refresh: None, access_lives: None, refresh_lives: None, scopes: None };
        assert_eq!(outcome(Ok(tokens)), RefreshOutcome::Unknown);
    }
}
