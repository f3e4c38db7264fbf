//! Creating a pin.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::cause::Class;
use domain::time::Timestamp;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use url::Url;

use super::{Pinterest, classify, versioned};
use crate::adapter::{AccountAccess, App, CallError, Committed, HttpError, Image, Job, SeenOnline};
use crate::answer::unreadable;
use crate::http::{Unanswered, below, id, not_sent};
use crate::json::text;

/// Where a pin is shown.
pub(super) fn link(browser: &Url, pin: &str) -> String {
    below(browser, &["pin", pin, ""]).into()
}

impl Pinterest {
    pub(super) async fn publish(&self, app: &App, job: &Job, now: Timestamp) -> Committed {
        let request = match self.commit_request(app, job) {
            Ok(request) => request,
            Err(Unanswered::NotSent(error) | Unanswered::Lost(error)) => return Committed::NotSent(error),
        };
        match self.http.send(request).await {
            Ok(answer) => classify::committed(&answer, &app.endpoints.browser, now),
            Err(Unanswered::NotSent(error)) => Committed::NotSent(error),
            Err(Unanswered::Lost(error)) => Committed::Unknown { evidence: None, error: Some(error) },
        }
    }

    fn commit_request(&self, app: &App, job: &Job) -> Result<RequestBuilder, Unanswered> {
        let body = pin(job)?;
        Ok(self.http.upload(versioned(app, &["pins"])).bearer_auth(job.account.access.expose()).json(&body))
    }

    /// No image pin is processed later; should a handle ever be kept, its being readable tells.
    pub(super) async fn follow_pin(&self, app: &App, job: &Job, handle: &str, now: Timestamp) -> Result<Committed, CallError> {
        Ok(match self.see(app, &job.account, handle, now).await? {
            SeenOnline::Yes => Committed::Published { remote_id: handle.to_owned(), link: Some(link(&app.endpoints.browser, handle)) },
            SeenOnline::No | SeenOnline::CannotTell => {
                Committed::Unknown { evidence: None, error: Some(HttpError("the pin cannot be seen".to_owned())) }
            }
        })
    }

    pub(super) async fn see(&self, app: &App, account: &AccountAccess, pin: &str, now: Timestamp) -> Result<SeenOnline, CallError> {
        match self.read(app, &["pins", id(pin)?], &[], &account.access, now).await {
            Ok(answer) => text(&answer, "id").map(|_| SeenOnline::Yes).ok_or_else(unreadable),
            Err(CallError::Answered { verdict, .. }) if verdict.status == Some(404) && verdict.class == Class::BadContent => {
                Ok(SeenOnline::No)
            }
            Err(error) => Err(error),
        }
    }
}

fn pin(job: &Job) -> Result<Value, Unanswered> {
    let board = job.board.as_deref().ok_or_else(|| not_sent("no board is chosen"))?;
    let media = match job.images.as_slice() {
        [] => return Err(not_sent("a pin needs an image")),
        [image] => {
            let mut media = source(image);
            media["source_type"] = json!("image_base64");
            media
        }
        several => json!({ "source_type": "multiple_image_base64", "items": several.iter().map(source).collect::<Vec<_>>() }),
    };
    let mut body = json!({ "board_id": id(board)?, "media_source": media });
    let alt = job.images.first().map_or("", |image| image.alt.as_str());
    for (name, value) in [("title", job.title.as_str()), ("description", &job.text), ("link", &job.link), ("alt_text", alt)] {
        if !value.is_empty() {
            body[name] = json!(value);
        }
    }
    Ok(body)
}

fn source(image: &Image) -> Value {
    json!({ "content_type": image.facts.kind.media_type(), "data": STANDARD.encode(&image.bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::AccessToken;
    use bytes::Bytes;
    use domain::id::{DeliveryId, MediaId};
    use domain::media::{ImageFacts, ImageKind};

    fn job(images: usize) -> Job {
        let facts = ImageFacts { id: MediaId([0; 16]), kind: ImageKind::Jpeg, width: 1, height: 1, bytes: 3 };
        Job {
            delivery: DeliveryId([0; 16]),
            account: AccountAccess { remote_id: "7".into(), access: AccessToken::new("pina".into()) },
            text: "D".into(),
            title: "T".into(),
            link: String::new(),
            board: Some("549755885175".into()),
            images: vec![Image { facts, bytes: Bytes::from_static(b"abc"), alt: "A wreath".into() }; images],
        }
    }

    #[test]
    fn one_image_and_several_images_are_sent_as_documented() {
        let one = json!({
            "board_id": "549755885175", "title": "T", "description": "D", "alt_text": "A wreath",
            "media_source": {"source_type": "image_base64", "content_type": "image/jpeg", "data": "YWJj"}
        });
        assert_eq!(pin(&job(1)), Ok(one));
        let two = pin(&job(2)).unwrap();
        assert_eq!(two["media_source"]["source_type"], "multiple_image_base64");
        assert_eq!(
            two["media_source"]["items"],
            json!([{"content_type": "image/jpeg", "data": "YWJj"}, {"content_type": "image/jpeg", "data": "YWJj"}])
        );
    }

    #[test]
    fn a_pin_without_image_or_board_is_not_sent() {
        assert!(pin(&job(0)).is_err());
        assert!(pin(&Job { board: None, ..job(1) }).is_err());
        assert!(pin(&Job { board: Some("../x".into()), ..job(1) }).is_err());
    }
}
