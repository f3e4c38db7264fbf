//! What tests read and turn (design section 9). These names are stable.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use domain::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::call::Answer;
use crate::faults::{Fault, Kind, Op};
use crate::routes::small_body;
use crate::simulator::{Inner, SimulatorConfig};
use crate::strike::{lift, strike};
use crate::table::number;
use crate::world::{App, Person, Place, Post, Realm, World};

/// A platform's part of the router: the simulator and the platform's name.
pub(crate) type Of = State<(Arc<Inner>, &'static str)>;

pub(crate) fn realm<'a>(world: &'a mut World, name: &str) -> &'a mut Realm {
    if name == "facebook" { &mut world.facebook } else { &mut world.pinterest }
}

fn shown(body: Value) -> Response {
    Answer::ok(body).into_response()
}

fn refused(body: Value) -> Response {
    Answer::json(400, body).into_response()
}

fn moment(at: Timestamp) -> (Value, Value) {
    (json!(at.0), json!(crate::moment::iso(at)))
}

/// `GET /clock`.
pub(crate) async fn clock(State(inner): State<Arc<Inner>>) -> Response {
    let (now, now_iso) = moment(inner.config.world.now());
    shown(json!({ "now": now, "now_iso": now_iso }))
}

/// Where a post can be looked at.
pub(crate) fn link_of(config: &SimulatorConfig, realm: &str, post: &Post) -> String {
    if realm == "facebook" {
        let own = post.id.split_once('_').map_or(post.id.as_str(), |(_, own)| own);
        config.public(&format!("/facebook/{}/posts/{own}", post.place))
    } else {
        config.public(&format!("/pinterest/pin/{}/", post.id))
    }
}

fn post_json(config: &SimulatorConfig, realm: &str, post: &Post) -> Value {
    let media: Vec<String> = post.images.iter().map(|id| config.public(&format!("/{realm}/media/{id}"))).collect();
    let (created_at, created_at_iso) = moment(post.created_at);
    let comments: Vec<&String> = post.comments.iter().map(|comment| &comment.text).collect();
    json!({
        "id": post.id, "account": post.account, "place": post.place, "text": post.text, "title": post.title,
        "link": post.link, "alt": post.alt, "media": media, "created_at": created_at,
        "created_at_iso": created_at_iso, "permalink": link_of(config, realm, post), "comments": comments,
    })
}

/// `GET /{platform}/feed.json`: the truth, oldest first; no listing lag hides anything.
pub(crate) async fn feed(State((inner, name)): Of) -> Response {
    let posts: Vec<Value> = inner.with(|world| {
        realm(world, name)
            .posts
            .values()
            .filter(|post| post.is_public && post.deleted_at.is_none())
            .map(|post| post_json(&inner.config, name, post))
            .collect()
    });
    shown(json!(posts))
}

/// `GET /{platform}/calls.json`, oldest first. `status` is null where the connection was cut.
pub(crate) async fn calls(State((inner, name)): Of) -> Response {
    let calls: Vec<Value> = inner.with(|world| {
        let one = |call: &crate::world::CallEntry| {
            let (at, at_iso) = moment(call.at);
            json!({ "method": call.method, "path": call.path, "status": call.status, "at": at, "at_iso": at_iso,
                    "op": call.op, "account": call.account, "faults": call.faults })
        };
        realm(world, name).calls.values().map(one).collect()
    });
    shown(json!(calls))
}

/// `GET /{platform}/issued.json`: every token and code since the start of the process, and the apps' secrets, for
/// whoever looks whether one of them stands somewhere in clear.
pub(crate) async fn issued(State((inner, name)): Of) -> Response {
    shown(inner.with(|world| {
        let realm = realm(world, name);
        let secrets = realm.apps.values().map(|app| &app.client_secret);
        json!(realm.issued.iter().chain(secrets).collect::<Vec<_>>())
    }))
}

/// `GET /{platform}/faults`: those that still wait for calls, and what holds until it is lifted.
pub(crate) async fn faults(State((inner, name)): Of) -> Response {
    shown(inner.with(|world| {
        let realm = realm(world, name);
        let waiting: Vec<Value> = realm
            .faults
            .iter()
            .map(|(id, fault)| {
                let mut row = serde_json::to_value(fault).unwrap_or_default();
                row["id"] = json!(id);
                row
            })
            .collect();
        let people = |is_it: fn(&Person) -> bool| -> Vec<String> {
            realm.people.values().filter(|person| is_it(person)).map(|person| person.id.clone()).collect()
        };
        let places = |is_it: fn(&Place) -> bool| -> Vec<String> {
            realm.places.values().filter(|place| is_it(place)).map(|place| place.id.clone()).collect()
        };
        let blocked = [people(|person| person.blocked), places(|place| place.blocked)].concat();
        let gone = [people(|person| person.gone), places(|place| place.gone)].concat();
        json!({
            "faults": waiting, "kinds": Kind::NAMES, "ops": Op::NAMES,
            "holding": {
                "retire_version": realm.is_retired(),
                "checkpoint": people(|person| person.checkpoint),
                "policy_block": blocked,
                "delete_account": gone,
                "remove_role": places(|place| !place.lost.is_empty()),
            },
        })
    }))
}

/// `POST /{platform}/faults`.
pub(crate) async fn add_fault(State((inner, name)): Of, request: Request) -> Response {
    let body = match small_body(request).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let fault = match Fault::from_request(&serde_json::from_slice(&body).unwrap_or_default()) {
        Ok(fault) => fault,
        Err(refusal) => return refused(refusal),
    };
    let now = inner.config.world.now();
    let done = inner.with(|world| {
        let realm = realm(world, name);
        if fault.is_at_once() {
            return json!({ "kind": fault.kind.name(), "applied": true, "met": strike(realm, &fault, now) });
        }
        let id = number(realm.faults.next_number());
        let answer = json!({ "kind": fault.kind.name(), "applied": false, "id": id });
        realm.faults.insert(id, fault);
        answer
    });
    Answer::json(201, done).into_response()
}

/// `DELETE /{platform}/faults`: removes what waits and lifts what can be lifted. Dead tokens stay dead.
pub(crate) async fn clear_faults(State((inner, name)): Of) -> Response {
    inner.with(|world| lift(realm(world, name)));
    shown(json!({ "cleared": true }))
}

/// `GET /{platform}/knobs`: knobs, people, places (Pages, boards) and registered apps.
pub(crate) async fn knobs(State((inner, name)): Of) -> Response {
    shown(inner.with(|world| knobs_json(realm(world, name))))
}

fn knobs_json(realm: &Realm) -> Value {
    json!({
        "knobs": realm.knobs().shown(realm.name),
        "people": realm.people.values().collect::<Vec<_>>(),
        "places": realm.places.values().collect::<Vec<_>>(),
        "apps": realm.apps.values().collect::<Vec<_>>(),
    })
}

/// `POST /{platform}/knobs`: `{"knobs": {…}, "people": […], "places": […], "apps": […]}`, each optional; a bare
/// `{"name": value}` turns knobs too. People, places and apps are added, or replaced by slug, id and client id.
pub(crate) async fn turn_knobs(State((inner, name)): Of, request: Request) -> Response {
    let body = match small_body(request).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(&body) else {
        return refused(json!({ "error": "the body is not a JSON object", "knobs": crate::knobs::names(name) }));
    };
    let mut rows = |key: &str| fields.remove(key).unwrap_or_else(|| json!([]));
    let people = serde_json::from_value::<Vec<Person>>(rows("people"));
    let places = serde_json::from_value::<Vec<Place>>(rows("places"));
    let apps = serde_json::from_value::<Vec<App>>(rows("apps"));
    let (Ok(people), Ok(places), Ok(apps)) = (people, places, apps) else {
        return refused(json!({ "error": "people, places or apps are not lists of the shape that GET shows" }));
    };
    let odd = |text: &str| text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if people.iter().any(|row| odd(&row.slug) || odd(&row.id)) || places.iter().any(|row| odd(&row.id)) {
        return refused(json!({ "error": "slugs and ids are letters, digits, - and _" }));
    }
    let mut changes: Map<String, Value> = match fields.remove("knobs") {
        Some(Value::Object(knobs)) => knobs,
        None => Map::new(),
        Some(_) => return refused(json!({ "error": "knobs is not an object" })),
    };
    changes.extend(fields);
    let turned = inner.with(|world| {
        let realm = realm(world, name);
        let knobs = realm.knobs().turned(name, &changes)?;
        if !changes.is_empty() {
            realm.set_knobs(knobs);
        }
        for row in people {
            realm.people.insert(row.slug.clone(), row);
        }
        for row in places {
            realm.places.insert(row.id.clone(), row);
        }
        for row in apps {
            realm.apps.insert(row.client_id.clone(), row);
        }
        Ok::<_, String>(knobs_json(realm))
    });
    match turned {
        Ok(body) => shown(body),
        Err(error) => refused(json!({ "error": error, "knobs": crate::knobs::names(name) })),
    }
}
