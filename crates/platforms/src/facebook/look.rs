//! Finding a post again after an answer was lost.

use domain::cause::Class;
use domain::time::{Timestamp, hours, minutes};
use serde_json::Value;

use super::accounts::next_page;
use super::publish::{fallback_link, uploaded};
use super::{Facebook, signature, versioned};
use crate::adapter::{App, CallError, Job, Looked, RemotePost, Step};
use crate::answer::{Call, unreadable};
use crate::http::id;
use crate::json::{list, text};
use crate::moment::moment;
use crate::wording::is_same;

/// How much earlier than our attempt the platform's clock may say it was.
const TOLERANCE: std::time::Duration = minutes(2);
/// How many pages of the list are read; the newest stand first as far as anyone has seen.
const PAGES_MAX: usize = 5;

const FIELDS: &str = "id,message,created_time,permalink_url";
const FIELDS_WITH_MEDIA: &str =
    "id,message,created_time,permalink_url,attachments{media_type,target{id},subattachments{media_type,target{id}}}";

impl Facebook {
    pub(super) async fn find(
        &self,
        app: &App,
        job: &Job,
        done: &[Step],
        attempted_at: Timestamp,
        now: Timestamp,
    ) -> Result<Looked, CallError> {
        let found = match self.search(app, job, done, attempted_at, FIELDS_WITH_MEDIA, now).await {
            // The field of the images is not in our documents; without it, text and time must do.
            Err(CallError::Answered { verdict, .. }) if verdict.class == Class::BadContent => {
                self.search(app, job, done, attempted_at, FIELDS, now).await?
            }
            other => other?,
        };
        Ok(Looked::Matches(found))
    }

    async fn search(
        &self,
        app: &App,
        job: &Job,
        done: &[Step],
        attempted_at: Timestamp,
        fields: &str,
        now: Timestamp,
    ) -> Result<Vec<RemotePost>, CallError> {
        let photos = uploaded(job, done).unwrap_or_default();
        let mut found: Vec<RemotePost> = Vec::new();
        let mut address = versioned(app, &[id(&job.account.remote_id)?, "published_posts"]);
        address.query_pairs_mut().append_pair("fields", fields).append_pair("limit", "25");
        let mut next = Some(address);
        for _ in 0..PAGES_MAX {
            let Some(address) = next else { break };
            let request = self.http.get(address).query(&signature(app, &job.account.access));
            let answer = self.call(Call::Api, request, now).await?;
            if !answer.get("data").is_some_and(Value::is_array) {
                return Err(unreadable());
            }
            let posts = list(&answer, "data");
            for post in posts {
                let Some(mut this) = matching(post, job, &photos, attempted_at) else { continue };
                if found.iter().any(|known| known.remote_id == this.remote_id) {
                    continue;
                }
                this.link = this.link.or_else(|| Some(fallback_link(&app.endpoints.browser, &this.remote_id)));
                found.push(this);
            }
            let is_old = |post: &Value| moment(post, "created_time").is_some_and(|at| at < attempted_at - hours(24));
            if !posts.is_empty() && posts.iter().all(is_old) {
                break;
            }
            next = next_page(&app.endpoints.api, &answer).map_err(CallError::Lost)?;
        }
        Ok(found)
    }
}

/// The post, if it equals ours. A post of unknown time is none of ours: it proves nothing.
fn matching(post: &Value, job: &Job, photos: &[String], attempted_at: Timestamp) -> Option<RemotePost> {
    let created_at = moment(post, "created_time").filter(|at| *at >= attempted_at - TOLERANCE)?;
    let shown = text(post, "message").unwrap_or_default();
    if !is_same(&job.text, &shown) {
        return None;
    }
    let is_other = match media(post) {
        Some(media) => differs(&media, job, photos),
        // Without text and without media there is nothing to recognize it by.
        None => job.text.trim().is_empty(),
    };
    if is_other {
        return None;
    }
    Some(RemotePost { remote_id: text(post, "id").filter(|found| id(found).is_ok())?, link: text(post, "permalink_url"), created_at })
}

/// Whether these images are not ours. Ids are compared where both sides know all of them.
fn differs(media: &[Option<String>], job: &Job, photos: &[String]) -> bool {
    let are_ids_told = !photos.is_empty() && media.iter().all(Option::is_some);
    media.len() != job.images.len() || (are_ids_told && !photos.iter().all(|photo| media.iter().flatten().any(|shown| shown == photo)))
}

/// The images of a post, each with its id where it is told; `None` when the answer does not speak of media.
fn media(post: &Value) -> Option<Vec<Option<String>>> {
    let target = |entry: &Value| entry.get("target").and_then(|target| text(target, "id"));
    let attachments = post.get("attachments")?.get("data")?.as_array()?;
    let mut found = Vec::new();
    for attachment in attachments {
        let inner = attachment.get("subattachments").map_or(&[] as &[Value], |inner| list(inner, "data"));
        let is_photo = |entry: &Value| text(entry, "media_type").is_some_and(|kind| kind == "photo" || kind == "album");
        if !inner.is_empty() {
            found.extend(inner.iter().map(target));
        } else if is_photo(attachment) {
            found.push(target(attachment));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{AccountAccess, Image};
    use crate::secret::AccessToken;
    use bytes::Bytes;
    use domain::id::{DeliveryId, MediaId};
    use domain::media::{ImageFacts, ImageKind};
    use serde_json::json;

    const AT: Timestamp = Timestamp::from_seconds(1_795_428_000); // 2026-11-23T10:00:00Z

    fn job(text: &str, images: usize) -> Job {
        let facts = ImageFacts { id: MediaId([0; 16]), kind: ImageKind::Png, width: 1, height: 1, bytes: 1 };
        Job {
            delivery: DeliveryId([0; 16]),
            account: AccountAccess { remote_id: "1001".into(), access: AccessToken::new("EAA".into()) },
            text: text.into(),
            title: String::new(),
            link: String::new(),
            board: None,
            images: vec![Image { facts, bytes: Bytes::new(), alt: String::new() }; images],
        }
    }

    fn post(message: &str, time: &str) -> Value {
        json!({"id": "1001_2", "message": message, "created_time": time})
    }

    fn is_match(post: &Value, job: &Job, photos: &[&str]) -> bool {
        let photos: Vec<String> = photos.iter().map(|&photo| photo.to_owned()).collect();
        matching(post, job, &photos, AT).is_some()
    }

    #[test]
    fn equal_text_since_the_attempt_is_a_match() {
        let job = job("Wreaths\r\nfrom today ", 0);
        assert!(is_match(&post("Wreaths\nfrom today", "2026-11-23T10:00:03+0000"), &job, &[]));
        assert!(is_match(&post("Wreaths\nfrom today", "2026-11-23T09:58:00+0000"), &job, &[]), "their clock is behind");
        assert!(!is_match(&post("Wreaths\nfrom today", "2026-11-23T09:57:59+0000"), &job, &[]), "older than the attempt");
        assert!(!is_match(&post("Wreaths\nfrom tomorrow", "2026-11-23T10:00:03+0000"), &job, &[]));
        assert!(!is_match(&post("Wreaths\nfrom today", "soon"), &job, &[]), "of unknown time");
    }

    #[test]
    fn other_images_are_another_post() {
        let mut shown = post("Wreaths", "2026-11-23T10:00:03+0000");
        assert!(is_match(&shown, &job("Wreaths", 2), &[]), "media not told");
        shown["attachments"] = json!({"data": [{"media_type": "album", "subattachments": {"data": [
            {"media_type": "photo", "target": {"id": "7"}}, {"media_type": "photo", "target": {"id": "8"}}]}}]});
        assert!(is_match(&shown, &job("Wreaths", 2), &[]));
        assert!(is_match(&shown, &job("Wreaths", 2), &["8", "7"]));
        assert!(!is_match(&shown, &job("Wreaths", 2), &["8", "9"]));
        assert!(!is_match(&shown, &job("Wreaths", 1), &[]));
        assert!(!is_match(&shown, &job("Wreaths", 0), &[]));
        shown["attachments"] = json!({"data": [{"media_type": "link", "target": {"url": "https://example.org"}}]});
        assert!(is_match(&shown, &job("Wreaths", 0), &[]), "a link preview is no image");
    }

    #[test]
    fn a_post_without_text_is_known_by_its_images_or_not_at_all() {
        let mut shown = json!({"id": "1001_2", "created_time": "2026-11-23T10:00:03+0000"});
        assert!(!is_match(&shown, &job("", 1), &[]));
        shown["attachments"] = json!({"data": [{"media_type": "photo", "target": {"id": "7"}}]});
        assert!(is_match(&shown, &job("", 1), &[]));
    }
}
