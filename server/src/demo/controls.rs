//! The rehearsal's own addresses: the clock, signing in, and the platforms below `/sim`.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Json, Router};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::id::PersonId;
use domain::summary::refusal::ErrorCode;
use domain::time::Timestamp;
use http::{HeaderMap, header};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use simulator::Simulator;
use std::time::Duration;

use super::advance::{ANSWER_WITHIN, Driver};
use crate::web::{Web, refuse};

/// One request does not move the clock further than this.
const FURTHEST: u64 = 2 * 366 * 86_400;

#[derive(Debug, Deserialize)]
struct Advance {
    seconds: u64,
}

#[derive(Debug, Serialize)]
struct Advanced {
    now: Timestamp,
    target: Timestamp,
    settled: bool,
}

#[derive(Clone)]
struct Controls {
    driver: Driver,
    owner: PersonId,
}

/// The routes that only a rehearsal has.
pub(super) fn router(simulator: &Simulator, driver: Driver, owner: PersonId) -> Router<Web> {
    let controls = Controls { driver, owner };
    let advance = {
        let controls = controls.clone();
        move |headers: HeaderMap, body: Bytes| advance(controls, headers, body)
    };
    let sign_in = move |State(web): State<Web>, headers: HeaderMap| sign_in(web, controls.owner, headers);
    Router::new()
        .route("/sim/clock/advance", post(advance))
        .route("/api/v1/demo/sign-in", post(sign_in))
        .nest("/sim", simulator.router().with_state(()))
}

/// `{"seconds": n}` as JSON, or `seconds=n` as a form.
async fn advance(controls: Controls, headers: HeaderMap, body: Bytes) -> Response {
    let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let wanted = if is_form {
        url::form_urlencoded::parse(&body).find(|(name, _)| name == "seconds").and_then(|(_, value)| value.parse().ok())
    } else {
        serde_json::from_slice::<Advance>(&body).ok().map(|advance| advance.seconds)
    };
    let Some(seconds) = wanted.filter(|seconds| *seconds <= FURTHEST) else { return refuse::code(ErrorCode::BadArguments) };
    let target = controls.driver.go_on(Duration::from_secs(seconds));
    let settled = controls.driver.settled(target, ANSWER_WITHIN).await;
    if is_form {
        return back(&headers).into_response();
    }
    Json(Advanced { now: controls.driver.now(), target, settled }).into_response()
}

/// Back to the page of ours that a form without script came from.
fn back(headers: &HeaderMap) -> Redirect {
    let from = headers.get(header::REFERER).and_then(|value| url::Url::parse(value.to_str().ok()?).ok());
    Redirect::to(&from.map_or_else(|| "/".to_owned(), |url| url.path().to_owned()))
}

/// Gives the demo owner's session cookie.
async fn sign_in(web: Web, owner: PersonId, headers: HeaderMap) -> Response {
    let session = match web.services.session_for(owner).await {
        Ok(session) => session,
        Err(error) => return refuse::failed(&error),
    };
    let mut cookie = Cookie::new(app::context::session_cookie(web.is_https()), session.token.expose_secret().to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    let wants_page = headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")));
    let jar = CookieJar::new().add(cookie);
    if wants_page {
        return (jar, Redirect::to("/")).into_response();
    }
    (jar, Json(serde_json::json!({ "person": session.person }))).into_response()
}
