//! `dialog/oauth`: who signs in, with which Pages, allowing what (section 1).

use std::collections::BTreeSet;

use axum::response::Response;
use http::HeaderMap;

use super::{SCOPES, consent_key};
use crate::call::pairs;
use crate::consent::{Asked, issue_code, read, session, session_cookie};
use crate::drive::Scene;
use crate::page::{Dialog, Face, Tick, notice};
use crate::world::{Consent, Person, Place};

const ALWAYS: &str = "public_profile";

fn asked(scene: &Scene<'_>, query: &str) -> Result<Asked, Box<Response>> {
    let refuse = |title: &str, text: &str| Box::new(notice(400, scene.config.prefix(), "Facebook", title, text));
    let mut asked = read(scene, query).map_err(|(title, text)| refuse(title, &text))?;
    if let Some(unknown) = asked.scopes.iter().find(|scope| !SCOPES.iter().any(|(name, _)| name == scope)) {
        let unknown: String = unknown.chars().take(80).collect();
        return Err(refuse("Invalid Scopes", &format!("Invalid Scopes: {unknown}. This message is only shown to developers.")));
    }
    if !asked.scopes.iter().any(|scope| scope == ALWAYS) {
        asked.scopes.insert(0, ALWAYS.to_owned());
    }
    Ok(asked)
}

fn pages_of(scene: &Scene<'_>, person: &Person) -> Vec<Place> {
    scene.realm.places.values().filter(|page| page.is_managed_by(&person.slug)).cloned().collect()
}

/// Who signs in: chosen on the page, else the one of last time, else the first. With `reauthenticate` nobody yet.
fn chosen(scene: &Scene<'_>, asked: &Asked, headers: &HeaderMap) -> Option<Person> {
    let people = &scene.realm.people;
    let is_here = |person: &&Person| !person.gone;
    if let Some(slug) = asked.get("person") {
        return people.get(slug).filter(is_here).cloned();
    }
    if asked.get("auth_type").is_some_and(|kinds| kinds.split(',').any(|kind| kind == "reauthenticate")) {
        return None;
    }
    let last = session("facebook", headers).and_then(|slug| people.get(&slug)).filter(is_here);
    last.or_else(|| scene.realm.faces().into_iter().next()).cloned()
}

/// The page.
pub(crate) fn dialog(scene: &Scene<'_>, query: &str, headers: &HeaderMap) -> Response {
    let asked = match asked(scene, query) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let person = chosen(scene, &asked, headers);
    let is_rerequest = asked.get("auth_type").is_some_and(|kinds| kinds.split(',').any(|kind| kind == "rerequest"));
    let earlier = person
        .as_ref()
        .and_then(|person| scene.realm.consents.get(&consent_key(&asked.app.client_id, &person.slug)))
        .filter(|consent| !consent.scopes.is_empty());
    let mut notes = Vec::new();
    match (&person, earlier) {
        (None, _) => notes.push("Please sign in again: choose who you are.".to_owned()),
        (Some(person), _) if person.checkpoint => {
            notes.push(format!("Security check: by continuing you confirm that you are {}.", person.name));
        }
        (Some(_), Some(_)) if is_rerequest => {
            notes.push(format!("{} asks again. What you allowed before is ticked where you left it ticked.", asked.app.name));
        }
        (Some(_), Some(_)) => {
            notes.push(format!("You connected {} before. This is your earlier choice; you can continue at once.", asked.app.name));
        }
        _ => {}
    }
    let pages = person.as_ref().map(|person| pages_of(scene, person)).unwrap_or_default();
    if person.is_some() && pages.is_empty() {
        notes.push("You do not manage any Page.".to_owned());
    }
    let places = pages
        .iter()
        .map(|page| Tick {
            field: "page",
            value: page.id.clone(),
            label: page.name.clone(),
            note: page.kind.clone(),
            is_ticked: earlier.is_none_or(|consent| consent.places.contains(&page.id)),
            is_fixed: false,
            test_id: format!("page-{}", page.id),
        })
        .collect();
    let scopes = asked
        .scopes
        .iter()
        .map(|scope| Tick {
            field: "scope",
            value: scope.clone(),
            label: SCOPES.iter().find(|(name, _)| name == scope).map_or(scope.as_str(), |(_, label)| label).to_owned(),
            note: scope.clone(),
            // Asking again means to ask for what was declined; otherwise Facebook repeats the old choice.
            is_ticked: scope == ALWAYS || is_rerequest || earlier.is_none_or(|consent| !consent.declined.contains(scope)),
            is_fixed: scope == ALWAYS,
            test_id: format!("scope-{scope}"),
        })
        .collect();
    let people = scene
        .realm
        .faces()
        .into_iter()
        .map(|face| Face {
            slug: face.slug.clone(),
            name: face.name.clone(),
            note: match pages_of(scene, face).len() {
                0 => "no Pages".to_owned(),
                1 => "1 Page".to_owned(),
                n => format!("{n} Pages"),
            },
            is_chosen: person.as_ref().is_some_and(|person| person.slug == face.slug),
        })
        .collect();
    Dialog {
        prefix: scene.config.prefix().to_owned(),
        network: "Facebook",
        app: asked.app.name.clone(),
        people,
        query: asked.without_person(),
        places_heading: "Pages",
        places,
        scopes,
        notes,
        form_origin: asked.origin(),
        returns_to: asked.origin(),
    }
    .response()
}

/// The pressed button.
pub(crate) fn decide(scene: &mut Scene<'_>, query: &str, form: &[u8]) -> Response {
    let asked = match asked(scene, query) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let form = pairs(form);
    let all = |name: &str| form.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect::<BTreeSet<_>>();
    let one = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if one("decision") != Some("continue") {
        // UNVERIFIED for Facebook: the text is Instagram's and Threads'.
        return asked.back(
            &[
                ("error", "access_denied"),
                ("error_code", "200"),
                ("error_reason", "user_denied"),
                ("error_description", "The user denied your request"),
            ],
            None,
        );
    }
    let Some(person) = one("person").and_then(|slug| scene.realm.people.get(slug)).filter(|person| !person.gone).cloned() else {
        return notice(400, scene.config.prefix(), "Facebook", "Nobody was chosen", "Go back and choose who signs in.");
    };
    let ticked = all("scope");
    let key = consent_key(&asked.app.client_id, &person.slug);
    let mut scopes: BTreeSet<String> = BTreeSet::from([ALWAYS.to_owned()]);
    let mut declined = BTreeSet::new();
    // What was allowed before and is not asked now stays allowed.
    if let Some(earlier) = scene.realm.consents.get(&key) {
        scopes.extend(earlier.scopes.iter().filter(|scope| !asked.scopes.contains(scope)).cloned());
        declined.extend(earlier.declined.iter().filter(|scope| !asked.scopes.contains(scope)).cloned());
    }
    for scope in &asked.scopes {
        if ticked.contains(scope) || scope == ALWAYS {
            scopes.insert(scope.clone());
        } else {
            declined.insert(scope.clone());
        }
    }
    let chosen = all("page");
    let places = pages_of(scene, &person).into_iter().map(|page| page.id).filter(|id| chosen.contains(id)).collect();
    let consent = Consent { client: asked.app.client_id.clone(), person: person.slug.clone(), scopes, declined, places, at: scene.now };
    scene.realm.consents.insert(key.clone(), consent);
    if let Some(person) = scene.realm.people.get_mut(&person.slug) {
        person.checkpoint = false;
    }
    let code = issue_code(scene, &asked, key);
    asked.back(&[("code", &code)], Some(session_cookie("facebook", &person.slug)))
}
