//! `stayposted simulate`: the platforms alone, on the real clock.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use clap::Args;
use domain::time::Clock;
use service::clocks::SystemClock;
use simulator::{Simulator, SimulatorConfig};
use tokio::net::TcpListener;
use url::Url;
use vault::SystemChance;

/// How to run the platforms.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:3001")]
    addr: SocketAddr,
    /// The file in which the platforms keep their state. Default: in memory only.
    #[arg(long)]
    state: Option<PathBuf>,
}

/// Runs the platforms until Ctrl+C, by this world clock.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn run(args: SimulateArgs, world: Arc<dyn Clock>) -> anyhow::Result<()> {
    let simulator = Simulator::new(SimulatorConfig {
        world,
        wall: Arc::new(SystemClock),
        chance: Arc::new(SystemChance),
        public_url: Url::parse(&format!("http://localhost:{}/sim", args.addr.port()))?,
        api_url: Url::parse(&format!("http://{}/sim", args.addr))?,
        state_file: args.state,
    })?;
    let listener = TcpListener::bind(args.addr).await.with_context(|| format!("{} cannot be listened on", args.addr))?;
    println!("Simulated platforms at http://{}/sim", args.addr);
    let app = Router::new().nest("/sim", simulator.router());
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    simulator.save()?;
    Ok(())
}
