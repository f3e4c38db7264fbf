//! Opens the vault for those who talk to platforms. (Owner: logins)

use std::sync::Arc;

use domain::id::{AccountId, GrantId, PlatformAppId, WorkspaceId};
use domain::platform::Platform;
use domain::time::Timestamp;
use platforms::adapter::{AccountAccess, Adapter, App};
use platforms::secret::{AccessToken, RefreshToken};
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

/// Everything needed to act on one account.
#[derive(Debug)]
pub struct Acting {
    /// The platform.
    pub adapter: Arc<dyn Adapter>,
    /// Our app there, with its secret.
    pub app: App,
    /// The account with its token.
    pub account: AccountAccess,
    /// Its login.
    pub grant: GrantId,
    /// Generation of the login's tokens, for "has somebody renewed meanwhile?".
    pub generation: i64,
    /// When the access token ends, if stated.
    pub access_expires_at: Option<Timestamp>,
}

/// A login's newest pair.
#[derive(Debug)]
pub struct Pair {
    /// The platform.
    pub adapter: Arc<dyn Adapter>,
    /// Our app there.
    pub app: App,
    /// Which pair.
    pub generation: i64,
    /// The access token.
    pub access: AccessToken,
    /// The refresh token.
    pub refresh: Option<RefreshToken>,
}

impl Services {
    /// Opens what is needed to post to an account. `None` when account or login is unlinked.
    pub async fn acting(&self, workspace: WorkspaceId, account: AccountId) -> Answer<Option<Acting>> { todo!() }
    /// Opens a login's newest pair.
    pub async fn pair(&self, workspace: WorkspaceId, grant: GrantId) -> Answer<Option<Pair>> { todo!() }
    /// Our app at a platform, ready for use; the one registered for that platform on this server.
    pub async fn app_of(&self, app: PlatformAppId) -> Answer<Option<App>> { todo!() }
    /// Stores (or replaces) the app of a platform, its secret sealed. Used by configuration and demo.
    pub async fn set_platform_app(&self, platform: Platform, client_id: &str, secret: &platforms::secret::AppSecret) -> Answer<PlatformAppId> { todo!() }
}
