//! Finding a pin again after an answer was lost.

use domain::time::{Timestamp, hours, minutes};
use serde_json::Value;
use url::Url;

use super::Pinterest;
use super::publish::link;
use crate::adapter::{App, CallError, Job, Looked, RemotePost};
use crate::answer::unreadable;
use crate::http::{id, not_sent};
use crate::json::{list, text};
use crate::moment::moment;
use crate::wording::is_same;

/// How much earlier than our attempt the platform's clock may say it was.
const TOLERANCE: std::time::Duration = minutes(2);
/// How many pages of a board are read; the order of the list is not documented.
const PAGES_MAX: usize = 5;

impl Pinterest {
    pub(super) async fn find(&self, app: &App, job: &Job, attempted_at: Timestamp, now: Timestamp) -> Result<Looked, CallError> {
        let board = id(job.board.as_deref().ok_or_else(|| not_sent("no board is chosen"))?)?;
        let mut found: Vec<RemotePost> = Vec::new();
        let mut bookmark: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("page_size", "100")];
            query.extend(bookmark.as_deref().map(|bookmark| ("bookmark", bookmark)));
            let answer = self.read(app, &["boards", board, "pins"], &query, &job.account.access, now).await?;
            if !answer.get("items").is_some_and(Value::is_array) {
                return Err(unreadable());
            }
            let pins = list(&answer, "items");
            for pin in pins {
                let Some(mut this) = matching(pin, job, attempted_at) else { continue };
                if found.iter().any(|known| known.remote_id == this.remote_id) {
                    continue;
                }
                this.link = Some(link(&app.endpoints.browser, &this.remote_id));
                found.push(this);
            }
            let is_old = |pin: &Value| moment(pin, "created_at").is_some_and(|at| at < attempted_at - hours(24));
            bookmark = text(&answer, "bookmark");
            // A page of old pins means the newest are behind us or still ahead; only a match ends the search early.
            if bookmark.is_none() || (!found.is_empty() && pins.iter().all(is_old)) {
                break;
            }
        }
        Ok(Looked::Matches(found))
    }
}

/// The pin, if it equals ours. A pin of unknown time is none of ours: it proves nothing.
fn matching(pin: &Value, job: &Job, attempted_at: Timestamp) -> Option<RemotePost> {
    let created_at = moment(pin, "created_at").filter(|at| *at >= attempted_at - TOLERANCE)?;
    let shown = |key| text(pin, key).unwrap_or_default();
    let alt = job.images.first().map_or("", |image| image.alt.as_str());
    let is_equal = is_same(&job.title, &shown("title"))
        && is_same(&job.text, &shown("description"))
        && is_same_link(&job.link, &shown("link"))
        // Not every answer tells the alternative text.
        && text(pin, "alt_text").is_none_or(|shown| is_same(alt, &shown))
        && pin.get("media").and_then(|media| text(media, "media_type")).is_none_or(|kind| kind != "video");
    // Without any words a pin on a busy board is nobody's.
    let has_words = [&job.title, &job.text, &job.link].iter().any(|words| !words.trim().is_empty());
    let remote_id = text(pin, "id").filter(|found| id(found).is_ok())?;
    (is_equal && has_words).then_some(RemotePost { remote_id, link: None, created_at })
}

/// Links are compared as addresses: a platform may write `https://example.org` with a slash.
fn is_same_link(ours: &str, theirs: &str) -> bool {
    match (Url::parse(ours), Url::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        _ => ours.trim() == theirs.trim(),
    }
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

    fn job() -> Job {
        let facts = ImageFacts { id: MediaId([0; 16]), kind: ImageKind::Png, width: 1, height: 1, bytes: 1 };
        Job {
            delivery: DeliveryId([0; 16]),
            account: AccountAccess { remote_id: "7".into(), access: AccessToken::new("pina".into()) },
            text: "From today".into(),
            title: "Wreaths".into(),
            link: "https://example.org".into(),
            board: Some("5".into()),
            images: vec![Image { facts, bytes: Bytes::new(), alt: "A wreath".into() }],
        }
    }

    fn pin() -> Value {
        json!({"id": "8", "created_at": "2026-11-23T10:00:02", "title": "Wreaths", "description": "From today", "link": "https://example.org/",
            "media": {"media_type": "image"}})
    }

    #[test]
    fn a_pin_with_the_same_words_since_the_attempt_is_a_match() {
        assert!(matching(&pin(), &job(), AT).is_some());
        let mut told = pin();
        told["alt_text"] = json!("A wreath");
        assert!(matching(&told, &job(), AT).is_some());
    }

    #[test]
    fn any_difference_makes_it_another_pin() {
        for (key, other) in [
            ("title", json!("Wreath")),
            ("title", json!(null)),
            ("description", json!("From tomorrow")),
            ("link", json!("https://example.org/x")),
            ("link", json!(null)),
            ("alt_text", json!("A star")),
            ("created_at", json!("2026-11-23T09:57:59")),
            ("created_at", json!("lately")),
            ("media", json!({"media_type": "video"})),
            ("id", json!("../8")),
        ] {
            let mut shown = pin();
            shown[key] = other.clone();
            assert!(matching(&shown, &job(), AT).is_none(), "{key}: {other}");
        }
    }

    #[test]
    fn a_pin_without_words_is_never_recognized() {
        let bare = Job { text: String::new(), title: String::new(), link: String::new(), ..job() };
        assert!(matching(&json!({"id": "8", "created_at": "2026-11-23T10:00:02"}), &bare, AT).is_none());
    }
}
