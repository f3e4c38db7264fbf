//! Facebook Pages, as part A of the Meta notes says.

mod consent;
mod error;
mod fields;
mod graph;
mod listing;
mod pages;
mod publish;
mod tokens;

use serde_json::json;

use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::{Network, Scene};
use crate::faults::{Aim, Op};
use crate::media::MediaStore;
use crate::world::{Realm, TokenKind, World};

pub(crate) use consent::{decide, dialog};
pub(crate) use publish::FIRST_POST;
pub(crate) use tokens::{mint_long, mint_page};

use error::GraphError;

/// The Graph API.
pub(crate) struct Facebook;

/// Scopes the dialog knows. `public_profile` cannot be unticked.
pub(crate) const SCOPES: &[(&str, &str)] = &[
    ("public_profile", "See your name and picture"),
    ("email", "See your e-mail address"),
    ("pages_show_list", "Show a list of the Pages you manage"),
    ("pages_read_engagement", "Read what your Pages have posted"),
    ("pages_manage_posts", "Create and manage posts on your Pages"),
    ("pages_manage_engagement", "Comment and answer as your Pages"),
    ("pages_read_user_content", "Read what people write on your Pages"),
    ("pages_manage_metadata", "Manage settings of your Pages"),
    ("publish_video", "Publish videos"),
    ("read_insights", "Read statistics of your Pages"),
    ("business_management", "Manage your business portfolio"),
];

/// The key of the one consent between a person and an app.
pub(crate) fn consent_key(client: &str, slug: &str) -> String {
    format!("{client}/{slug}")
}

/// The versions of the changelog (section 7) with the second at which each ends.
const VERSIONS: &[(&str, i64)] = &[
    ("v21.0", 1_800_489_600),
    ("v22.0", 1_810_771_200),
    ("v23.0", 1_822_953_600),
    ("v24.0", 1_834_444_800),
    ("v25.0", 1_848_441_600),
    ("v26.0", i64::MAX),
];

/// The version in the path, the one that answers (a retired one is served by the next oldest), and the rest.
fn version<'a>(scene: &Scene<'_>, call: &'a Call) -> Result<(&'static str, &'a [String]), GraphError> {
    let now = scene.now.as_seconds();
    let oldest = VERSIONS.iter().find(|(_, end)| *end > now).map_or("v26.0", |(name, _)| name);
    let Some(first) = call.segments.first() else { return Ok((oldest, &[])) };
    let number = first.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0")).and_then(|n| n.parse::<u32>().ok());
    let Some(number) = number else { return Ok((oldest, &call.segments)) };
    let rest = call.segments.get(1..).unwrap_or_default();
    if number > 26 {
        return Err(GraphError::unknown_path(first));
    }
    let asked = VERSIONS.iter().find(|(name, end)| *end > now && *name == first).map(|(name, _)| *name);
    Ok((asked.unwrap_or(oldest), rest))
}

impl Network for Facebook {
    const ROOT: &'static str = "/facebook/graph";

    fn realm(world: &mut World) -> (&mut Realm, &mut MediaStore) {
        (&mut world.facebook, &mut world.media)
    }

    fn aim(scene: &Scene<'_>, call: &Call) -> Aim {
        let rest = version(scene, call).map_or(&[] as &[String], |(_, rest)| rest);
        let parts: Vec<&str> = rest.iter().map(String::as_str).collect();
        let is_post = call.method == http::Method::POST;
        let is_hidden = call.param("published").is_some_and(|value| value == "false" || value == "0");
        let op = match parts.as_slice() {
            ["oauth", ..] => Op::Token,
            [_, "permissions", ..] if call.method == http::Method::DELETE => Op::Token,
            [_, "photos"] if is_post && is_hidden => Op::Prepare,
            [_, _] if is_post => Op::Commit,
            [_] if call.method == http::Method::DELETE => Op::Commit,
            [_, "published_posts" | "posts" | "feed" | "comments" | "photos"] => Op::Read,
            [id] if id.contains('_') => Op::Read,
            _ => Op::Profile,
        };
        let mut accounts = Vec::new();
        let named = parts.first().map(|id| id.split('_').next().unwrap_or(id)).unwrap_or_default();
        if scene.realm.places.get(named).is_some() {
            accounts.push(named.to_owned());
        }
        accounts.extend(tokens::accounts_of(scene, call));
        let is_renewal = op == Op::Token && call.param("grant_type") == Some("fb_exchange_token");
        Aim { op, accounts, is_renewal }
    }

    fn admit(scene: &mut Scene<'_>, call: &Call) -> Result<(), Stop> {
        limits(scene, call)
    }

    fn handle(scene: &mut Scene<'_>, call: &Call) -> Outcome {
        if call.is_too_large {
            return Err(GraphError::new(413, 1, "The request body is too large").into());
        }
        if call.is_garbled {
            return Err(GraphError::new(400, 100, "(#100) The request body could not be read").into());
        }
        if scene.realm.is_retired() {
            return Err(GraphError::retired().into());
        }
        let (_, rest) = version(scene, call)?;
        let parts: Vec<&str> = rest.iter().map(String::as_str).collect();
        graph::route(scene, call, &parts)
    }

    fn rate_limited(scene: &Scene<'_>, call: &Call, aim: &Aim, retry_after: Option<u64>) -> Answer {
        let minutes = retry_after.map_or(19, |seconds| seconds.div_ceil(60));
        match tokens::presented(scene, call).map(|(_, token)| token.kind) {
            Some(TokenKind::Page(page)) => GraphError::page_limit().answer().with("x-business-use-case-usage", &usage(&page, 100, minutes)),
            _ if aim.op == Op::Token => GraphError::app_limit().answer(),
            _ => GraphError::app_limit().answer().with("x-app-usage", &app_usage(100)),
        }
    }

    fn unavailable() -> Answer {
        GraphError::unavailable().answer()
    }

    fn internal_error() -> Answer {
        GraphError::new(500, 1, "An unknown error occurred").answer()
    }

    fn finish(scene: &Scene<'_>, call: &Call, mut answer: Answer) -> Answer {
        if let Some(error) = answer.body.get_mut("error").and_then(|error| error.as_object_mut()) {
            error.entry("fbtrace_id").or_insert_with(|| json!(format!("A{}", scene.secret(10))));
        }
        let answering = version(scene, call).map_or("v26.0", |(name, _)| name);
        let knobs = scene.realm.knobs();
        let answer = answer
            .with("facebook-api-version", answering)
            .with("x-fb-request-id", &scene.secret(22))
            .with("x-fb-trace-id", &scene.secret(11));
        match tokens::presented(scene, call).map(|(_, token)| token.kind) {
            Some(TokenKind::Page(page)) if !answer.headers.contains_key("x-business-use-case-usage") => {
                let used = percent(scene, &format!("page/{page}"), 86_400, knobs.page_calls_per_day);
                answer.with("x-business-use-case-usage", &usage(&page, used, 0))
            }
            Some(TokenKind::Short | TokenKind::Long) if !answer.headers.contains_key("x-app-usage") => {
                let used = percent(scene, "app", 3_600, knobs.app_calls_per_hour);
                answer.with("x-app-usage", &app_usage(used))
            }
            _ => answer,
        }
    }
}

fn app_usage(percent: u64) -> String {
    json!({ "call_count": percent, "total_time": percent.min(25), "total_cputime": percent.min(25) }).to_string()
}

fn usage(page: &str, percent: u64, minutes: u64) -> String {
    json!({ page: [{ "type": "pages", "call_count": percent, "total_cputime": percent.min(25),
                     "total_time": percent.min(25), "estimated_time_to_regain_access": minutes }] })
    .to_string()
}

fn percent(scene: &Scene<'_>, what: &str, window: i64, limit: u64) -> u64 {
    let slot = scene.now.as_seconds().div_euclid(window);
    let count = scene.realm.counted.get(what).filter(|(known, _)| *known == slot).map_or(0, |(_, count)| *count);
    count.saturating_mul(100).checked_div(limit).unwrap_or(0)
}

/// Counts the call against the app's or the Page's limit (sections 0.6 and 6). Refused calls count too.
fn limits(scene: &mut Scene<'_>, call: &Call) -> Result<(), Stop> {
    let Some((_, token)) = tokens::presented(scene, call) else { return Ok(()) };
    let knobs = scene.realm.knobs();
    let now = scene.now;
    if let TokenKind::Page(page) = token.kind {
        let count = scene.realm.count(&format!("page/{page}"), 86_400, now);
        if knobs.page_calls_per_day > 0 && count > knobs.page_calls_per_day {
            let left = 86_400 - now.as_seconds().rem_euclid(86_400);
            let minutes = u64::try_from(left).unwrap_or(0).div_ceil(60);
            let answer = GraphError::page_limit().answer();
            return Err(answer.with("x-business-use-case-usage", &usage(&page, 100, minutes)).into());
        }
    } else {
        let count = scene.realm.count("app", 3_600, now);
        if knobs.app_calls_per_hour > 0 && count > knobs.app_calls_per_hour {
            return Err(GraphError::app_limit().answer().with("x-app-usage", &app_usage(100)).into());
        }
    }
    Ok(())
}
