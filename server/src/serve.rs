//! Starting, running and stopping the web half and the working half.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use leptos::config::{Env, LeptosOptions, ReloadWSProtocol};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use service::Services;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Serve;
use crate::start::Backend;
use crate::web::{Web, router};

/// How long requests and work under way may take after the stop was asked for.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// Runs until the process is told to stop.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn run(
    settings: &Serve,
    backend: Backend,
    rehearsal: impl FnOnce(&Web, &Backend) -> anyhow::Result<Option<Router<Web>>>,
) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    let web = web(settings, backend.services.clone(), stopping.clone())?;
    let rehearsal = rehearsal(&web, &backend)?;
    let app = router::router(web, rehearsal)?;
    let listener = TcpListener::bind(settings.addr)
        .await
        .with_context(|| format!("STAYPOSTED_ADDR: {} cannot be listened on (is another process there?)", settings.addr))?;

    let tasks = TaskTracker::new();
    if settings.role.works() {
        let worker = worker::Worker::new(backend.services.clone(), backend.folder.node());
        tasks.spawn(worker.run(stopping.clone()));
    }
    tasks.spawn(relay(backend.services.clone(), stopping.clone()));
    tasks.close();

    tracing::info!(address = %settings.public(), "listening");
    let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>());
    let stopped = stopping.clone();
    let serving = tokio::spawn(async move { server.with_graceful_shutdown(stopped.cancelled_owned()).await });
    asked_to_stop().await;
    tracing::info!("stopping");
    stopping.cancel();
    // Streams end first; then requests and work under way get their time. What is cut off is found by its lease.
    let ended = tokio::time::timeout(STOP_WITHIN, async {
        tasks.wait().await;
        let _ = serving.await;
    });
    if ended.await.is_err() {
        tracing::warn!("some work did not end in time; its leases will be taken up at the next start");
    }
    backend.services.store.close().await;
    Ok(())
}

fn web(settings: &Serve, services: Services, stopping: CancellationToken) -> anyhow::Result<Web> {
    let site = settings.site_folder();
    let root: Arc<str> = site.to_string_lossy().into();
    let leptos = LeptosOptions::builder()
        .output_name("stayposted")
        .site_root(root)
        .site_pkg_dir("pkg")
        .env(Env::PROD)
        .site_addr(settings.addr)
        .reload_ws_protocol(ReloadWSProtocol::WS)
        .hash_files(true)
        .server_fn_prefix("/api/v1".to_owned())
        .build();
    Ok(Web {
        services,
        public_url: settings.public(),
        trusted_proxies: settings.trusted_proxies.clone().into(),
        leptos,
        site,
        metrics: metrics()?,
        is_open: Arc::new(AtomicBool::new(true)),
        stopping,
    })
}

fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("the metrics cannot be set up")
}

/// Passes on other processes' announcements for as long as we run. Polling covers the gaps.
async fn relay(services: Services, stopping: CancellationToken) {
    while services.store.is_shared() && !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            ended = services.store.relay() => if let Err(error) = ended {
                tracing::warn!(%error, "announcements of other processes are not heard; trying again");
            },
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
