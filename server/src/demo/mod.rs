//! `stayposted demo`: the app and the simulated platforms in one process (design section 8).

mod advance;
mod controls;
pub(crate) mod seed;
pub(crate) mod simulate;
pub(crate) mod story;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use domain::id::PersonId;
use domain::platform::Platform;
use domain::time::{Clock, OffsetClock};
use platforms::adapter::Endpoints;
use service::Rehearsal;
use service::clocks::{NodeClock, SystemClock};
use simulator::{Simulator, SimulatorConfig};
use url::Url;
use vault::SystemChance;

use crate::config::{Apps, Data, Hidden, Serve, ServeRole};
use crate::web::Web;
use crate::{serve, start};
use advance::Driver;

/// How to run the rehearsal.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Address and port to listen on; the app opens at this address, the platforms' pages at localhost.
    #[arg(long, env = "STAYPOSTED_ADDR", default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// Where the rehearsal keeps its state.
    #[arg(long = "data", env = "STAYPOSTED_DATA", default_value = "data/demo")]
    data: PathBuf,
    /// Start over: removes the rehearsal in the data folder.
    #[arg(long)]
    fresh: bool,
    /// What a new rehearsal starts with.
    #[arg(long, value_enum, default_value = "sample")]
    seed: Seed,
    /// PostgreSQL instead of SQLite.
    #[arg(long, env = "STAYPOSTED_DATABASE_URL", hide_env_values = true)]
    database_url: Option<Hidden>,
    /// The built site.
    #[arg(long, env = "STAYPOSTED_SITE")]
    site: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Seed {
    /// A flower shop in the middle of its week, with one login lost.
    Sample,
    /// An owner and an empty workspace.
    Empty,
    /// A hundred Facebook Pages behind ten logins, for measurements.
    Agency,
}

/// The file that marks a folder as a rehearsal's, so that `--fresh` never removes anything else.
const MARK: &str = "rehearsal";
const OFFSET_FILE: &str = "clock";

/// Runs the rehearsal.
///
/// # Errors
/// When the folder, the database or the address cannot be used.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let is_new = prepare_folder(&args.data, args.fresh)?;
    let origin = Url::parse(&format!("http://{}", args.addr))?;
    let pages = Url::parse(&format!("http://localhost:{}/sim", args.addr.port()))?;
    let api = origin.join("/sim")?;
    let seed = if is_new { args.seed } else { Seed::Empty };
    // The story of the sample begins in the past and is lived through up to now.
    let offset = if seed == Seed::Sample { -story::length() } else { read_offset(&args.data)? };
    let node = NodeClock::of_this_machine();
    let clock = OffsetClock::new(Arc::new(node.clone()), offset);
    let world: Arc<dyn Clock> = Arc::new(clock.clone());

    let simulator = Simulator::new(SimulatorConfig {
        world: world.clone(),
        wall: Arc::new(SystemClock),
        chance: Arc::new(SystemChance),
        public_url: pages.clone(),
        api_url: api.clone(),
        state_file: Some(args.data.join("platforms.json")),
    })?;
    let settings = serve_settings(&args, &origin);
    let rehearsal = Rehearsal { platforms_url: pages.to_string().trim_end_matches('/').to_owned() };
    let world = start::World { node, clock: world, endpoints: endpoints(&pages, &api)?, rehearsal: Some(rehearsal) };
    let backend = start::backend(&settings.data, origin.clone(), world).await?;
    start::set_apps(&backend.services, &settings.apps).await?;
    let owner = seed::owner(&backend.services).await?;
    let driver = Driver::new(backend.services.clone(), simulator.clone(), clock, args.data.join(OFFSET_FILE));

    let saved = simulator.clone();
    let result = serve::run(&settings, backend, move |web, _| {
        // Before the first request: `open` may begin after it.
        web.is_open.store(seed == Seed::Empty, Ordering::SeqCst);
        tokio::spawn(open(web.clone(), driver.clone(), owner, seed));
        Ok(Some(controls::router(&simulator, driver, owner)))
    })
    .await;
    saved.save()?;
    result
}

/// Fills the rehearsal, if it is new, and then says that it is open.
async fn open(web: Web, driver: Driver, owner: PersonId, seed: Seed) {
    let platforms_url = web.services.settings.rehearsal.as_ref().map(|rehearsal| rehearsal.platforms_url.clone()).unwrap_or_default();
    let filled = match seed {
        Seed::Empty => Ok(()),
        Seed::Sample => {
            println!("Living through two months of a flower shop ...");
            story::tell(&web.services, &driver, owner).await
        }
        Seed::Agency => story::agency(&web.services, owner, &platforms_url).await,
    };
    if let Err(error) = filled {
        tracing::error!(error = format!("{error:#}"), "the sample broke off");
    }
    web.is_open.store(true, Ordering::SeqCst);
    println!("Rehearsal at {} (nothing leaves this computer). Stop it with Ctrl+C.", web.public_url);
}

fn prepare_folder(folder: &Path, fresh: bool) -> anyhow::Result<bool> {
    let mark = folder.join(MARK);
    if folder.exists() && !mark.exists() && folder.read_dir()?.next().is_some() {
        bail!("{} is not the folder of a rehearsal: name another one with --data", folder.display());
    }
    if fresh && mark.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    let is_new = !mark.exists();
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    std::fs::write(&mark, "The data of a Stayposted rehearsal. `--fresh` removes this folder.\n")?;
    Ok(is_new)
}

fn read_offset(folder: &Path) -> anyhow::Result<i64> {
    match std::fs::read_to_string(folder.join(OFFSET_FILE)) {
        Ok(text) => text.trim().parse().context("the rehearsal's clock cannot be read: start over with --fresh"),
        Err(_) => Ok(0),
    }
}

/// Where the simulated platforms are below these two addresses of theirs.
pub(crate) fn endpoints(pages: &Url, api: &Url) -> anyhow::Result<HashMap<Platform, Endpoints>> {
    let at = |base: &Url, path: &str| Url::parse(&format!("{}/{path}", base.as_str().trim_end_matches('/')));
    Ok(HashMap::from([
        (Platform::Facebook, Endpoints { browser: at(pages, "facebook")?, api: at(api, "facebook/graph")? }),
        (Platform::Pinterest, Endpoints { browser: at(pages, "pinterest")?, api: at(api, "pinterest")? }),
    ]))
}

fn serve_settings(args: &DemoArgs, origin: &Url) -> Serve {
    Serve {
        addr: args.addr,
        public_url: Some(origin.clone()),
        data: Data { folder: args.data.clone(), database_url: args.database_url.clone(), key_file: None },
        role: ServeRole::All,
        trusted_proxies: Vec::new(),
        site: args.site.clone(),
        apps: apps(),
    }
}

/// Our registrations at the simulated platforms.
pub(crate) fn apps() -> Apps {
    Apps {
        facebook_client_id: Some(simulator::FACEBOOK_CLIENT_ID.to_owned()),
        facebook_client_secret: Some(Hidden(simulator::FACEBOOK_CLIENT_SECRET.to_owned())),
        pinterest_client_id: Some(simulator::PINTEREST_CLIENT_ID.to_owned()),
        pinterest_client_secret: Some(Hidden(simulator::PINTEREST_CLIENT_SECRET.to_owned())),
    }
}
