//! Uploaded images: judged by their header before they are decoded, stored once they decode.

use std::io::Cursor;

use bytes::Bytes;
use cuts::{Cut, cut};
use domain::id::{MediaId, WorkspaceId};
use domain::media::{ImageFacts, ImageKind, SIDE_MAX, UPLOAD_MAX};
use domain::role::{Action, Caller};
use domain::summary::posts::ImageView;
use domain::summary::refusal::ErrorCode;
use image::{ImageFormat, ImageReader, Limits};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// More pixels than this are refused before decoding: it would take a quarter of a gigabyte.
const PIXELS_MAX: u64 = 60_000_000;
/// Memory that decoding may take, in bytes.
const DECODE_MAX: u64 = 512 * 1024 * 1024;

fn place(workspace: WorkspaceId, id: MediaId) -> Path {
    Path::from(format!("{workspace}/{id}"))
}

/// Where the browser gets an image.
pub(crate) fn url(id: MediaId) -> String {
    format!("/api/v1/media/{id}")
}

impl Services {
    /// Takes an image: kind and size checked from its header before it is decoded, then stored once it decodes.
    ///
    /// # Errors
    /// `ImageKind`, `ImageBroken` or `ImageTooLarge`, and nothing is stored.
    pub async fn upload_image(&self, caller: &Caller, bytes: Bytes) -> Answer<ImageView> {
        caller.may(Action::WritePosts)?;
        let (kind, width, height) = header(&bytes)?;
        let whole = bytes.clone();
        // Decoding a large image takes a while, and the other requests should not wait for it.
        let decoded = tokio::task::spawn_blocking(move || decode(&whole, kind)).await;
        decoded.map_err(|_| ErrorCode::ImageBroken)??;

        let facts = ImageFacts { id: MediaId(self.new_id()), kind, width, height, bytes: bytes.len() };
        let place = place(caller.workspace, facts.id);
        cut(Cut::BeforeFile, "image");
        self.media.put(&place, PutPayload::from(bytes)).await?;
        cut(Cut::AfterFile, "image");
        if let Err(error) = self.store.insert_media(caller.workspace, &facts, caller.person, self.now()).await {
            // The row is what makes it exist; bytes without one are only rubbish.
            let _ = self.media.delete(&place).await;
            return Err(error.into());
        }
        Ok(ImageView { id: facts.id, url: url(facts.id), alt: String::new(), width, height })
    }

    /// An image of the caller's workspace.
    ///
    /// # Errors
    /// `NotFound` when there is none, or it belongs to somebody else.
    pub async fn image(&self, caller: &Caller, id: MediaId) -> Answer<(ImageFacts, Bytes)> {
        caller.may(Action::See)?;
        Ok(self.stored_image(caller.workspace, id).await?.ok_or(ErrorCode::NotFound)?)
    }

    /// An image of a workspace; none when its row or its bytes are gone.
    ///
    /// # Errors
    /// When the database or the media store fails.
    pub async fn stored_image(&self, workspace: WorkspaceId, id: MediaId) -> Answer<Option<(ImageFacts, Bytes)>> {
        let Some(facts) = self.store.media(workspace, id).await? else { return Ok(None) };
        match self.media.get(&place(workspace, id)).await {
            Ok(found) => Ok(Some((facts, found.bytes().await?))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn image_views(&self, workspace: WorkspaceId, images: &[domain::post::PostImage]) -> Answer<Vec<ImageView>> {
        let mut views = Vec::with_capacity(images.len());
        for image in images {
            if let Some(facts) = self.store.media(workspace, image.id).await? {
                views.push(ImageView {
                    id: image.id,
                    url: url(image.id),
                    alt: image.alt.clone(),
                    width: facts.width,
                    height: facts.height,
                });
            }
        }
        Ok(views)
    }
}

/// What the first bytes say. A header that claims too much is refused before anything is decoded.
fn header(bytes: &[u8]) -> Result<(ImageKind, u32, u32), ErrorCode> {
    if bytes.len() > UPLOAD_MAX {
        return Err(ErrorCode::ImageTooLarge);
    }
    let kind = match bytes {
        [0xff, 0xd8, 0xff, ..] => ImageKind::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ImageKind::Png,
        _ => return Err(ErrorCode::ImageKind),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| ErrorCode::ImageBroken)?;
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| ErrorCode::ImageTooLarge);
    let (width, height) = (side(size.width)?, side(size.height)?);
    if width == 0 || height == 0 {
        return Err(ErrorCode::ImageBroken);
    }
    if width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(ErrorCode::ImageTooLarge);
    }
    Ok((kind, width, height))
}

fn decode(bytes: &[u8], kind: ImageKind) -> Result<(), ErrorCode> {
    let format = match kind {
        ImageKind::Jpeg => ImageFormat::Jpeg,
        ImageKind::Png => ImageFormat::Png,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODE_MAX);
    reader.limits(limits);
    reader.decode().map(|_| ()).map_err(|_| ErrorCode::ImageBroken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::RgbImage::from_pixel(width, height, image::Rgb([10, 20, 30]));
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).expect("an image is written");
        bytes
    }

    #[test]
    fn a_whole_image_is_read_by_its_header_and_decoded() {
        let bytes = png(40, 30);
        assert_eq!(header(&bytes), Ok((ImageKind::Png, 40, 30)));
        assert_eq!(decode(&bytes, ImageKind::Png), Ok(()));
    }

    #[test]
    fn a_broken_image_is_refused_wherever_it_is_cut() {
        let bytes = png(400, 300);
        for length in [8, 16, 24, 33, 40, bytes.len() / 2] {
            let cut = &bytes[..length];
            let judged = header(cut).and_then(|(kind, ..)| decode(cut, kind));
            assert_eq!(judged, Err(ErrorCode::ImageBroken), "{length}");
        }
    }

    #[test]
    fn what_is_neither_jpeg_nor_png_is_refused_by_its_first_bytes() {
        for bytes in [&b""[..], b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF....WEBP", b"\x89PNG", b"%PDF-1.7"] {
            assert_eq!(header(bytes), Err(ErrorCode::ImageKind));
        }
    }

    #[test]
    fn a_header_that_claims_a_huge_image_is_refused_before_decoding() {
        let mut bytes = png(8, 8);
        bytes[16..20].copy_from_slice(&50_000u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&50_000u32.to_be_bytes());
        assert_eq!(header(&bytes), Err(ErrorCode::ImageTooLarge));
        assert_eq!(header(&vec![0xff; UPLOAD_MAX + 1]), Err(ErrorCode::ImageTooLarge));
    }
}
