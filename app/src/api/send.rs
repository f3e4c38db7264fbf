//! What the browser sends to plain routes: uploads with their progress, and the knobs of a rehearsal.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{FormData, ProgressEvent, XmlHttpRequest};

/// What became of a request: the HTTP status (0 when nothing came back) and the body.
pub(crate) type Answer = (u16, String);

/// Sends a file as the multipart field `file`; `on_progress` gets percent.
pub(crate) fn upload(url: &str, form: &FormData, on_progress: impl Fn(u32) + 'static, done: impl FnOnce(Answer) + 'static) {
    let Some(request) = open(url, "POST", done) else { return };
    let progress = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
        let (loaded, total) = (event.loaded(), event.total());
        if event.length_computable() && total > 0.0 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
            on_progress((loaded / total * 100.0).clamp(0.0, 100.0) as u32);
        }
    });
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
    }
    progress.forget();
    _ = request.send_with_opt_form_data(Some(form));
}

/// Sends JSON with the given method.
pub(crate) fn json(method: &str, url: &str, body: &str, done: impl FnOnce(Answer) + 'static) {
    let Some(request) = open(url, method, done) else { return };
    _ = request.set_request_header("content-type", "application/json");
    _ = request.send_with_opt_str(Some(body));
}

/// A request whose answer goes to `done`, once, whatever becomes of it.
fn open(url: &str, method: &str, done: impl FnOnce(Answer) + 'static) -> Option<XmlHttpRequest> {
    let request = XmlHttpRequest::new().ok()?;
    if request.open(method, url).is_err() {
        return None;
    }
    _ = request.set_request_header("accept", "application/json");
    let finished = request.clone();
    let done = Closure::once_into_js(move || {
        let text = finished.response_text().ok().flatten().unwrap_or_default();
        done((finished.status().unwrap_or_default(), text));
    });
    request.set_onloadend(Some(done.unchecked_ref()));
    Some(request)
}
