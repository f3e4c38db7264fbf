//! The rehearsal's two origins (design section 8).

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, header};

use super::Web;

/// The app lives at one origin, the platforms' pages at another: whoever opens the app at the platforms' origin is led over.
pub(crate) async fn to_our_origin(State(web): State<Web>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_platforms = host.split(':').next() == Some("localhost") && web.services.settings.rehearsal.is_some();
    // Browsers ask every origin for its icon, and a page's policy lets no icon come from another.
    let is_theirs = request.uri().path().starts_with("/sim") || request.uri().path() == "/favicon.ico";
    if is_platforms && request.method() == Method::GET && !is_theirs {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::temporary(&format!("{}{path}", web.public_url.origin().ascii_serialization())).into_response();
    }
    next.run(request).await
}
