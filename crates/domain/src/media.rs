//! What is known of an uploaded image.

use serde::{Deserialize, Serialize};

use crate::id::MediaId;

/// The image kinds we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl ImageKind {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// The facts about a stored image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// Its id.
    pub id: MediaId,
    /// What it is.
    pub kind: ImageKind,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// File size in bytes.
    pub bytes: usize,
}

/// The largest upload we take at all, in bytes; platforms have lower limits of their own.
pub const UPLOAD_MAX: usize = 20 * 1024 * 1024;
/// The longest side of an image we take, in pixels: a header that claims more is refused before decoding.
pub const SIDE_MAX: u32 = 12_000;
