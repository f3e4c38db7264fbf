//! The pages: rendered on the server, hydrated in the browser.

use app::context::Visitor;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;

use super::{Web, headers};

/// A page is not larger than this, in bytes.
const PAGE_MAX: usize = 16 * 1024 * 1024;

/// What pages and server functions are given: the backend, and who is calling.
pub(crate) fn backend(web: &Web) -> impl Fn() + Clone + Send + 'static {
    let services = web.services.clone();
    move || {
        provide_context(services.clone());
        let visitor = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visitor>().cloned());
        provide_context(visitor.unwrap_or_default());
    }
}

/// What every page is given besides: the page policy with its nonce.
pub(crate) fn contexts(web: &Web) -> impl Fn() + Clone + Send + 'static {
    let backend = backend(web);
    move || {
        backend();
        if let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>())
            && let Ok(policy) = HeaderValue::from_str(&headers::page_policy(&nonce))
        {
            options.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// Renders in a task of its own and collects the body: when a client goes away while a page streams, leptos would not
/// clean its reactive owner up (stack.md 4.2).
pub(crate) async fn to_the_end(request: Request, next: Next) -> Response {
    let rendering = tokio::spawn(async move {
        let (parts, body) = next.run(request).await.into_parts();
        // The site's files come this way too, and may be larger than any page.
        let is_page = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if !is_page {
            return Response::from_parts(parts, body);
        }
        match to_bytes(body, PAGE_MAX).await {
            Ok(bytes) => Response::from_parts(parts, Body::from(bytes)),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    });
    rendering.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a page panicked while rendering");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}
