//! The simulator as its owner holds it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use domain::chance::Chance;
use domain::time::{Clock, Timestamp};
use url::Url;

use crate::default_world;
use crate::media::MediaStore;
use crate::world::World;

/// Appended bytes after which the state file is written whole again.
const JOURNAL_CAP: usize = 64 * 1024 * 1024;

/// What a simulator is built from.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// The movable clock: tokens, posts and limits follow it.
    pub world: Arc<dyn Clock>,
    /// The clock that nobody moves: authorization codes follow it.
    pub wall: Arc<dyn Clock>,
    /// Makes tokens and codes.
    pub chance: Arc<dyn Chance>,
    /// Where browsers reach the router, with its prefix: `http://localhost:3000/sim`.
    pub public_url: Url,
    /// Where the app reaches the router, with its prefix: `http://127.0.0.1:3000/sim`.
    pub api_url: Url,
    /// Where the state is kept; images stand in a folder of the same name with `.media`. None: in memory only.
    pub state_file: Option<PathBuf>,
}

impl SimulatorConfig {
    /// A browser-facing address below the router.
    pub(crate) fn public(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// An app-facing address below the router.
    pub(crate) fn api(&self, path: &str) -> String {
        format!("{}{path}", self.api_url.as_str().trim_end_matches('/'))
    }

    /// The path of the router's prefix, without a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        self.public_url.path().trim_end_matches('/')
    }
}

/// The rehearsal platforms. Clones share one world.
#[derive(Debug, Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: SimulatorConfig,
    pub(crate) http: reqwest::Client,
    held: Mutex<Held>,
}

struct Held {
    world: World,
    journal: Option<std::fs::File>,
    /// Bytes appended since the file was last written whole.
    appended: usize,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A simulator could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The state file cannot be read or written.
    #[error("the rehearsal's state file cannot be used")]
    State(#[source] std::io::Error),
    /// The client that fetches media cannot be built.
    #[error("no HTTP client for fetching media")]
    Client(#[source] reqwest::Error),
}

impl Simulator {
    /// Reads the state file when there is one; otherwise the default world begins.
    ///
    /// # Errors
    /// When the state file exists and cannot be read, or cannot be written.
    pub fn new(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(SimulatorError::Client)?;
        let media = MediaStore::new(config.state_file.as_deref().map(media_folder));
        let mut world = World::empty(media);
        let mut is_new = true;
        if let Some(file) = &config.state_file {
            match std::fs::read(file) {
                Ok(lines) => {
                    world.replay(&lines);
                    is_new = world.facebook.apps.len() == 0;
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(SimulatorError::State(error)),
            }
        }
        if is_new {
            default_world::settle(&mut world);
        }
        let inner = Inner { config, http, held: Mutex::new(Held { world, journal: None, appended: 0 }) };
        inner.compact().map_err(SimulatorError::State)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// All addresses, to be nested under the path of `public_url`.
    pub fn router(&self) -> Router {
        crate::routes::router(self.inner.clone())
    }

    /// The next world moment at which something happens by itself: a lagging list catches up.
    /// The end of a token is no event; it is noticed at the next call.
    pub fn next_due(&self) -> Option<Timestamp> {
        let now = self.inner.config.world.now();
        self.inner.with(|world| {
            let posts = world.facebook.posts.values().chain(world.pinterest.posts.values());
            posts.map(|post| post.listed_at).filter(|at| *at > now).min()
        })
    }

    /// Writes the state file anew, whole and atomically. Every change is appended to it as it happens, so this only
    /// makes it small again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<(), SimulatorError> {
        self.inner.compact().map_err(SimulatorError::State)
    }

    /// Back to the default world: no posts, no logins, no faults.
    ///
    /// # Errors
    /// When the state file cannot be written.
    pub fn reset(&self) -> Result<(), SimulatorError> {
        self.inner.with(|world| {
            world.forget_all();
            world.media.clear();
            default_world::settle(world);
        });
        self.save()
    }
}

fn media_folder(state_file: &Path) -> PathBuf {
    let mut name = state_file.file_name().unwrap_or_default().to_os_string();
    name.push(".media");
    state_file.with_file_name(name)
}

impl Inner {
    /// Acts on the world inside the lock, and appends what changed to the state file before it is let go:
    /// what a platform has accepted survives a kill.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let out = act(&mut held.world);
        let changes = held.world.changes();
        if let Err(error) = self.append(&mut held, &changes) {
            tracing::error!(%error, "the rehearsal cannot write its state");
        }
        out
    }

    fn append(&self, held: &mut Held, changes: &[u8]) -> std::io::Result<()> {
        let Some(journal) = held.journal.as_mut().filter(|_| !changes.is_empty()) else { return Ok(()) };
        journal.write_all(changes)?;
        held.appended += changes.len();
        if held.appended > JOURNAL_CAP { self.rewrite(held) } else { Ok(()) }
    }

    fn compact(&self) -> std::io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.rewrite(&mut held)
    }

    fn rewrite(&self, held: &mut Held) -> std::io::Result<()> {
        let Some(file) = &self.config.state_file else { return Ok(()) };
        let mut name = file.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let fresh = file.with_file_name(name);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut out = std::fs::File::create(&fresh)?;
        let _ = held.world.changes();
        out.write_all(&held.world.snapshot())?;
        out.sync_all()?;
        std::fs::rename(&fresh, file)?;
        held.journal = Some(std::fs::OpenOptions::new().append(true).open(file)?);
        held.appended = 0;
        Ok(())
    }
}
