//! Images: uploads and what the browser shows. Paths hold an id only, never anybody's text (reliability F2).

use app::context::{self, Visitor};
use axum::Json;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, extract::Query};
use bytes::{Bytes, BytesMut};
use domain::id::MediaId;
use domain::media::UPLOAD_MAX;
use domain::role::{Action, Caller};
use domain::summary::posts::ImageView;
use domain::summary::refusal::ErrorCode;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use service::ServiceError;

use super::{Web, refuse};

/// Which workspace, by slug.
#[derive(Debug, Deserialize)]
pub(crate) struct Where {
    #[serde(default)]
    workspace: String,
    /// A path of ours to go back to, for forms without script; the new image's id is appended as `image`.
    #[serde(default)]
    then: Option<String>,
}

async fn caller(web: &Web, visitor: &Visitor, workspace: &str) -> Result<Caller, ServiceError> {
    context::caller_of(&web.services, visitor, workspace).await
}

/// Takes one image, field `file`.
pub(crate) async fn upload(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<Where>,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let form = match form {
        Ok(form) => form,
        Err(_) => return refuse::code(ErrorCode::WrongContentType),
    };
    match take(&web, &visitor, &query.workspace, form).await {
        Ok(image) => match query.then.filter(|then| context::is_own_path(then)) {
            Some(then) => {
                let separator = if then.contains('?') { '&' } else { '?' };
                Redirect::to(&format!("{then}{separator}image={}", image.id)).into_response()
            }
            None => (StatusCode::CREATED, Json(image)).into_response(),
        },
        Err(error) => refuse::failed(&error),
    }
}

async fn take(web: &Web, visitor: &Visitor, workspace: &str, mut form: Multipart) -> Result<ImageView, ServiceError> {
    let caller = caller(web, visitor, workspace).await?;
    caller.may(Action::WritePosts)?;
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.name() == Some("file") {
            let bytes = read(field).await?;
            return web.services.upload_image(&caller, bytes).await;
        }
    }
    Err(ErrorCode::BadArguments.into())
}

async fn read(mut field: Field<'_>) -> Result<Bytes, ServiceError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        if bytes.len() + chunk.len() > UPLOAD_MAX {
            return Err(ErrorCode::ImageTooLarge.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn unreadable(error: MultipartError) -> ServiceError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::ImageTooLarge.into(),
        _ => ErrorCode::BadArguments.into(),
    }
}

/// Shows an image of the caller's workspace.
pub(crate) async fn show(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<Where>,
) -> Response {
    let Ok(id) = id.parse::<MediaId>() else { return refuse::code(ErrorCode::NotFound) };
    let found = async {
        let caller = caller(&web, &visitor, &query.workspace).await?;
        caller.may(Action::See)?;
        web.services.image(&caller, id).await
    };
    match found.await {
        Ok((facts, bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(facts.kind.media_type())),
                (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
                (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
            ];
            (headers, bytes).into_response()
        }
        Err(error) => refuse::failed(&error),
    }
}
