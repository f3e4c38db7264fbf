//! A workspace with linked accounts on a platform of our own, and the two clocks in the test's hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::account::AccountState;
use domain::delivery::DeliveryState;
use domain::grant::{GrantState, Schedule, TokenTimes};
use domain::id::{AccountId, DeliveryId, GrantId, NodeId, PlatformAppId, PostId};
use domain::inbox::Stage;
use domain::platform::Platform;
use domain::policy;
use domain::role::{Caller, Role, Via};
use domain::summary::compose::ComposeInput;
use domain::time::{Clock, Timestamp, days};
use object_store::memory::InMemory;
use platforms::adapter::Tokens;
use platforms::secret::{AccessToken, AppSecret};
use secrecy::SecretString;
use service::auth::NewOwner;
use service::moments::Zone;
use service::services::Parts;
use service::{Clocks, Services, Settings};
use store::accounts::Account;
use store::deliveries::Delivery;
use store::grants::Grant;
use testkit::db::Fresh;
use testkit::{FakeChance, FakeClock};
use tokio::sync::Notify;
use vault::{RootKeys, SystemChance, Vault};
use worker::publisher::Publisher;

use crate::fake::Fake;

pub struct World {
    pub services: Services,
    pub world: FakeClock,
    pub wall: FakeClock,
    pub fake: Arc<Fake>,
    pub caller: Caller,
    pub app: PlatformAppId,
    pub kind: &'static str,
    fresh: Fresh,
}

impl World {
    pub async fn new(fresh: Fresh) -> Self {
        Self::with_latency(fresh, Duration::ZERO).await
    }

    pub async fn with_latency(fresh: Fresh, latency: Duration) -> Self {
        let world = FakeClock::default();
        let fake = Fake::new(world.clone(), latency);
        Self::with_clocks(fresh, Arc::new(world.clone()), world, fake).await
    }

    pub async fn with_clocks(fresh: Fresh, clock: Arc<dyn Clock>, world: FakeClock, fake: Arc<Fake>) -> Self {
        let wall = FakeClock::default();
        let adapters = platforms::adapters().expect("adapters").with(Platform::Facebook, fake.clone());
        let services = Services::new(Parts {
            store: fresh.store.clone(),
            vault: Arc::new(Vault::new(RootKeys::generate(&SystemChance))),
            adapters,
            clocks: Clocks { world: clock, wall: Arc::new(wall.clone()) },
            chance: Arc::new(FakeChance::seeded(7)),
            media: Arc::new(InMemory::new()),
            settings: Settings {
                public_url: "http://127.0.0.1:3000".parse().expect("an address"),
                endpoints: HashMap::new(),
                session_idle: days(1),
                session_life: days(30),
                rehearsal: None,
            },
            wake: Arc::new(Notify::new()),
        });
        let owner = NewOwner {
            name: "Mara Jung".to_owned(),
            email: "mara@example.org".to_owned(),
            password: SecretString::from("a long password"),
            workspace: "Blumen Jung".to_owned(),
            zone: "UTC".to_owned(),
        };
        let (person, workspace) = services.create_owner(owner).await.expect("an owner");
        let caller = Caller { person, workspace, role: Role::Owner, is_operator: true, via: Via::Cookie };
        let secret = AppSecret::new("secret".to_owned());
        let app = services.set_platform_app(Platform::Facebook, "client", &secret).await.expect("an app");
        Self { services, world, wall, fake, caller, app, kind: fresh.kind, fresh }
    }

    /// The services of another process on the same database.
    pub async fn elsewhere(&self) -> Services {
        Services::new(Parts {
            store: self.fresh.elsewhere().await,
            vault: self.services.vault.clone(),
            adapters: self.services.adapters.clone(),
            clocks: self.services.clocks.clone(),
            chance: Arc::new(FakeChance::seeded(8)),
            media: self.services.media.clone(),
            settings: self.services.settings.clone(),
            wake: Arc::new(Notify::new()),
        })
    }

    /// A login of its own with one account.
    pub async fn account(&self, remote: &str) -> (GrantId, AccountId) {
        let (id, account) = (GrantId(self.services.new_id()), AccountId(self.services.new_id()));
        let now = self.services.now();
        let times = TokenTimes { issued_at: now, access_expires_at: Some(now + days(60)), refresh_expires_at: None, has_refresh: false };
        let workspace = self.caller.workspace;
        let grant = Grant {
            id,
            workspace,
            app: self.app,
            platform: Platform::Facebook,
            remote_person: format!("person-{remote}"),
            login_of: "Mara Jung".to_owned(),
            scopes: Vec::new(),
            state: GrantState::Live,
            generation: 1,
            tokens: times,
            schedule: Schedule::of(&policy::FACEBOOK, &times, 0.0),
            probe_at: None,
            warn_at: None,
            last_good_at: None,
            verdict: None,
            spread: 0,
            fence: 0,
            linked_at: now,
            signed_in_at: now,
        };
        let tokens = Tokens {
            access: AccessToken::new("user-token".to_owned()),
            refresh: None,
            access_lives: None,
            refresh_lives: None,
            scopes: None,
        };
        let pair = self.services.seal_pair(workspace, id, 1, &tokens, None).await.expect("sealed");
        let mut tx = self.services.store.begin().await.expect("a transaction");
        tx.add_grant(&grant).await.expect("a login");
        tx.add_generation(workspace, id, &pair, &times).await.expect("its tokens");
        let row = Account {
            id: account,
            workspace,
            grant: id,
            platform: Platform::Facebook,
            remote_id: remote.to_owned(),
            name: remote.to_owned(),
            handle: None,
            picture: None,
            boards: "[]".to_owned(),
            state: AccountState::Ok,
            verdict: None,
            is_paused: false,
            last_good_at: None,
            late_at_most: 3 * 3600,
            linked_at: now,
        };
        tx.add_account(&row).await.expect("an account");
        tx.commit().await.expect("committed");
        (id, account)
    }

    /// Gives an account a token of its own, as a Facebook page has one.
    pub async fn own_token(&self, account: AccountId, token: &str) {
        let access = AccessToken::new(token.to_owned());
        let sealed = self.services.seal_account_token(self.caller.workspace, account, &access).await.expect("sealed");
        let mut tx = self.services.store.begin().await.expect("a transaction");
        tx.set_account_token(account, Some(sealed)).await.expect("stored");
        tx.commit().await.expect("committed");
    }

    /// Plans a post through Compose; seconds are cut from the time, as the form does.
    pub async fn schedule(&self, text: &str, accounts: &[AccountId], at: Timestamp) -> PostId {
        let (date, time) = Zone::UTC.wall(at);
        let input = ComposeInput {
            text: text.to_owned(),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            date,
            time,
            zone: "UTC".to_owned(),
            then: "schedule".to_owned(),
            ..ComposeInput::default()
        };
        self.services.compose(&self.caller, input).await.expect("a planned post").post
    }

    /// Publishes a post now.
    pub async fn send_now(&self, text: &str, accounts: &[AccountId]) -> PostId {
        let input = ComposeInput {
            text: text.to_owned(),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            then: "now".to_owned(),
            ..ComposeInput::default()
        };
        self.services.compose(&self.caller, input).await.expect("a post on its way").post
    }

    pub async fn deliveries(&self, post: PostId) -> Vec<Delivery> {
        self.services.store.deliveries_of_post(self.caller.workspace, post).await.expect("deliveries")
    }

    /// The one delivery of a post.
    pub async fn delivery(&self, post: PostId) -> Delivery {
        let mut all = self.deliveries(post).await;
        assert_eq!(all.len(), 1, "one delivery");
        all.remove(0)
    }

    pub async fn state(&self, post: PostId) -> DeliveryState {
        self.delivery(post).await.state
    }

    pub fn publisher(&self) -> Publisher {
        self.publisher_as(1)
    }

    pub fn publisher_as(&self, node: u8) -> Publisher {
        Publisher::new(self.services.clone(), NodeId([node; 16]))
    }

    /// Moves both clocks.
    pub fn advance(&self, length: Duration) {
        self.world.advance(length);
        self.wall.advance(length);
    }

    /// Lets the publisher work until nothing is due.
    pub async fn settle(&self, publisher: &mut Publisher) {
        for _ in 0..200 {
            let started = publisher.tick().await.expect("a round");
            publisher.idle().await;
            if started == 0 {
                return;
            }
        }
        panic!("the publisher never comes to rest");
    }

    /// Goes on from due moment to due moment until `until`.
    pub async fn run_until(&self, publisher: &mut Publisher, until: Timestamp) {
        for _ in 0..2000 {
            self.settle(publisher).await;
            let now = self.world.now();
            match publisher.next_due().await.expect("the next moment") {
                Some(next) if next <= until => self.advance(next.since(now).max(Duration::from_millis(1))),
                _ => {
                    self.advance(until.since(now));
                    return;
                }
            }
        }
        panic!("too many moments");
    }

    /// The stages of open threads.
    pub async fn open_stages(&self) -> Vec<Stage> {
        let page = self.services.inbox(&self.caller, true).await.expect("the inbox");
        page.rows.into_iter().filter(|row| !row.is_resolved).map(|row| row.stage).collect()
    }

    pub fn commits(&self, delivery: DeliveryId) -> u32 {
        self.fake.commits(delivery)
    }
}
