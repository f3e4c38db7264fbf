//! Judging one answer. The first byte is the door, the second the status, the rest the body.

use std::time::Duration;

use bytes::Bytes;
use domain::cause::Verdict;
use domain::platform::Platform;
use domain::time::{Timestamp, hours};
use http::{HeaderMap, HeaderValue, header};
use platforms::adapter::Committed;
use platforms::answer::{Answer, Call, committed, judge};
use url::Url;

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_428_000);
/// The statuses that stand for all others; `2` and `3` on a keyboard are the second and third.
pub(crate) const STATUSES: [u16; 12] = [200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503];

pub(crate) fn status(byte: u8) -> u16 {
    STATUSES[usize::from(byte) % STATUSES.len()]
}

pub(crate) fn check(platform: Platform, bytes: &[u8]) {
    let [door, code, body @ ..] = bytes else { return };
    let call = [Call::Exchange, Call::Renewal, Call::Api][usize::from(*door) % 3];
    let mut headers = HeaderMap::new();
    if door & 0x40 != 0 {
        // The last bytes are the wait that is asked for, too.
        let wait = HeaderValue::from_bytes(&body[body.len().saturating_sub(8)..]);
        headers.extend(wait.map(|wait| (header::RETRY_AFTER, wait)));
    }
    let status = status(*code);
    let answer = Answer { status, headers, body: Bytes::copy_from_slice(body), is_cut: door & 0x80 != 0 };
    if let Err(refusal) = judge(platform, call, &answer, NOW) {
        sane(&refusal.verdict, refusal.wait);
        assert!(!(refusal.verdict.class.needs_sign_in() && status >= 500), "a server in trouble ends no login");
    }
    let browser = Url::parse("https://platform.example").expect("an address");
    match committed(platform, &answer, &browser, NOW) {
        Committed::Published { remote_id, .. } => {
            assert!((200..300).contains(&status), "a post by status {status}");
            assert!(!remote_id.is_empty());
        }
        Committed::Processing { handle } => assert!(!handle.is_empty()),
        Committed::Refused { verdict, wait } => {
            assert!(status < 500, "a refusal by status {status}");
            sane(&verdict, wait);
        }
        Committed::Unknown { evidence, .. } => evidence.iter().for_each(|verdict| sane(verdict, None)),
        Committed::NotSent(_) => panic!("an answer came, so the request was sent"),
    }
}

/// What is kept of a platform's words is short and plain.
pub(crate) fn sane(verdict: &Verdict, wait: Option<Duration>) {
    assert!(verdict.code.as_deref().is_none_or(|code| code.chars().count() <= 64));
    let text = verdict.text.as_deref().unwrap_or_default();
    assert!(text.chars().count() <= Verdict::TEXT_MAX && !text.chars().any(char::is_control));
    assert!(wait.is_none_or(|wait| !wait.is_zero() && wait <= hours(24)));
}
