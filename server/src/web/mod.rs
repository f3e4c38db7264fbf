//! Everything that answers HTTP.

pub(crate) mod api;
pub(crate) mod callback;
pub(crate) mod events;
pub(crate) mod headers;
pub(crate) mod health;
pub(crate) mod media;
pub(crate) mod origin;
pub(crate) mod pages;
pub(crate) mod refuse;
pub(crate) mod router;
pub(crate) mod visitor;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::PrometheusHandle;
use service::Services;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What the handlers stand on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Web {
    /// The backend.
    pub services: Services,
    /// Our address as browsers see it.
    pub public_url: Url,
    /// Proxies whose forwarded addresses are believed.
    pub trusted_proxies: Arc<[IpAddr]>,
    /// Leptos' own settings.
    pub leptos: LeptosOptions,
    /// The folder of the built site.
    pub site: PathBuf,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// False while a rehearsal still makes its sample: not ready yet.
    pub is_open: Arc<AtomicBool>,
    /// Cancelled when the process stops: open streams end.
    pub stopping: CancellationToken,
}

impl axum::extract::FromRef<Web> for LeptosOptions {
    fn from_ref(web: &Web) -> Self {
        web.leptos.clone()
    }
}

impl Web {
    /// Whether the public address is https, which decides cookie names and flags (stack.md 4.8).
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}
