//! A server we started: waited for, and stopped when its task ends.

use crate::build::Built;
use crate::http::Client;
use crate::process::{not_started, signal};
use anyhow::{Result, bail};
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The server's process. Dropping it ends the process.
pub(crate) struct Running {
    child: Child,
    /// `host:port` it listens on.
    pub(crate) address: String,
}

impl Running {
    /// Starts the server with these arguments; `--addr` and the address are added.
    pub(crate) fn start(built: &Built, arguments: &[String], address: &str, env: &[(&str, &str)]) -> Result<Self> {
        // Somebody else's server would answer in place of ours, and look like success.
        if Client::connect(address).is_ok() {
            bail!("something listens at {address} already: end it, or choose another address with --addr");
        }
        let mut command = built.command();
        command.args(arguments).args(["--addr", address]).envs(env.iter().copied()).stdin(Stdio::null());
        let child = command.spawn().map_err(|error| not_started(&command, error))?;
        Ok(Self { child, address: address.to_owned() })
    }

    /// Returns when `/readyz` answers 200; fails when the process ends before, or two minutes have passed: a new
    /// rehearsal first lives through its story.
    pub(crate) fn wait_until_ready(&mut self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(120);
        while Instant::now() < end {
            if let Some(status) = self.ended()? {
                bail!("the server ended before it answered ({status}); its last lines above say why");
            }
            let answer = Client::connect(&self.address).and_then(|mut client| client.get("/readyz", &[]));
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the server runs, but http://{}/readyz does not answer 200", self.address)
    }

    /// The exit status, once the process has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end, and insists after ten seconds.
    pub(crate) fn stop(&mut self) {
        signal(&self.child, "TERM");
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

/// A port nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
