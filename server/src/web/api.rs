//! `/api/v1/…`: the server functions, and one error shape for everything below it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::summary::refusal::ErrorCode;
use http::{Method, StatusCode, header};
use leptos_axum::handle_server_fns_with_context;

use super::{Web, pages, refuse};

/// Runs the server function of this path.
pub(crate) async fn run(State(web): State<Web>, request: Request) -> Response {
    let path = request.uri().path();
    if !is_registered(path, request.method()) {
        let others = [Method::GET, Method::POST];
        let code =
            if others.iter().any(|method| is_registered(path, method)) { ErrorCode::WrongMethod } else { ErrorCode::UnknownFunction };
        return refuse::code(code);
    }
    // A form without script says `Accept: text/html`; leptos then leads back to the page it came from.
    handle_server_fns_with_context(pages::backend(&web), request).await.into_response()
}

fn is_registered(path: &str, method: &Method) -> bool {
    leptos::server_fn::axum::get_server_fn_service(path, method.clone()).is_some()
}

/// Gives every error below `/api/v1` the one shape, also those of the layers.
pub(crate) async fn shape(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    refuse::code(match status {
        StatusCode::NOT_FOUND => ErrorCode::UnknownFunction,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::WrongMethod,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::WrongContentType,
        StatusCode::FORBIDDEN => ErrorCode::CrossSite,
        StatusCode::UNAUTHORIZED => ErrorCode::NotSignedIn,
        status if status.is_client_error() => ErrorCode::BadArguments,
        _ => ErrorCode::Internal,
    })
}
