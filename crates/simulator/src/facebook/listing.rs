//! Reading posts back.

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::error::GraphError;
use super::fields::pick;
use super::pages::{acting, paged};
use crate::call::{Answer, Call, Outcome};
use crate::drive::Scene;
use crate::moment;
use crate::world::{Place, Post};

pub(crate) fn permalink(scene: &Scene<'_>, post: &Post) -> String {
    let own = post.id.split_once('_').map_or(post.id.as_str(), |(_, own)| own);
    scene.config.public(&format!("/facebook/{}/posts/{own}", post.place))
}

/// Everything a post node knows.
pub(crate) fn post_node(scene: &Scene<'_>, post: &Post, page: &Place) -> Value {
    let or_null = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let source = |id: &String| scene.config.public(&format!("/facebook/media/{id}"));
    let attachments: Vec<Value> = post
        .images
        .iter()
        .map(|id| json!({ "media_type": "photo", "type": "photo", "target": { "id": id }, "media": { "image": { "src": source(id) } } }))
        .collect();
    json!({
        "id": post.id, "message": or_null(&post.text), "created_time": moment::graph(post.created_at),
        "updated_time": moment::graph(post.created_at), "permalink_url": permalink(scene, post),
        "from": { "id": page.id, "name": page.name }, "is_published": post.is_public, "link": or_null(&post.link),
        "full_picture": post.images.first().map(source), "story": null,
        "status_type": if post.images.is_empty() { "mobile_status_update" } else { "added_photos" },
        "attachments": if attachments.is_empty() { Value::Null } else { json!({ "data": attachments }) },
        "comments": { "data": post.comments.iter().map(comment_node).collect::<Vec<_>>() },
    })
}

fn comment_node(comment: &crate::world::Comment) -> Value {
    json!({ "id": comment.id, "message": comment.text, "created_time": moment::graph(comment.created_at) })
}

/// `{page}/published_posts`, `/posts`, `/feed`: newest first, what is listed by now.
pub(crate) fn posts(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let (caller, page) = acting(scene, call, id)?;
    if !caller.may("pages_read_engagement") {
        return Err(GraphError::not_readable().into());
    }
    let moment_of = |name: &str| match call.param(name) {
        None => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) => Ok(Some(Timestamp::from_seconds(seconds))),
            Err(_) => Err(GraphError::parameter(format!("Param {name} must be a unix timestamp"))),
        },
    };
    let (since, until) = (moment_of("since")?, moment_of("until")?);
    let listed: Vec<&Post> = scene
        .realm
        .posts
        .values()
        .rev()
        .filter(|post| post.place == page.id && post.is_listed(scene.now))
        .filter(|post| since.is_none_or(|at| post.created_at >= at) && until.is_none_or(|at| post.created_at <= at))
        .collect();
    let slice = paged(scene, call, &listed, 25)?;
    let default = ["created_time", "message", "id"];
    let data: Result<Vec<Value>, GraphError> =
        slice.items.iter().map(|post| pick(&post_node(scene, post, &page), call.param("fields"), &default, "PagePost")).collect();
    Ok(Answer::ok(slice.answer(data?)))
}

/// The key and row of a post by its full id.
pub(crate) fn find(scene: &Scene<'_>, id: &str) -> Option<(String, Post)> {
    let own = id.split_once('_')?.1.parse::<u64>().ok()?;
    let key = crate::table::number(own.checked_sub(super::publish::FIRST_POST)?);
    let post = scene.realm.posts.get(&key).filter(|post| post.id == id && post.deleted_at.is_none())?;
    Some((key, post.clone()))
}

/// `GET {post}`: visible to its own Page at once, listing lag or not.
pub(crate) fn post(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let Some((_, post)) = find(scene, id) else {
        super::tokens::caller(scene, call)?;
        return Err(GraphError::unknown_object(id, "get").into());
    };
    let (caller, page) = acting(scene, call, &post.place)?;
    if !caller.may("pages_read_engagement") {
        return Err(GraphError::not_readable().into());
    }
    let whole = post_node(scene, &post, &page);
    Ok(Answer::ok(pick(&whole, call.param("fields"), &["created_time", "message", "id"], "PagePost")?))
}

/// `GET {post}/comments`.
pub(crate) fn comments(scene: &Scene<'_>, call: &Call, id: &str) -> Outcome {
    let Some((_, post)) = find(scene, id) else {
        super::tokens::caller(scene, call)?;
        return Err(GraphError::unknown_object(id, "get").into());
    };
    acting(scene, call, &post.place)?;
    let slice = paged(scene, call, &post.comments, 25)?;
    let data = slice.items.iter().map(comment_node).collect();
    Ok(Answer::ok(slice.answer(data)))
}
