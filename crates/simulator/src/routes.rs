//! Which address goes where.

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::call::Answer;
use crate::drive::{Network, Scene, drive};
use crate::facebook::Facebook;
use crate::page::STYLE;
use crate::pinterest::Pinterest;
use crate::simulator::Inner;
use crate::world::World;
use crate::{facebook, feed, pinterest, surface};

type Shared = State<Arc<Inner>>;

/// Forms and test requests are small.
const FORM_CAP: usize = 256 * 1024;

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    let mut router = Router::new()
        .route("/style.css", get(style))
        .route("/clock", get(surface::clock))
        .route("/facebook/graph/{*rest}", any(api::<Facebook>))
        .route("/facebook/{first}/dialog/oauth", get(facebook_dialog).post(facebook_decision))
        .route("/facebook/{first}/posts/{post}", get(feed::facebook_post))
        .route("/facebook/{first}", get(feed::facebook_node))
        .route("/pinterest/v5/{*rest}", any(api::<Pinterest>))
        .route("/pinterest/oauth/", get(pinterest_dialog).post(pinterest_decision))
        .route("/pinterest/oauth", get(pinterest_dialog).post(pinterest_decision))
        .route("/pinterest/pin/{id}", get(feed::pin))
        .route("/pinterest/pin/{id}/", get(feed::pin))
        .route("/pinterest/{username}", get(feed::pinterest_profile))
        .route("/pinterest/{username}/", get(feed::pinterest_profile));
    for name in ["facebook", "pinterest"] {
        router = router.nest(
            &format!("/{name}"),
            Router::new()
                .route("/feed", get(feed::page))
                .route("/feed.json", get(surface::feed))
                .route("/calls.json", get(surface::calls))
                .route("/issued.json", get(surface::issued))
                .route("/faults", get(surface::faults).post(surface::add_fault).delete(surface::clear_faults))
                .route("/knobs", get(surface::knobs).post(surface::turn_knobs))
                .route("/media/{id}", get(feed::media))
                .route("/picture/{id}", get(feed::picture))
                .with_state((inner.clone(), name)),
        );
    }
    router.fallback(nowhere).layer(DefaultBodyLimit::disable()).with_state(inner)
}

async fn api<N: Network>(State(inner): Shared, request: Request) -> Response {
    drive::<N>(inner, request).await
}

async fn nowhere(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    Answer::json(404, serde_json::json!({ "error": format!("the rehearsal has no address {path}") })).into_response()
}

async fn style() -> Response {
    let mut response = Response::new(STYLE.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}

/// A handler's look at one platform's world.
pub(crate) fn scene<N: Network, T>(inner: &Inner, act: impl FnOnce(&mut Scene<'_>) -> T) -> T {
    inner.with(|world: &mut World| {
        let (realm, media) = N::realm(world);
        let config = &inner.config;
        act(&mut Scene {
            realm,
            media,
            now: config.world.now(),
            wall: config.wall.now(),
            chance: &*config.chance,
            config,
            lag: std::time::Duration::ZERO,
        })
    })
}

/// A small body, or the refusal.
pub(crate) async fn small_body(request: Request) -> Result<Bytes, Response> {
    to_bytes(request.into_body(), FORM_CAP).await.map_err(|_| {
        let mut response = Response::new("the body is too large".into());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        response
    })
}

async fn facebook_dialog(State(inner): Shared, Path(_): Path<String>, query: RawQuery, headers: HeaderMap) -> Response {
    scene::<Facebook, _>(&inner, |scene| facebook::dialog(scene, &query.0.unwrap_or_default(), &headers))
}

async fn facebook_decision(State(inner): Shared, query: RawQuery, request: Request) -> Response {
    match small_body(request).await {
        Ok(form) => scene::<Facebook, _>(&inner, |scene| facebook::decide(scene, &query.0.unwrap_or_default(), &form)),
        Err(response) => response,
    }
}

async fn pinterest_dialog(State(inner): Shared, query: RawQuery, headers: HeaderMap) -> Response {
    scene::<Pinterest, _>(&inner, |scene| pinterest::dialog(scene, &query.0.unwrap_or_default(), &headers))
}

async fn pinterest_decision(State(inner): Shared, query: RawQuery, request: Request) -> Response {
    match small_body(request).await {
        Ok(form) => scene::<Pinterest, _>(&inner, |scene| pinterest::decide(scene, &query.0.unwrap_or_default(), &form)),
        Err(response) => response,
    }
}
