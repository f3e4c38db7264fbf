//! What `cargo xtask faults` runs: the real app against simulated platforms in another process, in a build that dies where
//! it is told to. A normal build has none of this, so a normal `serve` cannot reach the simulated platforms.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use clap::{Args, Subcommand, ValueEnum};
use domain::platform::Platform;
use domain::role::Caller;
use domain::summary::compose::ComposeInput;
use domain::time::{Clock, OffsetClock, Timestamp, minutes};
use serde_json::{Value, json};
use service::Services;
use service::clocks::{NodeClock, SteadyClock, SystemClock};
use service::moments::Zone;
use store::StoreError;
use tokio::sync::Notify;
use url::Url;

use crate::config::{Data, Serve};
use crate::demo::{seed, simulate, story};
use crate::web::Web;
use crate::{demo, serve, start};

/// How often the clock's file is read.
const LOOK: Duration = Duration::from_millis(3);
/// Posts of the scenario `posts`, and logins of the scenario `renewals`.
const MANY: usize = 20;
/// So many posts are due in one minute.
const AT_ONCE: usize = 5;
/// The first are due this long after they were written: before it comes the check an hour ahead.
const FIRST_DUE: Duration = minutes(75);

/// The processes of a scenario.
#[derive(Debug, Subcommand)]
pub(crate) enum CutsCommand {
    /// Fill an empty installation with what the scenario needs; goes on where an earlier run of it was killed
    Prepare(Prepare),
    /// `serve`, with the platforms elsewhere
    Serve(Box<CutServe>),
    /// `simulate`, on the scenario's clock
    Simulate(CutSimulate),
}

/// The scenario's world.
#[derive(Debug, Args)]
pub(crate) struct Scene {
    /// Where the simulated platforms are: the address of their API.
    #[arg(long)]
    platforms: Url,
    /// The file with the offset of the world clock in microseconds; it may only grow.
    #[arg(long)]
    clock: PathBuf,
    /// The machine's clock is so many seconds ahead.
    #[arg(long, default_value_t = 0)]
    clock_ahead: u64,
    /// Die at this cut, counted from 1.
    #[arg(long)]
    cut: Option<u64>,
    /// The file in which every cut that is reached gets a line.
    #[arg(long)]
    log_cuts: Option<PathBuf>,
}

/// How to fill an installation.
#[derive(Debug, Args)]
pub(crate) struct Prepare {
    #[command(flatten)]
    scene: Scene,
    #[command(flatten)]
    data: Data,
    /// With what.
    #[arg(long, value_enum)]
    scenario: Scenario,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Twenty posts with images to four accounts on two platforms.
    Posts,
    /// Twenty logins whose refresh token rotates.
    Renewals,
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct CutServe {
    #[command(flatten)]
    scene: Scene,
    #[command(flatten)]
    serve: Serve,
}

/// How to simulate.
#[derive(Debug, Args)]
pub(crate) struct CutSimulate {
    #[command(flatten)]
    simulate: simulate::SimulateArgs,
    /// The file with the offset of the world clock.
    #[arg(long)]
    clock: PathBuf,
}

/// Runs one of them.
///
/// # Errors
/// As the command that it stands for.
pub(crate) async fn run(command: CutsCommand) -> anyhow::Result<()> {
    if !matches!(command, CutsCommand::Prepare(_)) {
        end_with_parent();
    }
    match command {
        CutsCommand::Prepare(args) => prepare(args).await,
        CutsCommand::Simulate(args) => simulate::run(args.simulate, Arc::new(follow(args.clock, Arc::new(SystemClock), None).await?)).await,
        CutsCommand::Serve(args) => {
            let wake = Arc::new(Notify::new());
            let world = args.scene.enter(Some(Arc::clone(&wake))).await?;
            let backend = start::backend(&args.serve.data, args.serve.public(), world).await?;
            start::set_apps(&backend.services, &demo::apps()).await?;
            // The clock of the scenario jumps: whoever waits for a moment is to look again.
            let services = backend.services.clone();
            tokio::spawn(async move {
                loop {
                    wake.notified().await;
                    services.wake.notify_waiters();
                }
            });
            serve::run(&args.serve, backend, |_, _| Ok(Some(Router::new().route("/cuts/truth", get(truth)).route("/cuts/rest", get(rest)))))
                .await
        }
    }
}

/// Whoever started us holds the other end of our input for as long as they live.
fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
}

impl Scene {
    async fn enter(&self, wake: Option<Arc<Notify>>) -> anyhow::Result<start::World> {
        cuts::arm(self.cut, self.log_cuts.as_deref()).context("the log of cuts cannot be written")?;
        let ahead = i64::try_from(self.clock_ahead)?.saturating_mul(1_000_000);
        let off = |clock: Arc<dyn Clock>| Arc::new(OffsetClock::new(clock, ahead));
        let node = NodeClock::new(off(Arc::new(SteadyClock::begin())), off(Arc::new(SystemClock)));
        let clock = follow(self.clock.clone(), Arc::new(node.clone()), wake).await?;
        let mut pages = self.platforms.clone();
        pages.set_host(Some("localhost"))?;
        Ok(start::World { node, clock: Arc::new(clock), endpoints: demo::endpoints(&pages, &self.platforms)?, rehearsal: None })
    }
}

/// A world clock that several processes share by a file.
async fn follow(file: PathBuf, base: Arc<dyn Clock>, wake: Option<Arc<Notify>>) -> anyhow::Result<OffsetClock> {
    let read = move || -> anyhow::Result<i64> { Ok(std::fs::read_to_string(&file)?.trim().parse()?) };
    let clock = OffsetClock::new(Arc::clone(&base), read().context("the clock's file cannot be read")?);
    let moved = clock.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let offset = read().unwrap_or_default();
            if offset > moved.offset() {
                moved.advance_to(Timestamp(base.now().0.saturating_add(offset)));
                if let Some(wake) = &wake {
                    wake.notify_one();
                }
            }
        }
    });
    Ok(clock)
}

async fn prepare(args: Prepare) -> anyhow::Result<()> {
    let world = args.scene.enter(None).await?;
    let backend = start::backend(&args.data, Url::parse("http://127.0.0.1:3000")?, world).await?;
    let services = &backend.services;
    start::set_apps(services, &demo::apps()).await?;
    let owner = seed::owner(services).await?;
    let (_, caller) = story::as_owner(services, owner).await?;
    match args.scenario {
        Scenario::Posts => posts(services, &caller).await?,
        Scenario::Renewals => renewals(services, &caller, &args.scene.platforms).await?,
    }
    services.store.close().await;
    Ok(())
}

/// The accounts of the scenario `posts`, in the order in which posts go to them: the sign-in that links them, and the name.
const TARGETS: [(story::SignIn<'_>, &str); 4] = [
    (story::SignIn { platform: Platform::Facebook, person: "mara-jung", pages: &["615548210093371002"] }, "Blumen Jung Weddings"),
    (story::SignIn { platform: Platform::Pinterest, person: "mara-jung", pages: &[] }, "Mara Jung"),
    (story::SignIn { platform: Platform::Facebook, person: "tom-berger", pages: &["615548210093371001"] }, "Blumen Jung"),
    (story::SignIn { platform: Platform::Pinterest, person: "tom-berger", pages: &[] }, "Tom Berger"),
];

async fn posts(services: &Services, caller: &Caller) -> anyhow::Result<()> {
    for (sign_in, name) in &TARGETS {
        if account(services, caller, sign_in.platform, name).await?.is_none() {
            story::sign_in(services, caller, sign_in).await?;
        }
    }
    let written: Vec<String> = services.store.true_deliveries().await?.into_iter().map(|delivery| delivery.content).collect();
    let first_due = services.now() + FIRST_DUE;
    for number in 0..MANY {
        let text = format!("Post {number:02}");
        if written.iter().any(|content| content.contains(&text)) {
            continue;
        }
        let (sign_in, name) = &TARGETS[number % TARGETS.len()];
        let (account, board) = account(services, caller, sign_in.platform, name).await?.context("an account that was linked is gone")?;
        // Facebook takes several images one by one, each a step; Pinterest takes one with the pin.
        let images = if sign_in.platform == Platform::Facebook { 2 } else { 1 };
        let (date, time) = Zone::UTC.wall(first_due + minutes(u64::try_from(number / AT_ONCE)?));
        let mut input = ComposeInput {
            text,
            title: "Autumn".to_owned(),
            accounts: vec![account.clone()],
            boards: board.map(|board| format!("{account}:{board}")).into_iter().collect(),
            date,
            time,
            zone: "UTC".to_owned(),
            then: "schedule".to_owned(),
            ..ComposeInput::default()
        };
        for _ in 0..images {
            input.images.push(services.upload_image(caller, Bytes::from_static(story::TULIPS)).await?.id.to_string());
            input.alts.push("Three tulips".to_owned());
        }
        services.compose(caller, input).await?;
    }
    Ok(())
}

/// A linked account and its first board.
async fn account(services: &Services, caller: &Caller, platform: Platform, name: &str) -> anyhow::Result<Option<(String, Option<String>)>> {
    let page = services.compose_page(caller, None, None).await?;
    let found = page.accounts.iter().find(|account| account.platform == platform && account.name == name);
    Ok(found.map(|account| (account.id.to_string(), account.boards.first().map(|board| board.0.clone()))))
}

async fn renewals(services: &Services, caller: &Caller, platforms: &Url) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let slug = |number: usize| format!("client-{number:02}");
    let world = json!({
        "people": (0..MANY).map(|number| json!({
            "slug": slug(number), "name": format!("Client {number:02}"), "id": format!("9123456789012346{number:02}"), "username": slug(number),
        })).collect::<Vec<_>>(),
        "places": (0..MANY).map(|number| json!({
            "id": format!("5497558851752{number:02}"), "name": format!("Board {number:02}"), "kind": "PUBLIC", "people": [slug(number)],
        })).collect::<Vec<_>>(),
    });
    client.post(format!("{}/pinterest/knobs", platforms.as_str().trim_end_matches('/'))).json(&world).send().await?.error_for_status()?;
    for number in 0..MANY {
        if account(services, caller, Platform::Pinterest, &format!("Client {number:02}")).await?.is_none() {
            story::sign_in(services, caller, &story::SignIn { platform: Platform::Pinterest, person: &slug(number), pages: &[] }).await?;
        }
    }
    Ok(())
}

/// `GET /cuts/rest`: whether anything is due or being worked on; asked often, so it costs little.
async fn rest(State(web): State<Web>) -> Result<Json<Value>, String> {
    read_rest(&web.services).await.map(Json).map_err(|error| format!("{error:?}"))
}

async fn read_rest(services: &Services) -> Result<Value, StoreError> {
    let held = services.store.leases_held(services.clocks.wall.now()).await?;
    let next = services.store.next_work().await?.map(|at| at.0);
    Ok(json!({ "now": services.now().0, "next_work": next, "held": held }))
}

/// `GET /cuts/truth`: what the oracle needs to know of us, as it stands in the database.
async fn truth(State(web): State<Web>) -> Result<Json<Value>, String> {
    read_truth(&web.services).await.map(Json).map_err(|error| format!("{error:?}"))
}

async fn read_truth(services: &Services) -> Result<Value, StoreError> {
    let store = &services.store;
    let stored = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut all = read_rest(services).await?;
    let deliveries: Vec<Value> = store
        .true_deliveries()
        .await?
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "text": stored(&one.content)["text"], "images": stored(&one.content)["images"].as_array().map(Vec::len),
                "platform": one.platform, "account": one.account, "state": stored(&one.detail), "work_at": one.work_at,
                "commits": one.commits, "open_commits": one.open_commits,
            })
        })
        .collect();
    let logins: Vec<Value> = store
        .true_logins()
        .await?
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "platform": one.platform, "person": one.person, "state": one.state, "cause": one.cause.as_deref().map(stored),
                "generation": one.generation, "renewals": one.renewals,
            })
        })
        .collect();
    let threads: Vec<Value> = store
        .true_threads()
        .await?
        .iter()
        .map(|one| {
            let stages: Vec<Value> = one.stages.iter().map(|stage| stored(stage)).collect();
            json!({ "root": stored(&one.root), "stages": stages, "is_over": one.is_over })
        })
        .collect();
    let events: Vec<Value> =
        store.true_events().await?.iter().map(|one| json!({ "count": one.count, "first": one.first, "last": one.last })).collect();
    all["overdue_leases"] = json!(store.overdue_leases(services.clocks.wall.now()).await?);
    for (name, rows) in [("deliveries", deliveries), ("logins", logins), ("threads", threads), ("events", events)] {
        all[name] = Value::Array(rows);
    }
    Ok(all)
}
