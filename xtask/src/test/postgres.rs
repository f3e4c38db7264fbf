//! A PostgreSQL of our own for the length of a test run: fresh, on a free port, never the machine's.

use crate::process::{is_root, run, words};
use crate::running::free_port;
use crate::setup;
use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The running cluster, if any: here, so that a signal finds it too.
static RUNNING: Mutex<Option<Cluster>> = Mutex::new(None);

struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
}

/// Stops the cluster when dropped.
pub(crate) struct PostgreSql {
    /// For `STAYPOSTED_TEST_POSTGRES_URL`: a superuser who may create databases.
    pub(crate) url: String,
    programs: PathBuf,
    port: u16,
}

impl PostgreSql {
    /// One of PostgreSQL's programs for clients.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Ends the server without a word to anybody, and starts it again at the same port: as after a crash.
    pub(crate) fn restart_at_once(&self) -> Result<()> {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = running.as_ref().context("PostgreSQL does not run")?;
        let mut stop = cluster.program("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]).arg(cluster.data());
        run(stop.stdout(Stdio::null()))?;
        cluster.launch(self.port)
    }

    /// Makes and starts a cluster; some seconds.
    pub(crate) fn start() -> Result<Self> {
        let programs = setup::postgres()?;
        let folder = std::env::temp_dir().join(format!("stayposted-postgres-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        if is_root() {
            run(Command::new("chown").arg(unprivileged_user()).arg(&folder))?;
        }
        let cluster = Cluster { programs: programs.clone(), folder };
        let port = free_port()?;
        let started = cluster.make().and_then(|()| cluster.launch(port));
        // From here on the cluster is removed, whatever becomes of the run.
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(cluster);
        let running = Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), programs, port };
        started.map(|()| running)
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        stop();
    }
}

/// Ctrl-C and its kin end the run, but first the cluster.
pub(crate) fn stop_when_told_to_end() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            stop();
            std::process::exit(130);
        }
    });
    Ok(())
}

fn stop() {
    if let Some(cluster) = RUNNING.lock().unwrap_or_else(PoisonError::into_inner).take() {
        cluster.remove();
    }
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn make(&self) -> Result<()> {
        let settings = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"];
        run(self.program("initdb").args(settings).arg("--pgdata").arg(self.data()).stdout(Stdio::null()))
    }

    fn launch(&self, port: u16) -> Result<()> {
        // Nothing in it outlives the run, so nothing needs to survive a power cut.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c synchronous_commit=off \
             -c full_page_writes=off -c max_connections=300 -c timezone=UTC"
        );
        let log = self.folder.join("log");
        let mut start = self.program("pg_ctl");
        start.args(["start", "--wait", "--silent", "--options", &options, "--log"]).arg(&log).arg("--pgdata").arg(self.data());
        let Err(error) = run(start.stdout(Stdio::null())) else { return Ok(()) };
        bail!("{error:#}; PostgreSQL's log says: {}", fs::read_to_string(&log).unwrap_or_default().trim())
    }

    fn remove(&self) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]).arg(self.data());
        if self.data().join("postmaster.pid").exists() && run(stop.stdout(Stdio::null())).is_err() {
            println!("   PostgreSQL may still run: `{}`", words(&stop));
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            println!("   {} is left over: {error}", self.folder.display());
        }
    }

    /// One of PostgreSQL's programs; it refuses to be run by root, so root runs it as somebody else.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let user = unprivileged_user();
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={user}"), "--regid=nogroup".to_owned(), "--clear-groups".to_owned()]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // The checkout may lie where that user may not look.
        command.current_dir(&self.folder);
        command
    }
}

fn unprivileged_user() -> &'static str {
    let users = fs::read_to_string(Path::new("/etc/passwd")).unwrap_or_default();
    if users.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}
