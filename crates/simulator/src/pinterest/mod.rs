//! Pinterest API v5, as the Pinterest part of the notes says.

mod boards;
mod consent;
mod error;
mod pins;
mod tokens;

use http::Method;
use serde_json::Value;

use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::{Network, Scene, text_of};
use crate::faults::{Aim, Op};
use crate::media::MediaStore;
use crate::world::{Realm, World};

pub(crate) use consent::{decide, dialog, new_consent};
pub(crate) use pins::FIRST_PIN;
pub(crate) use tokens::mint_pair;

/// The REST API.
pub(crate) struct Pinterest;

/// Scopes the dialog knows.
pub(crate) const SCOPES: &[(&str, &str)] = &[
    ("user_accounts:read", "See your profile"),
    ("boards:read", "See your public boards"),
    ("boards:write", "Create and change your boards"),
    ("boards:read_secret", "See your secret boards"),
    ("boards:write_secret", "Change your secret boards"),
    ("pins:read", "See your public Pins"),
    ("pins:write", "Create and change your Pins"),
    ("pins:read_secret", "See your secret Pins"),
    ("pins:write_secret", "Change your secret Pins"),
];

impl Network for Pinterest {
    const ROOT: &'static str = "/pinterest/v5";

    fn realm(world: &mut World) -> (&mut Realm, &mut MediaStore) {
        (&mut world.pinterest, &mut world.media)
    }

    fn aim(scene: &Scene<'_>, call: &Call) -> Aim {
        let parts: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let is_read = call.method == Method::GET;
        let op = match parts.as_slice() {
            ["oauth", ..] => Op::Token,
            ["media", ..] => Op::Prepare,
            ["pins", ..] | ["boards", _, "pins"] if is_read => Op::Read,
            ["user_account", ..] | ["boards", ..] if is_read => Op::Profile,
            _ => Op::Commit,
        };
        let board = match parts.as_slice() {
            ["boards", id, ..] => Some((*id).to_owned()),
            _ => call.json.as_ref().and_then(|body: &Value| text_of(&body["board_id"])),
        };
        let person = tokens::person_of(scene, call);
        let is_renewal = op == Op::Token && call.param("grant_type") == Some("refresh_token");
        Aim { op, accounts: person.into_iter().chain(board).collect(), is_renewal }
    }

    fn admit(scene: &mut Scene<'_>, call: &Call) -> Result<(), Stop> {
        limits(scene, call)
    }

    fn handle(scene: &mut Scene<'_>, call: &Call) -> Outcome {
        if call.is_too_large {
            return Err(error::refuse(413, 413, "The request body is too large.").into());
        }
        if scene.realm.is_retired() {
            return Err(error::retired().into());
        }
        let parts: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let method = call.method.as_str();
        match (method, parts.as_slice()) {
            ("POST", ["oauth", "token"]) => tokens::token(scene, call),
            ("POST", ["oauth", "token", "revoke"]) => tokens::revoke(scene, call),
            ("GET", ["user_account"]) => boards::user_account(scene, call),
            ("GET", ["boards"]) => boards::list(scene, call),
            ("GET", ["boards", id]) => boards::one(scene, call, id),
            ("GET", ["boards", id, "sections"]) => boards::sections(scene, call, id),
            ("GET", ["boards", id, "pins"]) => pins::list(scene, call, Some(id)),
            ("GET", ["pins"]) => pins::list(scene, call, None),
            ("GET", ["pins", id]) => pins::one(scene, call, id),
            ("POST", ["pins"]) => pins::create(scene, call),
            ("DELETE", ["pins", id]) => pins::delete(scene, call, id),
            (_, ["user_account" | "boards" | "pins", ..] | ["oauth", "token"]) => {
                Err(error::refuse(405, 405, "Method not allowed.").into())
            }
            _ => Err(error::refuse(404, 404, "Endpoint not found.").into()),
        }
    }

    fn rate_limited(scene: &Scene<'_>, call: &Call, _aim: &Aim, retry_after: Option<u64>) -> Answer {
        let limit = limit_of(scene, call).1;
        error::rate_limit(limit, retry_after.unwrap_or(60))
    }

    fn unavailable() -> Answer {
        error::refuse(503, 503, "Service unavailable.")
    }

    fn internal_error() -> Answer {
        error::refuse(500, 500, "Sorry! Something went wrong on our end.")
    }

    fn finish(scene: &Scene<'_>, call: &Call, answer: Answer) -> Answer {
        let mut bytes = [0; 8];
        scene.chance.fill(&mut bytes);
        let answer = answer.with("x-pinterest-rid", &u64::from_be_bytes(bytes).to_string());
        if answer.headers.contains_key("x-ratelimit-limit") {
            return answer;
        }
        let (what, limit, count) = counted(scene, call);
        if what.is_empty() || limit == 0 {
            return answer;
        }
        let left = 60 - scene.now.as_seconds().rem_euclid(60);
        answer
            .with("x-ratelimit-limit", &limit.to_string())
            .with("x-ratelimit-remaining", &limit.saturating_sub(count).to_string())
            .with("x-ratelimit-reset", &left.to_string())
    }
}

/// The counter a call belongs to, and its limit a minute (section 6): per person and app, reads apart from writes.
fn limit_of(scene: &Scene<'_>, call: &Call) -> (String, u64) {
    let knobs = scene.realm.knobs();
    let is_write = call.method != Method::GET && call.segments.first().is_none_or(|part| part != "oauth");
    let (name, limit) = if is_write { ("org_write", knobs.writes_per_minute) } else { ("org_read", knobs.reads_per_minute) };
    match tokens::person_of(scene, call) {
        Some(person) => (format!("{name}/{person}"), limit),
        None => (String::new(), limit),
    }
}

fn counted(scene: &Scene<'_>, call: &Call) -> (String, u64, u64) {
    let (what, limit) = limit_of(scene, call);
    let slot = scene.now.as_seconds().div_euclid(60);
    let count = scene.realm.counted.get(&what).filter(|(known, _)| *known == slot).map_or(0, |(_, count)| *count);
    (what, limit, count)
}

fn limits(scene: &mut Scene<'_>, call: &Call) -> Result<(), Stop> {
    let (what, limit) = limit_of(scene, call);
    if what.is_empty() || limit == 0 {
        return Ok(());
    }
    if scene.realm.count(&what, 60, scene.now) > limit {
        let left = 60 - scene.now.as_seconds().rem_euclid(60);
        return Err(error::rate_limit(limit, u64::try_from(left).unwrap_or(60)).into());
    }
    Ok(())
}
