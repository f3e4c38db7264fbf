//! People, Pages, and what was allowed.

use serde_json::{Value, json};

use super::error::GraphError;
use super::fields::pick;
use super::tokens::{Caller, caller, mint_page};
use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::Scene;
use crate::strike;
use crate::world::{Person, Place};

pub(crate) fn can_manage(scene: &Scene<'_>, slug: &str, page: &str) -> bool {
    scene.realm.places.get(page).is_some_and(|place| place.is_managed_by(slug))
}

fn picture(scene: &Scene<'_>, id: &str) -> Value {
    let url = scene.config.public(&format!("/facebook/picture/{id}.svg"));
    json!({ "data": { "height": 50, "is_silhouette": false, "url": url, "width": 50 } })
}

fn person_node(scene: &Scene<'_>, person: &Person) -> Value {
    let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    json!({ "id": person.id, "name": person.name, "first_name": first, "last_name": last,
            "email": format!("{}@example.org", person.slug), "picture": picture(scene, &person.id),
            "link": scene.config.public(&format!("/facebook/{}", person.id)) })
}

fn page_node(scene: &Scene<'_>, page: &Place, access_token: Option<String>) -> Value {
    json!({ "id": page.id, "name": page.name, "username": page.username, "category": page.kind,
            "link": scene.config.public(&format!("/facebook/{}", page.id)), "is_published": true,
            "picture": picture(scene, &page.id), "access_token": access_token,
            "tasks": ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"],
            "instagram_business_account": null, "connected_instagram_account": null,
            "about": "A Page of the rehearsal.", "fan_count": 120, "followers_count": 120 })
}

/// `GET {id}`: the person, or a Page.
pub(crate) fn node(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    let fields = call.param("fields");
    if let Some(page) = &caller.page {
        if id != "me" && id != page.id {
            return Err(GraphError::unknown_object(id, "get").into());
        }
        let whole = page_node(scene, page, Some(caller.key.clone()));
        return Ok(Answer::ok(pick(&whole, fields, &["id", "name"], "Page")?));
    }
    if id == "me" || id == caller.person.id {
        let whole = person_node(scene, &caller.person);
        return Ok(Answer::ok(pick(&whole, fields, &["id", "name"], "User")?));
    }
    let page = reachable(scene, &caller, id)?;
    let token = mint_page(scene, &caller.key, &page.id);
    let whole = page_node(scene, &page, token);
    Ok(Answer::ok(pick(&whole, fields, &["id", "name"], "Page")?))
}

/// A Page that a user token may see.
fn reachable(scene: &Scene<'_>, caller: &Caller, id: &str) -> Result<Place, GraphError> {
    let is_theirs = caller.consent.places.contains(id) && can_manage(scene, &caller.person.slug, id);
    match scene.realm.places.get(id) {
        Some(page) if is_theirs => Ok(page.clone()),
        _ => Err(GraphError::unknown_object(id, "get")),
    }
}

/// The Page a call to `{id}/…` acts as. Only a Page token of that very Page can.
pub(crate) fn acting(scene: &Scene<'_>, call: &Call, id: &str) -> Result<(Caller, Place), Stop> {
    let caller = caller(scene, call)?;
    let Some(page) = caller.page.clone() else {
        reachable(scene, &caller, id).map_err(|_| GraphError::unknown_object(id, call.method.as_str()))?;
        let message = "(#210) A page access token is required to request this resource.";
        return Err(GraphError::new(403, 210, message).into());
    };
    if id != "me" && id != page.id {
        return Err(GraphError::unknown_object(id, call.method.as_str()).into());
    }
    Ok((caller, page))
}

/// `me/accounts`: the Pages that were ticked and are still managed. Without `pages_show_list`, none.
pub(crate) fn accounts(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    if caller.page.is_some() || (id != "me" && id != caller.person.id) {
        return Err(GraphError::unknown_object(id, "get").into());
    }
    let pages: Vec<Place> = scene
        .realm
        .places
        .values()
        .filter(|page| caller.may("pages_show_list") && caller.consent.places.contains(&page.id))
        .filter(|page| page.is_managed_by(&caller.person.slug))
        .cloned()
        .collect();
    let mut nodes = Vec::new();
    for page in pages {
        let token = mint_page(scene, &caller.key, &page.id);
        nodes.push(page_node(scene, &page, token));
    }
    let default = ["access_token", "category", "name", "id", "tasks"];
    let slice = paged(scene, call, &nodes, 25)?;
    let data: Result<Vec<Value>, GraphError> = slice.items.iter().map(|node| pick(node, call.param("fields"), &default, "Page")).collect();
    Ok(Answer::ok(slice.answer(data?)))
}

/// `{id}/permissions`.
pub(crate) fn permissions(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let caller = caller(scene, call)?;
    if id != "me" && id != caller.person.id {
        return Err(GraphError::unknown_object(id, "get").into());
    }
    let granted = caller.consent.scopes.iter().map(|scope| json!({ "permission": scope, "status": "granted" }));
    let declined = caller.consent.declined.iter().map(|scope| json!({ "permission": scope, "status": "declined" }));
    Ok(Answer::ok(json!({ "data": granted.chain(declined).collect::<Vec<_>>() })))
}

/// `DELETE {id}/permissions[/{name}]`, with a user token or an app token.
pub(crate) fn revoke(scene: &mut Scene<'_>, call: &Call, id: &str, name: Option<&str>) -> Outcome {
    let given = call.param("access_token").or_else(|| call.bearer()).unwrap_or_default();
    let key = match given.split_once('|') {
        Some((client, secret)) => {
            let is_known = scene.realm.apps.get(client).is_some_and(|app| app.client_secret == secret);
            let person = scene.realm.person_by_id(id);
            match person {
                Some(person) if is_known => super::consent_key(client, &person.slug),
                _ => return Err(GraphError::unknown_object(id, "delete").into()),
            }
        }
        None => {
            let caller = caller(scene, call)?;
            if id != "me" && id != caller.person.id {
                return Err(GraphError::unknown_object(id, "delete").into());
            }
            caller.token.consent
        }
    };
    match name {
        None => strike::revoke(scene.realm, &key),
        Some(name) => {
            if let Some(consent) = scene.realm.consents.get_mut(&key)
                && consent.scopes.remove(name)
            {
                consent.declined.insert(name.to_owned());
            }
        }
    }
    Ok(Answer::ok(json!({ "success": true })))
}

/// One page of a list.
pub(crate) struct Slice<T> {
    pub(crate) items: Vec<T>,
    before: String,
    after: String,
    next: Option<String>,
}

impl<T> Slice<T> {
    pub(crate) fn answer(&self, data: Vec<Value>) -> Value {
        if data.is_empty() {
            return json!({ "data": [] });
        }
        let mut paging = json!({ "cursors": { "before": self.before, "after": self.after } });
        if let Some(next) = &self.next {
            paging["next"] = json!(next);
        }
        json!({ "data": data, "paging": paging })
    }
}

/// Cuts a list by `limit` and `after`. The cursor is an offset, coded so that nobody reads it.
pub(crate) fn paged<T: Clone>(scene: &Scene<'_>, call: &Call, all: &[T], default: usize) -> Result<Slice<T>, GraphError> {
    let limit = match call.param("limit") {
        None => default,
        Some(text) => text.parse::<usize>().map_err(|_| GraphError::parameter("Param limit must be a number"))?,
    };
    let limit = limit.clamp(1, 100);
    let start = match call.param("after").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => offset(cursor).ok_or_else(|| GraphError::parameter("Invalid cursors values after"))?,
    };
    let items: Vec<T> = all.iter().skip(start).take(limit).cloned().collect();
    let end = start.saturating_add(items.len());
    let next = (end < all.len()).then(|| {
        let mut url = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &call.params {
            if name != "after" && name != "access_token" {
                url.append_pair(name, value);
            }
        }
        let token = call.param("access_token").or_else(|| call.bearer()).unwrap_or_default();
        url.append_pair("access_token", token).append_pair("after", &cursor(end));
        format!("{}?{}", scene.config.api(&call.path), url.finish())
    });
    Ok(Slice { items, before: cursor(start), after: cursor(end), next })
}

fn cursor(offset: usize) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("at:{offset}"))
}

fn offset(cursor: &str) -> Option<usize> {
    use base64::Engine;
    let plain = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&plain).ok()?.strip_prefix("at:")?.parse().ok()
}
