//! What is known of uploaded images; the bytes lie in the media store.

use domain::id::{MediaId, PersonId, WorkspaceId};
use domain::media::{ImageFacts, ImageKind};
use domain::time::Timestamp;

use crate::args;
use crate::db::Store;
use crate::error::{StoreError, contradiction};

impl Store {
    /// Remembers an image that has been stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_media(&self, workspace: WorkspaceId, facts: &ImageFacts, by: PersonId, now: Timestamp) -> Result<(), StoreError> {
        let kind = match facts.kind {
            ImageKind::Jpeg => "jpeg",
            ImageKind::Png => "png",
        };
        let bytes = i64::try_from(facts.bytes).unwrap_or(i64::MAX);
        self.run(
            "insert into media (id, workspace_id, kind, width, height, bytes, created_by, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![facts.id, workspace, kind, facts.width, facts.height, bytes, by, now],
        )
        .await?;
        Ok(())
    }

    /// An image of a workspace.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn media(&self, workspace: WorkspaceId, id: MediaId) -> Result<Option<ImageFacts>, StoreError> {
        let row: Option<(String, i64, i64, i64)> =
            self.row("select kind, width, height, bytes from media where workspace_id = $1 and id = $2", args![workspace, id]).await?;
        let Some((kind, width, height, bytes)) = row else { return Ok(None) };
        let kind = match kind.as_str() {
            "jpeg" => ImageKind::Jpeg,
            "png" => ImageKind::Png,
            other => return Err(contradiction("media", other)),
        };
        let size = |n: i64| u32::try_from(n).map_err(|error| contradiction("media", error));
        let bytes = usize::try_from(bytes).map_err(|error| contradiction("media", error))?;
        Ok(Some(ImageFacts { id, kind, width: size(width)?, height: size(height)?, bytes }))
    }
}
