//! Facebook's tokens: how they are made, and why one is refused.

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::json;

use super::error::GraphError;
use super::pages::can_manage;
use crate::call::{Answer, Call, Outcome};
use crate::drive::Scene;
use crate::moment;
use crate::secret;
use crate::world::{Consent, Death, Person, Place, Token, TokenKind};

/// Letters after `EAA`.
const LENGTH: usize = 120;

/// The token a call carries, if we ever issued it. It may be dead.
pub(crate) fn presented(scene: &Scene<'_>, call: &Call) -> Option<(String, Token)> {
    let text = call.param("access_token").or_else(|| call.bearer())?;
    let token = scene.realm.token(text)?;
    Some((text.to_owned(), token.clone()))
}

/// Who a call speaks for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) key: String,
    pub(crate) token: Token,
    pub(crate) consent: Consent,
    pub(crate) person: Person,
    /// The Page, with a Page token.
    pub(crate) page: Option<Place>,
}

impl Caller {
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.consent.scopes.contains(scope)
    }
}

/// The remote ids behind a call's token or code: the Page alone with a Page token, else the person and all Pages.
pub(crate) fn accounts_of(scene: &Scene<'_>, call: &Call) -> Vec<String> {
    let given = presented(scene, call).map(|(_, token)| token).or_else(|| {
        let text = call.param("fb_exchange_token").or_else(|| call.param("input_token"))?;
        scene.realm.token(text).cloned()
    });
    let (key, page) = match given {
        Some(Token { kind: TokenKind::Page(page), consent, .. }) => (consent, Some(page)),
        Some(token) => (token.consent, None),
        None => match call.param("code").and_then(|code| scene.realm.code(code)) {
            Some(code) => (code.consent.clone(), None),
            None => return Vec::new(),
        },
    };
    let Some(consent) = scene.realm.consents.get(&key) else { return Vec::new() };
    let person = scene.realm.people.get(&consent.person).map(|person| person.id.clone());
    match page {
        Some(page) => std::iter::once(page).chain(person).collect(),
        None => person.into_iter().chain(consent.places.iter().cloned()).collect(),
    }
}

/// The caller of a call that needs a live user or Page token.
pub(crate) fn caller(scene: &Scene<'_>, call: &Call) -> Result<Caller, GraphError> {
    let Some(text) = call.param("access_token").or_else(|| call.bearer()) else {
        return Err(GraphError::new(400, 104, "An access token is required to request this resource."));
    };
    check_proof(scene, call, text)?;
    let Some(token) = scene.realm.token(text) else {
        return Err(GraphError::token(None, "Invalid OAuth access token - Cannot parse access token"));
    };
    live(scene, text, token)
}

/// A live token's caller, or why it is refused (Meta notes 0.4, A.2, A.3).
pub(crate) fn live(scene: &Scene<'_>, key: &str, token: &Token) -> Result<Caller, GraphError> {
    let consent = scene.realm.consents.get(&token.consent);
    let person = consent.and_then(|consent| scene.realm.people.get(&consent.person));
    let (Some(consent), Some(person)) = (consent, person) else {
        return Err(GraphError::token(None, "Invalid OAuth access token."));
    };
    match token.death {
        Some(Death::Revoked | Death::Reused) => {
            let message = format!("Error validating access token: The user has not authorized application {}.", consent.client);
            return Err(GraphError::token(Some(458), message));
        }
        Some(Death::PasswordChanged) => {
            return Err(GraphError::token(
                Some(460),
                "Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.",
            ));
        }
        None => {}
    }
    if let Some(end) = token.expires_at.filter(|end| *end <= scene.now) {
        let message = format!(
            "Error validating access token: Session has expired on {}. The current time is {}.",
            moment::pacific(end),
            moment::pacific(scene.now)
        );
        return Err(GraphError::token(Some(463), message));
    }
    if person.gone {
        return Err(GraphError::token(Some(467), "Error validating access token: The session is invalid because the user logged out."));
    }
    if person.checkpoint {
        return Err(GraphError::token(
            Some(459),
            "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the instructions given.",
        ));
    }
    if consent.at + Duration::from_secs(scene.realm.knobs().data_access_seconds) <= scene.now {
        return Err(GraphError::token(
            Some(493),
            "The access token is invalid since the user hasn't engaged the app in longer than 90 days.",
        ));
    }
    let page = match &token.kind {
        TokenKind::Page(id) => Some(page_of(scene, consent, person, id)?),
        _ => None,
    };
    Ok(Caller { key: key.to_owned(), token: token.clone(), consent: consent.clone(), person: person.clone(), page })
}

fn page_of(scene: &Scene<'_>, consent: &Consent, person: &Person, id: &str) -> Result<Place, GraphError> {
    let Some(place) = scene.realm.places.get(id).filter(|place| !place.gone) else {
        return Err(GraphError::unknown_object(id, "get"));
    };
    if !place.is_managed_by(&person.slug) {
        return Err(GraphError::token(Some(492), "Error validating access token: The user does not have an appropriate role on the page."));
    }
    if !consent.places.contains(id) {
        return Err(GraphError::token(
            None,
            "Any of the pages_read_engagement, pages_manage_metadata, pages_read_user_content, pages_manage_ads, pages_show_list or pages_messaging permission(s) must be granted before impersonating a user's page.",
        ));
    }
    Ok(place.clone())
}

/// `appsecret_proof`, where one is sent (Meta notes 0.7).
fn check_proof(scene: &Scene<'_>, call: &Call, token: &str) -> Result<(), GraphError> {
    let Some(proof) = call.param("appsecret_proof") else { return Ok(()) };
    let client = scene.realm.token(token).and_then(|token| scene.realm.consents.get(&token.consent));
    let Some(app) = client.and_then(|consent| scene.realm.apps.get(&consent.client)) else { return Ok(()) };
    if secret::proof(&app.client_secret, token) == proof {
        return Ok(());
    }
    Err(GraphError::bad_proof())
}

/// `oauth/access_token`: a code becomes a short token, a token a long one (section 1).
pub(crate) fn access_token(scene: &mut Scene<'_>, call: &Call) -> Outcome {
    let client = call.param("client_id").unwrap_or_default().to_owned();
    let Some(app) = scene.realm.apps.get(&client).cloned() else {
        let message = "Error validating application. Cannot get application info due to a system error.";
        return Err(GraphError::new(400, 101, message).into());
    };
    if call.param("client_secret") != Some(&app.client_secret) {
        return Err(GraphError::new(400, 1, "Error validating client secret.").into());
    }
    match call.param("grant_type") {
        Some("fb_exchange_token") => exchange(scene, call, &client),
        Some("client_credentials") => Ok(Answer::ok(json!({
            "access_token": format!("{client}|{}", app.client_secret), "token_type": "bearer",
        }))),
        None | Some("authorization_code") => code(scene, call, &client),
        Some(_) => Err(GraphError::new(400, 1, "(#1) Invalid grant_type").into()),
    }
}

fn code(scene: &mut Scene<'_>, call: &Call, client: &str) -> Outcome {
    let Some(text) = call.param("code") else {
        return Err(GraphError::code(None, "Missing authorization code").into());
    };
    let wall = scene.wall;
    let Some(code) = scene.realm.code_mut(text) else {
        return Err(GraphError::code(None, "Invalid verification code format.").into());
    };
    if code.used {
        return Err(GraphError::code(Some(36009), "This authorization code has been used.").into());
    }
    if code.expires_at <= wall {
        return Err(GraphError::code(Some(36007), "This authorization code has expired.").into());
    }
    if code.client != client || call.param("redirect_uri") != Some(&code.redirect_uri) {
        let message = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request";
        return Err(GraphError::code(Some(36008), message).into());
    }
    code.used = true;
    let consent = code.consent.clone();
    let life = scene.realm.knobs().short_token_seconds;
    let token = mint(scene, TokenKind::Short, &consent, Some(scene.now + Duration::from_secs(life)));
    Ok(Answer::ok(json!({ "access_token": token, "token_type": "bearer", "expires_in": life })))
}

fn exchange(scene: &mut Scene<'_>, call: &Call, client: &str) -> Outcome {
    let text = call.param("fb_exchange_token").unwrap_or_default();
    let Some(token) = scene.realm.token(text) else {
        return Err(GraphError::token(None, "Invalid OAuth access token - Cannot parse access token").into());
    };
    let caller = live(scene, text, token)?;
    if caller.consent.client != client || caller.page.is_some() {
        return Err(GraphError::token(None, "Invalid OAuth access token.").into());
    }
    let knobs = scene.realm.knobs();
    let full = scene.now + Duration::from_secs(knobs.long_token_seconds);
    // UNVERIFIED whether a long-lived token exchanged again ends later. The careful reading: it does not.
    let end = match caller.token.kind {
        TokenKind::Long if !knobs.exchange_extends => caller.token.expires_at.unwrap_or(full),
        _ => full,
    };
    let fresh = mint(scene, TokenKind::Long, &caller.token.consent, Some(end));
    let left = end.since(scene.now).as_secs();
    Ok(Answer::ok(json!({ "access_token": fresh, "token_type": "bearer", "expires_in": left })))
}

fn mint(scene: &mut Scene<'_>, kind: TokenKind, consent: &str, expires_at: Option<Timestamp>) -> String {
    let text = format!("EAA{}", scene.secret(LENGTH));
    keep(scene, &text, kind, consent, expires_at);
    text
}

fn keep(scene: &mut Scene<'_>, text: &str, kind: TokenKind, consent: &str, expires_at: Option<Timestamp>) {
    let token = Token { kind, consent: consent.to_owned(), issued_at: scene.now, expires_at, death: None, spent_at: None };
    scene.realm.tokens.insert(secret::fingerprint(text), token);
    scene.realm.issued.push(text.to_owned());
}

/// A long-lived user token, as if one had just been exchanged.
pub(crate) fn mint_long(scene: &mut Scene<'_>, consent: &str) -> String {
    let end = scene.now + Duration::from_secs(scene.realm.knobs().long_token_seconds);
    mint(scene, TokenKind::Long, consent, Some(end))
}

/// The Page's token under this user token, the same at every call. It ends with the user token, or never when that
/// is long-lived and the knob `page_token_endless` is turned.
pub(crate) fn mint_page(scene: &mut Scene<'_>, user_token: &str, page: &str) -> Option<String> {
    let parent = scene.realm.token(user_token)?.clone();
    let text = format!("EAA{}", secret::derived(user_token, page, LENGTH));
    if scene.realm.token(&text).is_none() {
        let is_endless = parent.kind == TokenKind::Long && scene.realm.knobs().page_token_endless;
        let end = if is_endless { None } else { parent.expires_at };
        keep(scene, &text, TokenKind::Page(page.to_owned()), &parent.consent, end);
    }
    Some(text)
}

/// `debug_token` (section 4). A dead input token is answered with 200 and `is_valid: false`.
pub(crate) fn debug_token(scene: &Scene<'_>, call: &Call) -> Outcome {
    let inspector = call.param("access_token").or_else(|| call.bearer()).unwrap_or_default();
    let client = match inspector.split_once('|') {
        Some((id, secret)) => scene.realm.apps.get(id).filter(|app| app.client_secret == secret).map(|app| app.client_id.clone()),
        None => Some(caller(scene, call)?.consent.client),
    };
    let Some(client) = client else {
        return Err(GraphError::token(None, "Invalid OAuth access token signature.").into());
    };
    let input = call.param("input_token").unwrap_or_default();
    let found = scene.realm.token(input);
    let consent = found.and_then(|token| scene.realm.consents.get(&token.consent));
    let (Some(token), Some(consent)) = (found, consent.filter(|consent| consent.client == client)) else {
        let error = json!({ "code": 190, "message": "Invalid OAuth access token." });
        return Ok(Answer::ok(json!({ "data": { "error": error, "is_valid": false, "scopes": [] } })));
    };
    let user_id = scene.realm.people.get(&consent.person).map(|person| person.id.clone()).unwrap_or_default();
    let application = scene.realm.apps.get(&client).map(|app| app.name.clone()).unwrap_or_default();
    let data_access = consent.at + Duration::from_secs(scene.realm.knobs().data_access_seconds);
    let mut data = json!({
        "app_id": client,
        "type": if matches!(token.kind, TokenKind::Page(_)) { "PAGE" } else { "USER" },
        "application": application,
        "data_access_expires_at": data_access.as_seconds(),
        "expires_at": token.expires_at.map_or(0, Timestamp::as_seconds),
        "is_valid": true,
        "scopes": consent.scopes,
        "user_id": user_id,
    });
    if token.kind != TokenKind::Short {
        data["issued_at"] = json!(token.issued_at.as_seconds());
    }
    if let TokenKind::Page(page) = &token.kind {
        data["profile_id"] = json!(page);
    }
    match live(scene, input, token) {
        Ok(caller) => {
            let pages: Vec<&String> = consent.places.iter().filter(|id| can_manage(scene, &caller.person.slug, id)).collect();
            let granular = consent.scopes.iter().map(|scope| {
                if scope.starts_with("pages_") { json!({ "scope": scope, "target_ids": pages }) } else { json!({ "scope": scope }) }
            });
            data["granular_scopes"] = granular.collect();
        }
        Err(error) => {
            data["is_valid"] = json!(false);
            data["scopes"] = json!([]);
            data["error"] = error.inside_debug();
        }
    }
    Ok(Answer::ok(json!({ "data": data })))
}
