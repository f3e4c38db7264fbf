//! The labelled corpus: every row of the platforms' error tables, bodies seen in the wild, and nonsense. Its own labels are
//! the documents' and do not come from the code. Then the same bodies damaged in ten thousand ways.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use bytes::Bytes;
use domain::cause::{Cause, Class, Verdict};
use domain::platform::Platform;
use domain::time::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::adapter::Committed;
use platforms::answer::{Answer, CAP, Call, committed, judge};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

const NOW: Timestamp = Timestamp::from_seconds(1_795_428_000);
const CORPORA: [(Platform, &str); 2] =
    [(Platform::Facebook, include_str!("corpus/facebook.jsonl")), (Platform::Pinterest, include_str!("corpus/pinterest.jsonl"))];

#[derive(Debug, Clone, Deserialize)]
struct Entry {
    source: String,
    call: String,
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
    class: Class,
    cause: String,
}

impl Entry {
    fn call(&self) -> Call {
        match self.call.as_str() {
            "exchange" => Call::Exchange,
            "renewal" => Call::Renewal,
            "api" => Call::Api,
            other => panic!("{other} is no door"),
        }
    }

    /// A body that is text stands for itself, anything else for its JSON.
    fn bytes(&self) -> Vec<u8> {
        self.body.as_str().map_or_else(|| self.body.to_string().into_bytes(), |text| text.as_bytes().to_vec())
    }

    fn answer(&self, body: Vec<u8>) -> Answer {
        let headers = self.headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
        Answer { status: self.status, headers: headers.collect::<HeaderMap>(), body: Bytes::from(body), is_cut: false }
    }
}

fn entries() -> Vec<(Platform, Entry)> {
    let of = |(platform, text): (Platform, &str)| {
        let parsed = text.lines().map(|line| serde_json::from_str::<Entry>(line).unwrap_or_else(|error| panic!("{line}: {error}")));
        parsed.map(|entry| (platform, entry)).collect::<Vec<_>>()
    };
    CORPORA.into_iter().flat_map(of).collect()
}

fn verdict(platform: Platform, entry: &Entry, body: Vec<u8>) -> Option<Verdict> {
    judge(platform, entry.call(), &entry.answer(body), NOW).err().map(|refusal| *refusal.verdict)
}

#[test]
fn every_row_of_the_tables_is_read_as_documented() {
    let mut wrong = Vec::new();
    for (platform, entry) in entries() {
        let found = verdict(platform, &entry, entry.bytes()).map(|verdict| (verdict.class, verdict.cause.code().to_owned()));
        if found != Some((entry.class, entry.cause.clone())) {
            wrong.push(format!(
                "{platform} {} {} {}: expected {:?} {}, found {found:?}",
                entry.source, entry.status, entry.body, entry.class, entry.cause
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_gives_no_reason_names_its_candidates() {
    for (platform, entry) in entries().into_iter().filter(|(_, entry)| entry.class.needs_sign_in() && entry.cause == "unknown") {
        let verdict = verdict(platform, &entry, entry.bytes()).unwrap();
        assert!(verdict.candidates.len() > 1, "{platform} {}", entry.body);
    }
}

#[test]
fn a_refused_commit_is_not_done_only_when_the_refusal_is_understood() {
    let browser = Url::parse("https://www.facebook.com").unwrap();
    for (platform, entry) in entries().into_iter().filter(|(_, entry)| entry.call == "api") {
        let text = entry.body.to_string().to_lowercase();
        let is_duplicate = text.contains("duplicate status") || text.contains("1366051") || text.contains("already posted");
        let is_clear = !matches!(entry.class, Class::Transient | Class::Unknown) && entry.status < 500 && !is_duplicate;
        match committed(platform, &entry.answer(entry.bytes()), &browser, NOW) {
            Committed::Refused { verdict, .. } => assert!(is_clear && verdict.class == entry.class, "{platform} {}", entry.body),
            Committed::Unknown { evidence, .. } => assert!(!is_clear && evidence.is_some(), "{platform} {}", entry.body),
            other => panic!("{platform} {}: {other:?}", entry.body),
        }
    }
}

#[test]
fn waits_that_platforms_ask_for_are_kept_and_nonsense_is_not() {
    let wait = |platform, status, name: &str, value: &str, body: &str| {
        let headers = [(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())];
        let answer = Answer { status, headers: headers.into_iter().collect(), body: Bytes::from(body.to_owned()), is_cut: false };
        judge(platform, Call::Api, &answer, NOW).unwrap_err().wait
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let body = r#"{"error":{"message":"(#80001) too many calls","code":80001}}"#;
    let usage = |minutes: &str| format!(r#"{{"1001":[{{"type":"pages","estimated_time_to_regain_access":{minutes}}}]}}"#);
    let header = "x-business-use-case-usage";
    assert_eq!(wait(Platform::Facebook, 400, header, &usage("19"), body), seconds(19 * 60));
    assert_eq!(wait(Platform::Facebook, 400, header, &usage("99999999999"), body), seconds(86_400));
    for nonsense in ["-5", "0", "null", "\"x\"", "{}"] {
        assert_eq!(wait(Platform::Facebook, 400, header, &usage(nonsense), body), None, "{nonsense}");
    }
    assert_eq!(wait(Platform::Facebook, 400, header, "{{{", body), None);
    assert_eq!(wait(Platform::Facebook, 503, "retry-after", "120", "<html>"), seconds(120));
    assert_eq!(wait(Platform::Pinterest, 429, "retry-after", "7", "{}"), seconds(7));
    assert_eq!(wait(Platform::Pinterest, 429, "x-ratelimit-reset", "30", "{}"), seconds(30));
    assert_eq!(wait(Platform::Pinterest, 429, "x-ratelimit-reset", "30000", "{}"), seconds(3600), "should they be milliseconds");
    assert_eq!(wait(Platform::Pinterest, 429, "x-ratelimit-reset", "1795428060", "{}"), seconds(60), "a moment");
    // The limits stand on every answer, exceeded or not.
    assert_eq!(wait(Platform::Pinterest, 400, "x-ratelimit-reset", "30", r#"{"code":1,"message":"m"}"#), None);
    assert_eq!(wait(Platform::Facebook, 400, header, &usage("19"), r#"{"error":{"message":"m","code":100}}"#), None);
    for nonsense in ["-1", "soon", "1e9", ""] {
        assert_eq!(wait(Platform::Pinterest, 429, "x-ratelimit-reset", nonsense, "{}"), None, "{nonsense}");
    }
}

#[test]
fn a_megabyte_of_foreign_text_becomes_a_short_plain_line() {
    let words = format!("<script>alert(1)</script>\r\nSet-Cookie: a=b\0{}", "x".repeat(CAP));
    let body = serde_json::json!({"error": {"message": words, "code": 190, "error_subcode": 463}}).to_string();
    let answer = Answer { status: 400, headers: HeaderMap::new(), body: Bytes::from(body), is_cut: false };
    let verdict = judge(Platform::Facebook, Call::Api, &answer, NOW).unwrap_err().verdict;
    let text = verdict.text.unwrap();
    assert!(text.chars().count() <= Verdict::TEXT_MAX && !text.chars().any(char::is_control));

    let cut = Answer { is_cut: true, status: 400, headers: HeaderMap::new(), body: answer.body };
    assert_eq!(judge(Platform::Facebook, Call::Api, &cut, NOW).unwrap_err().verdict.class, Class::Transient, "half an answer says nothing");
}

/// One way of damaging a body.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
    Rename(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        place().prop_map(Damage::Cut),
        (place(), 1..12usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        (place(), prop::collection::vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (place(), 1..9usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        (0..8usize).prop_map(Damage::Rename),
    ]
}

impl Damage {
    fn apply(&self, body: &mut Vec<u8>) {
        if body.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, with) => *at.get_mut(body) = *with,
            Self::Cut(at) => body.truncate(at.index(body.len())),
            Self::Remove(at, length) => {
                let from = at.index(body.len());
                body.drain(from..(from + length).min(body.len()));
            }
            Self::Insert(at, bytes) => {
                let from = at.index(body.len());
                body.splice(from..from, bytes.iter().copied());
            }
            Self::Repeat(at, length) => {
                let from = at.index(body.len());
                let piece = body[from..(from + length).min(body.len())].to_vec();
                body.splice(from..from, piece);
            }
            Self::Rename(which) => {
                let names = ["error", "code", "error_subcode", "message", "190", "463", "283", "type"];
                let others = ["id", "Code", "subcode", "post_id", "19", "\"463\"", "[283]", "code"];
                let text = String::from_utf8_lossy(body).replace(names[*which], others[*which]);
                *body = text.into_bytes();
            }
        }
    }
}

/// Whether these very bytes say that a login is over, read by another hand than the adapters'.
fn says_so(platform: Platform, call: Call, body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let is = |value: &Value, numbers: &[&str]| match value {
        Value::Number(number) => numbers.contains(&number.to_string().trim_end_matches(".0")),
        Value::String(text) => numbers.contains(&text.trim().trim_start_matches('+').trim_start_matches('0')),
        _ => false,
    };
    match platform {
        Platform::Facebook => is(&value["error"]["code"], &["190", "102"]),
        Platform::Pinterest => call == Call::Renewal && (is(&value["code"], &["283"]) || value["error"] == "invalid_grant"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_refusal_ends_no_login_and_publishes_nothing(which in any::<prop::sample::Index>(), damages in prop::collection::vec(damage(), 1..4)) {
        let entries = ENTRIES.get_or_init(entries);
        let (platform, entry) = which.get(entries);
        let mut body = entry.bytes();
        damages.iter().for_each(|damage| damage.apply(&mut body));

        if let Some(verdict) = verdict(*platform, entry, body.clone()) {
            let is_over = verdict.class.needs_sign_in();
            prop_assert!(!is_over || says_so(*platform, entry.call(), &body), "{} ended by {:?}", platform, String::from_utf8_lossy(&body));
            prop_assert!(verdict.code.as_deref().is_none_or(|code| code.chars().count() <= 64));
            prop_assert!(!matches!(verdict.cause, Cause::TechnicalIssue(_)));
        } else {
            // Only a 2xx whose damage took the error out of it can look like a success, and then it names nothing.
            prop_assert!((200..300).contains(&entry.status));
        }
        let browser = Url::parse("https://www.facebook.com").unwrap();
        if let Committed::Published { .. } = committed(*platform, &entry.answer(body.clone()), &browser, NOW) {
            let text = String::from_utf8_lossy(&body).into_owned();
            prop_assert!((200..300).contains(&entry.status) && (text.contains("\"id\"") || text.contains("\"post_id\"")), "{text}");
        }
    }
}

static ENTRIES: std::sync::OnceLock<Vec<(Platform, Entry)>> = std::sync::OnceLock::new();
