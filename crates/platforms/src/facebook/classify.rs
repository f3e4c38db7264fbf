//! What an answer of the Graph API means.
//!
//! The table is matched in the documented order: code with subcode, subcode alone, code alone (a row with a message before
//! the plain one). The status comes last, and no status ends a login: a 5xx never does, whatever its body says.

use std::time::Duration;

use domain::cause::{Cause, Class};
use domain::policy::FACEBOOK;
use domain::time::Timestamp;
use serde_json::Value;
use url::Url;

use super::publish::fallback_link;
use crate::adapter::Committed;
use crate::answer::{Answer, Call, Reading, Refusal, by_status, certain, likely, open, passing};
use crate::http::id;
use crate::json::{text, whole};

/// What may stand behind a token that is simply no longer accepted.
pub(super) const WITHDRAWN: &[Cause] = &[Cause::UserAction, Cause::AuthenticationChange, Cause::Expired];
/// Subcode of "photos already posted".
const PHOTOS_POSTED: i64 = 1_366_051;

/// The error object of an answer.
#[derive(Debug)]
pub(super) struct Fault {
    code: Option<i64>,
    subcode: Option<i64>,
    message: String,
    is_transient: bool,
}

/// The JSON of a success, or what else the answer means.
pub(crate) fn judge(call: Call, answer: &Answer, now: Timestamp) -> Result<Value, Refusal> {
    let Some(value) = answer.json() else {
        let reading = by_status(answer, false);
        return Err(Refusal::new(reading, answer, None, None, wait(answer, reading.class), now));
    };
    // An error counts whatever the status is; so does "no success".
    if let Some(fault) = fault(&value) {
        return Err(fault.refusal(call, answer, now));
    }
    let is_denied = value.get("success").and_then(Value::as_bool) == Some(false);
    let is_substance = value.is_object() || value == Value::Bool(true);
    if answer.is_success() && is_substance && !is_denied {
        return Ok(value);
    }
    let reading = if answer.is_success() { passing(Class::Transient) } else { by_status(answer, true) };
    Err(Refusal::new(reading, answer, None, value.as_str(), wait(answer, reading.class), now))
}

/// What an answer to a commit means.
pub(crate) fn committed(answer: &Answer, browser: &Url, now: Timestamp) -> Committed {
    match judge(Call::Api, answer, now) {
        Ok(value) => {
            // A photo answers with its own id and that of its post.
            match text(&value, "post_id").or_else(|| text(&value, "id")).filter(|found| id(found).is_ok()) {
                Some(remote_id) => {
                    let link = text(&value, "permalink_url").unwrap_or_else(|| fallback_link(browser, &remote_id));
                    Committed::Published { remote_id, link: Some(link) }
                }
                None => {
                    let refusal = Refusal::new(passing(Class::Transient), answer, None, Some("no id in the answer"), None, now);
                    Committed::Unknown { evidence: Some(refusal.verdict), error: None }
                }
            }
        }
        // "You have posted this already" may speak of our own request whose answer was lost: look before anything else.
        Err(refusal) if speaks_of_a_duplicate(&refusal) => Committed::Unknown { evidence: Some(refusal.verdict), error: None },
        Err(refusal) => refusal.of_commit(),
    }
}

fn speaks_of_a_duplicate(refusal: &Refusal) -> bool {
    let code = refusal.verdict.code.as_deref().unwrap_or_default();
    let (code, subcode) = code.split_once('/').unwrap_or((code, ""));
    let says_already = || refusal.verdict.text.as_deref().is_some_and(|text| text.to_lowercase().contains("already posted"));
    code == "506" || subcode == PHOTOS_POSTED.to_string() || (code == "368" && says_already())
}

/// The error of an answer: the usual envelope, the flat one of token endpoints, or OAuth's own.
fn fault(value: &Value) -> Option<Fault> {
    if let Some(error) = value.get("error") {
        if let Some(name) = error.as_str() {
            let message = text(value, "error_description").unwrap_or_else(|| name.to_owned());
            return Some(Fault { code: None, subcode: None, message, is_transient: false });
        }
        return Some(Fault::read(error).unwrap_or(Fault { code: None, subcode: None, message: String::new(), is_transient: false }));
    }
    // The flat shape's `code` is an HTTP status and stays out of the table.
    let message = text(value, "error_message").or_else(|| text(value, "error_type"))?;
    Some(Fault { code: None, subcode: None, message, is_transient: false })
}

impl Fault {
    /// Reads an error object; `debug_token` writes `subcode` where the envelope has `error_subcode`.
    pub(super) fn read(error: &Value) -> Option<Self> {
        error.is_object().then(|| Self {
            code: whole(error, "code"),
            subcode: whole(error, "error_subcode").or_else(|| whole(error, "subcode")),
            message: text(error, "message").unwrap_or_default(),
            is_transient: error.get("is_transient").and_then(Value::as_bool) == Some(true),
        })
    }

    pub(super) fn refusal(&self, call: Call, answer: &Answer, now: Timestamp) -> Refusal {
        let code = self.code.map(|code| self.subcode.map_or_else(|| code.to_string(), |subcode| format!("{code}/{subcode}")));
        let reading = self.reading(call, answer);
        let mut refusal = Refusal::new(reading, answer, code, Some(&self.message), wait(answer, reading.class), now);
        if refusal.verdict.class == Class::PermissionLost {
            let named = FACEBOOK.scopes.iter().filter(|scope| self.message.contains(scope.name));
            refusal.verdict.missing_scopes = named.map(|scope| scope.name.to_owned()).collect();
        }
        refusal
    }

    fn reading(&self, call: Call, answer: &Answer) -> Reading {
        let reading = self.row(call).unwrap_or_else(|| if self.is_transient { passing(Class::Transient) } else { by_status(answer, true) });
        match reading.class {
            // Nobody's login is lost because a server is in trouble.
            class if class.needs_sign_in() && answer.status >= 500 => passing(Class::Transient),
            // At the exchange there is no login yet that could be lost.
            class if class.needs_sign_in() && call == Call::Exchange => passing(Class::LoginFailed),
            Class::BadContent if call == Call::Exchange => passing(Class::LoginFailed),
            _ => reading,
        }
    }

    fn row(&self, call: Call) -> Option<Reading> {
        let text = self.message.to_lowercase();
        // A wrong app secret says it in words only, under a code that means "unknown" elsewhere.
        if call == Call::Exchange && (text.contains("client secret") || text.contains("validating application") || text == "invalid_client")
        {
            return Some(likely(Class::AppMisconfigured, Cause::PlatformChange));
        }
        // 102 has the same subcodes as 190.
        let code = self.code.map(|code| if code == 102 { 190 } else { code })?;
        by_both(code, self.subcode).or_else(|| by_subcode(self.subcode?)).or_else(|| by_code(code, &text))
    }
}

/// Rows that name code and subcode.
fn by_both(code: i64, subcode: Option<i64>) -> Option<Reading> {
    Some(match (code, subcode?) {
        (190, 463) => certain(Class::Expired, Cause::Expired),
        (190, 493) => certain(Class::Expired, Cause::InactiveAccount),
        (190, 468) => likely(Class::Expired, Cause::InactiveAccount),
        (190, 458) => certain(Class::Revoked, Cause::UserAction),
        (190, 460) => certain(Class::Revoked, Cause::AuthenticationChange),
        (190, 466) => likely(Class::Revoked, Cause::UserAction),
        (190, 456 | 457 | 461 | 462 | 465 | 467) => open(Class::Revoked, WITHDRAWN),
        // The login lives: the person has to follow Facebook's instructions there.
        (190, 459 | 464) => certain(Class::PolicyBlock, Cause::PolicyViolation),
        (190, 492) => certain(Class::PermissionLost, Cause::PrivacySettings),
        (100, 33) => Reading { candidates: &[Cause::PrivacySettings], ..open(Class::AccountGone, &[]) }.naming(Cause::AccountDeletion),
        (100, 36008) => passing(Class::LoginFailed),
        (4, 2_207_051) | (25, 2_207_050) | (368, 1_346_003) => certain(Class::PolicyBlock, Cause::PolicyViolation),
        (9, 2_207_042) => passing(Class::RateLimited),
        (24, 2_207_006 | 2_207_008 | 4_279_009)
        | (-2, 2_207_003 | 2_207_020)
        | (-1, 2_207_001 | 2_207_032 | 2_207_053)
        | (9007, 2_207_027) => passing(Class::Transient),
        (1, 2_207_057)
        | (100, 2_207_023 | 2_207_028 | 2_207_035 | 2_207_036 | 2_207_037 | 2_207_040)
        | (352, 2_207_026)
        | (9004, 2_207_052)
        | (36000, 2_207_004)
        | (36001, 2_207_005)
        | (36003, 2_207_009)
        | (36004, 2_207_010) => passing(Class::BadContent),
        _ => return None,
    })
}

/// Rows that name a subcode under any code.
fn by_subcode(subcode: i64) -> Option<Reading> {
    Some(match subcode {
        1_404_006 | 1_404_078 | 1_404_102 | 1_404_112 | 1_346_003 | 4_279_013 | 4_854_002 => {
            certain(Class::PolicyBlock, Cause::PolicyViolation)
        }
        1_390_008 => passing(Class::RateLimited),
        1_363_047 | 1_609_010 | 2_207_082 => passing(Class::Transient),
        1_366_046 | PHOTOS_POSTED | 1_349_125 | 1_609_008 | 2_061_006 | 2_069_019 | 2_207_077 | 2_207_081 => passing(Class::BadContent),
        _ => return None,
    })
}

/// Rows that name a code, those with a message first. `text` is in lower case.
fn by_code(code: i64, text: &str) -> Option<Reading> {
    Some(match code {
        190 if text.contains("must be granted before impersonating") => certain(Class::PermissionLost, Cause::PrivacySettings),
        190 => open(Class::Revoked, WITHDRAWN),
        10 | 200..=299 => certain(Class::PermissionLost, Cause::PrivacySettings),
        // A capability of the app, not of the person.
        3 => likely(Class::PermissionLost, Cause::PlatformChange),
        100 if text.contains("missing permissions") || text.contains("no permission to publish") => {
            certain(Class::PermissionLost, Cause::PrivacySettings)
        }
        100 if text.contains("error validating verification code") || text.contains("authorization code has expired") => {
            passing(Class::LoginFailed)
        }
        100 if text.contains("invalid appsecret_proof") => certain(Class::AppMisconfigured, Cause::PlatformChange),
        100 => passing(Class::BadContent),
        4 | 17 | 32 | 341 | 613 | 80_000..=80_006 | 80_008 | 80_009 | 80_014 => passing(Class::RateLimited),
        368 => certain(Class::PolicyBlock, Cause::PolicyViolation),
        506 | 1_609_005 => passing(Class::BadContent),
        12 | 2635 => certain(Class::ApiVersionRetired, Cause::ApiVersionChange),
        1 | 2 => passing(Class::Transient),
        _ => return None,
    })
}

impl Reading {
    /// The likeliest of several causes, as a guess.
    const fn naming(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }
}

/// The wait that an answer asks for: `Retry-After`, or the minutes until a business may call again. The usage stands on
/// every answer and asks for a wait only where a limit was exceeded.
fn wait(answer: &Answer, class: Class) -> Option<Duration> {
    answer.retry_after().or_else(|| {
        if class != Class::RateLimited {
            return None;
        }
        let usage: Value = serde_json::from_str(answer.header("x-business-use-case-usage")?).ok()?;
        let entries = usage.as_object()?.values().filter_map(Value::as_array).flatten();
        let minutes = entries.filter_map(|entry| whole(entry, "estimated_time_to_regain_access")).max()?;
        // More than a day is cut by the caller; this only keeps the product small.
        u64::try_from(minutes).ok().map(|minutes| Duration::from_secs(minutes.min(10_000) * 60))
    })
}
