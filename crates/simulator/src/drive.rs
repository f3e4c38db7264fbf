//! The way of every API call: read, struck by faults, handled, logged, answered.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use domain::chance::Chance;
use domain::time::Timestamp;
use serde_json::Value;

use crate::call::{Answer, Call, Outcome, Stop, cut};
use crate::faults::{Aim, Kind, Plan};
use crate::media::{MediaStore, fetch};
use crate::secret::letters;
use crate::simulator::{Inner, SimulatorConfig};
use crate::strike::strike;
use crate::world::{CallEntry, Realm, World};

/// What a handler may look at and change. It lives inside the lock.
pub(crate) struct Scene<'a> {
    pub(crate) realm: &'a mut Realm,
    pub(crate) media: &'a mut MediaStore,
    pub(crate) now: Timestamp,
    pub(crate) wall: Timestamp,
    pub(crate) chance: &'a dyn Chance,
    pub(crate) config: &'a SimulatorConfig,
    /// How much later the platform's lists show what is accepted now.
    pub(crate) lag: Duration,
}

impl Scene<'_> {
    /// `length` random letters and digits.
    pub(crate) fn secret(&self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.chance.fill(&mut bytes);
        letters(&bytes)
    }
}

/// One platform's half of the way.
pub(crate) trait Network: Send + Sync + 'static {
    /// The part of the path before the platform's own.
    const ROOT: &'static str;

    fn realm(world: &mut World) -> (&mut Realm, &mut MediaStore);
    /// What the call is for, and about whom.
    fn aim(scene: &Scene<'_>, call: &Call) -> Aim;
    /// Counts the call against the limits, once.
    fn admit(scene: &mut Scene<'_>, call: &Call) -> Result<(), Stop>;
    fn handle(scene: &mut Scene<'_>, call: &Call) -> Outcome;
    fn rate_limited(scene: &Scene<'_>, call: &Call, aim: &Aim, retry_after: Option<u64>) -> Answer;
    /// Down for a moment.
    fn unavailable() -> Answer;
    /// Something went wrong inside.
    fn internal_error() -> Answer;
    /// Puts on every answer what the platform puts on every answer.
    fn finish(scene: &Scene<'_>, call: &Call, answer: Answer) -> Answer;
}

/// Takes one API call from request to response.
pub(crate) async fn drive<N: Network>(inner: Arc<Inner>, request: Request) -> Response {
    let mut call = Call::read(request, N::ROOT).await;
    let (aim, plan) = inner.with(|world| meet_faults::<N>(&inner, world, &call));

    let answer = if plan.has(Kind::DropBeforeAccept) {
        None
    } else if let Some(answer) = inner.with(|world| refused_by_fault::<N>(&inner, world, &call, &aim, &plan)) {
        Some(answer)
    } else {
        let answer = handled::<N>(&inner, &mut call, &plan).await;
        spoiled::<N>(answer, &aim, &plan)
    };

    let answer = inner.with(|world| {
        let answer = answer.map(|answer| in_scene::<N, _>(&inner, world, &plan, |scene| N::finish(scene, &call, answer)));
        let entry = CallEntry {
            method: call.method.to_string(),
            path: call.path.clone(),
            status: answer.as_ref().map(|answer| answer.status.as_u16()),
            at: inner.config.world.now(),
            op: aim.op.name().to_owned(),
            account: aim.accounts.first().cloned(),
            faults: plan.0.iter().map(|fault| fault.kind.name().to_owned()).collect(),
        };
        N::realm(world).0.record(entry);
        answer
    });
    if let Some(fault) = plan.find(Kind::Slow) {
        tokio::time::sleep(Duration::from_secs(fault.seconds.unwrap_or(30).min(3_600))).await;
    }
    answer.map_or_else(cut, Answer::into_response)
}

fn in_scene<N: Network, T>(inner: &Inner, world: &mut World, plan: &Plan, act: impl FnOnce(&mut Scene<'_>) -> T) -> T {
    let (realm, media) = N::realm(world);
    let lag = plan.find(Kind::ListingLag).map_or(0, |fault| fault.seconds.unwrap_or(realm.knobs().listing_lag_seconds));
    let config = &inner.config;
    act(&mut Scene {
        realm,
        media,
        now: config.world.now(),
        wall: config.wall.now(),
        chance: &*config.chance,
        config,
        lag: Duration::from_secs(lag),
    })
}

/// Finds the faults that strike this call, and lets those happen that change the world.
fn meet_faults<N: Network>(inner: &Inner, world: &mut World, call: &Call) -> (Aim, Plan) {
    in_scene::<N, _>(inner, world, &Plan::default(), |scene| {
        let aim = N::aim(scene, call);
        if scene.realm.faults.len() == 0 {
            return (aim, Plan::default());
        }
        let mut plan = Plan::default();
        let mut spent = Vec::new();
        scene.realm.faults.update(|key, fault| {
            let before = (fault.after, fault.times);
            if !plan.has(fault.kind) && fault.strikes(&aim) {
                plan.0.push(fault.clone());
            }
            if fault.times == 0 {
                spent.push(key.to_owned());
            }
            before != (fault.after, fault.times)
        });
        for key in spent {
            scene.realm.faults.remove(&key);
        }
        for fault in &plan.0 {
            strike(scene.realm, fault, scene.now);
        }
        (aim, plan)
    })
}

/// Answers that stand for a call the platform never took.
fn refused_by_fault<N: Network>(inner: &Inner, world: &mut World, call: &Call, aim: &Aim, plan: &Plan) -> Option<Answer> {
    if let Some(fault) = plan.find(Kind::RateLimit) {
        let retry_after = fault.retry_after;
        return Some(in_scene::<N, _>(inner, world, plan, |scene| {
            let answer = N::rate_limited(scene, call, aim, retry_after);
            match retry_after {
                Some(seconds) => answer.with("retry-after", &seconds.to_string()),
                None => answer,
            }
        }));
    }
    if plan.has(Kind::ServerError) {
        return Some(N::unavailable());
    }
    if plan.has(Kind::BrokenJson) && aim.op != crate::faults::Op::Commit {
        return Some(Answer::html_in_the_way());
    }
    None
}

/// Runs the handler, fetching what it asks for in between. No lock is held while fetching.
async fn handled<N: Network>(inner: &Inner, call: &mut Call, plan: &Plan) -> Answer {
    let mut is_admitted = false;
    loop {
        let outcome = inner.with(|world| {
            in_scene::<N, _>(inner, world, plan, |scene| {
                if !std::mem::replace(&mut is_admitted, true) {
                    N::admit(scene, call)?;
                }
                N::handle(scene, call)
            })
        });
        match outcome {
            Ok(answer) => return answer,
            Err(Stop::Answer(answer)) => return *answer,
            Err(Stop::Fetch(addresses)) => {
                let missing: Vec<String> = addresses.into_iter().filter(|address| !call.fetched.contains_key(address)).collect();
                if missing.is_empty() {
                    return N::internal_error();
                }
                for address in missing {
                    if call.fetched.contains_key(&address) {
                        continue;
                    }
                    let bytes = fetch(&inner.http, &address).await;
                    call.fetched.insert(address, bytes);
                }
            }
        }
    }
}

/// What becomes of an answer on its way back. None: the connection is cut.
fn spoiled<N: Network>(answer: Answer, aim: &Aim, plan: &Plan) -> Option<Answer> {
    if plan.has(Kind::DropAfterAccept) || (plan.has(Kind::RotateAndLose) && aim.is_renewal) {
        return None;
    }
    if plan.has(Kind::ErrorAfterAccept) {
        return Some(N::internal_error());
    }
    if plan.has(Kind::BrokenJson) {
        return Some(answer.cut_short());
    }
    Some(answer)
}

/// Text of a JSON value that may be text or a number.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
