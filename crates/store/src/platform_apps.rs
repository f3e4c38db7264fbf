//! Our registrations at the platforms. Their secrets are sealed in the scope of the installation.

use domain::id::PlatformAppId;
use domain::platform::Platform;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::records::{id_bytes, platform};

/// A registration, its secret sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformApp {
    /// Id.
    pub id: PlatformAppId,
    /// Where.
    pub platform: Platform,
    /// The public half.
    pub client_id: String,
    /// The secret half, sealed.
    pub secret: Vec<u8>,
}

#[derive(FromRow)]
struct AppRow {
    id: Vec<u8>,
    platform: String,
    client_id: String,
    secret: Vec<u8>,
}

impl TryFrom<AppRow> for PlatformApp {
    type Error = StoreError;
    fn try_from(row: AppRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: PlatformAppId(id_bytes("platform_apps", &row.id)?),
            platform: platform("platform_apps", &row.platform)?,
            client_id: row.client_id,
            secret: row.secret,
        })
    }
}

impl Store {
    /// A registration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn platform_app(&self, id: PlatformAppId) -> Result<Option<PlatformApp>, StoreError> {
        let row: Option<AppRow> = self.row("select id, platform, client_id, secret from platform_apps where id = $1", args![id]).await?;
        row.map(PlatformApp::try_from).transpose()
    }

    /// The registrations of this server, newest first: the first of a platform is the one for new consents.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn platform_apps(&self) -> Result<Vec<PlatformApp>, StoreError> {
        let rows: Vec<AppRow> =
            self.rows("select id, platform, client_id, secret from platform_apps order by created_at desc, id desc", args![]).await?;
        rows.into_iter().map(PlatformApp::try_from).collect()
    }
}

impl Store {
    /// The platforms for which an app is registered on this server.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn platform_app_platforms(&self) -> Result<Vec<Platform>, StoreError> {
        let rows: Vec<(String,)> = self.rows("select distinct platform from platform_apps order by platform", args![]).await?;
        rows.iter().map(|(code,)| platform("platform_apps", code)).collect()
    }
}

impl Tx {
    /// The id of the registration with this client id, made with id `fresh` and an empty secret if there is none.
    /// Either way it becomes the newest of its platform.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_platform_app(
        &mut self,
        fresh: PlatformAppId,
        platform: Platform,
        client_id: &str,
        now: Timestamp,
    ) -> Result<PlatformAppId, StoreError> {
        let row: Option<(Vec<u8>,)> = self
            .row(
                "insert into platform_apps (id, platform, client_id, secret, created_at) values ($1, $2, $3, $4, $5) \
                 on conflict (platform, client_id) do update set created_at = excluded.created_at returning id",
                args![fresh, platform.code(), client_id, Vec::<u8>::new(), now],
            )
            .await?;
        let (id,) = row.ok_or(StoreError::Changed)?;
        Ok(PlatformAppId(id_bytes("platform_apps", &id)?))
    }

    /// Stores the sealed secret of a registration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_platform_app_secret(&mut self, id: PlatformAppId, sealed: Vec<u8>) -> Result<(), StoreError> {
        self.run("update platform_apps set secret = $2 where id = $1", args![id, sealed]).await?;
        Ok(())
    }
}
