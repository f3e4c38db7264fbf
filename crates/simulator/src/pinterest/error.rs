//! Pinterest's refusals: `{"code", "message"}` (section 3).

use serde_json::json;

use crate::call::Answer;

pub(crate) fn refuse(status: u16, code: i64, message: &str) -> Answer {
    Answer::json(status, json!({ "code": code, "message": message }))
}

/// The documented reply to an expired or invalid access token.
pub(crate) fn unauthenticated() -> Answer {
    refuse(401, 2, "Authentication failed.")
}

/// A refused code or refresh token.
pub(crate) fn bad_grant() -> Answer {
    refuse(401, 283, "The authorization grant is invalid")
}

pub(crate) fn missing_scopes(missing: &[&str]) -> Answer {
    refuse(401, 3, &format!("Authorization failed. Missing: {missing:?}").replace('"', "'"))
}

pub(crate) fn not_permitted() -> Answer {
    refuse(403, 29, "You are not permitted to access that resource.")
}

pub(crate) fn bad_request(what: &str) -> Answer {
    refuse(400, 1, &format!("Invalid request: {what}"))
}

pub(crate) fn board_not_found() -> Answer {
    refuse(404, 40, "Board not found.")
}

pub(crate) fn pin_not_found() -> Answer {
    refuse(404, 50, "Pin not found.")
}

/// UNVERIFIED: nobody saw v5 end.
pub(crate) fn retired() -> Answer {
    refuse(426, 426, "This API version is no longer supported.")
}

/// UNVERIFIED unit of the reset: seconds from now.
pub(crate) fn rate_limit(limit: u64, seconds: u64) -> Answer {
    refuse(429, 8, "This request exceeded a rate limit. Your app is making too many requests.")
        .with("x-ratelimit-limit", &limit.to_string())
        .with("x-ratelimit-remaining", "0")
        .with("x-ratelimit-reset", &seconds.to_string())
}

/// The official quickstart tells this 429 from the others by the word "spam".
pub(crate) fn spam() -> Answer {
    refuse(429, 9, "Sorry! We blocked this Pin because it may be spam.")
}
