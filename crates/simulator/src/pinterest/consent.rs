//! `oauth/`: who signs in, allowing what (section 1). What a real Pinterest sends back when somebody declines is
//! UNVERIFIED; here it is `error=access_denied`. Real scopes come together; here they can be unticked.

use std::collections::BTreeSet;

use axum::response::Response;
use http::HeaderMap;

use super::SCOPES;
use crate::call::pairs;
use crate::consent::{Asked, issue_code, read, session, session_cookie};
use crate::drive::Scene;
use crate::page::{Dialog, Face, Tick, notice};
use crate::world::{Consent, Person};

fn asked(scene: &Scene<'_>, query: &str) -> Result<Asked, Box<Response>> {
    let refuse = |title: &str, text: &str| Box::new(notice(400, scene.config.prefix(), "Pinterest", title, text));
    let asked = read(scene, query).map_err(|(title, text)| refuse(title, &text))?;
    if let Some(unknown) = asked.scopes.iter().find(|scope| !SCOPES.iter().any(|(name, _)| name == scope)) {
        let unknown: String = unknown.chars().take(80).collect();
        return Err(refuse("Invalid scope", &format!("Pinterest does not know the scope {unknown}.")));
    }
    Ok(asked)
}

fn chosen(scene: &Scene<'_>, asked: &Asked, headers: &HeaderMap) -> Option<Person> {
    let people = &scene.realm.people;
    let is_here = |person: &&Person| !person.gone;
    if let Some(slug) = asked.get("person") {
        return people.get(slug).filter(is_here).cloned();
    }
    let last = session("pinterest", headers).and_then(|slug| people.get(&slug)).filter(is_here);
    last.or_else(|| scene.realm.faces().into_iter().next()).cloned()
}

/// The page.
pub(crate) fn dialog(scene: &Scene<'_>, query: &str, headers: &HeaderMap) -> Response {
    let asked = match asked(scene, query) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let person = chosen(scene, &asked, headers);
    let mut notes = Vec::new();
    if let Some(person) = person.as_ref().filter(|person| person.checkpoint) {
        notes.push(format!("Security check: by continuing you confirm that you are {}.", person.name));
    }
    let scopes = asked
        .scopes
        .iter()
        .map(|scope| Tick {
            field: "scope",
            value: scope.clone(),
            label: SCOPES.iter().find(|(name, _)| name == scope).map_or(scope.as_str(), |(_, label)| label).to_owned(),
            note: scope.clone(),
            is_ticked: true,
            is_fixed: false,
            test_id: format!("scope-{scope}"),
        })
        .collect();
    let people = scene
        .realm
        .faces()
        .into_iter()
        .map(|face| {
            let boards: Vec<&str> =
                scene.realm.places.values().filter(|board| board.is_managed_by(&face.slug)).map(|board| board.name.as_str()).collect();
            Face {
                slug: face.slug.clone(),
                name: face.name.clone(),
                note: if boards.is_empty() { "no boards".to_owned() } else { format!("Boards: {}", boards.join(", ")) },
                is_chosen: person.as_ref().is_some_and(|person| person.slug == face.slug),
            }
        })
        .collect();
    Dialog {
        prefix: scene.config.prefix().to_owned(),
        network: "Pinterest",
        app: asked.app.name.clone(),
        people,
        query: asked.without_person(),
        places_heading: "Boards",
        places: Vec::new(),
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
    let one = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if one("decision") != Some("continue") {
        return asked.back(&[("error", "access_denied")], None);
    }
    let Some(slug) =
        one("person").and_then(|slug| scene.realm.people.get(slug)).filter(|person| !person.gone).map(|person| person.slug.clone())
    else {
        return notice(400, scene.config.prefix(), "Pinterest", "Nobody was chosen", "Go back and choose who signs in.");
    };
    let ticked: BTreeSet<&String> = form.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value).collect();
    let (scopes, declined) = asked.scopes.iter().cloned().partition(|scope| ticked.contains(scope));
    if let Some(person) = scene.realm.people.get_mut(&slug) {
        person.checkpoint = false;
    }
    let key = new_consent(scene, &asked.app.client_id, &slug, scopes, declined);
    let code = issue_code(scene, &asked, key);
    asked.back(&[("code", &code)], Some(session_cookie("pinterest", &slug)))
}

/// Every sign-in is a family of its own: its tokens rotate apart from those of other sign-ins.
pub(crate) fn new_consent(scene: &mut Scene<'_>, client: &str, slug: &str, scopes: BTreeSet<String>, declined: BTreeSet<String>) -> String {
    let key = format!("{client}/{slug}/{}", scene.secret(12));
    let consent = Consent { client: client.to_owned(), person: slug.to_owned(), scopes, declined, places: BTreeSet::new(), at: scene.now };
    scene.realm.consents.insert(key.clone(), consent);
    key
}
