#![doc = include_str!("../README.md")]

use std::io::Cursor;

use domain::media::{ImageKind, SIDE_MAX, UPLOAD_MAX};
use domain::summary::refusal::ErrorCode;
use image::{ImageFormat, ImageReader, Limits};

/// More pixels than this are refused before decoding: it would take a quarter of a gigabyte.
const PIXELS_MAX: u64 = 60_000_000;
/// Memory that decoding may take, in bytes.
const DECODE_MAX: u64 = 512 * 1024 * 1024;

/// What the first bytes say: kind, width and height. A header that claims too much is refused before anything is decoded.
///
/// # Errors
/// `ImageKind` for what is neither JPEG nor PNG, `ImageBroken`, or `ImageTooLarge`.
pub fn header(bytes: &[u8]) -> Result<(ImageKind, u32, u32), ErrorCode> {
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

/// Decodes an image whose header was read, to see that it is whole.
///
/// # Errors
/// `ImageBroken` when it is not, or takes more memory than it may.
pub fn decode(bytes: &[u8], kind: ImageKind) -> Result<(), ErrorCode> {
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
