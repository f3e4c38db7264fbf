//! Uploaded images. (Owner: posts)

use bytes::Bytes;
use domain::id::MediaId;
use domain::media::ImageFacts;
use domain::summary::posts::ImageView;
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

impl Services {
    /// Takes an image: kind and size checked from its header before it is decoded, then stored once it decodes.
    pub async fn upload_image(&self, caller: &Caller, bytes: Bytes) -> Answer<ImageView> { todo!() }
    /// An image of the caller's workspace.
    pub async fn image(&self, caller: &Caller, id: MediaId) -> Answer<(ImageFacts, Bytes)> { todo!() }
}
