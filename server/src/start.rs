//! From settings to a running backend: folder, key, database, services.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, bail};
use domain::platform::Platform;
use domain::time::{Clock, days};
use object_store::local::LocalFileSystem;
use platforms::adapter::Endpoints;
use platforms::secret::AppSecret;
use service::clocks::NodeClock;
use service::services::Parts;
use service::{Clocks, Rehearsal, Services, Settings};
use store::Store;
use tokio::sync::Notify;
use url::Url;
use vault::{KeyCheck, RootKeys, SystemChance, Vault};

use crate::config::{Apps, Data};
use crate::folder::Folder;

/// The backend of one process.
#[derive(Debug)]
pub(crate) struct Backend {
    /// The services.
    pub services: Services,
    /// The data folder, locked.
    pub folder: Folder,
}

/// What differs between a real server and the rehearsal.
#[derive(Debug)]
pub(crate) struct World {
    /// Wall time: this node's, which the database sets right.
    pub node: NodeClock,
    /// World time.
    pub clock: Arc<dyn Clock>,
    /// Where the platforms are reached.
    pub endpoints: HashMap<Platform, Endpoints>,
    /// Set by `demo` only.
    pub rehearsal: Option<Rehearsal>,
}

impl World {
    /// The real world.
    pub(crate) fn real() -> Self {
        let endpoints = Platform::ALL.iter().map(|&platform| (platform, platforms::public_endpoints(platform))).collect();
        let node = NodeClock::of_this_machine();
        Self { clock: Arc::new(node.clone()), node, endpoints, rehearsal: None }
    }
}

/// Opens everything.
///
/// # Errors
/// With what is wrong and what to do, when something cannot be opened.
pub(crate) async fn backend(data: &Data, public_url: Url, world: World) -> anyhow::Result<Backend> {
    let chance = Arc::new(SystemChance);
    let folder = Folder::open(&data.folder, &*chance)?;
    let vault = Arc::new(vault(data, &folder)?);
    let store = database(data, &folder).await?;
    check_key(&store, &vault).await?;
    world.node.ask(&store).await.context("the database does not tell the time")?;
    tokio::spawn(world.node.clone().keep_right(store.clone()));
    let media_folder = folder.join("media");
    std::fs::create_dir_all(&media_folder).context("the folder for images cannot be made")?;
    let services = Services::new(Parts {
        store,
        vault,
        adapters: platforms::adapters()?,
        clocks: Clocks { world: world.clock, wall: Arc::new(world.node) },
        chance,
        media: Arc::new(LocalFileSystem::new_with_prefix(&media_folder)?),
        settings: Settings {
            public_url,
            endpoints: world.endpoints,
            session_idle: days(14),
            session_life: days(90),
            rehearsal: world.rehearsal,
        },
        wake: Arc::new(Notify::new()),
    });
    Ok(Backend { services, folder })
}

fn vault(data: &Data, folder: &Folder) -> anyhow::Result<Vault> {
    if let Some(file) = &data.key_file {
        let keys = RootKeys::from_file(file).with_context(|| format!("STAYPOSTED_KEY_FILE: {} cannot be used", file.display()))?;
        return Ok(Vault::new(keys));
    }
    let file = folder.join("root.key");
    let is_new = !file.exists();
    let keys = RootKeys::load_or_create(&file, &SystemChance).with_context(|| format!("the key file {} cannot be used", file.display()))?;
    if is_new {
        tracing::warn!(
            file = %file.display(),
            "a key was made that seals all tokens: back this file up, apart from the database; without it every login has to be made again"
        );
    }
    Ok(Vault::new(keys))
}

/// Opens the database that the settings name.
///
/// # Errors
/// When it cannot be opened or brought up to date.
pub(crate) async fn database(data: &Data, folder: &Folder) -> anyhow::Result<Store> {
    match data.database_url.as_ref().map(|url| url.0.as_str()) {
        None => Store::open_sqlite(&folder.join("stayposted.db")).await.context("the SQLite file in the data folder cannot be opened"),
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Store::open_postgres(url).await.context("STAYPOSTED_DATABASE_URL: PostgreSQL cannot be used")
        }
        Some(_) => bail!("STAYPOSTED_DATABASE_URL: it must begin with postgres:// (leave it out for SQLite)"),
    }
}

/// The name under which a value sealed by the root key lies in the database.
const KEY_CHECK: &str = "key_check";

/// A wrong key must stop the start, not look like broken rows later.
async fn check_key(store: &Store, vault: &Vault) -> anyhow::Result<()> {
    match store.installation(KEY_CHECK).await? {
        None => store.set_installation(KEY_CHECK, &hex::encode(vault.key_check()?.0)).await?,
        Some(text) => {
            let check = KeyCheck(hex::decode(&text).context("the key check in the database cannot be read")?);
            vault
                .verify(&check)
                .context("this is not the key that sealed the tokens in this database: restore root.key (or STAYPOSTED_KEY_FILE)")?;
        }
    }
    Ok(())
}

/// Stores the platform apps that the settings name.
///
/// # Errors
/// When the database or the vault fails.
pub(crate) async fn set_apps(services: &Services, apps: &Apps) -> anyhow::Result<()> {
    let named = [
        (Platform::Facebook, &apps.facebook_client_id, &apps.facebook_client_secret),
        (Platform::Pinterest, &apps.pinterest_client_id, &apps.pinterest_client_secret),
    ];
    for (platform, id, secret) in named {
        if let (Some(id), Some(secret)) = (id, secret) {
            services.set_platform_app(platform, id, &AppSecret::new(secret.0.clone())).await?;
        }
    }
    Ok(())
}
