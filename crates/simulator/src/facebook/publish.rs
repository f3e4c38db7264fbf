//! Publishing: text, links, photos, and the first comment (section 5).

use axum::body::Bytes;
use serde_json::{Value, json};

use super::error::GraphError;
use super::fields::pick;
use super::listing::{find, post_node};
use super::pages::acting;
use super::tokens::Caller;
use crate::call::{Answer, Call, Outcome, Stop};
use crate::drive::{Scene, text_of};
use crate::media::{BadImage, is_fetchable, look};
use crate::table::number;
use crate::world::{Comment, Image, Place, Post};

/// Post and photo ids count from here: above 2^53, as real ones may be.
pub(crate) const FIRST_POST: u64 = 122_100_000_000_000_000;
const FIRST_PHOTO: u64 = 122_900_000_000_000_000;
/// Section 6.
const TEXT_LIMIT: usize = 63_206;
const PHOTO_LIMIT: usize = 4 * 1024 * 1024;
const PHOTOS_PER_POST: usize = 80;

fn may_post(caller: &Caller, page: &Place) -> Result<(), GraphError> {
    if !caller.may("pages_manage_posts") || !caller.may("pages_read_engagement") {
        return Err(GraphError::not_allowed(
            "If posting to a group, requires app being installed in the group, and either publish_to_groups permission with user token, or both pages_read_engagement and pages_manage_posts permission with page token; If posting to a page, requires both pages_read_engagement and pages_manage_posts as an admin with sufficient administrative permission",
        ));
    }
    if page.blocked || caller.person.blocked {
        return Err(GraphError::policy_block());
    }
    Ok(())
}

fn is_published(call: &Call) -> bool {
    !call.param("published").is_some_and(|value| value == "false" || value == "0")
}

fn checked_text(text: &str) -> Result<String, GraphError> {
    if text.chars().count() > TEXT_LIMIT {
        return Err(GraphError::parameter(format!("Param message must be at most {TEXT_LIMIT} characters")));
    }
    Ok(text.to_owned())
}

/// `POST {page}/feed`.
pub(crate) fn feed(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let (caller, page) = acting(scene, call, id)?;
    may_post(&caller, &page)?;
    let text = checked_text(call.param("message").unwrap_or_default())?;
    let link = call.param("link").unwrap_or_default().to_owned();
    check_link(&link)?;
    let images = attached(scene, call, &page)?;
    if text.trim().is_empty() && link.is_empty() && images.is_empty() {
        return Err(GraphError::parameter("Requires one of the params: message, link, attached_media").into());
    }
    let post = Post { text, link, images, ..Post::default() };
    accept(scene, call, &page, post)
}

fn check_link(link: &str) -> Result<(), GraphError> {
    if link.is_empty() {
        return Ok(());
    }
    match url::Url::parse(link) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && link.len() <= 2_048 => {
            let is_own = url.host_str().is_some_and(|host| host == "facebook.com" || host.ends_with(".facebook.com"));
            if is_own {
                return Err(GraphError::parameter("This link cannot be shared").sub(1_609_008));
            }
            Ok(())
        }
        _ => Err(GraphError::parameter("link URL is not properly formatted").sub(2_061_006)),
    }
}

/// The unpublished photos of `attached_media`, as an array or as `attached_media[0]`, ….
fn attached(scene: &Scene<'_>, call: &Call, page: &Place) -> Result<Vec<String>, GraphError> {
    let mut given: Vec<Value> = Vec::new();
    for (name, value) in &call.params {
        if name != "attached_media" && !name.starts_with("attached_media[") {
            continue;
        }
        match serde_json::from_str(value) {
            Ok(Value::Array(items)) => given.extend(items),
            Ok(item @ Value::Object(_)) => given.push(item),
            _ => return Err(GraphError::parameter("param attached_media must be an array.")),
        }
    }
    if given.len() > PHOTOS_PER_POST {
        return Err(GraphError::parameter("param attached_media has too many elements."));
    }
    let mut images: Vec<String> = Vec::new();
    for item in given {
        // One element may itself be a JSON text.
        let item = match &item {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            _ => item,
        };
        let id = text_of(&item["media_fbid"]).unwrap_or_default();
        let image = id.parse::<u64>().ok().and_then(|n| n.checked_sub(FIRST_PHOTO)).and_then(|n| scene.realm.images.get(&number(n)));
        let Some(image) = image.filter(|image| image.place == page.id) else {
            let message = format!("Invalid parameter: media_fbid {} does not exist", id.chars().take(40).collect::<String>());
            return Err(GraphError::parameter(message));
        };
        let is_used = scene.realm.posts.values().any(|post| post.images.contains(&image.id) && post.deleted_at.is_none());
        if is_used || images.contains(&image.id) {
            return Err(GraphError::parameter("These photos were already posted.").sub(1_366_051));
        }
        images.push(image.id.clone());
    }
    Ok(images)
}

/// `POST {page}/photos`: by address or as a file, published or kept for a post to come.
pub(crate) fn photo(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let (caller, page) = acting(scene, call, id)?;
    may_post(&caller, &page)?;
    let text = checked_text(call.param("message").or_else(|| call.param("caption")).unwrap_or_default())?;
    let bytes = picture_bytes(call)?;
    let image = keep(scene, call, &page, &bytes)?;
    if !is_published(call) {
        return Ok(Answer::ok(json!({ "id": image })));
    }
    let post = Post { text, images: vec![image.clone()], ..Post::default() };
    let answer = accept(scene, call, &page, post)?;
    let mut body = answer.body.clone();
    body["post_id"] = body["id"].take();
    body["id"] = json!(image);
    Ok(Answer { body, ..answer })
}

fn picture_bytes(call: &Call) -> Result<Bytes, Stop> {
    if let Some(file) = &call.file {
        return Ok(file.clone());
    }
    let Some(url) = call.param("url") else {
        return Err(GraphError::new(400, 324, "(#324) Requires upload file").into());
    };
    let bad_url = || GraphError::parameter("Invalid parameter: the url could not be fetched").sub(2_061_006);
    if !is_fetchable(url) {
        return Err(bad_url().into());
    }
    match call.fetched.get(url) {
        None => Err(Stop::Fetch(vec![url.to_owned()])),
        Some(None) => Err(bad_url().into()),
        Some(Some(bytes)) => Ok(bytes.clone()),
    }
}

fn keep(scene: &mut Scene<'_>, call: &Call, page: &Place, bytes: &Bytes) -> Result<String, GraphError> {
    let seen = match look(bytes) {
        Ok(seen) => seen,
        Err(BadImage::Format) => {
            return Err(GraphError::parameter("Invalid parameter: not a JPG or PNG file").sub(1_349_125));
        }
        Err(BadImage::Broken) => return Err(GraphError::parameter("Invalid parameter: invalid file").sub(2_069_019)),
    };
    if bytes.len() > PHOTO_LIMIT {
        return Err(GraphError::parameter("Invalid parameter")
            .sub(1_366_046)
            .told("Your photos couldn't be uploaded", "Photos should be smaller than 4 MB and saved as JPG or PNG."));
    }
    let n = scene.realm.images.next_number();
    let id = (FIRST_PHOTO + n).to_string();
    let image = Image {
        id: id.clone(),
        place: page.id.clone(),
        content_type: seen.content_type.to_owned(),
        width: seen.width,
        height: seen.height,
        bytes: bytes.len() as u64,
        alt: call.param("alt_text_custom").unwrap_or_default().chars().take(2_000).collect(),
        created_at: scene.now,
    };
    scene.realm.images.insert(number(n), image);
    scene.media.put(&format!("facebook-{id}"), bytes);
    Ok(id)
}

/// The moment a post becomes public.
fn accept(scene: &mut Scene<'_>, call: &Call, page: &Place, post: Post) -> Outcome {
    // Fields are read first: an answer that cannot be given must not follow an accepted post.
    let asked = call.param("fields").map(super::fields::parse).transpose()?;
    let is_public = is_published(call);
    let window = scene.realm.knobs().refuse_duplicates_seconds;
    if window > 0 {
        let is_twin = |old: &Post| {
            old.place == page.id
                && old.text == post.text
                && old.link == post.link
                && old.images.is_empty()
                && post.images.is_empty()
                && scene.now.since(old.created_at).as_secs() < window
        };
        if scene.realm.posts.values().any(is_twin) {
            return Err(GraphError::new(400, 506, "(#506) Duplicate status message")
                .told("Duplicate Status Update", "This status update is identical to the last one you posted.")
                .into());
        }
    }
    let n = scene.realm.posts.next_number();
    let post = Post {
        id: format!("{}_{}", page.id, FIRST_POST + n),
        place: page.id.clone(),
        account: page.id.clone(),
        created_at: scene.now,
        listed_at: scene.now + scene.lag,
        is_public,
        ..post
    };
    let whole = post_node(scene, &post, page);
    scene.realm.posts.insert(number(n), post);
    if asked.is_none() {
        return Ok(Answer::ok(json!({ "id": whole["id"] })));
    }
    let body = pick(&whole, call.param("fields"), &["id"], "PagePost").unwrap_or_else(|_| json!({ "id": whole["id"] }));
    Ok(Answer::ok(body))
}

/// `POST {post}/comments`.
pub(crate) fn comment(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let Some((key, post)) = find(scene, id) else {
        super::tokens::caller(scene, call)?;
        return Err(GraphError::unknown_object(id, "post").into());
    };
    let (caller, page) = acting(scene, call, &post.place)?;
    if !caller.may("pages_manage_engagement") {
        return Err(GraphError::not_allowed("Permissions error").into());
    }
    if page.blocked || caller.person.blocked {
        return Err(GraphError::policy_block().into());
    }
    let text = call.param("message").unwrap_or_default();
    if text.trim().is_empty() || text.chars().count() > 8_000 {
        return Err(GraphError::parameter("The comment needs a message of at most 8000 characters").into());
    }
    let now = scene.now;
    let Some(post) = scene.realm.posts.get_mut(&key) else {
        return Err(GraphError::unknown_object(id, "post").into());
    };
    let own = post.id.split_once('_').map_or("", |(_, own)| own);
    let comment = format!("{own}_{}", FIRST_POST + 500_000_000 + post.comments.len() as u64);
    post.comments.push(Comment { id: comment.clone(), text: text.to_owned(), created_at: now });
    Ok(Answer::ok(json!({ "id": comment })))
}

/// `DELETE {post}`.
pub(crate) fn delete(scene: &mut Scene<'_>, call: &Call, id: &str) -> Outcome {
    let Some((key, post)) = find(scene, id) else {
        super::tokens::caller(scene, call)?;
        return Err(GraphError::unknown_object(id, "delete").into());
    };
    let (caller, page) = acting(scene, call, &post.place)?;
    may_post(&caller, &page)?;
    let now = scene.now;
    if let Some(post) = scene.realm.posts.get_mut(&key) {
        post.deleted_at = Some(now);
    }
    Ok(Answer::ok(json!({ "success": true })))
}
