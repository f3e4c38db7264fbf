//! `/oauth/{platform}/callback`: where a consent returns. Everything in the query is hostile.

use app::context::{FLOW_COOKIE, Visitor};
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use domain::platform::Platform;
use domain::summary::refusal::ErrorCode;
use http::{HeaderMap, HeaderValue, header};
use platforms::callback::Returned;
use service::ServiceError;
use service::consent::Callback;

use super::Web;

/// Takes what the platform sent back and leads to the result page.
pub(crate) async fn callback(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Path(platform): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let jar = CookieJar::from_headers(&headers);
    let flow = jar.get(FLOW_COOKIE).map(|cookie| cookie.value().to_owned());
    let target = match finish(&web, &visitor, &platform, query.as_deref().unwrap_or_default(), flow).await {
        Ok(target) => target,
        Err(error) => {
            let refusal = app::context::known(&error);
            tracing::info!(platform = %platform.chars().take(32).collect::<String>(), code = refusal.code.as_str(), "a sign-in came back and was not taken");
            match refusal.code {
                ErrorCode::NotSignedIn => "/sign-in".to_owned(),
                code => format!("/link/stopped?error={}", code.as_str()),
            }
        }
    };
    let mut over = Cookie::new(FLOW_COOKIE, "");
    over.set_path("/oauth");
    over.make_removal();
    let mut response = (jar_with(over), Redirect::to(&target)).into_response();
    // The address of this page holds the code (reliability H2).
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn jar_with(cookie: Cookie<'static>) -> CookieJar {
    CookieJar::new().add(cookie)
}

async fn finish(web: &Web, visitor: &Visitor, platform: &str, query: &str, flow: Option<String>) -> Result<String, ServiceError> {
    let platform: Platform = platform.parse().map_err(|_| ErrorCode::NotFound)?;
    let caller = app::context::caller_of(&web.services, visitor, "").await?;
    let Returned { state, code, error, error_description, iss } = Returned::from_query(query).ok_or(ErrorCode::ConsentOver)?;
    let callback = Callback { state, code, error, error_description, iss, flow };
    let consent = web.services.finish_consent(&caller, platform, callback).await?;
    Ok(format!("/link/result/{consent}"))
}
