//! What the consent dialogs of both platforms share: who asks, where the answer goes, who is signing in.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::{Host, Url};

use crate::call::pairs;
use crate::drive::Scene;
use crate::secret::fingerprint;
use crate::world::{App, Code};

/// An authorization code lives this long, by the wall clock (the platforms say "short").
const CODE_LIFE: Duration = Duration::from_secs(600);

/// The query of a dialog, checked as far as both platforms check it.
pub(crate) struct Asked {
    pub(crate) app: App,
    pub(crate) redirect: Url,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The query without the choice of a person.
    pub(crate) fn without_person(&self) -> String {
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(self.query.iter().filter(|(name, _)| name != "person"));
        out.finish()
    }

    pub(crate) fn origin(&self) -> String {
        self.redirect.origin().ascii_serialization()
    }

    /// Back to the app with these fields and the state.
    pub(crate) fn back(&self, fields: &[(&str, &str)], cookie: Option<String>) -> Response {
        let mut target = self.redirect.clone();
        {
            let mut query = target.query_pairs_mut();
            query.extend_pairs(fields);
            if let Some(state) = &self.state {
                query.append_pair("state", state);
            }
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Ok(target) = HeaderValue::from_str(target.as_str()) {
            headers.insert(header::LOCATION, target);
        }
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// Reads the query of a dialog. The error is a title and a sentence for the person.
pub(crate) fn read(scene: &Scene<'_>, query: &str) -> Result<Asked, (&'static str, String)> {
    let query = pairs(query.as_bytes());
    let get = |name: &str| query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let client = get("client_id").unwrap_or_default();
    let Some(app) = scene.realm.apps.get(client) else {
        return Err(("Invalid app id", "The provided app id does not look like a valid app id.".to_owned()));
    };
    let redirect_uri = get("redirect_uri").unwrap_or_default();
    let Some(redirect) = Url::parse(redirect_uri).ok().filter(|url| is_registered(scene.realm.name, app, redirect_uri, url)) else {
        let text = "This redirect failed because the redirect URI is not white-listed in the app's settings.";
        return Err(("URL blocked", text.to_owned()));
    };
    if get("response_type").is_some_and(|kind| kind != "code") {
        return Err(("Invalid request", "Only the response type code exists here.".to_owned()));
    }
    let mut scopes: Vec<String> = Vec::new();
    for scope in get("scope").unwrap_or_default().split([',', ' ', '+']).filter(|scope| !scope.is_empty()) {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(Asked {
        app: app.clone(),
        redirect,
        redirect_uri: redirect_uri.to_owned(),
        state: get("state").map(str::to_owned),
        scopes,
        query: query.clone(),
    })
}

/// Listed for the app, or the callback path of the app on this machine.
fn is_registered(realm: &str, app: &App, text: &str, url: &Url) -> bool {
    if app.redirect_uris.iter().any(|known| known == text) {
        return true;
    }
    let is_loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    is_loopback
        && matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.fragment().is_none()
        && url.path() == format!("/oauth/{realm}/callback")
}

/// Makes a code for a consent that was just given.
pub(crate) fn issue_code(scene: &mut Scene<'_>, asked: &Asked, consent: String) -> String {
    let text = scene.secret(96);
    let code = Code {
        client: asked.app.client_id.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        consent,
        expires_at: scene.wall + CODE_LIFE,
        used: false,
    };
    scene.realm.codes.insert(fingerprint(&text), code);
    scene.realm.issued.push(text.clone());
    text
}

/// The cookie that remembers who signed in here last, as the platform's own session would.
pub(crate) fn session_cookie(realm: &str, slug: &str) -> String {
    format!("rehearsal_{realm}={slug}; Path=/; HttpOnly; SameSite=Lax")
}

/// Who signed in here last.
pub(crate) fn session(realm: &str, headers: &HeaderMap) -> Option<String> {
    let wanted = format!("rehearsal_{realm}");
    let all = headers.get_all(header::COOKIE);
    all.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted).then(|| value.to_owned())
    })
}
