//! Which path leads where, and the layers around it.

use app::{App, shell};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use domain::summary::refusal::ErrorCode;
use leptos_axum::{LeptosRoutes, file_and_error_handler_with_context, generate_route_list_with_exclusions};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::csrf::CsrfLayer;

use super::{Web, api, callback, events, headers, health, media, origin, pages, refuse, visitor};

/// The largest body of a call, in bytes; uploads have their own limit.
const BODY_MAX: usize = 1024 * 1024;
/// The largest upload request: the image and its multipart frame.
const UPLOAD_BODY_MAX: usize = domain::media::UPLOAD_MAX + 64 * 1024;

/// The app's router. `rehearsal` adds what only the demo has: the simulated platforms and their controls.
///
/// # Errors
/// When the public address cannot be an origin.
pub(crate) fn router(web: Web, rehearsal: Option<Router<Web>>) -> anyhow::Result<Router> {
    // Leptos would register every server function beside our own route, without its limits and its error shape.
    let not_pages = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let routes = generate_route_list_with_exclusions(App, Some(not_pages));
    let contexts = pages::contexts(&web);

    // Whole paths instead of a nest, which would hide the prefix by which server functions are found.
    let functions = any(api::run).layer(tower_http::limit::RequestBodyLimitLayer::new(BODY_MAX));
    let api = Router::new()
        .route("/api/v1/media", post(media::upload).layer(DefaultBodyLimit::max(UPLOAD_BODY_MAX)))
        .route("/api/v1/media/{id}", get(media::show))
        .route("/api/v1/", functions.clone())
        .route("/api/v1/{*function}", functions)
        .layer(from_fn(api::shape));

    let leptos = web.leptos.clone();
    let page_routes = Router::new()
        .leptos_routes_with_context(&web, routes, contexts.clone(), move || shell(leptos.clone()))
        .fallback(file_and_error_handler_with_context::<Web, _>(contexts, shell))
        .layer(from_fn(pages::to_the_end));

    let csrf = CsrfLayer::new()
        .add_trusted_origin(web.public_url.origin().ascii_serialization())?
        .with_rejection_response(|_| refuse::code(ErrorCode::CrossSite));
    // A stream must not be compressed: the compressor would hold events back.
    let compressed = DefaultPredicate::new().and(NotForContentType::new("text/event-stream"));
    let ours = Router::new()
        .merge(api)
        .route("/oauth/{platform}/callback", get(callback::callback))
        .route("/events", get(events::stream))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(page_routes)
        .layer(from_fn_with_state(web.clone(), visitor::read))
        .layer(from_fn_with_state(web.clone(), origin::to_our_origin))
        .layer(csrf)
        .layer(CompressionLayer::new().compress_when(compressed));

    let mut all = ours;
    if let Some(rehearsal) = rehearsal {
        all = rehearsal.fallback_service(all.with_state(web.clone()));
    }
    Ok(all.layer(CatchPanicLayer::custom(panicked)).layer(from_fn_with_state(web.clone(), headers::add)).with_state(web))
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("?"), "a request panicked");
    refuse::code(ErrorCode::Internal)
}
