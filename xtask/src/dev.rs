//! `cargo xtask dev`: the demo, built and started again after every change.

use crate::build;
use crate::demo::DemoArgs;
use crate::running::Running;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const SOURCES: [&str; 8] = ["Cargo.toml", "Cargo.lock", "app", "crates", "frontend", "public", "server", "style"];
/// Editors write in bursts; a build starts when a burst is over.
const QUIET: Duration = Duration::from_millis(200);

/// Builds and serves until we are told to end. A build that fails leaves the old server running.
pub(crate) fn run(workspace: &Workspace, args: &DemoArgs) -> Result<()> {
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a source file is an event too, and every build reads them all.
        if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
            sender.send(()).ok();
        }
    })?;
    watch(&mut watcher)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let mut server: Option<Running> = None;
    loop {
        let since = Instant::now();
        match build::dev(workspace) {
            Ok(built) => {
                // The old one first: both want the same address and the same data.
                drop(server.take());
                match args.start(&built) {
                    Ok(started) => {
                        args.announce(since);
                        server = Some(started);
                    }
                    Err(error) => println!("{error:#}"),
                }
            }
            Err(error) => println!("{error:#}"),
        }
        println!("watching {}", SOURCES.join(", "));
        if !next_change(&changes, &mut signals) {
            return Ok(());
        }
    }
}

fn watch(watcher: &mut RecommendedWatcher) -> Result<()> {
    for source in SOURCES {
        watcher.watch(Path::new(source), RecursiveMode::Recursive).with_context(|| format!("cannot watch {source}"))?;
    }
    Ok(())
}

/// Waits for the next burst of changes and its end. `false`: we are told to end.
fn next_change(changes: &Receiver<()>, signals: &mut Signals) -> bool {
    loop {
        if signals.pending().next().is_some() {
            return false;
        }
        match changes.recv_timeout(QUIET) {
            Ok(()) => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    while changes.recv_timeout(QUIET).is_ok() {}
    true
}
