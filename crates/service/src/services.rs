//! The one value that stands for the whole backend.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use domain::chance::Chance;
use domain::platform::Platform;
use domain::time::{Clock, Timestamp};
use object_store::ObjectStore;
use platforms::Registry;
use platforms::adapter::Endpoints;
use store::Store;
use tokio::sync::Notify;
use url::Url;
use vault::Vault;

use crate::access::DataKeys;

/// The two clocks (design section 8).
#[derive(Debug, Clone)]
pub struct Clocks {
    /// Logins, posts, notices. A rehearsal moves it.
    pub world: Arc<dyn Clock>,
    /// Sessions, consents, leases, sign-in limits. Never moved.
    pub wall: Arc<dyn Clock>,
}

/// Set while platforms are simulated.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Where the simulated platforms' browser pages stand, without a slash at the end.
    pub platforms_url: String,
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our address as browsers and platforms see it.
    pub public_url: Url,
    /// Where each platform is reached.
    pub endpoints: HashMap<Platform, Endpoints>,
    /// A session ends after this long without a request.
    pub session_idle: Duration,
    /// A session ends after this long in any case.
    pub session_life: Duration,
    /// Set by `demo` only.
    pub rehearsal: Option<Rehearsal>,
}

/// Everything that `Services` stands on.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Opens what is sealed.
    pub vault: Arc<Vault>,
    /// The platforms.
    pub adapters: Registry,
    /// Time.
    pub clocks: Clocks,
    /// Chance.
    pub chance: Arc<dyn Chance>,
    /// Where images lie.
    pub media: Arc<dyn ObjectStore>,
    /// What the operator decided.
    pub settings: Settings,
    /// Wakes the workers when there may be something to do.
    pub wake: Arc<Notify>,
}

#[derive(Debug)]
struct Backend {
    parts: Parts,
    keys: DataKeys,
}

/// The backend: one method per thing that can be asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Services(Arc<Backend>);

impl Services {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Backend { parts, keys: DataKeys::default() }))
    }

    /// The opened data keys.
    pub(crate) fn keys(&self) -> &DataKeys {
        &self.0.keys
    }

    /// World time.
    pub fn now(&self) -> Timestamp {
        self.clocks.world.now()
    }

    /// A new id of sixteen bytes that sorts by time of making (UUID v7, RFC 9562).
    pub fn new_id(&self) -> [u8; 16] {
        let millis = u64::try_from(self.clocks.wall.now().as_millis()).unwrap_or_default();
        let mut random = [0u8; 10];
        self.chance.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes()
    }
}

impl Deref for Services {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
