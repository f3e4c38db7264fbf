//! Which node or edge a Graph path means.

use http::Method;
use serde_json::json;

use super::error::GraphError;
use super::tokens::{access_token, caller, debug_token};
use super::{listing, pages, publish};
use crate::call::{Answer, Call, Outcome};
use crate::drive::Scene;

/// `parts` is the path after the version.
pub(crate) fn route(scene: &mut Scene<'_>, call: &Call, parts: &[&str]) -> Outcome {
    let method = match call.param("method").map(str::to_ascii_lowercase).as_deref() {
        Some("delete") if call.method == Method::POST => Method::DELETE,
        _ => call.method.clone(),
    };
    let is_get = method == Method::GET;
    match parts {
        ["oauth", "access_token"] if is_get || method == Method::POST => access_token(scene, call),
        ["debug_token"] if is_get => debug_token(scene, call),
        [id, "permissions"] if is_get => pages::permissions(scene, call, id),
        [id, "permissions", rest @ ..] if method == Method::DELETE => pages::revoke(scene, call, id, rest.first().copied()),
        [id, "accounts"] if is_get => pages::accounts(scene, call, id),
        [id] if is_get && id.contains('_') => listing::post(scene, call, id),
        [id] if method == Method::DELETE => publish::delete(scene, call, id),
        [id] if is_get => pages::node(scene, call, id),
        [id, "feed"] if method == Method::POST => publish::feed(scene, call, id),
        [id, "photos"] if method == Method::POST => publish::photo(scene, call, id),
        [id, "comments"] if method == Method::POST => publish::comment(scene, call, id),
        [id, "comments"] if is_get => listing::comments(scene, call, id),
        [id, "published_posts" | "posts" | "feed"] if is_get => listing::posts(scene, call, id),
        [id, "picture"] if is_get => {
            let url = scene.config.public(&format!("/facebook/picture/{id}.svg"));
            Ok(Answer::ok(json!({ "data": { "url": url, "is_silhouette": false, "width": 50, "height": 50 } })))
        }
        [id, ..] => {
            caller(scene, call)?;
            Err(GraphError::unknown_object(id, method.as_str()).into())
        }
        [] => Err(GraphError::new(
            400,
            100,
            "Unsupported get request. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        )
        .into()),
    }
}
