//! `cargo xtask demo`: from sources to a page one can click.

use crate::build::{self, Built};
use crate::process::phase;
use crate::running::Running;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Passed on to `stayposted demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Where the app answers; the simulated platforms answer at the same port of `localhost`
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: String,
    /// The folder that keeps the demo's state
    #[arg(long, default_value = "data/demo")]
    data: String,
    /// Forget the demo's state and start over
    #[arg(long)]
    fresh: bool,
    /// What a new demo starts with: `sample` or `empty`
    #[arg(long)]
    seed: Option<String>,
}

impl DemoArgs {
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["demo".to_owned(), "--data".to_owned(), self.data.clone()];
        if self.fresh {
            arguments.push("--fresh".to_owned());
        }
        if let Some(seed) = &self.seed {
            arguments.extend(["--seed".to_owned(), seed.clone()]);
        }
        arguments
    }

    /// Starts the server and says where it is, once it answers.
    pub(crate) fn start(&self, built: &Built) -> Result<Running> {
        phase("start", || {
            let mut server = Running::start(built, &self.arguments(), &self.addr, &[])?;
            server.wait_until_ready()?;
            Ok(server)
        })
    }

    /// The line people wait for.
    pub(crate) fn announce(&self, since: Instant) {
        println!("\n   http://{}   (after {:.1} s; Ctrl-C ends it)\n", self.addr, since.elapsed().as_secs_f64());
    }
}

/// Builds, starts, and stays until the server ends or we are told to end.
pub(crate) fn run(workspace: &Workspace, args: &DemoArgs) -> Result<()> {
    let since = Instant::now();
    let built = build::dev(workspace)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let mut server = args.start(&built)?;
    args.announce(since);
    loop {
        if signals.pending().next().is_some() {
            server.stop();
            return Ok(());
        }
        if let Some(status) = server.ended()? {
            if status.success() {
                return Ok(());
            }
            bail!("the demo ended by itself ({status}); its last lines above say why");
        }
        sleep(Duration::from_millis(100));
    }
}
