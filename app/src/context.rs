//! `ssr` only: the one door from server functions to the backend.
//!
//! The server provides two contexts to pages and server functions alike (`leptos_routes_with_context`,
//! `handle_server_fns_with_context`): the [`Services`] and the request's [`Visitor`]. `leptos_axum` adds the request's
//! parts and the response's options.

use std::net::IpAddr;

use domain::role::Caller;
use domain::summary::refusal::{ErrorCode, Refusal};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::{PrefetchLazyFn, WasmSplitManifest};
use leptos_axum::ResponseOptions;
use leptos_meta::Link;
use secrecy::{ExposeSecret, SecretString};
use service::{ServiceError, Services};

use crate::api::ApiError;

/// Who sent the request, read from cookie and connection.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The session cookie's value.
    pub token: Option<String>,
    /// The address of the browser.
    pub source: Option<IpAddr>,
}

/// The name of the session cookie; it follows the public address's scheme (stack.md 4.8).
pub const fn session_cookie(is_https: bool) -> &'static str {
    if is_https { "__Host-stayposted" } else { "stayposted" }
}

/// The cookie that binds a consent to the browser that started it.
pub const FLOW_COOKIE: &str = "stayposted-flow";

/// Where the page that leads to a platform finds the address: only we write it, so nobody can lead people elsewhere.
pub const GOING_COOKIE: &str = "stayposted-going";

/// The backend.
///
/// # Errors
/// `Internal` when nobody waits for the answer any more: leptos renders a nested page twice and drops the first try,
/// whose calls then have lost their contexts. They must end, not panic, or the page waits for them for ever.
pub fn services() -> Result<Services, ApiError> {
    use_context().ok_or_else(|| ErrorCode::Internal.into())
}

/// The request's visitor.
pub fn visitor() -> Visitor {
    use_context().unwrap_or_default()
}

/// Who is asking, in the workspace of that slug; empty: the last used one.
///
/// # Errors
/// `NotSignedIn`, or `NotFound` when the person does not belong to that workspace.
pub async fn caller_of(services: &Services, visitor: &Visitor, slug: &str) -> Result<Caller, ServiceError> {
    let token = visitor.token.as_deref().ok_or(ErrorCode::NotSignedIn)?;
    let slug = Some(slug).filter(|slug| !slug.is_empty());
    Ok(services.caller_of_session(token, slug).await?.ok_or(ErrorCode::NotSignedIn)?)
}

/// Who is asking. While a page renders for somebody who is not signed in, this also leads to the sign-in page.
///
/// # Errors
/// As [`caller_of`].
pub async fn caller(slug: &str) -> Result<Caller, ApiError> {
    let services = services()?;
    let found = caller_of(&services, &visitor(), slug).await;
    if let Err(ServiceError::Refused(refusal)) = &found
        && refusal.code == ErrorCode::NotSignedIn
        && let Some(page) = page()
    {
        let has_owner = services.has_owner().await.unwrap_or(true);
        redirect(&if has_owner { crate::words::sign_in_path(&page) } else { "/welcome".to_owned() });
        // The redirect's status stays: not through `ApiError::from`.
        return Err(ApiError(Box::new(ErrorCode::NotSignedIn.into())));
    }
    Ok(found?)
}

/// What the browser may know of a failed request; its cause is logged here, once, when it is ours.
pub fn known(error: &ServiceError) -> Refusal {
    let mut refusal = error.refusal();
    if refusal.code == ErrorCode::Internal {
        let trace = trace();
        tracing::error!(%trace, error = error as &dyn std::error::Error, "a request failed");
        refusal.trace = Some(trace);
    }
    refusal
}

/// A short number that stands in log and answer alike.
fn trace() -> String {
    let id = use_context::<Services>().map(|services| services.new_id()).unwrap_or_default();
    let (_, random) = id.split_at(12);
    random.iter().fold(String::with_capacity(8), |text, byte| text + &format!("{byte:02X}"))
}

fn parts() -> Option<Parts> {
    use_context()
}

/// The content type of the request's body.
pub(crate) fn content_type() -> Option<String> {
    let parts = parts()?;
    parts.headers.get(header::CONTENT_TYPE)?.to_str().ok().map(ToOwned::to_owned)
}

/// Path and query of the page that is being rendered; none inside a call of the API.
fn page() -> Option<String> {
    let parts = parts()?;
    let is_page = parts.method == Method::GET && !parts.uri.path().starts_with("/api/");
    is_page.then(|| parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string))
}

/// Whether a plain form sent the request, which a browser without script shows the answer of.
pub(crate) fn is_form() -> bool {
    parts().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        parts.method == Method::POST && accept.contains("text/html")
    })
}

/// The status of a refusal. A plain form is answered by a redirect to its page, which shows the message.
pub(crate) fn set_status(code: ErrorCode) {
    if let Some(options) = use_context::<ResponseOptions>()
        && !is_form()
        && let Ok(status) = StatusCode::from_u16(code.status())
    {
        options.set_status(status);
    }
}

/// Whether `path` leads to a page of ours: a path, without host, control characters or backslashes.
pub fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2048
        && !path.starts_with("/api/")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Leads to `path` after a form or a call: a plain form by status, the hydrated page by its router.
/// A path that is not ours leads to the start page.
pub fn redirect(path: &str) {
    leptos_axum::redirect(if is_own_path(path) { path } else { "/" });
    see_other();
}

/// Leads a plain form to `path`. The hydrated page stays and shows the answer itself.
pub fn redirect_form(path: &str) {
    if is_form() {
        redirect(path);
    }
}

/// A form is answered by 303, so that reloading does not send it again; so is a page, whatever the visitor accepts.
fn see_other() {
    if (is_form() || page().is_some())
        && let Some(options) = use_context::<ResponseOptions>()
    {
        options.set_status(StatusCode::SEE_OTHER);
    }
}

fn is_https() -> bool {
    services().is_ok_and(|services| services.settings.public_url.scheme() == "https")
}

fn set_cookie(cookie: &str) {
    let secure = if is_https() { "; Secure" } else { "" };
    if let Some(options) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(&format!("{cookie}; HttpOnly; SameSite=Lax{secure}"))
    {
        options.append_header(header::SET_COOKIE, value);
    }
}

/// Signs this browser in.
pub fn set_session(token: &SecretString) {
    let Ok(services) = services() else { return };
    let life = services.settings.session_life.as_secs();
    let name = session_cookie(is_https());
    set_cookie(&format!("{name}={}; Path=/; Max-Age={life}", token.expose_secret()));
}

/// Signs this browser out, and asks it to forget what it kept.
pub fn clear_session() {
    set_cookie(&format!("{}=; Path=/; Max-Age=0", session_cookie(is_https())));
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(http::HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    }
}

/// Binds a consent to this browser, and remembers where it leads for the page without script.
pub fn set_flow(flow: &SecretString, going_to: &str) {
    set_cookie(&format!("{FLOW_COOKIE}={}; Path=/oauth; Max-Age=600", flow.expose_secret()));
    if is_form() {
        set_cookie(&format!("{GOING_COOKIE}={}; Path=/leaving; Max-Age=600", encode(going_to)));
    }
}

/// Where the page that leads to a platform leads.
pub fn going_to() -> Option<String> {
    let parts = parts()?;
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let address = pairs.filter(|(name, _)| *name == GOING_COOKIE).find_map(|(_, value)| decode(value))?;
    (address.starts_with("https://") || address.starts_with("http://")).then_some(address)
}

/// Hexadecimal, so that no character of an address means anything in a cookie.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |hex, byte| hex + &format!("{byte:02x}"))
}

fn decode(hex: &str) -> Option<String> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

/// Has the page tell the browser early what the part of the WASM that `load` loads consists of. Leptos does so itself, but
/// asks for its list after an await, when another page's may be the current one.
pub fn announce_part(load: &str) {
    let (Some(manifest), nonce) = (use_context::<WasmSplitManifest>(), use_nonce()) else { return };
    let nonce = nonce.map(|nonce| nonce.to_string()).unwrap_or_default();
    manifest.0.with_value(|(folder, parts, loader)| {
        let files = parts.iter().find(|(name, _)| is_part(name, load)).map(|(_, files)| files.as_slice()).unwrap_or_default();
        for file in files {
            let address = format!("{folder}/{file}.wasm");
            // Making a link puts it into the head; what it returns is nothing.
            let _ = view! { <Link rel="preload" href=address as_="fetch" type_="application/wasm" crossorigin=nonce.clone()/> }.to_html();
        }
        let _ = view! { <Link rel="modulepreload" href=format!("{folder}/{loader}") crossorigin=nonce/> }.to_html();
    });
}

/// Keeps leptos from announcing parts as well.
pub fn announce_parts_ourselves() {
    provide_context(PrefetchLazyFn::default());
}

/// Whether leptos calls it `name`: the function's name and a number.
fn is_part(name: &str, load: &str) -> bool {
    let number = name.strip_prefix(load).and_then(|rest| rest.strip_prefix('_'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_followed() {
        for good in ["/", "/w/blumen-jung/inbox?all=1"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nSet-Cookie: x", "/ä", "/api/v1/shell"] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_survives_its_cookie() {
        let address = "http://localhost:3000/sim/facebook/dialog?state=a;b&x=ä";
        assert_eq!(decode(&encode(address)).as_deref(), Some(address));
        for bad in ["f", "zz", "äö"] {
            assert_eq!(decode(bad), None);
        }
    }

    #[test]
    fn a_part_is_found_by_the_function_that_loads_it() {
        assert!(is_part("account_pages_103500244", "account_pages"));
        for other in ["account_pages", "account_pages_", "account_pages_more_1", "accounts_page_1"] {
            assert!(!is_part(other, "account_pages"), "{other}");
        }
    }
}
