//! A whole backend against the rehearsal platforms on a free port, both clocks in the test's hand, and people at the
//! consent pages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::id::{AccountId, ConsentId, GrantId, NodeId};
use domain::platform::Platform;
use domain::role::{Caller, Role, Via};
use domain::summary::link::{ConsentOutcome, ConsentResult};
use domain::time::{Clock, Timestamp, days, hours};
use object_store::memory::InMemory;
use platforms::adapter::Endpoints;
use platforms::secret::AppSecret;
use platforms::{Patience, Registry, adapters_with};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use service::auth::NewOwner;
use service::consent::{Callback, RefreshOptions, Started};
use service::{Clocks, Services, Settings};
use simulator::{FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET, PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET, Simulator, SimulatorConfig};
use tokio::sync::Notify;
use url::Url;
use vault::{RootKeys, SystemChance, Vault};

use crate::db::Fresh;
use crate::{FakeChance, FakeClock};

/// Mara's first page.
pub const PAGE: &str = "615548210093371001";
/// Mara's second page.
pub const SECOND_PAGE: &str = "615548210093371002";
/// Mara's first board.
pub const BOARD: &str = "549755885175001";

/// The password of every owner that [`Backend::owner`] makes.
pub const PASSWORD: &str = "ten characters and more";

/// Who signs in at a platform, and what they tick.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// Slug of the person ("mara-jung").
    pub person: &'a str,
    /// Pages that are ticked (Facebook).
    pub pages: &'a [&'a str],
    /// Scopes that are unticked.
    pub without: &'a [&'a str],
}

/// Mara with both pages.
pub const MARA: SignIn<'static> = SignIn { person: "mara-jung", pages: &[PAGE, SECOND_PAGE], without: &[] };
/// Tom, who manages Mara's first page too.
pub const TOM: SignIn<'static> = SignIn { person: "tom-berger", pages: &[PAGE], without: &[] };

/// A backend under test.
#[derive(Debug)]
pub struct Backend {
    /// The services.
    pub services: Services,
    /// World time.
    pub world: FakeClock,
    /// Wall time.
    pub wall: FakeClock,
    /// The platforms.
    pub simulator: Simulator,
    /// Which database.
    pub kind: &'static str,
    /// Address of the platforms.
    base: String,
    browser: reqwest::Client,
    owners: std::sync::atomic::AtomicU32,
    keys: String,
    fresh: Fresh,
}

/// What another process needs to work on a backend's database and with its platforms; plain text, for an environment.
#[derive(Debug, Clone)]
pub struct Joining {
    /// Where the database is.
    pub database: String,
    /// The vault's root keys.
    pub keys: String,
    /// Where the platforms are.
    pub platforms: String,
}

impl Joining {
    /// The services of a process of its own, and its clocks.
    ///
    /// # Panics
    /// When it cannot join.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its backend")]
    pub async fn join(&self) -> (Services, FakeClock, FakeClock) {
        let (world, wall) = (FakeClock::default(), FakeClock::default());
        let keys = RootKeys::from_text(&self.keys).expect("root keys");
        let store = crate::db::open(&self.database).await;
        let services = assemble(store, keys, &self.platforms, (&world, &wall), u64::from(std::process::id()), |registry| registry);
        (services, world, wall)
    }
}

/// The services of one process. `seed` makes the ids that it gives its own.
#[expect(clippy::expect_used, reason = "a test cannot go on without its backend")]
fn assemble(
    store: store::Store,
    keys: RootKeys,
    base: &str,
    (world, wall): (&FakeClock, &FakeClock),
    seed: u64,
    change: impl FnOnce(Registry) -> Registry,
) -> Services {
    let url = |path: &str| Url::parse(&format!("{base}{path}")).expect("an address");
    let patience = Patience { connect: Duration::from_secs(2), answer: Duration::from_secs(5), upload: Duration::from_secs(5) };
    let endpoints = HashMap::from([
        (Platform::Facebook, Endpoints { browser: url("/facebook"), api: url("/facebook/graph") }),
        (Platform::Pinterest, Endpoints { browser: url("/pinterest"), api: url("/pinterest") }),
    ]);
    Services::new(service::services::Parts {
        store,
        vault: Arc::new(Vault::new(keys)),
        adapters: change(adapters_with(&patience).expect("the adapters")),
        clocks: Clocks { world: Arc::new(world.clone()), wall: Arc::new(wall.clone()) },
        chance: Arc::new(FakeChance::seeded(seed)),
        media: Arc::new(InMemory::new()),
        settings: Settings {
            public_url: Url::parse("http://127.0.0.1:3000").expect("an address"),
            endpoints,
            session_idle: days(7),
            session_life: days(30),
            rehearsal: None,
        },
        wake: Arc::new(Notify::new()),
    })
}

impl Backend {
    /// A backend on SQLite.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn new() -> Self {
        Self::on(crate::db::sqlite().await).await
    }

    /// A backend on a fresh database.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn on(fresh: Fresh) -> Self {
        Self::with(fresh, |registry| registry).await
    }

    /// A backend whose adapters are changed by `change`.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its backend")]
    pub async fn with(fresh: Fresh, change: impl FnOnce(Registry) -> Registry) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the address of the port");
        let (world, wall) = (FakeClock::default(), FakeClock::default());
        let base = format!("http://{address}/sim");
        let url = |path: &str| Url::parse(&format!("{base}{path}")).expect("an address");
        let simulator = Simulator::new(SimulatorConfig {
            world: Arc::new(world.clone()),
            wall: Arc::new(wall.clone()),
            chance: Arc::new(FakeChance::seeded(7)),
            public_url: Url::parse(&format!("http://localhost:{}/sim", address.port())).expect("an address"),
            api_url: url(""),
            state_file: None,
        })
        .expect("the simulator starts");
        let router = axum::Router::new().nest("/sim", simulator.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let keys = RootKeys::generate(&SystemChance);
        let text = keys.to_text().to_string();
        let services = assemble(fresh.store.clone(), keys, &base, (&world, &wall), 1, change);
        let apps = [
            (Platform::Facebook, FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET),
            (Platform::Pinterest, PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET),
        ];
        for (platform, id, secret) in apps {
            services.set_platform_app(platform, id, &AppSecret::new(secret.to_owned())).await.expect("the app is stored");
        }
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a browser");
        Self { services, world, wall, simulator, kind: fresh.kind, base, browser, owners: 0.into(), keys: text, fresh }
    }

    /// How another process works with this backend.
    pub fn joining(&self) -> Joining {
        Joining { database: self.fresh.address(), keys: self.keys.clone(), platforms: self.base.clone() }
    }

    /// World time.
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// The id of this test's process.
    pub const fn node(&self) -> NodeId {
        NodeId([9; 16])
    }

    /// Moves both clocks, as when time simply passes.
    pub fn pass(&self, length: Duration) {
        self.world.advance(length);
        self.wall.advance(length);
    }

    /// A new owner with a workspace of their own.
    ///
    /// # Panics
    /// When they cannot be made.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its owner")]
    pub async fn owner(&self) -> Caller {
        let number = self.owners.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let owner = NewOwner {
            name: "Mara Jung".to_owned(),
            email: format!("mara{number}@blumenjung.example"),
            password: SecretString::from(PASSWORD),
            workspace: "Blumen Jung".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let (person, workspace) = self.services.create_owner(owner).await.expect("an owner");
        Caller { person, workspace, role: Role::Owner, is_operator: true, via: Via::Cookie }
    }

    /// Turns knobs of a platform.
    ///
    /// # Panics
    /// When the platform refuses.
    pub async fn knobs(&self, platform: Platform, knobs: Value) {
        self.post(&format!("/{platform}/knobs"), &knobs).await;
    }

    /// Makes something go wrong.
    ///
    /// # Panics
    /// When the platform refuses.
    pub async fn fault(&self, platform: Platform, fault: Value) {
        self.post(&format!("/{platform}/faults"), &fault).await;
    }

    /// Takes back what can be taken back.
    ///
    /// # Panics
    /// When the platform refuses.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its platforms")]
    pub async fn no_faults(&self, platform: Platform) {
        let answer = self.browser.delete(format!("{}/{platform}/faults", self.base)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "faults are taken back");
    }

    /// Every call that a platform got: method, path, status, op, account.
    ///
    /// # Panics
    /// When the platform refuses.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its platforms")]
    pub async fn calls(&self, platform: Platform) -> Vec<Value> {
        let calls: Value =
            self.browser.get(format!("{}/{platform}/calls.json", self.base)).send().await.expect("an answer").json().await.expect("JSON");
        calls.as_array().or_else(|| calls["calls"].as_array()).cloned().unwrap_or_default()
    }

    /// Every public post of a platform: id, account, text, media, `created_at`.
    ///
    /// # Panics
    /// When the platform does not answer.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its platforms")]
    pub async fn feed(&self, platform: Platform) -> Vec<Value> {
        let feed: Value =
            self.browser.get(format!("{}/{platform}/feed.json", self.base)).send().await.expect("an answer").json().await.expect("JSON");
        feed.as_array().or_else(|| feed["posts"].as_array()).cloned().unwrap_or_default()
    }

    /// Every token, code and secret that a platform gave out.
    ///
    /// # Panics
    /// When the platform refuses.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its platforms")]
    pub async fn issued(&self, platform: Platform) -> Value {
        self.browser.get(format!("{}/{platform}/issued.json", self.base)).send().await.expect("an answer").json().await.expect("JSON")
    }

    #[expect(clippy::expect_used, reason = "a test cannot go on without its platforms")]
    async fn post(&self, path: &str, body: &Value) {
        let answer = self.browser.post(format!("{}{path}", self.base)).json(body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path} {body}");
    }

    /// Does what the person's browser does: opens the platform's page, ticks, continues, and comes back.
    ///
    /// # Panics
    /// When the page does not lead back.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its sign-in")]
    pub async fn consent(&self, started: &Started, who: SignIn<'_>) -> Callback {
        let url: Url = started.going_to.url.parse().expect("an address");
        let asked = url.query_pairs().find(|(name, _)| name == "scope").map(|(_, value)| value.into_owned()).unwrap_or_default();
        let mut form = vec![("person", who.person.to_owned()), ("decision", "continue".to_owned())];
        let scopes = asked.split([',', ' ']).filter(|scope| !scope.is_empty() && !who.without.contains(scope));
        form.extend(scopes.map(|scope| ("scope", scope.to_owned())));
        form.extend(who.pages.iter().map(|page| ("page", (*page).to_owned())));
        self.back(started, url, &form).await.expect("the page leads back")
    }

    /// The person presses Cancel.
    ///
    /// # Panics
    /// When the page does not lead back.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its sign-in")]
    pub async fn cancel(&self, started: &Started, person: &str) -> Callback {
        let url: Url = started.going_to.url.parse().expect("an address");
        let form = [("person", person.to_owned()), ("decision", "cancel".to_owned())];
        self.back(started, url, &form).await.expect("the page leads back")
    }

    async fn back(&self, started: &Started, url: Url, form: &[(&str, String)]) -> Option<Callback> {
        let answer = self.browser.post(url).form(form).send().await.ok()?;
        let location = answer.headers().get("location")?.to_str().ok()?;
        let back = Url::parse(location).ok()?;
        let value = |wanted: &str| back.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        Some(Callback {
            state: value("state"),
            code: value("code"),
            error: value("error"),
            error_description: value("error_description"),
            iss: None,
            flow: Some(started.flow.expose_secret().to_owned()),
        })
    }

    /// A whole first link; links everything that is offered.
    ///
    /// # Panics
    /// When it ends otherwise.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its login")]
    pub async fn link(&self, caller: &Caller, platform: Platform, who: SignIn<'_>) -> ConsentResult {
        let started = self.services.start_link(caller, platform).await.expect("the consent starts");
        let callback = self.consent(&started, who).await;
        let consent = self.services.finish_consent(caller, platform, callback).await.expect("the consent ends");
        let result = self.services.consent_result(caller, consent).await.expect("a result");
        match &result.outcome {
            ConsentOutcome::Choose { choices, .. } => {
                let chosen = choices.iter().map(|choice| choice.remote_id.clone()).collect();
                self.services.link_chosen(caller, consent, chosen).await.expect("the accounts are linked")
            }
            _ => result,
        }
    }

    /// A whole Refresh Credentials.
    ///
    /// # Panics
    /// When it does not start or end.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its login")]
    pub async fn refresh(&self, caller: &Caller, grant: GrantId, who: SignIn<'_>) -> (ConsentId, ConsentOutcome) {
        let started = self.services.start_refresh(caller, grant, RefreshOptions::default()).await.expect("the consent starts");
        let platform = started.going_to.platform;
        let callback = self.consent(&started, who).await;
        let consent = self.services.finish_consent(caller, platform, callback).await.expect("the consent ends");
        (consent, self.services.consent_result(caller, consent).await.expect("a result").outcome)
    }

    /// The id of an account of the caller's workspace, by its name.
    ///
    /// # Panics
    /// When there is none.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its account")]
    pub async fn account(&self, caller: &Caller, name: &str) -> (AccountId, GrantId) {
        let accounts = self.services.store.accounts(caller.workspace).await.expect("the accounts");
        let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
        let found = accounts.iter().find(|account| account.name == name);
        let found = found.unwrap_or_else(|| panic!("no account {name} among {names:?}"));
        (found.id, found.grant)
    }

    /// A fault without more than its kind.
    pub fn kind(kind: &str) -> Value {
        json!({ "kind": kind })
    }

    /// How long a tick of the clock is that makes a daily probe due.
    pub const DAY: Duration = hours(24);
}
