//! One world: simulated platforms, one to three nodes of ours, their database, and a clock that we move.

use crate::http::Client;
use crate::process::{not_started, output, run, signal};
use crate::test::postgres::PostgreSql;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What is played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Scenario {
    /// Twenty posts with images, five at a minute, to four accounts on two platforms.
    Posts,
    /// Twenty Pinterest logins are renewed twice; a spent refresh token is dead at once.
    Renewals,
    /// The same at a platform that takes a spent refresh token for a minute longer: nothing at all may be lost.
    RenewalsWithGrace,
}

impl Scenario {
    pub(super) const ALL: [Self; 3] = [Self::Posts, Self::Renewals, Self::RenewalsWithGrace];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Posts => "posts",
            Self::Renewals => "renewals",
            Self::RenewalsWithGrace => "renewals-with-grace",
        }
    }

    /// What the server calls the filling.
    fn filling(self) -> &'static str {
        if self == Self::Posts { "posts" } else { "renewals" }
    }

    /// Between the filling and the beginning of the play, by the world clock. Posts: just before the check an hour ahead
    /// of the first. Renewals: a third of the sixty days has passed for all of them.
    fn begins_after(self) -> Duration {
        if self == Self::Posts { Duration::from_secs(600) } else { RENEWALS_APART }
    }
}

/// After this time all logins of the scenario are due for renewal again.
pub(super) const RENEWALS_APART: Duration = Duration::from_secs(25 * 86_400);

/// On what it is played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Setting {
    Sqlite,
    Postgres,
    PostgresThreeNodes,
}

impl Setting {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::PostgresThreeNodes => "postgres, 3 nodes",
        }
    }

    pub(super) fn is_shared(self) -> bool {
        self != Self::Sqlite
    }

    pub(super) fn nodes(self) -> usize {
        if self == Self::PostgresThreeNodes { 3 } else { 1 }
    }
}

/// Everything that worlds have in common.
pub(super) struct House {
    /// The server with cuts.
    pub(super) binary: PathBuf,
    /// Worlds are made below it.
    pub(super) folder: PathBuf,
    pub(super) postgres: Option<PostgreSql>,
}

impl House {
    fn postgres(&self) -> Result<&PostgreSql> {
        self.postgres.as_ref().context("this world needs PostgreSQL, and none was started")
    }

    fn sql(&self, statement: &str) -> Result<()> {
        let postgres = self.postgres()?;
        run(Command::new(postgres.program("psql")).args(["--quiet", "--no-psqlrc", "--command", statement, &postgres.url]))
    }

    fn database_url(&self, name: &str) -> Result<String> {
        let url = &self.postgres()?.url;
        let server = url.rsplit_once('/').context("an address of PostgreSQL without a name")?.0;
        Ok(format!("{server}/{name}"))
    }
}

/// A filled installation that worlds are copied from.
pub(super) struct Template {
    pub(super) scenario: Scenario,
    is_shared: bool,
    folder: PathBuf,
    database: String,
    filled_at: i64,
}

/// Microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the processes under test run by the machine's clock, and so does their world")]
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

static NEXT_PORT: AtomicU16 = AtomicU16::new(0);
static NEXT_WORLD: AtomicU64 = AtomicU64::new(1);

/// A free port below those that the system gives to clients, so that nobody takes it between two lives of a node.
fn port() -> Result<u16> {
    let own = u16::try_from(std::process::id() % 40 * 250).unwrap_or(0);
    for _ in 0..10_000 {
        let port = 21_000 + own + NEXT_PORT.fetch_add(1, Ordering::Relaxed) % 1000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

fn set_clock(file: &Path, offset: i64) -> Result<()> {
    let draft = file.with_extension("new");
    fs::write(&draft, offset.to_string())?;
    Ok(fs::rename(&draft, file)?)
}

fn start(command: &mut Command, log: &Path) -> Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    // They end when their input does, and that is when we end, however that comes.
    command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).env("STAYPOSTED_LOG", "info");
    command.spawn().map_err(|error| not_started(command, error))
}

/// The simulated platforms as a process of their own.
struct Platforms {
    child: Child,
    address: String,
    client: Option<Client>,
}

impl Platforms {
    fn start(house: &House, folder: &Path) -> Result<Self> {
        Self::start_at(house, folder, format!("127.0.0.1:{}", port()?))
    }

    fn start_at(house: &House, folder: &Path, address: String) -> Result<Self> {
        let mut command = Command::new(&house.binary);
        command.args(["cuts", "simulate", "--addr", &address, "--state"]).arg(folder.join("platforms.json"));
        command.arg("--clock").arg(folder.join("clock"));
        let mut platforms = Self { child: start(&mut command, &folder.join("platforms.log"))?, address, client: None };
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if platforms.get("/sim/clock").is_ok() {
                return Ok(platforms);
            }
            if platforms.child.try_wait()?.is_some() {
                bail!("the simulated platforms ended; {} says why", folder.join("platforms.log").display());
            }
            sleep(Duration::from_millis(3));
        }
        bail!("the simulated platforms do not answer")
    }

    fn url(&self) -> String {
        format!("http://{}/sim", self.address)
    }

    fn get(&mut self, path: &str) -> Result<Value> {
        get(&mut self.client, &self.address, path)
    }

    fn post(&mut self, path: &str, body: &Value) -> Result<()> {
        let answer = Client::connect(&self.address)?.post(path, &[], &body.to_string())?;
        if answer.status >= 300 { bail!("{path} answered {}: {}", answer.status, answer.text()) } else { Ok(()) }
    }
}

impl Drop for Platforms {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks on a connection that is kept, and on a new one when that fails.
fn get(client: &mut Option<Client>, address: &str, path: &str) -> Result<Value> {
    if client.is_none() {
        *client = Some(Client::connect(address)?);
    }
    let Some(open) = client.as_mut() else { bail!("no connection") };
    match open.get(path, &[]) {
        Ok(answer) if answer.status == 200 => Ok(serde_json::from_slice(&answer.body)?),
        Ok(answer) => bail!("{path} answered {}: {}", answer.status, answer.text()),
        Err(error) => {
            *client = None;
            Err(error)
        }
    }
}

impl Template {
    /// Fills an installation: somebody signs in at the simulated platforms and plans posts.
    pub(super) fn fill(house: &House, scenario: Scenario, is_shared: bool) -> Result<Self> {
        let kind = if is_shared { "postgres" } else { "sqlite" };
        let folder = house.folder.join(format!("template-{}-{kind}", scenario.name()));
        let database = format!("template_{}", scenario.name().replace('-', "_"));
        fs::create_dir_all(&folder)?;
        set_clock(&folder.join("clock"), 0)?;
        if is_shared {
            house.sql(&format!("create database {database}"))?;
        }
        let template = Self { scenario, is_shared, folder, database, filled_at: now() };
        let mut platforms = Platforms::start(house, &template.folder)?;
        if scenario == Scenario::RenewalsWithGrace {
            platforms.post("/sim/pinterest/knobs", &serde_json::json!({ "refresh_grace_seconds": 60 }))?;
        }
        let mut prepare = template.prepare(house, &platforms.url())?;
        run(&mut prepare).context("an installation cannot be filled")?;
        Ok(template)
    }

    fn prepare(&self, house: &House, platforms: &str) -> Result<Command> {
        let mut command = Command::new(&house.binary);
        command.args(["cuts", "prepare", "--scenario", self.scenario.filling(), "--platforms", platforms, "--clock"]);
        command.arg(self.folder.join("clock")).arg("--data").arg(self.folder.join("data")).env("STAYPOSTED_LOG", "warn");
        if self.is_shared {
            command.args(["--database-url", &house.database_url(&self.database)?]);
        }
        Ok(command)
    }
}

/// How a node is hurt, or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Arms {
    /// It dies at this cut.
    pub(super) cut: Option<u64>,
    /// Its machine's clock is so many seconds ahead.
    pub(super) clock_ahead: u64,
    /// It runs under strace, with these arguments, and on one runtime thread.
    pub(super) strace: Option<Vec<String>>,
}

/// One process of ours.
pub(super) struct Node {
    pub(super) child: Child,
    arms: Arms,
    address: String,
    client: Option<Client>,
    data: PathBuf,
    /// When it was started.
    pub(super) started: Instant,
}

/// A world under way.
pub(super) struct Stage<'a> {
    house: &'a House,
    pub(super) scenario: Scenario,
    setting: Setting,
    pub(super) folder: PathBuf,
    database: Option<String>,
    offset: i64,
    /// The offset when counting began, see [`Stage::passed`].
    counted_from: i64,
    platforms: Platforms,
    pub(super) nodes: Vec<Node>,
    /// Keep the folder: something is to be looked at in it.
    pub(super) is_kept: bool,
}

impl<'a> Stage<'a> {
    /// Copies the template and starts the platforms. No node runs yet.
    pub(super) fn set(house: &'a House, template: &Template, setting: Setting) -> Result<Self> {
        let number = NEXT_WORLD.fetch_add(1, Ordering::Relaxed);
        let folder = house.folder.join(format!("world-{number}"));
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&template.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("platforms.json") && entry.file_type()?.is_file() {
                fs::copy(entry.path(), folder.join(entry.file_name()))?;
            }
        }
        let offset = template.filled_at + micros(template.scenario.begins_after()) - now();
        set_clock(&folder.join("clock"), offset)?;
        let database = setting.is_shared().then(|| format!("world_{number}"));
        if let Some(name) = &database {
            house.sql(&format!("create database {name} template {}", template.database))?;
        }
        for node in 0..setting.nodes() {
            let data = folder.join(format!("node-{node}"));
            fs::create_dir_all(&data)?;
            for file in ["root.key", "stayposted.db", "stayposted.db-wal"] {
                let from = template.folder.join("data").join(file);
                if from.is_file() {
                    fs::copy(from, data.join(file))?;
                }
            }
            std::os::unix::fs::symlink(template.folder.join("data/media"), data.join("media"))?;
        }
        let platforms = Platforms::start(house, &folder)?;
        Ok(Self {
            house,
            scenario: template.scenario,
            setting,
            folder,
            database,
            offset,
            counted_from: offset,
            platforms,
            nodes: Vec::new(),
            is_kept: false,
        })
    }

    /// Starts the next node.
    pub(super) fn add_node(&mut self, arms: Arms) -> Result<()> {
        let (number, address) = (self.nodes.len(), format!("127.0.0.1:{}", port()?));
        let data = self.folder.join(format!("node-{number}"));
        let child = self.launch(&data, &address, &arms)?;
        self.nodes.push(Node { child, arms, address, client: None, data, started: Instant::now() });
        Ok(())
    }

    fn launch(&self, data: &Path, address: &str, arms: &Arms) -> Result<Child> {
        let mut command = match &arms.strace {
            None => Command::new(&self.house.binary),
            Some(arguments) => {
                let mut strace = Command::new("strace");
                strace.args(arguments).arg("--").arg(&self.house.binary).env("TOKIO_WORKER_THREADS", "1");
                strace
            }
        };
        command.args(["cuts", "serve", "--addr", address, "--public-url", "http://127.0.0.1:3000/", "--data"]).arg(data);
        command.args(["--platforms", &self.platforms.url(), "--clock"]).arg(self.folder.join("clock"));
        command.arg("--log-cuts").arg(data.join("cuts"));
        command.args(["--clock-ahead", &arms.clock_ahead.to_string()]);
        if let Some(at) = arms.cut {
            command.args(["--cut", &at.to_string()]);
        }
        if let Some(database) = &self.database {
            command.args(["--database-url", &self.house.database_url(database)?]);
        }
        start(&mut command, &data.with_extension("log"))
    }

    /// Starts a node again in its folder, unhurt.
    pub(super) fn restart(&mut self, number: usize) -> Result<()> {
        let node = &self.nodes[number];
        let child = self.launch(&node.data, &node.address, &Arms::default())?;
        let node = &mut self.nodes[number];
        (node.child, node.arms, node.client, node.started) = (child, Arms::default(), None, Instant::now());
        Ok(())
    }

    /// What our database says, asked of any node that answers.
    pub(super) fn truth(&mut self) -> Result<Value> {
        self.ask("/cuts/truth")
    }

    /// Whether anything is due or being worked on: a small part of the truth.
    pub(super) fn rest(&mut self) -> Result<Value> {
        self.ask("/cuts/rest")
    }

    fn ask(&mut self, path: &str) -> Result<Value> {
        let mut last = None;
        for node in &mut self.nodes {
            match get(&mut node.client, &node.address, path) {
                Ok(truth) => return Ok(truth),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no node runs")?)
    }

    /// What was posted, by the platforms' own word.
    pub(super) fn feed(&mut self, platform: &str) -> Result<Vec<Value>> {
        list(self.platforms.get(&format!("/sim/{platform}/feed.json"))?)
    }

    /// The API calls that the platforms took.
    pub(super) fn calls(&mut self, platform: &str) -> Result<Vec<Value>> {
        list(self.platforms.get(&format!("/sim/{platform}/calls.json"))?)
    }

    /// Asks a simulated platform for a fault.
    pub(super) fn fault(&mut self, platform: &str, fault: &Value) -> Result<()> {
        self.platforms.post(&format!("/sim/{platform}/faults"), fault)
    }

    /// Ends the simulated platforms, or starts them again at the same address with what they remember.
    pub(super) fn platforms_go(&mut self) -> Result<()> {
        self.platforms.child.kill()?;
        self.platforms.child.wait()?;
        Ok(())
    }

    /// The way back of [`Stage::platforms_go`].
    pub(super) fn platforms_come_back(&mut self) -> Result<()> {
        let address = self.platforms.address.clone();
        self.platforms = Platforms::start_at(self.house, &self.folder, address)?;
        Ok(())
    }

    /// Runs a statement in this world's database, and waits for its end.
    pub(super) fn sql(&self, statement: &str) -> Result<()> {
        let url = self.house.database_url(self.database.as_deref().context("a world on SQLite")?)?;
        let psql = self.house.postgres()?.program("psql");
        // The connection may be one of those that the statement ends.
        let mut command = Command::new(psql);
        command.args(["--quiet", "--no-psqlrc", "--command", statement, &url]).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).status()?;
        Ok(())
    }

    /// The same in a process of its own.
    pub(super) fn sql_behind(&self, statement: &str) -> Result<Child> {
        let url = self.house.database_url(self.database.as_deref().context("a world on SQLite")?)?;
        let psql = self.house.postgres()?.program("psql");
        let mut command = Command::new(psql);
        command.args(["--quiet", "--no-psqlrc", "--command", statement, &url]).stdin(Stdio::null()).stdout(Stdio::null());
        command.spawn().map_err(|error| not_started(&command, error))
    }

    /// Ends the whole database server at once and starts it again; all worlds on it feel it.
    pub(super) fn restart_postgres(&self) -> Result<()> {
        self.house.postgres()?.restart_at_once()
    }

    /// Takes back all faults.
    pub(super) fn clear_faults(&mut self) -> Result<()> {
        for platform in ["facebook", "pinterest"] {
            let answer = Client::connect(&self.platforms.address)?.delete(&format!("/sim/{platform}/faults"))?;
            if answer.status != 200 {
                bail!("faults cannot be taken back: {}", answer.text());
            }
        }
        Ok(())
    }

    /// Whether a node answers.
    pub(super) fn answers(&mut self, number: usize) -> bool {
        let node = &mut self.nodes[number];
        get(&mut node.client, &node.address, "/cuts/truth").is_ok()
    }

    /// From now on [`Stage::passed`] counts.
    pub(super) fn begin_counting(&mut self) {
        self.counted_from = self.offset;
    }

    /// How far we have moved the world clock since then.
    pub(super) fn passed(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.offset - self.counted_from).unwrap_or(0))
    }

    /// Ends all nodes.
    pub(super) fn stop_all(&mut self) {
        for node in &mut self.nodes {
            drop(node.child.kill());
            drop(node.child.wait());
        }
    }

    /// Moves the world clock on.
    pub(super) fn pass(&mut self, by: Duration) -> Result<()> {
        self.pass_micros(micros(by))
    }

    /// The same, in microseconds.
    pub(super) fn pass_micros(&mut self, by: i64) -> Result<()> {
        self.offset += by;
        set_clock(&self.folder.join("clock"), self.offset)
    }

    /// How many cuts the first node has passed in its first life.
    pub(super) fn passed_by_first(&self) -> Result<u64> {
        let log = fs::read_to_string(self.folder.join("node-0/cuts"))?;
        let second = log.match_indices("\n1\t").next().map_or(log.len(), |(at, _)| at);
        Ok(u64::try_from(log[..second].lines().count())?)
    }

    /// Each node's log of cuts.
    pub(super) fn cuts(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(|node| fs::read_to_string(node.data.join("cuts")).unwrap_or_default())
    }
}

fn list(value: Value) -> Result<Vec<Value>> {
    if let Value::Array(list) = value { Ok(list) } else { bail!("not a list: {value}") }
}

impl Node {
    /// How it ended, once it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Kills it at once (SIGKILL).
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether it was started to die.
    pub(super) fn is_armed(&self) -> bool {
        self.arms.cut.is_some() || self.arms.strace.is_some()
    }

    /// Sends it a signal by name.
    pub(super) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Its data folder.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Whether it is to be started again when it has ended by itself.
    pub(super) fn disarm(&mut self) {
        self.arms = Arms::default();
    }

    /// The end of what it said.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.data.with_extension("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // What strace started outlives it.
            let traced = output(Command::new("pgrep").args(["--parent", &node.child.id().to_string()]).stderr(Stdio::null()));
            drop(node.child.kill());
            drop(node.child.wait());
            if node.arms.strace.is_some() {
                for id in traced.unwrap_or_default().split_whitespace() {
                    drop(Command::new("kill").args(["-KILL", id]).stderr(Stdio::null()).status());
                }
            }
        }
        if let Some(name) = self.database.take()
            && !self.is_kept
        {
            drop(self.house.sql(&format!("drop database {name} with (force)")));
        }
        if !self.is_kept {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

impl Setting {
    /// The settings on a kind of database.
    pub(super) fn of(is_shared: bool) -> &'static [Self] {
        if is_shared { &[Self::Postgres, Self::PostgresThreeNodes] } else { &[Self::Sqlite] }
    }
}

impl Stage<'_> {
    /// On what it is played.
    pub(super) fn setting(&self) -> Setting {
        self.setting
    }
}
