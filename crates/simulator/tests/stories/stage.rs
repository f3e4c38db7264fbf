//! A running simulator with clocks in the test's hand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::chance::Chance;
use domain::time::{Clock, Timestamp};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET, PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET, Simulator, SimulatorConfig};

pub(crate) const MARA: &str = "10226184503927711";
pub(crate) const BLUMEN: &str = "615548210093371001";
pub(crate) const WEDDINGS: &str = "615548210093371002";
pub(crate) const BOARD: &str = "549755885175001";
pub(crate) const PIN_MARA: &str = "912345678901234511";
pub(crate) const ALL_PAGES_SCOPES: &str = "pages_show_list,pages_read_engagement,pages_manage_posts,pages_manage_engagement";
pub(crate) const ALL_PIN_SCOPES: &str = "boards:read,boards:write,pins:read,pins:write,user_accounts:read";

#[derive(Debug)]
pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn pass(&self, length: Duration) {
        self.0.fetch_add(i64::try_from(length.as_micros()).expect("short"), Ordering::SeqCst);
    }
}

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
            let mut x = self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678);
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = x.to_le_bytes()[3];
        }
    }
}

pub(crate) struct Stage {
    pub(crate) world: Arc<Hand>,
    pub(crate) wall: Arc<Hand>,
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with_state(None).await
    }

    pub(crate) async fn with_state(state_file: Option<PathBuf>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("address");
        let (world, wall) = (Arc::new(Hand(AtomicI64::new(1_795_428_000_000_000))), Arc::new(Hand(AtomicI64::new(5_000_000))));
        let config = SimulatorConfig {
            world: world.clone(),
            wall: wall.clone(),
            chance: Arc::new(Counted::default()),
            public_url: format!("http://localhost:{}/sim", address.port()).parse().expect("url"),
            api_url: format!("http://{address}/sim").parse().expect("url"),
            state_file,
        };
        let simulator = Simulator::new(config).expect("a simulator");
        let picture = || async { ([("content-type", "image/png")], png(40, 30)) };
        let app = axum::Router::new()
            .nest("/sim", simulator.router())
            .route("/picture.png", axum::routing::get(picture))
            .route("/oauth/{platform}/callback", axum::routing::get(|| async { "back" }));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .expect("a client");
        Self { world, wall, simulator, client, base: format!("http://{address}/sim"), address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    pub(crate) fn graph(&self, path: &str) -> String {
        self.url(&format!("/facebook/graph/v26.0/{path}"))
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        self.get(path).send().await.expect("an answer").json().await.expect("json")
    }

    pub(crate) async fn fault(&self, platform: &str, fault: Value) -> Value {
        let answer = self.post(&format!("/{platform}/faults")).json(&fault).send().await.expect("an answer");
        assert_eq!(answer.status(), 201, "{fault}");
        answer.json().await.expect("json")
    }

    pub(crate) async fn turn(&self, platform: &str, knobs: Value) {
        let answer = self.post(&format!("/{platform}/knobs")).json(&knobs).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{knobs}");
    }

    /// Signs in at a dialog. Returns where the browser is sent.
    pub(crate) async fn consent(&self, path: &str, query: &[(&str, &str)], form: &[(&str, &str)]) -> url::Url {
        let answer = self.post(path).query(query).form(form).send().await.expect("an answer");
        assert_eq!(answer.status(), 303, "{:?}", answer.text().await);
        answer.headers()["location"].to_str().expect("text").parse().expect("url")
    }

    pub(crate) fn facebook_redirect(&self) -> String {
        format!("http://{}/oauth/facebook/callback", self.address)
    }

    pub(crate) async fn facebook_consent(&self, person: &str, scopes: &[&str], pages: &[&str]) -> url::Url {
        let redirect = self.facebook_redirect();
        let query = [("client_id", FACEBOOK_CLIENT_ID), ("redirect_uri", &redirect), ("state", "s t"), ("scope", ALL_PAGES_SCOPES)];
        let mut form = vec![("person", person), ("decision", "continue")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        form.extend(pages.iter().map(|page| ("page", *page)));
        self.consent("/facebook/v26.0/dialog/oauth", &query, &form).await
    }

    pub(crate) async fn facebook_code(&self, code: &str) -> Response {
        let redirect = self.facebook_redirect();
        let query =
            [("client_id", FACEBOOK_CLIENT_ID), ("client_secret", FACEBOOK_CLIENT_SECRET), ("redirect_uri", &redirect), ("code", code)];
        self.client.get(self.graph("oauth/access_token")).query(&query).send().await.expect("an answer")
    }

    pub(crate) async fn facebook_exchange(&self, token: &str) -> Response {
        let query = [
            ("grant_type", "fb_exchange_token"),
            ("client_id", FACEBOOK_CLIENT_ID),
            ("client_secret", FACEBOOK_CLIENT_SECRET),
            ("fb_exchange_token", token),
        ];
        self.client.get(self.graph("oauth/access_token")).query(&query).send().await.expect("an answer")
    }

    /// A long-lived user token with everything ticked.
    pub(crate) async fn facebook_login(&self, person: &str, pages: &[&str]) -> String {
        let scopes: Vec<&str> = ALL_PAGES_SCOPES.split(',').collect();
        let back = self.facebook_consent(person, &scopes, pages).await;
        let short = field(&self.facebook_code(&query_of(&back, "code")).await.json().await.expect("json"), "access_token");
        field(&self.facebook_exchange(&short).await.json().await.expect("json"), "access_token")
    }

    pub(crate) async fn page_token(&self, user: &str, page: &str) -> String {
        let list: Value = self.as_user(user, "me/accounts").await.json().await.expect("json");
        let found = list["data"].as_array().expect("data").iter().find(|row| row["id"] == page).expect("the page");
        field(found, "access_token")
    }

    /// A GET with a token.
    pub(crate) async fn as_user(&self, token: &str, path: &str) -> Response {
        self.client.get(self.graph(path)).bearer_auth(token).send().await.expect("an answer")
    }

    pub(crate) async fn publish(&self, token: &str, page: &str, text: &str) -> reqwest::Result<Response> {
        self.client.post(self.graph(&format!("{page}/feed"))).bearer_auth(token).json(&json!({ "message": text })).send().await
    }

    pub(crate) fn pinterest_redirect(&self) -> String {
        format!("http://{}/oauth/pinterest/callback", self.address)
    }

    pub(crate) async fn pinterest_login(&self, person: &str) -> (String, String) {
        let scopes: Vec<&str> = ALL_PIN_SCOPES.split(',').collect();
        self.pinterest_login_with(person, &scopes).await
    }

    pub(crate) async fn pinterest_login_with(&self, person: &str, scopes: &[&str]) -> (String, String) {
        let redirect = self.pinterest_redirect();
        let query = [
            ("client_id", PINTEREST_CLIENT_ID),
            ("redirect_uri", &redirect),
            ("response_type", "code"),
            ("scope", ALL_PIN_SCOPES),
            ("state", "st"),
        ];
        let mut form = vec![("person", person), ("decision", "continue")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let back = self.consent("/pinterest/oauth/", &query, &form).await;
        let code = query_of(&back, "code");
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &redirect), ("continuous_refresh", "true")];
        let answer = self.pinterest_token(&fields).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let pair: Value = answer.json().await.expect("json");
        (field(&pair, "access_token"), field(&pair, "refresh_token"))
    }

    pub(crate) async fn pinterest_token(&self, fields: &[(&str, &str)]) -> reqwest::Result<Response> {
        let call = self.post("/pinterest/v5/oauth/token");
        call.basic_auth(PINTEREST_CLIENT_ID, Some(PINTEREST_CLIENT_SECRET)).form(fields).send().await
    }

    pub(crate) async fn refresh(&self, token: &str) -> reqwest::Result<Response> {
        self.pinterest_token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn pin(&self, token: &str, body: &Value) -> reqwest::Result<Response> {
        self.post("/pinterest/v5/pins").bearer_auth(token).json(body).send().await
    }
}

/// A pin with a picture.
pub(crate) fn a_pin(title: &str) -> Value {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(png(60, 90));
    json!({ "board_id": BOARD, "title": title, "description": "Tulips", "alt_text": "A bunch", "link": "https://example.org/",
            "media_source": { "source_type": "image_base64", "content_type": "image/png", "data": data } })
}

pub(crate) fn field(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

pub(crate) fn query_of(url: &url::Url, name: &str) -> String {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

pub(crate) fn days(n: u64) -> Duration {
    domain::time::days(n)
}

/// The error's code and subcode, with the status before.
pub(crate) async fn refusal(answer: Response) -> (u16, i64, Option<i64>) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("json");
    (status, body["error"]["code"].as_i64().unwrap_or_default(), body["error"]["error_subcode"].as_i64())
}

/// The status and code of a Pinterest refusal.
pub(crate) async fn pin_refusal(answer: Response) -> (u16, i64) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("json");
    (status, body["code"].as_i64().unwrap_or_default())
}

/// The head of a PNG file of this size; enough for whoever reads sizes.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];
    out.extend_from_slice(b"IHDR");
    out.extend_from_slice(&width.to_be_bytes());
    out.extend_from_slice(&height.to_be_bytes());
    out.extend_from_slice(&[8, 2, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&[0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82]);
    out
}
