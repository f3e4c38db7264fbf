//! Refusals in the API's one error shape.

use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::summary::refusal::{ErrorCode, Refusal};
use http::{HeaderValue, StatusCode, header};
use service::ServiceError;

/// The answer that carries a refusal.
pub(crate) fn refusal(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(refusal)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer for a code alone.
pub(crate) fn code(code: ErrorCode) -> Response {
    refusal(&code.into())
}

/// The answer for a failed request; logs the cause when it is ours.
pub(crate) fn failed(error: &ServiceError) -> Response {
    refusal(&app::context::known(error))
}
