//! Keeper and publisher together: what a lost, blocked, paused or unlinked login does to planned posts.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::time::Duration;

use domain::cause::Cause;
use domain::delivery::{DeliveryState, MissedWhy};
use domain::id::{AccountId, PostId};
use domain::inbox::Stage;
use domain::platform::Platform::Facebook;
use domain::role::Caller;
use domain::summary::accounts::AccountStatus;
use domain::summary::compose::ComposeInput;
use domain::summary::inbox::About;
use domain::summary::link::ConsentOutcome;
use domain::time::{Timestamp, days, hours, minutes};
use service::moments::Zone;
use testkit::backend::{Backend, MARA};
use worker::Worker;

struct Scene {
    backend: Backend,
    caller: Caller,
    worker: Worker,
}

impl Scene {
    async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for fresh in testkit::db::each().await {
            let backend = Backend::on(fresh).await;
            let caller = backend.owner().await;
            backend.link(&caller, Facebook, MARA).await;
            let worker = Worker::new(backend.services.clone(), backend.node());
            all.push(Self { backend, caller, worker });
        }
        all
    }

    async fn page(&self, name: &str) -> AccountId {
        self.backend.account(&self.caller, name).await.0
    }

    async fn plan(&self, text: &str, accounts: &[AccountId], due: Timestamp) -> PostId {
        let (date, time) = Zone::UTC.wall(due);
        let input = ComposeInput {
            text: text.to_owned(),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            date,
            time,
            zone: "UTC".to_owned(),
            then: "schedule".to_owned(),
            ..ComposeInput::default()
        };
        self.backend.services.compose(&self.caller, input).await.expect("planned").post
    }

    async fn states(&self, post: PostId) -> Vec<DeliveryState> {
        let all = self.backend.services.store.deliveries_of_post(self.caller.workspace, post).await.unwrap();
        all.into_iter().map(|delivery| delivery.state).collect()
    }

    async fn pass(&mut self, length: Duration) {
        let target = self.backend.now() + length;
        for _ in 0..3000 {
            self.worker.settle(50).await.unwrap();
            let now = self.backend.now();
            if now >= target {
                return;
            }
            let next = self.worker.next_due().await.unwrap().unwrap_or(target).min(target);
            self.backend.pass(next.since(now).max(Duration::from_millis(1)));
        }
        panic!("too many moments");
    }

    async fn open(&self) -> Vec<domain::summary::inbox::ThreadRow> {
        self.backend.services.inbox(&self.caller, true).await.unwrap().rows.into_iter().filter(|row| !row.is_resolved).collect()
    }
}

#[tokio::test]
async fn posts_after_the_end_are_forecast_missed_and_decided_by_a_person() {
    for mut scene in Scene::each().await {
        let pages = [scene.page("Blumen Jung").await, scene.page("Blumen Jung Weddings").await];
        let end = scene.backend.now() + days(60);
        scene.pass(days(40)).await;
        let before = scene.plan("before", &pages, end - days(1)).await;
        let after = scene.plan("after", &pages, end + hours(5)).await;
        let later = scene.plan("later", &pages[..1], end + days(5)).await;

        let row = &scene.backend.services.accounts_page(&scene.caller).await.unwrap().rows[0];
        assert_eq!((row.name.as_str(), row.status), ("Blumen Jung", AccountStatus::Connected));
        assert_eq!((row.cost.planned, row.cost.will_not_go_out), (3, 2), "forecast long before");
        assert_eq!(row.cost.next.as_ref().map(|moment| moment.at), Some(end + hours(5)));

        scene.pass(days(19)).await;
        let open = scene.open().await;
        let [thread] = open.as_slice() else { panic!("one thread: {open:?}") };
        assert!(matches!(thread.stage, Stage::EndsSoon { .. }));
        assert_eq!(thread.will_not_go_out, 2, "posts, each once");
        scene.pass(days(1) - hours(1)).await;
        assert!(scene.states(before).await.iter().all(|state| matches!(state, DeliveryState::Published { .. })));

        let seq = scene.backend.services.store.event_seq(scene.caller.workspace).await.unwrap();
        scene.pass(hours(2)).await;
        let open = scene.open().await;
        let [thread] = open.as_slice() else { panic!("exactly one thread: {open:?}") };
        assert_eq!(thread.stage, Stage::Lost { cause: Cause::Expired });
        let events = scene.backend.services.events_after(&scene.caller, seq).await.unwrap();
        let newest = events.last().unwrap();
        assert_eq!((newest.badges.disconnected, newest.badges.unread), (2, 1), "told without a reload");

        scene.pass(hours(6)).await;
        let why = MissedWhy::Disconnected;
        assert!(scene.states(after).await.iter().all(|state| matches!(state, DeliveryState::Missed { why: found, .. } if *found == why)));
        let open = scene.open().await;
        let [thread] = open.as_slice() else { panic!("still one: {open:?}") };
        assert_eq!((thread.stage.clone(), thread.missed, thread.will_not_go_out), (Stage::Missed { posts: 1 }, 1, 1));

        let grant = scene.backend.account(&scene.caller, "Blumen Jung").await.1;
        let (consent, outcome) = scene.backend.refresh(&scene.caller, grant, MARA).await;
        assert!(matches!(outcome, ConsentOutcome::AllBack { .. }));
        assert_eq!(scene.backend.services.consent_result(&scene.caller, consent).await.unwrap().missed, 1);
        assert!(scene.open().await.is_empty());
        scene.pass(days(6)).await;
        assert!(scene.states(after).await.iter().all(|state| matches!(state, DeliveryState::Missed { .. })), "never by itself");
        assert!(scene.states(later).await.iter().all(|state| matches!(state, DeliveryState::Published { .. })));
    }
}

#[tokio::test]
async fn a_checkpoint_met_while_posting_is_found_out_at_once_and_told_once() {
    for mut scene in Scene::each().await {
        let pages = [scene.page("Blumen Jung").await, scene.page("Blumen Jung Weddings").await];
        let start = scene.backend.now();
        let first = scene.plan("first", &pages[..1], start + hours(2)).await;
        let second = scene.plan("second", &pages, start + hours(3)).await;
        scene.pass(hours(2) - minutes(1)).await;
        scene.backend.fault(Facebook, Backend::kind("checkpoint")).await;
        scene.pass(minutes(10)).await;
        assert!(!matches!(scene.states(first).await[0], DeliveryState::Published { .. }));
        assert_eq!(scene.backend.services.badges(&scene.caller).await.unwrap().disconnected, 2, "both pages, long before the daily look");
        scene.pass(hours(2)).await;
        for state in scene.states(second).await {
            assert!(matches!(state, DeliveryState::Missed { why: MissedWhy::AccountBlocked, .. }), "{state:?}");
        }
        let logins: Vec<_> = scene.open().await.into_iter().filter(|row| !matches!(row.about, About::Failed { .. })).collect();
        let [thread] = logins.as_slice() else { panic!("one story of the login: {logins:?}") };
        assert!(matches!(thread.about, About::Login { .. }));
        // Mara follows Facebook's instructions there; nobody has to sign in here.
        scene.backend.no_faults(Facebook).await;
        let account = scene.page("Blumen Jung").await;
        scene.backend.services.check_account(&scene.caller, account).await.unwrap();
        scene.pass(minutes(1)).await;
        assert_eq!(scene.backend.services.badges(&scene.caller).await.unwrap().disconnected, 0);
    }
}

#[tokio::test]
async fn a_pause_misses_what_comes_due_and_unlinking_makes_drafts_that_linking_offers_again() {
    for mut scene in Scene::each().await {
        let page = scene.page("Blumen Jung").await;
        let start = scene.backend.now();
        let paused = scene.plan("paused", &[page], start + hours(2)).await;
        scene.plan("planned", &[page], start + days(2)).await;
        scene.backend.services.pause_account(&scene.caller, page, true).await.unwrap();
        let row = scene.backend.services.account_page(&scene.caller, page).await.unwrap();
        assert_eq!((row.row.status, row.row.cost.will_not_go_out, row.at_risk.len()), (AccountStatus::Paused, 2, 2));
        scene.pass(hours(3)).await;
        assert!(matches!(scene.states(paused).await[0], DeliveryState::Missed { why: MissedWhy::Paused, .. }));
        scene.backend.services.pause_account(&scene.caller, page, false).await.unwrap();

        let drafts = scene.backend.services.unlink_account(&scene.caller, page).await.unwrap();
        assert_eq!(drafts, 2);
        scene.pass(days(3)).await;
        let result = scene.backend.link(&scene.caller, Facebook, MARA).await;
        assert_eq!(result.drafts, 2, "offered, never sent by itself");
        assert_eq!(scene.page("Blumen Jung").await, page);
        scene.pass(days(1)).await;
        assert!(scene.backend.feed(Facebook).await.is_empty());
    }
}
