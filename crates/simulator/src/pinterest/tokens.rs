//! Pinterest's token pairs and their rotation (sections 1 and 2).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::error;
use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::Scene;
use crate::secret;
use crate::strike::kill;
use crate::world::{Consent, Death, Person, Token, TokenKind};

/// Letters after `pina_` and `pinr_`.
const LENGTH: usize = 72;

/// The remote id behind a call's access token, refresh token or code.
pub(crate) fn person_of(scene: &Scene<'_>, call: &Call) -> Option<String> {
    let text = call.param("refresh_token").or_else(|| call.bearer());
    let consent = match text.and_then(|text| scene.realm.token(text)) {
        Some(token) => token.consent.clone(),
        None => scene.realm.code(call.param("code")?)?.consent.clone(),
    };
    Some(scene.realm.person_of(&consent)?.id.clone())
}

/// Who a call speaks for.
pub(crate) struct Caller {
    pub(crate) consent: Consent,
    pub(crate) person: Person,
}

impl Caller {
    /// Refuses with 401/3 and names what is missing.
    pub(crate) fn needs(&self, scopes: &[&str]) -> Result<(), Stop> {
        let missing: Vec<&str> = scopes.iter().filter(|scope| !self.consent.scopes.contains(**scope)).copied().collect();
        if missing.is_empty() { Ok(()) } else { Err(error::missing_scopes(&missing).into()) }
    }

    pub(crate) fn may(&self, scope: &str) -> bool {
        self.consent.scopes.contains(scope)
    }
}

/// The caller of a call that needs a live access token.
pub(crate) fn caller(scene: &Scene<'_>, call: &Call) -> Result<Caller, Stop> {
    let token = call.bearer().and_then(|text| scene.realm.token(text));
    let Some(token) = token.filter(|token| token.kind == TokenKind::Access && is_alive(scene, token)) else {
        return Err(error::unauthenticated().into());
    };
    let consent = scene.realm.consents.get(&token.consent);
    let person = scene.realm.person_of(&token.consent);
    let (Some(consent), Some(person)) = (consent, person) else { return Err(error::unauthenticated().into()) };
    if person.gone {
        return Err(error::refuse(404, 30, "User not found.").into());
    }
    if person.checkpoint {
        return Err(error::refuse(403, 2626, "Your account is under review.").into());
    }
    Ok(Caller { consent: consent.clone(), person: person.clone() })
}

fn is_alive(scene: &Scene<'_>, token: &Token) -> bool {
    token.death.is_none() && token.expires_at.is_none_or(|end| end > scene.now)
}

/// `POST oauth/token`, with the app's id and secret as HTTP Basic.
pub(crate) fn token(scene: &mut Scene<'_>, call: &Call) -> Outcome {
    let client = authenticated(scene, call)?;
    match call.param("grant_type") {
        Some("authorization_code") => exchange(scene, call, &client),
        Some("refresh_token") => refresh(scene, call, &client),
        _ => Err(error::bad_request("grant_type must be authorization_code or refresh_token").into()),
    }
}

fn authenticated(scene: &Scene<'_>, call: &Call) -> Result<String, Stop> {
    let known = call
        .basic()
        .and_then(|(id, secret)| scene.realm.apps.get(&id).filter(|app| app.client_secret == secret).map(|app| app.client_id.clone()));
    known.ok_or_else(|| error::unauthenticated().into())
}

fn exchange(scene: &mut Scene<'_>, call: &Call, client: &str) -> Outcome {
    let wall = scene.wall;
    let Some(code) = call.param("code").and_then(|text| scene.realm.code_mut(text)) else {
        return Err(error::bad_grant().into());
    };
    if code.used || code.expires_at <= wall || code.client != client {
        return Err(error::bad_grant().into());
    }
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        return Err(error::bad_request("redirect_uri does not match").into());
    }
    code.used = true;
    let consent = code.consent.clone();
    let (access, refresh) = mint_pair(scene, &consent);
    Ok(Answer::ok(pair(scene, &access, &refresh, "authorization_code")))
}

/// A new pair for a refresh token. The old one dies at once, unless a grace is set.
fn refresh(scene: &mut Scene<'_>, call: &Call, client: &str) -> Outcome {
    let text = call.param("refresh_token").unwrap_or_default().to_owned();
    let knobs = scene.realm.knobs();
    let Some(token) = scene.realm.token(&text).cloned() else { return Err(error::bad_grant().into()) };
    let is_ours =
        token.kind == TokenKind::Refresh && scene.realm.consents.get(&token.consent).is_some_and(|consent| consent.client == client);
    let is_person_here = scene.realm.person_of(&token.consent).is_some_and(|person| !person.gone);
    if !is_ours || !is_person_here || !is_alive(scene, &token) {
        return Err(error::bad_grant().into());
    }
    if let Some(at) = token.spent_at {
        let is_in_grace = scene.now < at + Duration::from_secs(knobs.refresh_grace_seconds);
        if !is_in_grace {
            if knobs.revoke_family_on_reuse {
                kill(scene.realm, &BTreeSet::from([token.consent.clone()]), Death::Reused);
            }
            return Err(error::bad_grant().into());
        }
    }
    let fresh = if knobs.grace_same_pair {
        let of_this = |name: &str| secret::derived(&text, name, LENGTH);
        (format!("pina_{}", of_this("access")), format!("pinr_{}", of_this("refresh")))
    } else {
        (format!("pina_{}", scene.secret(LENGTH)), format!("pinr_{}", scene.secret(LENGTH)))
    };
    if scene.realm.token(&fresh.0).is_none() {
        keep_pair(scene, &token.consent, &fresh);
    }
    let now = scene.now;
    if let Some(old) = scene.realm.token_mut(&text) {
        old.spent_at.get_or_insert(now);
    }
    Ok(Answer::ok(pair(scene, &fresh.0, &fresh.1, "refresh_token")))
}

/// An access token (30 days) and a refresh token (60 days), by the knobs.
pub(crate) fn mint_pair(scene: &mut Scene<'_>, consent: &str) -> (String, String) {
    let fresh = (format!("pina_{}", scene.secret(LENGTH)), format!("pinr_{}", scene.secret(LENGTH)));
    keep_pair(scene, consent, &fresh);
    fresh
}

fn keep_pair(scene: &mut Scene<'_>, consent: &str, pair: &(String, String)) {
    let knobs = scene.realm.knobs();
    let mut keep = |text: &str, kind: TokenKind, life: u64| {
        let token = Token {
            kind,
            consent: consent.to_owned(),
            issued_at: scene.now,
            expires_at: Some(scene.now + Duration::from_secs(life)),
            death: None,
            spent_at: None,
        };
        scene.realm.tokens.insert(secret::fingerprint(text), token);
        scene.realm.issued.push(text.to_owned());
    };
    keep(&pair.0, TokenKind::Access, knobs.access_token_seconds);
    keep(&pair.1, TokenKind::Refresh, knobs.refresh_token_seconds);
}

fn pair(scene: &Scene<'_>, access: &str, refresh: &str, response_type: &str) -> Value {
    let end_of = |key: &str| scene.realm.token(key).and_then(|token| token.expires_at).unwrap_or(scene.now);
    let scopes = scene.realm.token(access).and_then(|token| scene.realm.consents.get(&token.consent));
    let scope = scopes.map(|consent| consent.scopes.iter().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default();
    let mut body = json!({
        "access_token": access,
        "response_type": response_type,
        "token_type": "bearer",
        "expires_in": end_of(access).since(scene.now).as_secs(),
        "scope": scope,
        "refresh_token": refresh,
        "refresh_token_expires_in": end_of(refresh).since(scene.now).as_secs(),
    });
    if response_type == "refresh_token" {
        body["refresh_token_expires_at"] = json!(end_of(refresh).as_seconds());
    }
    body
}

/// Only system users may revoke; there are none here.
pub(crate) fn revoke(scene: &Scene<'_>, call: &Call) -> Outcome {
    authenticated(scene, call)?;
    Err(error::not_permitted().into())
}
