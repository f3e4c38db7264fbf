//! What came back over HTTP, and judging it without sending anything.

use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::platform::Platform;
use domain::time::Timestamp;
use serde_json::Value;
use url::Url;

use crate::adapter::{CallError, Committed, HttpError};
use crate::{facebook, pinterest};

/// The longest answer that is read.
pub const CAP: usize = 1024 * 1024;

/// The longest wait that a platform can ask of us; one that asks for more is asked again after this.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body, at most [`CAP`] bytes.
    pub body: Bytes,
    /// Whether the body was longer.
    pub is_cut: bool,
}

/// Which door was knocked at; the same code means different things at different doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The code of a consent was traded for tokens.
    Exchange,
    /// A refresh token was traded.
    Renewal,
    /// Anything else.
    Api,
}

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub verdict: Box<Verdict>,
    /// How long the platform asks us to wait.
    pub wait: Option<Duration>,
}

/// What an answer means: its JSON, or what went wrong.
///
/// # Errors
/// The [`Refusal`], for everything but a success that can be read.
pub fn judge(platform: Platform, call: Call, answer: &Answer, now: Timestamp) -> Result<Value, Refusal> {
    match platform {
        Platform::Facebook => facebook::judge(call, answer, now),
        Platform::Pinterest => pinterest::judge(call, answer, now),
    }
}

/// What an answer to a commit means. `browser` is the base of links.
pub fn committed(platform: Platform, answer: &Answer, browser: &Url, now: Timestamp) -> Committed {
    match platform {
        Platform::Facebook => facebook::committed(answer, browser, now),
        Platform::Pinterest => pinterest::committed(answer, browser, now),
    }
}

impl Answer {
    /// The body as JSON; none when it is not, or was cut.
    pub(crate) fn json(&self) -> Option<Value> {
        if self.is_cut { None } else { serde_json::from_slice(&self.body).ok() }
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` in seconds. Its other form, a date, is not read: it would need the platform's clock, and our own
    /// growing waits do without.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// The reading of an answer: one row of a platform's table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) class: Class,
    pub(crate) cause: Cause,
    pub(crate) confidence: Confidence,
    pub(crate) candidates: &'static [Cause],
}

/// A reading whose cause the platform names.
pub(crate) const fn certain(class: Class, cause: Cause) -> Reading {
    Reading { class, cause, confidence: Confidence::Certain, candidates: &[] }
}

/// A reading whose cause fits best.
pub(crate) const fn likely(class: Class, cause: Cause) -> Reading {
    Reading { class, cause, confidence: Confidence::Likely, candidates: &[] }
}

/// A reading that shows no cause, with those that give the same answer.
pub(crate) const fn open(class: Class, candidates: &'static [Cause]) -> Reading {
    Reading { class, cause: Cause::Unknown, confidence: Confidence::Guess, candidates }
}

/// A reading of something that loses no login, so that nobody asks for its cause.
pub(crate) const fn passing(class: Class) -> Reading {
    open(class, &[])
}

/// The reading of an answer that says nothing by itself: by HTTP status alone. Never a loss of the login.
pub(crate) fn by_status(answer: &Answer, is_readable: bool) -> Reading {
    match answer.status {
        429 => passing(Class::RateLimited),
        426 => certain(Class::ApiVersionRetired, Cause::ApiVersionChange),
        408 | 500..=599 => passing(Class::Transient),
        // Neither is in any document: something between us and the platform spoke, or it had a bad moment.
        100..=399 => passing(Class::Transient),
        _ if !is_readable => passing(Class::Transient),
        _ => passing(Class::Unknown),
    }
}

impl Refusal {
    /// A refusal with its evidence: `code` and `text` are the platform's, made safe to keep.
    pub(crate) fn new(
        reading: Reading,
        answer: &Answer,
        code: Option<String>,
        text: Option<&str>,
        wait: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        let mut verdict = Verdict::plain(reading.class, reading.cause, reading.confidence, now);
        verdict.candidates = reading.candidates.to_vec();
        verdict.status = Some(answer.status);
        verdict.code = code.map(|code| code.chars().take(64).collect());
        verdict.text = text.map(Verdict::foreign_text).filter(|text| !text.trim().is_empty());
        let wait = wait.map(|wait| wait.min(WAIT_MAX)).filter(|wait| !wait.is_zero());
        Self { verdict: Box::new(verdict), wait }
    }

    /// How a refused commit ended. Only a classified refusal means *not done*: whatever a server says with a 5xx, or in
    /// words that we cannot read, may have been said after the post went out.
    pub(crate) fn of_commit(self) -> Committed {
        let says_nothing = matches!(self.verdict.class, Class::Transient | Class::Unknown);
        if says_nothing || self.verdict.status.is_none_or(|status| status >= 500) {
            Committed::Unknown { evidence: Some(self.verdict), error: None }
        } else {
            Committed::Refused { verdict: self.verdict, wait: self.wait }
        }
    }
}

/// A judged answer as the result of a call that is no commit. A success that cannot be read is a lost answer: whatever
/// it granted (a fresh pair of tokens) is gone.
pub(crate) fn understood(answer: &Answer, judged: Result<Value, Refusal>) -> Result<Value, CallError> {
    match judged {
        Ok(value) => Ok(value),
        Err(_) if answer.is_success() && answer.json().is_none() => Err(unreadable()),
        Err(Refusal { verdict, wait }) => Err(CallError::Answered { verdict, wait }),
    }
}

/// The platform said yes, and what we asked for is not in its answer.
pub(crate) fn unreadable() -> CallError {
    CallError::Lost(HttpError("the answer cannot be read".to_owned()))
}
