//! Headers that stand on every answer (reliability H1, H2; stack.md 4.9, 4.10).

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

use super::Web;

/// The policy of everything that is not a page: nothing may run, load or frame.
const NOTHING: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// The one policy of our pages. `nonce` is that of the page.
pub(crate) fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; \
         media-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
         object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Adds what is missing.
pub(crate) async fn add(State(web): State<Web>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    // The rehearsal platforms are somebody else's pages and carry a policy of their own.
    let is_ours = !path.starts_with("/sim/");
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if is_ours {
        default(header::CONTENT_SECURITY_POLICY, NOTHING);
        default(header::REFERRER_POLICY, "same-origin");
        default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        default(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        default(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
        let caching = match () {
            // Only names with a hash in them are under /pkg/.
            () if path.starts_with("/pkg/") => "public, max-age=31536000, immutable",
            () if path.starts_with("/fonts/") || path.starts_with("/icons") || path.starts_with("/favicon") => "public, max-age=3600",
            () => "no-store",
        };
        default(header::CACHE_CONTROL, caching);
        if web.is_https() {
            default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
        }
    }
    response
}
