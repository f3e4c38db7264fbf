//! Images: uploaded to `POST /api/v1/media` and read from `GET /api/v1/media/{id}`. Both are plain routes of the
//! server, because uploads are multipart (stack.md 4.4); here stands how the browser uses them.

use domain::id::MediaId;
use domain::summary::posts::ImageView;
use domain::summary::refusal::{ErrorCode, Refusal};
use web_sys::{File, FormData};

use super::error::NO_CONNECTION;
use super::send;

/// Where an upload goes. A form without script adds `then=PATH`, and is led back there with `image=ID`.
pub const UPLOAD: &str = "/api/v1/media";

/// An image by its id alone, as Compose without script gets it back from an upload.
pub fn by_id(workspace: &str, id: MediaId) -> ImageView {
    ImageView { id, url: format!("{UPLOAD}/{id}?workspace={workspace}"), alt: String::new(), width: 0, height: 0 }
}

/// Uploads one image; `on_progress` gets percent.
pub(crate) fn upload(
    workspace: &str,
    file: &File,
    on_progress: impl Fn(u32) + 'static,
    done: impl FnOnce(Result<ImageView, Box<Refusal>>) + 'static,
) {
    let Ok(form) = FormData::new() else { return };
    _ = form.append_with_blob("file", file);
    send::upload(&format!("{UPLOAD}?workspace={workspace}"), &form, on_progress, |(status, body)| done(read(status, &body)));
}

fn read(status: u16, body: &str) -> Result<ImageView, Box<Refusal>> {
    let unreadable = || Refusal { trace: (status == 0).then(|| NO_CONNECTION.to_owned()), ..ErrorCode::Internal.into() };
    if (200..300).contains(&status) {
        return serde_json::from_str(body).map_err(|_| Box::new(unreadable()));
    }
    // A proxy or the body limit may answer 413 without our shape.
    let refusal = serde_json::from_str(body).unwrap_or_else(|_| if status == 413 { ErrorCode::ImageTooLarge.into() } else { unreadable() });
    Err(Box::new(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_an_image_or_a_refusal() {
        let image = by_id("blumen-jung", MediaId([7; 16]));
        let body = serde_json::to_string(&image).unwrap();
        assert_eq!(read(200, &body), Ok(image));
        assert_eq!(read(422, r#"{"code":"image_kind"}"#).unwrap_err().code, ErrorCode::ImageKind);
        assert_eq!(read(413, "<html>").unwrap_err().code, ErrorCode::ImageTooLarge);
        assert_eq!(read(0, "").unwrap_err().trace.as_deref(), Some(NO_CONNECTION));
    }
}
