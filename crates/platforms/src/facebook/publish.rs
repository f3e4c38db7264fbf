//! Posting to a page.

use domain::cause::Class;
use domain::time::Timestamp;
use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use url::Url;

use super::{Facebook, classify, signature, versioned};
use crate::adapter::{AccountAccess, App, CallError, Committed, HttpError, Image, Job, Prepared, SeenOnline, Step};
use crate::answer::{Call, unreadable};
use crate::http::{Unanswered, id, not_sent};
use crate::json::text;
use domain::media::ImageKind;

/// The step that uploads the image at `index`, unpublished.
fn step_kind(index: usize) -> String {
    format!("photo:{index}")
}

/// The ids of uploaded photos in the order of the images; `None` as long as one is missing.
pub(super) fn uploaded(job: &Job, done: &[Step]) -> Option<Vec<String>> {
    let id_of = |index| done.iter().find(|step| step.kind == step_kind(index)).map(|step| step.result.clone());
    (0..job.images.len()).map(id_of).collect()
}

/// A post's address where none was told: Facebook leads on from it.
pub(super) fn fallback_link(browser: &Url, post: &str) -> String {
    crate::http::below(browser, &[post]).into()
}

impl Facebook {
    /// One image goes out with its post; several are uploaded unpublished first, one per step.
    pub(super) async fn upload_next(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Result<Prepared, CallError> {
        if job.images.len() < 2 {
            return Ok(Prepared::Ready);
        }
        let is_missing = |index: &usize| !done.iter().any(|step| step.kind == step_kind(*index));
        let Some(index) = (0..job.images.len()).find(is_missing) else { return Ok(Prepared::Ready) };
        let form = photo(app, job, &job.images[index])?.text("published", "false");
        let request = self.http.upload(versioned(app, &[id(&job.account.remote_id)?, "photos"])).multipart(form);
        let answer = self.call(Call::Api, request, now).await?;
        let result = text(&answer, "id").ok_or_else(unreadable)?;
        Ok(Prepared::Step(Step { kind: step_kind(index), result }))
    }

    pub(super) async fn publish(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Committed {
        let request = match self.commit_request(app, job, done) {
            Ok(request) => request,
            Err(Unanswered::NotSent(error) | Unanswered::Lost(error)) => return Committed::NotSent(error),
        };
        match self.http.send(request).await {
            Ok(answer) => classify::committed(&answer, &app.endpoints.browser, now),
            Err(Unanswered::NotSent(error)) => Committed::NotSent(error),
            Err(Unanswered::Lost(error)) => Committed::Unknown { evidence: None, error: Some(error) },
        }
    }

    fn commit_request(&self, app: &App, job: &Job, done: &[Step]) -> Result<RequestBuilder, Unanswered> {
        let page = id(&job.account.remote_id)?;
        if let [image] = job.images.as_slice() {
            let mut form = photo(app, job, image)?;
            if !job.text.is_empty() {
                form = form.text("message", job.text.clone());
            }
            return Ok(self.http.upload(versioned(app, &[page, "photos"])).multipart(form));
        }
        let mut fields: Vec<(&str, String)> = Vec::new();
        if !job.text.is_empty() {
            fields.push(("message", job.text.clone()));
        }
        if job.images.is_empty() {
            if !job.link.is_empty() {
                fields.push(("link", job.link.clone()));
            }
        } else {
            let photos = uploaded(job, done).ok_or_else(|| not_sent("a photo is not uploaded yet"))?;
            let attached: Vec<_> = photos.into_iter().map(|photo| json!({ "media_fbid": photo })).collect();
            fields.push(("attached_media", json!(attached).to_string()));
        }
        fields.extend(signature(app, &job.account.access));
        Ok(self.http.post(versioned(app, &[page, "feed"])).query(&[("fields", "id,permalink_url")]).form(&fields))
    }

    /// Nothing that we post is processed later; should a handle ever be kept, its being readable tells.
    pub(super) async fn follow_post(&self, app: &App, job: &Job, handle: &str, now: Timestamp) -> Result<Committed, CallError> {
        Ok(match self.see(app, &job.account, handle, now).await? {
            SeenOnline::Yes => {
                Committed::Published { remote_id: handle.to_owned(), link: Some(fallback_link(&app.endpoints.browser, handle)) }
            }
            SeenOnline::No | SeenOnline::CannotTell => {
                Committed::Unknown { evidence: None, error: Some(HttpError("the post cannot be seen".to_owned())) }
            }
        })
    }

    pub(super) async fn see(&self, app: &App, account: &AccountAccess, post: &str, now: Timestamp) -> Result<SeenOnline, CallError> {
        match self.read(app, &[id(post)?], &[("fields", "id")], &account.access, now).await {
            Ok(answer) => text(&answer, "id").map(|_| SeenOnline::Yes).ok_or_else(unreadable),
            // Of a post this code says only that it is not shown.
            Err(CallError::Answered { verdict, .. }) if verdict.class == Class::AccountGone => Ok(SeenOnline::No),
            Err(error) => Err(error),
        }
    }
}

/// A photo as a form, with the token in it.
fn photo(app: &App, job: &Job, image: &Image) -> Result<Form, Unanswered> {
    let name = match image.facts.kind {
        ImageKind::Jpeg => "photo.jpg",
        ImageKind::Png => "photo.png",
    };
    let length = image.bytes.len() as u64;
    let part = Part::stream_with_length(image.bytes.clone(), length).file_name(name);
    let part = part.mime_str(image.facts.kind.media_type()).map_err(|_| not_sent("the request could not be built"))?;
    let mut form = Form::new();
    for (name, value) in signature(app, &job.account.access) {
        form = form.text(name, value);
    }
    if !image.alt.is_empty() {
        form = form.text("alt_text_custom", image.alt.clone());
    }
    Ok(form.part("source", part))
}
