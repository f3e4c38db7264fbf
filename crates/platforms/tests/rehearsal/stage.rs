//! The rehearsal platforms on a free port, with a clock in the test's hand, and a person at the consent page.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::chance::Chance;
use domain::id::{DeliveryId, MediaId};
use domain::media::{ImageFacts, ImageKind};
use domain::platform::Platform;
use domain::time::{Clock, Timestamp};
use platforms::adapter::{AccountAccess, Adapter, App, ConsentRequest, Endpoints, Image, Job, Prepared, RemoteAccount, Step, Tokens};
use platforms::secret::{AccessToken, AppSecret, AuthorizationCode, PkceVerifier};
use platforms::{Patience, adapters_with};
use serde_json::{Value, json};
use simulator::{FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET, PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET, Simulator, SimulatorConfig};
use url::Url;

/// One pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// The page and the board that the stories post to.
pub(crate) const PAGE: &str = "615548210093371001";
pub(crate) const BOARD: &str = "549755885175001";

#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Different bytes at each call, the same in each run.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Chance for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mixed = self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = (mixed ^ (mixed >> 29)).to_le_bytes()[4];
        }
    }
}

pub(crate) struct Stage {
    clock: Arc<Hand>,
    base: String,
    browser: reqwest::Client,
    _simulator: Simulator,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(1_795_428_000_000_000)));
        let config = SimulatorConfig {
            world: clock.clone(),
            wall: clock.clone(),
            chance: Arc::new(Counted::default()),
            public_url: Url::parse(&format!("http://localhost:{}/sim", address.port())).unwrap(),
            api_url: Url::parse(&format!("http://{address}/sim")).unwrap(),
            state_file: None,
        };
        let simulator = Simulator::new(config).unwrap();
        let router = axum::Router::new().nest("/sim", simulator.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { clock, base: format!("http://{address}/sim"), browser, _simulator: simulator }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, length: Duration) {
        self.clock.0.fetch_add(i64::try_from(length.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn app(&self, platform: Platform) -> App {
        let url = |path: &str| Url::parse(&format!("{}{path}", self.base)).unwrap();
        let (client_id, secret, endpoints) = match platform {
            Platform::Facebook => {
                (FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET, Endpoints { browser: url("/facebook"), api: url("/facebook/graph") })
            }
            Platform::Pinterest => {
                (PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET, Endpoints { browser: url("/pinterest"), api: url("/pinterest") })
            }
        };
        App {
            client_id: client_id.into(),
            secret: AppSecret::new(secret.into()),
            endpoints,
            redirect_uri: Url::parse(&format!("http://127.0.0.1:3000/oauth/{platform}/callback")).unwrap(),
        }
    }

    pub(crate) async fn fault(&self, platform: Platform, fault: Value) {
        let answer = self.browser.post(format!("{}/{platform}/faults", self.base)).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{fault}");
    }

    pub(crate) async fn knob(&self, platform: Platform, knobs: Value) {
        let answer = self.browser.post(format!("{}/{platform}/knobs", self.base)).json(&knobs).send().await.unwrap();
        assert!(answer.status().is_success(), "{knobs}");
    }

    /// Every public post.
    pub(crate) async fn feed(&self, platform: Platform) -> Vec<Value> {
        let feed: Value = self.browser.get(format!("{}/{platform}/feed.json", self.base)).send().await.unwrap().json().await.unwrap();
        feed.as_array().or_else(|| feed["posts"].as_array()).unwrap().clone()
    }

    /// Mara opens the consent's address, ticks these scopes and pages, and comes back with a code.
    pub(crate) async fn consent(&self, platform: Platform, scopes: &[&str], pages: &[&str]) -> AuthorizationCode {
        let request = ConsentRequest { state: "s t&?".into(), pkce_challenge: "c".into(), ask_again: false, switch_person: false };
        let address = adapter(platform).consent_url(&self.app(platform), &request);
        let mut form = vec![("person", "mara-jung"), ("decision", "continue")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        form.extend(pages.iter().map(|page| ("page", *page)));
        let answer = self.browser.post(address).form(&form).send().await.unwrap();
        let back = answer.headers().get("location").and_then(|to| to.to_str().ok()).expect("sent back");
        let back = Url::parse(back).unwrap();
        let of = |name: &str| back.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
        assert_eq!(of("state").as_deref(), Some("s t&?"));
        AuthorizationCode::new(of("code").unwrap())
    }

    /// A whole sign-in with everything ticked.
    pub(crate) async fn sign_in(&self, platform: Platform) -> Tokens {
        let adapter = adapter(platform);
        let scopes: Vec<&str> = adapter.policy().scopes.iter().map(|scope| scope.name).collect();
        let code = self.consent(platform, &scopes, &[PAGE]).await;
        adapter.exchange(&self.app(platform), &code, &PkceVerifier::new("v".into()), self.now()).await.unwrap()
    }

    pub(crate) async fn accounts(&self, platform: Platform, access: &AccessToken) -> Vec<RemoteAccount> {
        adapter(platform).accounts(&self.app(platform), access, self.now()).await.unwrap()
    }

    /// Signs in and takes what posting to the first account needs.
    pub(crate) async fn link(&self, platform: Platform) -> AccountAccess {
        let tokens = self.sign_in(platform).await;
        let account = self.accounts(platform, &tokens.access).await.remove(0);
        AccountAccess { remote_id: account.remote_id, access: account.access.unwrap_or(tokens.access) }
    }

    /// Every step before the commit.
    pub(crate) async fn prepare(&self, platform: Platform, job: &Job) -> Vec<Step> {
        let mut done = Vec::new();
        while let Prepared::Step(step) = adapter(platform).prepare(&self.app(platform), job, &done, self.now()).await.unwrap() {
            done.push(step);
        }
        done
    }
}

pub(crate) fn adapter(platform: Platform) -> Arc<dyn Adapter> {
    adapters_with(&Patience::default()).unwrap().get(platform).clone()
}

pub(crate) fn again(account: &AccountAccess) -> AccountAccess {
    AccountAccess { remote_id: account.remote_id.clone(), access: account.access.clone() }
}

pub(crate) fn job(account: &AccountAccess, text: &str, images: usize) -> Job {
    let bytes = Bytes::from(STANDARD.decode(PNG).unwrap());
    let facts = ImageFacts { id: MediaId([0; 16]), kind: ImageKind::Png, width: 1, height: 1, bytes: bytes.len() };
    Job {
        delivery: DeliveryId([0; 16]),
        account: again(account),
        text: text.into(),
        title: "Title".into(),
        link: String::new(),
        board: Some(BOARD.into()),
        images: (0..images).map(|index| Image { facts: facts.clone(), bytes: bytes.clone(), alt: format!("Wreath {index}") }).collect(),
    }
}

/// A fault of one call, of every kind of call there is, or of a kind of call.
pub(crate) fn fault(kind: &str, op: Option<&str>) -> Value {
    op.map_or_else(|| json!({ "kind": kind }), |op| json!({ "kind": kind, "op": op }))
}
