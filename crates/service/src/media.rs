//! Uploaded images, stored once they decode.

use bytes::Bytes;
use cuts::{Cut, cut};
use domain::id::{MediaId, WorkspaceId};
use domain::media::ImageFacts;
use domain::role::{Action, Caller};
use domain::summary::posts::ImageView;
use domain::summary::refusal::ErrorCode;
use images::{decode, header};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

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
