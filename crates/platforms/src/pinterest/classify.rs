//! What an answer of Pinterest means.
//!
//! Codes are not consistent (30 is "user not found" and a rate limit), so the status is read first and then the code. Only
//! a refused refresh token ends a login.

use std::time::Duration;

use domain::cause::{Cause, Class, Verdict};
use domain::time::Timestamp;
use serde_json::Value;
use url::Url;

use super::publish::link;
use crate::adapter::Committed;
use crate::answer::{Answer, Call, Reading, Refusal, by_status, certain, likely, open, passing};
use crate::http::id;
use crate::json::{text, whole};

/// What may stand behind a refused refresh token.
const WITHDRAWN: &[Cause] = &[Cause::UserAction, Cause::AuthenticationChange, Cause::Expired];
/// The longest wait for the sake of a header whose unit nobody states.
const RESET_MAX: Duration = Duration::from_secs(3600);

/// The JSON of a success, or what else the answer means.
pub(crate) fn judge(call: Call, answer: &Answer, now: Timestamp) -> Result<Value, Refusal> {
    let Some(value) = answer.json() else {
        return Err(Refusal::new(by_status(answer, false), answer, None, None, answer.retry_after(), now));
    };
    // A success that says "failure", or has an error's shape, is none.
    let is_failure = text(&value, "status").as_deref() == Some("failure")
        || value.get("error").is_some_and(|error| !error.is_null())
        || (value.get("code").is_some() && value.get("message").is_some());
    if answer.is_success() && value.is_object() && !is_failure {
        return Ok(value);
    }
    let message = text(&value, "message").or_else(|| text(&value, "error_description")).unwrap_or_default();
    let error = value.get("error").and_then(Value::as_str);
    let number = whole(&value, "code");
    let reading = match error {
        Some(error) if call != Call::Api => by_oauth_error(error).unwrap_or_else(|| by_code(call, answer, number, &message)),
        _ => by_code(call, answer, number, &message),
    };
    // At the exchange there is no login yet that could be lost.
    let is_no_login_yet = call == Call::Exchange && (reading.class.needs_sign_in() || reading.class == Class::BadContent);
    let reading = if is_no_login_yet { passing(Class::LoginFailed) } else { reading };
    let code = number.map(|number| number.to_string()).or_else(|| error.map(Verdict::foreign_text));
    let words = if message.is_empty() { error } else { Some(message.as_str()) };
    Err(Refusal::new(reading, answer, code, words, wait(answer, reading.class, now), now))
}

/// What an answer to a commit means.
pub(crate) fn committed(answer: &Answer, browser: &Url, now: Timestamp) -> Committed {
    match judge(Call::Api, answer, now) {
        Ok(value) => match text(&value, "id").filter(|found| id(found).is_ok()) {
            Some(remote_id) => Committed::Published { link: Some(link(browser, &remote_id)), remote_id },
            None => {
                let refusal = Refusal::new(passing(Class::Transient), answer, None, Some("no id in the answer"), None, now);
                Committed::Unknown { evidence: Some(refusal.verdict), error: None }
            }
        },
        Err(refusal) => refusal.of_commit(),
    }
}

fn by_code(call: Call, answer: &Answer, code: Option<i64>, message: &str) -> Reading {
    let no_access = certain(Class::PermissionLost, Cause::PrivacySettings);
    match (answer.status, code) {
        // The refresh token or the authorization code is not accepted; nobody says why.
        (401, Some(283)) if call != Call::Api => open(Class::Revoked, WITHDRAWN),
        (401, Some(2)) if call != Call::Api => likely(Class::AppMisconfigured, Cause::PlatformChange),
        (401, _) if call != Call::Api => passing(Class::Unknown),
        (401, Some(3 | 7)) => no_access,
        // Code 2 is the documented one; any other costs one renewal, which then tells more.
        (401, Some(2)) => likely(Class::AccessExpired, Cause::Expired),
        (401, _) => open(Class::AccessExpired, WITHDRAWN),
        (400, _) => passing(Class::BadContent),
        (403, Some(29 | 403)) => no_access,
        (403, Some(233 | 235)) => passing(Class::BadContent),
        (403, Some(2625 | 2626)) => certain(Class::PolicyBlock, Cause::PolicyViolation),
        // The board, section, pin or upload is gone: a matter of the post.
        (404, Some(40 | 50 | 404 | 2031)) => passing(Class::BadContent),
        (404, Some(30)) => likely(Class::AccountGone, Cause::AccountDeletion),
        (409, _) => passing(Class::Transient),
        (429, _) if message.to_lowercase().contains("spam") => certain(Class::PolicyBlock, Cause::PolicyViolation),
        _ => by_status(answer, true),
    }
}

/// The error names of RFC 6749, should the token endpoint ever use them.
fn by_oauth_error(error: &str) -> Option<Reading> {
    Some(match error {
        "invalid_grant" => open(Class::Revoked, WITHDRAWN),
        "invalid_client" | "unauthorized_client" => likely(Class::AppMisconfigured, Cause::PlatformChange),
        "temporarily_unavailable" | "server_error" => passing(Class::Transient),
        "invalid_scope" => likely(Class::PermissionLost, Cause::PrivacySettings),
        _ => return None,
    })
}

/// The limits stand on every answer; they ask for a wait only where one was exceeded.
fn wait(answer: &Answer, class: Class, now: Timestamp) -> Option<Duration> {
    answer.retry_after().or_else(|| {
        if class != Class::RateLimited {
            return None;
        }
        let reset: i64 = answer.header("x-ratelimit-reset")?.trim().parse().ok()?;
        // A large number can only be a moment.
        let seconds = if reset > 1_000_000_000 { reset.saturating_sub(now.as_seconds()) } else { reset };
        u64::try_from(seconds).ok().map(|seconds| Duration::from_secs(seconds).min(RESET_MAX))
    })
}
