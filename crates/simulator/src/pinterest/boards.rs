//! The profile and the boards (section 4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::error;
use super::tokens::{Caller, caller};
use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::Scene;
use crate::moment;
use crate::world::Place;

pub(crate) fn user_account(scene: &Scene<'_>, call: &Call) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["user_accounts:read"])?;
    let person = &caller.person;
    let boards = scene.realm.places.values().filter(|board| board.is_managed_by(&person.slug)).count();
    let pins = scene.realm.posts.values().filter(|pin| pin.account == person.id && pin.is_listed(scene.now)).count();
    Ok(Answer::ok(json!({
        "id": person.id, "username": person.username, "account_type": "BUSINESS",
        "profile_image": scene.config.public(&format!("/pinterest/picture/{}.svg", person.id)),
        "website_url": "", "about": "", "business_name": person.name, "board_count": boards, "pin_count": pins,
        "follower_count": 10, "following_count": 3, "monthly_views": null,
    })))
}

fn board_node(scene: &Scene<'_>, caller: &Caller, board: &Place) -> Value {
    let pins = scene.realm.posts.values().filter(|pin| pin.place == board.id && pin.is_listed(scene.now)).count();
    json!({
        "id": board.id, "name": board.name, "description": "", "owner": { "username": caller.person.username },
        "privacy": board.kind, "pin_count": pins, "follower_count": 0, "collaborator_count": 0,
        "created_at": moment::pinterest(caller.consent.at), "board_pins_modified_at": null, "is_ads_only": false,
    })
}

/// Boards the caller sees: secret ones only with the scope for them.
fn visible<'a>(scene: &'a Scene<'_>, caller: &'a Caller) -> impl Iterator<Item = &'a Place> {
    scene
        .realm
        .places
        .values()
        .filter(|board| !board.gone && board.people.contains(&caller.person.slug))
        .filter(|board| board.kind != "SECRET" || caller.may("boards:read_secret"))
}

/// A board the caller sees, or the refusal.
pub(crate) fn find(scene: &Scene<'_>, caller: &Caller, id: &str) -> Result<Place, Stop> {
    match visible(scene, caller).find(|board| board.id == id) {
        Some(board) => Ok(board.clone()),
        None => Err(error::board_not_found().into()),
    }
}

pub(crate) fn list(scene: &Scene<'_>, call: &Call) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read"])?;
    let privacy = call.param("privacy").unwrap_or("ALL");
    if !["ALL", "PUBLIC", "PROTECTED", "SECRET", "PUBLIC_AND_SECRET"].contains(&privacy) {
        return Err(error::bad_request("privacy").into());
    }
    let boards: Vec<Value> = visible(scene, &caller)
        .filter(|board| board.is_managed_by(&caller.person.slug))
        .filter(|board| privacy == "ALL" || privacy.contains(&board.kind))
        .map(|board| board_node(scene, &caller, board))
        .collect();
    Ok(Answer::ok(paged(call, &boards)?))
}

pub(crate) fn one(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read"])?;
    let board = find(scene, &caller, id)?;
    if !board.is_managed_by(&caller.person.slug) {
        return Err(error::not_permitted().into());
    }
    Ok(Answer::ok(board_node(scene, &caller, &board)))
}

pub(crate) fn sections(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    caller.needs(&["boards:read"])?;
    find(scene, &caller, id)?;
    Ok(Answer::ok(paged(call, &[])?))
}

/// One page of a list with the bookmark of the next. The bookmark is an offset, coded so that nobody reads it.
pub(crate) fn paged(call: &Call, all: &[Value]) -> Result<Value, Stop> {
    let size = match call.param("page_size") {
        None => 25,
        Some(text) => match text.parse::<usize>() {
            Ok(size) if (1..=250).contains(&size) => size,
            _ => return Err(error::bad_request("page_size must be between 1 and 250").into()),
        },
    };
    let start = match call.param("bookmark").filter(|mark| !mark.is_empty()) {
        None => 0,
        Some(mark) => offset(mark).ok_or_else(|| Stop::from(error::bad_request("bookmark")))?,
    };
    let items: Vec<&Value> = all.iter().skip(start).take(size).collect();
    let end = start.saturating_add(items.len());
    let bookmark = (end < all.len()).then(|| URL_SAFE_NO_PAD.encode(format!("from:{end}")));
    Ok(json!({ "items": items, "bookmark": bookmark }))
}

fn offset(mark: &str) -> Option<usize> {
    let plain = URL_SAFE_NO_PAD.decode(mark).ok()?;
    std::str::from_utf8(&plain).ok()?.strip_prefix("from:")?.parse().ok()
}
