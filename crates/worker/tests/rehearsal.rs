//! The publisher through the real adapters against the rehearsal platforms.

use std::io::Cursor;
use std::time::Duration;

use domain::delivery::{DeliveryState, KnownBy, MissedWhy};
use domain::id::{AccountId, MediaId, PostId};
use domain::platform::Platform::{self, Facebook, Pinterest};
use domain::role::Caller;
use domain::summary::compose::ComposeInput;
use domain::time::{Timestamp, hours, minutes};
use serde_json::{Value, json};
use service::moments::Zone;
use testkit::FakeClock;
use testkit::backend::{BOARD, Backend, MARA, PAGE};
use worker::publisher::Publisher;

struct Stage {
    backend: Backend,
    caller: Caller,
    publisher: Publisher,
}

impl Stage {
    async fn new() -> Self {
        Self::on(testkit::db::sqlite().await).await
    }

    async fn on(fresh: testkit::db::Fresh) -> Self {
        let backend = Backend::on(fresh).await;
        let caller = backend.owner().await;
        backend.link(&caller, Facebook, MARA).await;
        backend.link(&caller, Pinterest, MARA).await;
        let publisher = Publisher::new(backend.services.clone(), backend.node());
        Self { backend, caller, publisher }
    }

    async fn page(&self) -> AccountId {
        self.backend.account(&self.caller, "Blumen Jung").await.0
    }

    async fn board(&self) -> AccountId {
        self.backend.account(&self.caller, "Mara Jung").await.0
    }

    async fn image(&self) -> MediaId {
        let mut bytes = Vec::new();
        let image = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8, y as u8, 90]));
        image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).expect("an image");
        self.backend.services.upload_image(&self.caller, bytes.into()).await.expect("taken").id
    }

    async fn plan(&self, text: &str, accounts: &[AccountId], images: &[MediaId], due: Timestamp) -> PostId {
        let (date, time) = Zone::UTC.wall(due);
        let input = ComposeInput {
            text: text.to_owned(),
            title: "Autumn".to_owned(),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            boards: accounts.iter().map(|account| format!("{account}:{BOARD}")).collect(),
            images: images.iter().map(ToString::to_string).collect(),
            alts: images.iter().map(|_| "A wreath".to_owned()).collect(),
            date,
            time,
            zone: "UTC".to_owned(),
            then: "schedule".to_owned(),
            ..ComposeInput::default()
        };
        self.backend.services.compose(&self.caller, input).await.expect("planned").post
    }

    async fn states(&self, post: PostId) -> Vec<DeliveryState> {
        let all = self.backend.services.store.deliveries_of_post(self.caller.workspace, post).await.expect("deliveries");
        all.into_iter().map(|delivery| delivery.state).collect()
    }

    async fn run_until(&mut self, until: Timestamp) {
        for _ in 0..500 {
            while self.publisher.tick().await.expect("a round") > 0 {
                self.publisher.idle().await;
            }
            let now = self.backend.now();
            match self.publisher.next_due().await.expect("a moment") {
                Some(next) if next <= until => self.backend.pass(next.since(now).max(Duration::from_millis(1))),
                _ => return self.backend.pass(until.since(now)),
            }
        }
        panic!("too many moments");
    }

    async fn online(&self, platform: Platform, text: &str) -> usize {
        let feed: Vec<Value> = self.backend.feed(platform).await;
        feed.iter().filter(|post| post["text"] == text).count()
    }
}

const DUE: Timestamp = Timestamp::from_seconds(FakeClock::START.as_seconds() + 1800);

#[tokio::test]
async fn a_post_with_an_image_reaches_both_platforms_once_and_is_seen_online() {
    for fresh in testkit::db::each().await {
        let mut stage = Stage::on(fresh).await;
        let images = [stage.image().await];
        let post = stage.plan("Wreaths are back", &[stage.page().await, stage.board().await], &images, DUE).await;
        stage.run_until(DUE + minutes(2)).await;
        for state in stage.states(post).await {
            let DeliveryState::Published { seen_at: Some(_), remote_id: Some(_), link: Some(_), .. } = state else {
                panic!("{}: {state:?}", stage.backend.kind)
            };
        }
        for platform in [Facebook, Pinterest] {
            assert_eq!(stage.online(platform, "Wreaths are back").await, 1, "{platform}");
        }
    }
}

#[tokio::test]
async fn lost_answers_end_in_one_post_that_we_found_on_either_platform() {
    let mut stage = Stage::new().await;
    for (number, kind) in ["drop_after_accept", "error_after_accept", "broken_json"].into_iter().enumerate() {
        for platform in [Facebook, Pinterest] {
            stage.backend.fault(platform, json!({"kind": kind, "op": "commit", "times": 1})).await;
        }
        let images = [stage.image().await];
        let due = DUE + hours(u64::try_from(number).expect("small"));
        let text = format!("Lost by {kind}");
        let post = stage.plan(&text, &[stage.page().await, stage.board().await], &images, due).await;
        stage.run_until(due + minutes(10)).await;
        for state in stage.states(post).await {
            assert!(matches!(state, DeliveryState::Published { known_by: KnownBy::Found, .. }), "{kind}: {state:?}");
        }
        for platform in [Facebook, Pinterest] {
            assert_eq!(stage.online(platform, &text).await, 1, "{kind} {platform}");
        }
    }
}

#[tokio::test]
async fn what_was_dropped_before_acceptance_asks_and_is_not_sent_again() {
    let mut stage = Stage::new().await;
    stage.backend.fault(Facebook, json!({"kind": "drop_before_accept", "op": "commit", "times": 1})).await;
    let post = stage.plan("Dropped", &[stage.page().await], &[], DUE).await;
    stage.run_until(DUE + Duration::from_secs(60)).await;
    assert!(matches!(stage.states(post).await[..], [DeliveryState::Unconfirmed { .. }]), "{:?}", stage.states(post).await);
    stage.run_until(DUE + hours(26)).await;
    assert_eq!(stage.online(Facebook, "Dropped").await, 0);
    let calls = stage.backend.calls(Facebook).await;
    assert_eq!(calls.iter().filter(|call| call["op"] == "commit").count(), 1);
}

#[tokio::test]
async fn a_lagging_list_asks_within_a_minute_and_finds_it_later_without_a_second_post() {
    let mut stage = Stage::new().await;
    // The post itself must fall into the lag, so both strike the same commit.
    stage.backend.fault(Facebook, json!({"kind": "listing_lag", "op": "commit", "times": 1, "seconds": 900})).await;
    stage.backend.fault(Facebook, json!({"kind": "drop_after_accept", "op": "commit", "times": 1})).await;
    let post = stage.plan("Lagging", &[stage.page().await], &[], DUE).await;
    stage.run_until(DUE + Duration::from_secs(60)).await;
    assert!(matches!(stage.states(post).await[..], [DeliveryState::Unconfirmed { .. }]), "{:?}", stage.states(post).await);
    stage.run_until(DUE + hours(2)).await;
    assert!(matches!(stage.states(post).await[..], [DeliveryState::Published { known_by: KnownBy::Found, .. }]));
    assert_eq!(stage.online(Facebook, "Lagging").await, 1);
    let inbox = stage.backend.services.inbox(&stage.caller, false).await.expect("the inbox");
    assert_eq!(inbox.needs_you, 0, "the question has answered itself");
}

#[tokio::test]
async fn a_revoked_login_is_noticed_by_the_first_post_and_the_other_platform_goes_on() {
    let mut stage = Stage::new().await;
    let images = [stage.image().await];
    let post = stage.plan("Revoked", &[stage.page().await, stage.board().await], &images, DUE).await;
    stage.backend.fault(Facebook, json!({"kind": "revoke", "account": PAGE})).await;
    stage.run_until(DUE + minutes(5)).await;
    let states = stage.states(post).await;
    assert!(states.iter().any(|state| matches!(state, DeliveryState::Missed { why: MissedWhy::Disconnected, .. })), "{states:?}");
    assert!(states.iter().any(|state| matches!(state, DeliveryState::Published { .. })), "{states:?}");
    assert_eq!(stage.online(Facebook, "Revoked").await, 0);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    let mut stage = Stage::new().await;
    stage.backend.fault(Facebook, json!({"kind": "rate_limit", "op": "commit", "times": 1, "retry_after": 600})).await;
    let post = stage.plan("Limited", &[stage.page().await], &[], DUE).await;
    stage.run_until(DUE + minutes(2)).await;
    assert!(matches!(stage.states(post).await[..], [DeliveryState::Waiting { .. }]), "{:?}", stage.states(post).await);
    stage.run_until(DUE + hours(2)).await;
    assert!(matches!(stage.states(post).await[..], [DeliveryState::Published { .. }]), "{:?}", stage.states(post).await);
    assert_eq!(stage.online(Facebook, "Limited").await, 1);
}
