//! Opens the vault for those who talk to platforms.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::grant::{RenewedBy, Schedule, TokenTimes};
use domain::id::{AccountId, ConsentId, GrantId, PlatformAppId, WorkspaceId};
use domain::platform::Platform;
use domain::policy::Policy;
use domain::time::{Timestamp, hours, minutes};
use platforms::adapter::{AccountAccess, Adapter, App, Tokens};
use platforms::secret::{AccessToken, AppSecret, RefreshToken};
use store::grants::Generation;
use store::platform_apps::PlatformApp;
use vault::{DataKey, INSTALLATION, Place, Sealed, WrappedKey};

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

/// The opened data keys, kept because opening one costs a decryption and a query.
#[derive(Debug, Default)]
pub(crate) struct DataKeys(RwLock<HashMap<WorkspaceId, Arc<DataKey>>>);

impl DataKeys {
    fn get(&self, workspace: WorkspaceId) -> Option<Arc<DataKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&workspace).cloned()
    }

    fn keep(&self, workspace: WorkspaceId, key: Arc<DataKey>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(workspace, key);
    }
}

/// Where the installation's own data key is kept, in hexadecimal digits.
const INSTALLATION_KEY: &str = "data_key";

const ACCESS: (&str, &str) = ("token_generations", "access");
const REFRESH: (&str, &str) = ("token_generations", "refresh");

/// A generation's row has no id of its own: it is found by login and number, and both are bound.
fn generation_place(column: (&'static str, &'static str), grant: GrantId, generation: i64) -> Place {
    let mut key = grant.bytes().to_vec();
    key.extend_from_slice(&generation.to_be_bytes());
    let hash = vault::sha256(&key);
    let mut row = [0; 16];
    row.copy_from_slice(&hash[..16]);
    Place { table: column.0, column: column.1, row }
}

pub(crate) fn account_place(account: AccountId) -> Place {
    Place { table: "accounts", column: "access", row: *account.bytes() }
}

pub(crate) fn verifier_place(consent: ConsentId) -> Place {
    Place { table: "consents", column: "verifier", row: *consent.bytes() }
}

pub(crate) fn brought_place(consent: ConsentId) -> Place {
    Place { table: "consents", column: "tokens", row: *consent.bytes() }
}

fn app_place(app: PlatformAppId) -> Place {
    Place { table: "platform_apps", column: "secret", row: *app.bytes() }
}

/// What is opened is text that we sealed.
pub(crate) fn clear_text(clear: &[u8]) -> Answer<String> {
    std::str::from_utf8(clear).map(str::to_owned).map_err(|_| ServiceError::Contradiction("an opened value is not text"))
}

/// When a login acts, worked out from what came with its tokens. The domain's rule, and beside it: an access token that
/// ends before the login is due for renewal is renewed before it ends (reliability B5).
pub fn schedule_of(policy: &Policy, tokens: &TokenTimes, spread: f64) -> Schedule {
    let mut schedule = Schedule::of(policy, tokens, spread);
    if let (Some(refresh_at), Some(end)) = (schedule.refresh_at, tokens.access_expires_at) {
        let life = end.since(tokens.issued_at);
        // Tokens of hours are renewed when they are needed, not by the clock.
        if life >= hours(24) {
            let margin = minutes(15).max(life.div_f64(10.0)).mul_f64(1.0 + 0.2 * spread.clamp(0.0, 1.0));
            schedule.refresh_at = Some(refresh_at.min(end - margin));
        }
    }
    schedule
}

/// What came with a pair of tokens, as moments. Lengths beyond ten years say nothing.
pub fn times_of(tokens: &Tokens, now: Timestamp) -> TokenTimes {
    let end =
        |lives: Option<Duration>| lives.filter(|lives| !lives.is_zero() && *lives <= domain::time::days(3653)).map(|lives| now + lives);
    TokenTimes {
        issued_at: now,
        access_expires_at: end(tokens.access_lives),
        refresh_expires_at: end(tokens.refresh_lives),
        has_refresh: tokens.refresh.is_some(),
    }
}

/// When a login is next asked how it is: at least daily, spread over the day by its own jitter, and when a person should
/// have acted. No date takes a login offline; only the answer to this does.
pub fn next_probe(schedule: &Schedule, spread: f64, now: Timestamp) -> Timestamp {
    let daily = now + hours(24).mul_f64(0.8 + 0.2 * spread.clamp(0.0, 1.0));
    let Some(act_by) = schedule.act_by.filter(|_| schedule.renewed_by == RenewedBy::Person) else { return daily };
    // Just after it, so that the platform's own clock is past it too.
    let at_end = act_by + Duration::from_millis(1000).mul_f64(1.0 + 9.0 * spread.clamp(0.0, 1.0));
    if now < at_end {
        daily.min(at_end)
    } else if now < act_by + hours(24) {
        daily.min(now + hours(1))
    } else {
        daily
    }
}

/// When the inbox warns that a person must act: fourteen days ahead. None where nobody has to.
pub fn first_warning(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let act_by = schedule.act_by.filter(|_| schedule.renewed_by == RenewedBy::Person)?;
    (act_by > now).then(|| (act_by - WARN_AHEAD).max(now))
}

/// The inbox warns this long before a person must act (ux.md section 8).
pub const WARN_AHEAD: Duration = domain::time::days(14);

impl Services {
    /// Opens what is needed to post to an account. `None` when account or login is unlinked.
    ///
    /// # Errors
    /// When the database fails or a token cannot be opened.
    pub async fn acting(&self, workspace: WorkspaceId, account: AccountId) -> Answer<Option<Acting>> {
        let Some(found) = self.store.account(workspace, account).await?.filter(|found| !found.is_unlinked()) else { return Ok(None) };
        let Some(grant) = self.store.grant(workspace, found.grant).await? else { return Ok(None) };
        let Some(pair) = self.pair(workspace, found.grant).await? else { return Ok(None) };
        let access = match self.account_token(workspace, account).await? {
            Some(own) => own,
            None => pair.access,
        };
        Ok(Some(Acting {
            adapter: pair.adapter,
            app: pair.app,
            account: AccountAccess { remote_id: found.remote_id, access },
            grant: grant.id,
            generation: pair.generation,
            access_expires_at: grant.tokens.access_expires_at,
        }))
    }

    /// Opens a login's newest pair.
    ///
    /// # Errors
    /// When the database fails or a token cannot be opened.
    pub async fn pair(&self, workspace: WorkspaceId, grant: GrantId) -> Answer<Option<Pair>> {
        let Some(found) = self.store.grant(workspace, grant).await? else { return Ok(None) };
        let Some(newest) = self.store.newest_generation(workspace, grant).await? else { return Ok(None) };
        let Some(app) = self.app_of(found.app).await? else { return Ok(None) };
        let key = self.data_key(workspace).await?;
        let open = |column, sealed: Vec<u8>| -> Answer<String> {
            clear_text(&key.open(&generation_place(column, grant, newest.generation), &Sealed(sealed))?)
        };
        Ok(Some(Pair {
            adapter: self.adapters.get(found.platform).clone(),
            app,
            generation: newest.generation,
            access: AccessToken::new(open(ACCESS, newest.access)?),
            refresh: newest.refresh.map(|sealed| open(REFRESH, sealed)).transpose()?.map(RefreshToken::new),
        }))
    }

    /// Our app at a platform, ready for use; the one registered for that platform on this server.
    ///
    /// # Errors
    /// When the database fails or the secret cannot be opened.
    pub async fn app_of(&self, app: PlatformAppId) -> Answer<Option<App>> {
        match self.store.platform_app(app).await? {
            Some(found) => self.open_app(found).await.map(Some),
            None => Ok(None),
        }
    }

    /// The app with which new consents of a platform begin.
    pub(crate) async fn newest_app(&self, platform: Platform) -> Answer<Option<(PlatformAppId, App)>> {
        let newest = self.store.platform_apps().await?.into_iter().find(|app| app.platform == platform);
        match newest {
            Some(found) => Ok(Some((found.id, self.open_app(found).await?))),
            None => Ok(None),
        }
    }

    async fn open_app(&self, found: PlatformApp) -> Answer<App> {
        let key = self.data_key(INSTALLATION).await?;
        let secret = clear_text(&key.open(&app_place(found.id), &Sealed(found.secret))?)?;
        let endpoints = self.settings.endpoints.get(&found.platform).cloned();
        let mut redirect_uri = self.settings.public_url.clone();
        redirect_uri.set_path(&format!("{}/oauth/{}/callback", redirect_uri.path().trim_end_matches('/'), found.platform));
        redirect_uri.set_query(None);
        Ok(App {
            client_id: found.client_id,
            secret: AppSecret::new(secret),
            endpoints: endpoints.unwrap_or_else(|| platforms::public_endpoints(found.platform)),
            redirect_uri,
        })
    }

    /// Stores (or replaces) the app of a platform, its secret sealed. Used by configuration and demo.
    ///
    /// # Errors
    /// When the database fails or the secret cannot be sealed.
    pub async fn set_platform_app(&self, platform: Platform, client_id: &str, secret: &AppSecret) -> Answer<PlatformAppId> {
        let key = self.data_key(INSTALLATION).await?;
        let mut tx = self.store.begin().await?;
        let id = tx.settle_platform_app(PlatformAppId(self.new_id()), platform, client_id, self.now()).await?;
        let sealed = key.seal(&app_place(id), secret.to_seal())?;
        tx.set_platform_app_secret(id, sealed.0).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The opened data key of a workspace, or of the installation.
    pub(crate) async fn data_key(&self, workspace: WorkspaceId) -> Answer<Arc<DataKey>> {
        if let Some(key) = self.keys().get(workspace) {
            return Ok(key);
        }
        let wrapped = if workspace == INSTALLATION {
            self.installation_key().await?
        } else {
            self.store.data_key_of(workspace).await?.ok_or(ServiceError::Contradiction("a workspace without a data key"))?
        };
        let key = Arc::new(self.vault.open_data_key(workspace, &WrappedKey(wrapped))?);
        self.keys().keep(workspace, key.clone());
        Ok(key)
    }

    async fn installation_key(&self) -> Answer<Vec<u8>> {
        let stored = match self.store.installation(INSTALLATION_KEY).await? {
            Some(stored) => stored,
            None => {
                let fresh = self.vault.new_data_key(INSTALLATION)?;
                self.store.settle_installation(INSTALLATION_KEY, &hex::encode(fresh.0)).await?
            }
        };
        hex::decode(stored).map_err(|_| ServiceError::Contradiction("the installation's data key cannot be read"))
    }

    /// An account's own token, where it has one.
    async fn account_token(&self, workspace: WorkspaceId, account: AccountId) -> Answer<Option<AccessToken>> {
        let Some(sealed) = self.store.account_token(workspace, account).await? else { return Ok(None) };
        let key = self.data_key(workspace).await?;
        Ok(Some(AccessToken::new(clear_text(&key.open(&account_place(account), &Sealed(sealed))?)?)))
    }

    /// Seals a pair as generation number `generation` of a login. A refresh token that did not come is replaced by the
    /// one at hand: a stored one is never replaced by nothing.
    ///
    /// # Errors
    /// When the workspace's key cannot be opened.
    pub async fn seal_pair(
        &self,
        workspace: WorkspaceId,
        grant: GrantId,
        generation: i64,
        tokens: &Tokens,
        at_hand: Option<&RefreshToken>,
    ) -> Answer<Generation> {
        let key = self.data_key(workspace).await?;
        let refresh = tokens.refresh.as_ref().filter(|refresh| !refresh.to_seal().is_empty()).or(at_hand);
        Ok(Generation {
            generation,
            access: key.seal(&generation_place(ACCESS, grant, generation), tokens.access.to_seal())?.0,
            refresh: match refresh {
                Some(refresh) => Some(key.seal(&generation_place(REFRESH, grant, generation), refresh.to_seal())?.0),
                None => None,
            },
        })
    }

    /// Seals an account's own token.
    ///
    /// # Errors
    /// When the workspace's key cannot be opened.
    pub async fn seal_account_token(&self, workspace: WorkspaceId, account: AccountId, access: &AccessToken) -> Answer<Vec<u8>> {
        let key = self.data_key(workspace).await?;
        Ok(key.seal(&account_place(account), access.to_seal())?.0)
    }
}
