//! The adapters by platform.

use std::sync::Arc;

use domain::platform::Platform;
use url::Url;

use crate::adapter::{Adapter, Endpoints, HttpError};
use crate::facebook::Facebook;
use crate::http::{Http, Patience};
use crate::pinterest::Pinterest;

/// One adapter for each platform.
#[derive(Debug, Clone)]
pub struct Registry {
    facebook: Arc<dyn Adapter>,
    pinterest: Arc<dyn Adapter>,
}

impl Registry {
    /// The adapter of a platform.
    pub fn get(&self, platform: Platform) -> &Arc<dyn Adapter> {
        match platform {
            Platform::Facebook => &self.facebook,
            Platform::Pinterest => &self.pinterest,
        }
    }

    /// The same registry with another adapter for one platform, for tests.
    #[must_use]
    pub fn with(mut self, platform: Platform, adapter: Arc<dyn Adapter>) -> Self {
        match platform {
            Platform::Facebook => self.facebook = adapter,
            Platform::Pinterest => self.pinterest = adapter,
        }
        self
    }
}

/// All adapters, with one HTTP client.
///
/// # Errors
/// When the system has no TLS certificates to trust.
pub fn adapters() -> Result<Registry, HttpError> {
    adapters_with(&Patience::default())
}

/// All adapters, with another patience.
///
/// # Errors
/// As [`adapters`].
pub fn adapters_with(patience: &Patience) -> Result<Registry, HttpError> {
    let http = Http::new(patience)?;
    Ok(Registry { facebook: Arc::new(Facebook::new(http.clone())), pinterest: Arc::new(Pinterest::new(http)) })
}

/// Where the real platform is reached.
pub fn public_endpoints(platform: Platform) -> Endpoints {
    let (browser, api) = match platform {
        Platform::Facebook => ("https://www.facebook.com", "https://graph.facebook.com"),
        Platform::Pinterest => ("https://www.pinterest.com", "https://api.pinterest.com"),
    };
    let parse = |text| Url::parse(text).expect("the addresses above are addresses");
    Endpoints { browser: parse(browser), api: parse(api) }
}
