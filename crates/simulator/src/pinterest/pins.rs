//! Pins: creating, reading back, deleting (sections 5 and 6).

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::boards::{find, paged};
use super::error;
use super::tokens::{Caller, caller};
use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::{Scene, text_of};
use crate::media::{BadImage, is_fetchable, look};
use crate::moment;
use crate::table::number;
use crate::world::{Image, Post};

/// Pin and image ids count from here: above 2^53, as real ones are.
pub(crate) const FIRST_PIN: u64 = 813_744_226_420_000_000;
const FIRST_IMAGE: u64 = 913_744_226_420_000_000;
/// The help page's figure for the desktop.
const IMAGE_LIMIT: usize = 20 * 1024 * 1024;

fn pin_node(scene: &Scene<'_>, pin: &Post) -> Value {
    let or_null = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let pictures: Vec<Value> = pin
        .images
        .iter()
        .filter_map(|id| scene.realm.images.get(&number(id.parse::<u64>().ok()?.checked_sub(FIRST_IMAGE)?)))
        .map(|image| {
            let url = scene.config.public(&format!("/pinterest/media/{}", image.id));
            json!({ "600x": { "width": image.width, "height": image.height, "url": url } })
        })
        .collect();
    let media = if pictures.len() > 1 {
        json!({ "media_type": "multiple_images", "items": pictures.iter().map(|images| json!({ "images": images })).collect::<Vec<_>>() })
    } else {
        json!({ "media_type": "image", "images": pictures.first() })
    };
    let owner = scene.realm.person_by_id(&pin.account).map(|person| person.username.clone());
    json!({
        "id": pin.id, "created_at": moment::pinterest(pin.created_at), "board_id": pin.place, "board_section_id": null,
        "title": or_null(&pin.title), "description": or_null(&pin.text), "link": or_null(&pin.link),
        "alt_text": or_null(&pin.alt), "dominant_color": null, "creative_type": "REGULAR", "is_owner": true,
        "is_standard": true, "has_been_promoted": false, "parent_pin_id": null, "note": "",
        "board_owner": { "username": owner }, "media": media,
    })
}

/// A pin of the caller's, or the refusal.
fn own_pin(scene: &Scene<'_>, caller: &Caller, id: &str) -> Result<(String, Post), Stop> {
    let n = id.parse::<u64>().ok().and_then(|n| n.checked_sub(FIRST_PIN));
    let found = n.map(number).and_then(|key| Some((key.clone(), scene.realm.posts.get(&key)?.clone())));
    match found.filter(|(_, pin)| pin.account == caller.person.id && pin.deleted_at.is_none()) {
        Some(found) => Ok(found),
        None => Err(error::pin_not_found().into()),
    }
}

pub(crate) fn one(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read", "pins:read"])?;
    let (_, pin) = own_pin(scene, &caller, id)?;
    Ok(Answer::ok(pin_node(scene, &pin)))
}

pub(crate) fn list(scene: &Scene<'_>, call: &Call, board: Option<&str>) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read", "pins:read"])?;
    if let Some(id) = board {
        find(scene, &caller, id)?;
    }
    let pins: Vec<Value> = scene
        .realm
        .posts
        .values()
        .rev()
        .filter(|pin| pin.account == caller.person.id && pin.is_listed(scene.now))
        .filter(|pin| board.is_none_or(|id| id == pin.place))
        .map(|pin| pin_node(scene, pin))
        .collect();
    Ok(Answer::ok(paged(call, &pins)?))
}

pub(crate) fn delete(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read", "boards:write", "pins:read", "pins:write"])?;
    let (key, _) = own_pin(scene, &caller, id)?;
    let now = scene.now;
    if let Some(pin) = scene.realm.posts.get_mut(&key) {
        pin.deleted_at = Some(now);
    }
    Ok(Answer::json(204, Value::Null))
}

/// `POST /pins`.
pub(crate) fn create(scene: &mut Scene<'_>, call: &Call) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read", "boards:write", "pins:read", "pins:write"])?;
    let Some(body) = &call.json else { return Err(error::bad_request("the body is not a JSON object").into()) };
    let board = text_of(&body["board_id"]).unwrap_or_default();
    if board.is_empty() || !board.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(error::bad_request("board_id must be digits").into());
    }
    let board = find(scene, &caller, &board)?;
    if !board.is_managed_by(&caller.person.slug) || (board.kind == "SECRET" && !caller.may("pins:write_secret")) {
        return Err(error::not_permitted().into());
    }
    if caller.person.blocked || board.blocked {
        return Err(error::spam().into());
    }
    let text = |name: &'static str, most: usize| match &body[name] {
        Value::Null => Ok(String::new()),
        Value::String(text) if text.chars().count() <= most => Ok(text.clone()),
        Value::String(_) => Err(Stop::from(error::bad_request(&format!("{name} is longer than {most} characters")))),
        _ => Err(Stop::from(error::bad_request(&format!("{name} must be text")))),
    };
    let pin = Post {
        title: text("title", 100)?,
        text: text("description", 800)?,
        alt: text("alt_text", 500)?,
        link: text("link", 2_048)?,
        ..Post::default()
    };
    if !pin.link.is_empty() && !url::Url::parse(&pin.link).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(error::refuse(400, 1, "Invalid URL or request data.").into());
    }
    let pictures = pictures(call, &body["media_source"])?;
    let mut looks = Vec::new();
    for bytes in &pictures {
        looks.push(checked(scene, bytes)?);
    }
    let mut images = Vec::new();
    for (bytes, look) in pictures.iter().zip(looks) {
        let n = scene.realm.images.next_number();
        let id = (FIRST_IMAGE + n).to_string();
        let image = Image {
            id: id.clone(),
            place: board.id.clone(),
            content_type: look.content_type.to_owned(),
            width: look.width,
            height: look.height,
            bytes: bytes.len() as u64,
            alt: pin.alt.clone(),
            created_at: scene.now,
        };
        scene.realm.images.insert(number(n), image);
        scene.media.put(&format!("pinterest-{id}"), bytes);
        images.push(id);
    }
    let n = scene.realm.posts.next_number();
    let pin = Post {
        id: (FIRST_PIN + n).to_string(),
        place: board.id,
        account: caller.person.id,
        images,
        created_at: scene.now,
        listed_at: scene.now + scene.lag,
        is_public: board.kind != "SECRET",
        ..pin
    };
    let node = pin_node(scene, &pin);
    scene.realm.posts.insert(number(n), pin);
    Ok(Answer::json(201, node))
}

/// The image files of a `media_source`.
fn pictures(call: &Call, source: &Value) -> Result<Vec<Bytes>, Stop> {
    let items = || match source["items"].as_array() {
        Some(items) if (2..=5).contains(&items.len()) => Ok(items.clone()),
        _ => Err(Stop::from(error::bad_request("media_source.items must have 2 to 5 elements"))),
    };
    match source["source_type"].as_str() {
        Some("image_base64") => Ok(vec![decoded(source)?]),
        Some("multiple_image_base64") => items()?.iter().map(decoded).collect(),
        Some("image_url") => fetched(call, std::slice::from_ref(source)),
        Some("multiple_image_urls") => fetched(call, &items()?),
        Some("video_id") => Err(error::refuse(404, 404, "Media upload not found.").into()),
        _ => Err(error::bad_request("media_source.source_type").into()),
    }
}

fn decoded(item: &Value) -> Result<Bytes, Stop> {
    if !matches!(item["content_type"].as_str(), Some("image/jpeg" | "image/png")) {
        return Err(error::bad_request("content_type must be image/jpeg or image/png").into());
    }
    let data = item["data"].as_str().unwrap_or_default();
    match STANDARD.decode(data) {
        Ok(bytes) if !bytes.is_empty() => Ok(Bytes::from(bytes)),
        _ => Err(error::bad_request("data is not base64").into()),
    }
}

fn fetched(call: &Call, items: &[Value]) -> Result<Vec<Bytes>, Stop> {
    let bad_url = || Stop::from(error::refuse(400, 1, "Invalid URL or request data."));
    let mut addresses = Vec::new();
    for item in items {
        let address = item["url"].as_str().unwrap_or_default();
        if !is_fetchable(address) {
            return Err(bad_url());
        }
        addresses.push(address.to_owned());
    }
    if addresses.iter().any(|address| !call.fetched.contains_key(address)) {
        return Err(Stop::Fetch(addresses));
    }
    addresses.iter().map(|address| call.fetched.get(address).cloned().flatten().ok_or_else(bad_url)).collect()
}

fn checked(scene: &Scene<'_>, bytes: &Bytes) -> Result<crate::media::Look, Stop> {
    let seen = match look(bytes) {
        Ok(seen) => seen,
        Err(BadImage::Format | BadImage::Broken) => {
            return Err(error::refuse(403, 235, "Sorry! This image is broken. Please try another one.").into());
        }
    };
    if bytes.len() > IMAGE_LIMIT {
        return Err(error::bad_request("the image is larger than 20 MB").into());
    }
    let least = scene.realm.knobs().min_image_side;
    if seen.width < least || seen.height < least {
        return Err(error::refuse(403, 233, "Sorry! This image is too small. Please choose a larger image.").into());
    }
    Ok(seen)
}
