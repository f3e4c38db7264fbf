//! The keeper against the rehearsal platforms, on both databases: what reliability B1 to B7 ask for, and the stories of
//! a login that ends, comes back, or is in trouble.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::time::Duration;

use domain::account::AccountState;
use domain::cause::{Cause, OurFault};
use domain::grant::GrantState;
use domain::id::{GrantId, NodeId};
use domain::inbox::Stage;
use domain::platform::Platform::{Facebook, Pinterest};
use domain::role::Caller;
use domain::summary::accounts::{AccountStatus, HistoryWhat};
use domain::summary::inbox::About;
use domain::summary::link::ConsentOutcome;
use domain::time::{days, hours, minutes};
use serde_json::json;
use store::grants::{AttemptOutcome, Grant};
use testkit::backend::{Backend, MARA, PAGE, SECOND_PAGE, SignIn, TOM};
use worker::keeper::Keeper;

/// A backend, its owner, and a keeper.
struct Stage1 {
    backend: Backend,
    caller: Caller,
    keeper: Keeper,
}

impl Stage1 {
    async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for fresh in testkit::db::each().await {
            let backend = Backend::on(fresh).await;
            let caller = backend.owner().await;
            let keeper = Keeper::new(backend.services.clone(), backend.node());
            all.push(Self { backend, caller, keeper });
        }
        all
    }

    /// Rounds until nothing is due.
    async fn settle(&mut self) {
        for _ in 0..50 {
            let started = self.keeper.tick().await.unwrap();
            self.keeper.idle().await;
            if started == 0 {
                return;
            }
        }
        panic!("the keeper does not come to rest");
    }

    /// One round and its end.
    async fn round(&mut self) -> usize {
        let started = self.keeper.tick().await.unwrap();
        self.keeper.idle().await;
        started
    }

    /// Lets time pass, step by step as things come due.
    async fn pass(&mut self, length: Duration) {
        let target = self.backend.now() + length;
        loop {
            self.settle().await;
            let now = self.backend.now();
            if now >= target {
                return;
            }
            let next = self.keeper.next_due().await.unwrap().unwrap_or(target).min(target);
            self.backend.pass(next.since(now).max(Duration::from_micros(1)));
        }
    }

    async fn grant(&self, id: GrantId) -> Grant {
        self.backend.services.store.grant(self.caller.workspace, id).await.unwrap().unwrap()
    }

    async fn pinterest(&self) -> GrantId {
        self.backend.link(&self.caller, Pinterest, MARA).await;
        self.backend.account(&self.caller, "Mara Jung").await.1
    }

    async fn facebook(&self) -> GrantId {
        self.backend.link(&self.caller, Facebook, MARA).await;
        self.backend.account(&self.caller, "Blumen Jung").await.1
    }

    async fn attempts(&self, id: GrantId) -> Vec<Option<AttemptOutcome>> {
        let attempts = self.backend.services.store.refresh_attempts(self.caller.workspace, id, 100).await.unwrap();
        attempts.into_iter().rev().map(|attempt| attempt.outcome).collect()
    }

    async fn renewals(&self) -> usize {
        let calls = self.backend.calls(Pinterest).await;
        calls.iter().filter(|call| call["path"].as_str().unwrap().ends_with("/oauth/token")).count()
    }

    /// To the moment at which the login is renewed.
    fn to_renewal(&self, grant: &Grant) {
        let due = grant.schedule.refresh_at.unwrap();
        self.backend.pass(due.since(self.backend.now()));
    }
}

#[tokio::test]
async fn a_sliding_login_is_renewed_near_a_third_of_its_life_for_ever() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        let first = stage.grant(id).await;
        stage.pass(days(100)).await;
        let grant = stage.grant(id).await;
        assert_eq!(grant.state, GrantState::Live);
        assert!((first.generation + 4..=first.generation + 5).contains(&grant.generation), "{}", grant.generation);
        assert!(stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows.is_empty(), "healthy is quiet");
        assert!(stage.attempts(id).await.iter().all(|outcome| *outcome == Some(AttemptOutcome::Renewed)));
    }
}

#[tokio::test]
async fn a_facebook_login_warns_ends_and_comes_back_in_one_thread() {
    for mut stage in Stage1::each().await {
        let id = stage.facebook().await;
        let act_by = stage.grant(id).await.schedule.act_by.unwrap();
        assert_eq!(act_by, stage.backend.now() + days(60));
        stage.pass(days(45)).await;
        assert!(stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows.is_empty(), "nothing to do yet");
        stage.pass(days(14)).await;
        let inbox = stage.backend.services.inbox(&stage.caller, false).await.unwrap();
        let [row] = inbox.rows.as_slice() else { panic!("one thread: {:?}", inbox.rows) };
        assert!(matches!(row.stage, Stage::EndsSoon { act_by: told, is_stated: true } if told == act_by), "{row:?}");
        let page = stage.backend.services.accounts_page(&stage.caller).await.unwrap();
        assert!(page.rows.iter().all(|row| row.status == AccountStatus::EndsSoon && row.can_refresh));
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0, "not lost yet");

        stage.pass(days(2)).await;
        let inbox = stage.backend.services.inbox(&stage.caller, false).await.unwrap();
        let [row] = inbox.rows.as_slice() else { panic!("still one thread: {:?}", inbox.rows) };
        assert_eq!(row.stage, Stage::Lost { cause: Cause::Expired });
        let About::Login { accounts, may_sign_in_now, cause, lasts_days, .. } = &row.about else { panic!("{row:?}") };
        assert_eq!((accounts.len(), *may_sign_in_now, *cause, *lasts_days), (2, true, Some(Cause::Expired), Some(60)));
        let badges = stage.backend.services.badges(&stage.caller).await.unwrap();
        assert_eq!((badges.disconnected, badges.unread), (2, 1));
        let page = stage.backend.services.accounts_page(&stage.caller).await.unwrap();
        assert!(page.rows.iter().all(|row| matches!(row.status, AccountStatus::Disconnected { cause: Cause::Expired, .. })));
        let thread = row.id;

        let (_, outcome) = stage.backend.refresh(&stage.caller, id, MARA).await;
        let ConsentOutcome::AllBack { mut accounts } = outcome else { panic!("{outcome:?}") };
        accounts.sort();
        assert_eq!(accounts, ["Blumen Jung", "Blumen Jung Weddings"]);
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0);
        let told = stage.backend.services.thread(&stage.caller, thread).await.unwrap();
        assert!(told.row.is_resolved);
        let stages: Vec<&str> = told.entries.iter().rev().map(|entry| entry.stage.code()).collect();
        assert_eq!(stages, ["ends_soon", "lost", "back"]);
        stage.pass(days(30)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
    }
}

#[tokio::test]
async fn no_date_takes_a_login_offline() {
    for mut stage in Stage1::each().await {
        // The platform lets its tokens live longer than it said.
        stage.backend.knobs(Facebook, json!({ "long_token_seconds": 60 * 86_400, "page_token_endless": true })).await;
        let id = stage.facebook().await;
        let mut tx = stage.backend.services.store.begin().await.unwrap();
        let mut grant = tx.lock_grant(stage.caller.workspace, id).await.unwrap().unwrap();
        grant.schedule.act_by = Some(stage.backend.now() + days(3));
        grant.probe_at = grant.schedule.act_by;
        tx.save_grant(&grant).await.unwrap();
        tx.commit().await.unwrap();
        stage.pass(days(4)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live, "the platform was asked and still takes it");
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0);
    }
}

#[tokio::test]
async fn trouble_that_may_pass_is_silent_and_ends_by_itself() {
    for kind in ["server_error", "drop_before_accept", "broken_json", "rate_limit"] {
        for mut stage in Stage1::each().await {
            let id = stage.pinterest().await;
            stage.to_renewal(&stage.grant(id).await);
            stage.backend.fault(Pinterest, json!({ "kind": kind, "op": "token", "times": 3 })).await;
            stage.round().await;
            let grant = stage.grant(id).await;
            assert!(matches!(grant.state, GrantState::Retrying { .. }), "{kind}: {:?}", grant.state);
            assert!(stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows.is_empty(), "{kind}: no thread");
            assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0, "{kind}: no disconnect");
            let page = stage.backend.services.accounts_page(&stage.caller).await.unwrap();
            assert!(matches!(page.rows[0].status, AccountStatus::Trouble { .. }), "{kind}: {:?}", page.rows[0].status);
            stage.pass(hours(2)).await;
            let grant = stage.grant(id).await;
            assert_eq!((grant.state, grant.generation), (GrantState::Live, 2), "{kind}");
        }
    }
}

#[tokio::test]
async fn an_answer_lost_inside_the_grace_is_asked_again_at_once() {
    for mut stage in Stage1::each().await {
        stage.backend.knobs(Pinterest, json!({ "refresh_grace_seconds": 10 })).await;
        let id = stage.pinterest().await;
        stage.to_renewal(&stage.grant(id).await);
        stage.backend.fault(Pinterest, Backend::kind("rotate_and_lose")).await;
        stage.settle().await;
        let grant = stage.grant(id).await;
        assert_eq!((grant.state, grant.generation), (GrantState::Live, 2));
        assert_eq!(stage.attempts(id).await, [Some(AttemptOutcome::Unknown), Some(AttemptOutcome::Renewed)]);
    }
}

#[tokio::test]
async fn a_strict_platform_after_a_lost_answer_is_our_fault_and_said_so() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        stage.to_renewal(&stage.grant(id).await);
        stage.backend.fault(Pinterest, Backend::kind("rotate_and_lose")).await;
        stage.settle().await;
        let cause = Cause::TechnicalIssue(OurFault::LostAnswer);
        assert!(matches!(stage.grant(id).await.state, GrantState::SignInNeeded { cause: found, .. } if found == cause));
        let inbox = stage.backend.services.inbox(&stage.caller, false).await.unwrap();
        assert_eq!(inbox.rows.len(), 1);
        assert_eq!(inbox.rows[0].stage, Stage::Lost { cause });
        let page =
            stage.backend.services.account_page(&stage.caller, stage.backend.account(&stage.caller, "Mara Jung").await.0).await.unwrap();
        let what: Vec<HistoryWhat> = page.history.iter().map(|line| line.what).collect();
        assert_eq!(what, [HistoryWhat::Refused, HistoryWhat::RenewalAnswerLost, HistoryWhat::SignedIn]);
    }
}

#[tokio::test]
async fn a_withdrawn_login_needs_a_person_once() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        stage.backend.fault(Pinterest, Backend::kind("revoke")).await;
        stage.pass(days(5)).await;
        assert!(matches!(stage.grant(id).await.state, GrantState::SignInNeeded { cause: Cause::Unknown, .. }));
        let inbox = stage.backend.services.inbox(&stage.caller, true).await.unwrap();
        assert_eq!(inbox.rows.len(), 1);
        let calls = stage.renewals().await;
        stage.pass(days(60)).await;
        assert_eq!(stage.renewals().await, calls, "nobody asks again for what needs a person");
        assert_eq!(stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows.len(), 1);
    }
}

#[tokio::test]
async fn causes_are_named_as_facebook_tells_them() {
    for (fault, cause) in [("revoke", Cause::UserAction), ("change_password", Cause::AuthenticationChange), ("expire", Cause::Expired)] {
        for mut stage in Stage1::each().await {
            let id = stage.facebook().await;
            stage.backend.fault(Facebook, Backend::kind(fault)).await;
            stage.pass(days(1)).await;
            let grant = stage.grant(id).await;
            assert!(matches!(grant.state, GrantState::SignInNeeded { cause: found, .. } if found == cause), "{fault}: {:?}", grant.state);
            let verdict = grant.verdict.unwrap();
            assert!(verdict.code.unwrap().starts_with("190/"), "{fault}");
            assert!(verdict.last_good_at.is_some());
        }
    }
}

#[tokio::test]
async fn a_checkpoint_blocks_the_accounts_and_leaves_the_login_alive() {
    for mut stage in Stage1::each().await {
        let id = stage.facebook().await;
        stage.backend.fault(Facebook, Backend::kind("checkpoint")).await;
        stage.pass(days(1)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
        let inbox = stage.backend.services.inbox(&stage.caller, false).await.unwrap();
        assert_eq!(inbox.rows.len(), 1, "one story for the login, not one per page");
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 2);
        let page = stage.backend.services.accounts_page(&stage.caller).await.unwrap();
        assert!(page.rows.iter().all(|row| matches!(row.status, AccountStatus::Blocked { cause: Cause::PolicyViolation, .. })));
        stage.backend.no_faults(Facebook).await;
        stage.pass(days(1)).await;
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0, "back without a sign-in");
        assert!(stage.backend.services.inbox(&stage.caller, false).await.unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn a_lost_role_blocks_one_page_and_its_return_brings_it_back() {
    for mut stage in Stage1::each().await {
        let id = stage.facebook().await;
        stage.backend.fault(Facebook, json!({ "kind": "remove_role", "account": SECOND_PAGE })).await;
        stage.pass(days(1)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
        let (first, second) = (
            stage.backend.account(&stage.caller, "Blumen Jung").await.0,
            stage.backend.account(&stage.caller, "Blumen Jung Weddings").await.0,
        );
        let store = &stage.backend.services.store;
        assert_eq!(store.account(stage.caller.workspace, first).await.unwrap().unwrap().state, AccountState::Ok);
        let blocked = store.account(stage.caller.workspace, second).await.unwrap().unwrap();
        assert!(matches!(blocked.state, AccountState::Blocked { cause: Cause::PrivacySettings, .. }), "{:?}", blocked.state);
        let inbox = stage.backend.services.inbox(&stage.caller, false).await.unwrap();
        assert_eq!(inbox.rows.len(), 1);
        assert!(matches!(&inbox.rows[0].about, About::Account { account, .. } if *account == second));
        stage.backend.no_faults(Facebook).await;
        stage.pass(days(1)).await;
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0);
        assert!(stage.backend.services.inbox(&stage.caller, false).await.unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn a_wrong_app_secret_is_one_story_and_touches_no_login() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        let wrong = platforms::secret::AppSecret::new("wrong".to_owned());
        let right = platforms::secret::AppSecret::new(simulator::PINTEREST_CLIENT_SECRET.to_owned());
        stage.backend.services.set_platform_app(Pinterest, simulator::PINTEREST_CLIENT_ID, &wrong).await.unwrap();
        stage.to_renewal(&stage.grant(id).await);
        stage.pass(hours(3)).await;
        assert!(matches!(stage.grant(id).await.state, GrantState::Retrying { .. }));
        let inbox = stage.backend.services.inbox(&stage.caller, false).await.unwrap();
        assert_eq!(inbox.rows.len(), 1);
        assert!(matches!(inbox.rows[0].about, About::App { platform: Pinterest, logins: 1 }));
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0);
        stage.backend.services.set_platform_app(Pinterest, simulator::PINTEREST_CLIENT_ID, &right).await.unwrap();
        stage.pass(hours(2)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
        assert!(stage.backend.services.inbox(&stage.caller, false).await.unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn a_dead_access_token_in_long_trouble_is_told_and_ends_as_back_to_normal() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        stage.to_renewal(&stage.grant(id).await);
        stage.backend.fault(Pinterest, json!({ "kind": "server_error", "times": 100_000 })).await;
        stage.pass(hours(5)).await;
        assert!(stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows.is_empty(), "the access token still works");
        stage.backend.pass(days(11));
        stage.pass(hours(1)).await;
        let inbox = stage.backend.services.inbox(&stage.caller, true).await.unwrap();
        assert_eq!(inbox.rows.len(), 1);
        assert_eq!(inbox.rows[0].stage, Stage::Trouble);
        assert!(!inbox.rows[0].needs_somebody, "nothing to do");
        stage.backend.no_faults(Pinterest).await;
        stage.pass(hours(2)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
        assert!(stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows[0].is_resolved);
    }
}

#[tokio::test]
async fn many_logins_in_trouble_are_one_story_of_the_platform() {
    for mut stage in Stage1::each().await {
        for person in ["mara-jung", "tom-berger", "dana-weiss"] {
            stage.backend.link(&stage.caller, Pinterest, SignIn { person, pages: &[], without: &[] }).await;
        }
        stage.pass(days(1)).await;
        stage.backend.fault(Pinterest, json!({ "kind": "server_error", "times": 100_000 })).await;
        // The machine sleeps past the end of the access tokens.
        stage.backend.pass(days(31));
        stage.pass(hours(1)).await;
        let rows = stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows;
        let open: Vec<_> = rows.iter().filter(|row| !row.is_resolved).collect();
        assert_eq!(open.len(), 1, "{rows:?}");
        assert!(matches!(open[0].about, About::Platform { platform: Pinterest, .. }));
        stage.backend.no_faults(Pinterest).await;
        stage.pass(hours(2)).await;
        let rows = stage.backend.services.inbox(&stage.caller, true).await.unwrap().rows;
        assert!(rows.iter().all(|row| row.is_resolved), "{rows:?}");
    }
}

#[tokio::test]
async fn two_nodes_make_one_token_request() {
    for mut stage in Stage1::each().await {
        stage.backend.knobs(Pinterest, json!({ "revoke_family_on_reuse": true })).await;
        let id = stage.pinterest().await;
        let mut other = Keeper::new(stage.backend.services.clone(), NodeId([8; 16]));
        for _ in 0..5 {
            stage.to_renewal(&stage.grant(id).await);
            let before = stage.renewals().await;
            let (one, two) = tokio::join!(stage.keeper.tick(), other.tick());
            assert_eq!(one.unwrap() + two.unwrap(), 1);
            stage.keeper.idle().await;
            other.idle().await;
            assert_eq!(stage.renewals().await, before + 1);
        }
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
    }
}

#[tokio::test]
async fn a_newer_pair_is_kept_though_the_lease_was_lost() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        stage.to_renewal(&stage.grant(id).await);
        stage.backend.fault(Pinterest, json!({ "kind": "slow", "op": "token", "seconds": 1 })).await;
        stage.keeper.tick().await.unwrap();
        let sent = async {
            while stage.attempts(id).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), sent).await.unwrap();
        // The holder is stopped past its lease, and another node takes the login; to it the pair looks spent.
        stage.backend.wall.advance(minutes(10));
        let mut other = Keeper::new(stage.backend.services.clone(), NodeId([8; 16]));
        other.tick().await.unwrap();
        other.idle().await;
        stage.keeper.idle().await;
        let grant = stage.grant(id).await;
        assert_eq!((grant.state, grant.generation), (GrantState::Live, 2), "the first answer's pair is the one that lives");
        stage.pass(days(30)).await;
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
        assert!(stage.backend.services.inbox(&stage.caller, false).await.unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn a_stop_between_intent_and_answer_is_asked_again_with_the_same_pair() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        stage.to_renewal(&stage.grant(id).await);
        stage.backend.fault(Pinterest, json!({ "kind": "slow", "op": "token", "seconds": 30 })).await;
        stage.keeper.tick().await.unwrap();
        let sent = async {
            while stage.renewals().await < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), sent).await.unwrap();
        // Killed: the task is gone, its lease stays behind. The restarted node takes its own lease back at once.
        stage.keeper = Keeper::new(stage.backend.services.clone(), stage.backend.node());
        stage.settle().await;
        // A strict platform has spent the pair: our lost answer, not a withdrawal.
        let cause = Cause::TechnicalIssue(OurFault::LostAnswer);
        assert!(matches!(stage.grant(id).await.state, GrantState::SignInNeeded { cause: found, .. } if found == cause));
        assert_eq!(stage.attempts(id).await, [None, Some(AttemptOutcome::Refused)]);
    }
}

#[tokio::test]
async fn a_hung_platform_does_not_delay_the_other() {
    for mut stage in Stage1::each().await {
        let facebook = stage.facebook().await;
        stage.pinterest().await;
        stage.backend.fault(Pinterest, json!({ "kind": "slow", "seconds": 3, "times": 100 })).await;
        stage.backend.pass(days(1));
        let before = stage.grant(facebook).await.probe_at;
        stage.keeper.tick().await.unwrap();
        let done = async {
            while stage.grant(facebook).await.probe_at == before {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_millis(2500), done).await.expect("Facebook was asked while Pinterest hung");
    }
}

#[tokio::test]
async fn siblings_in_other_workspaces_are_looked_at_after_a_refusal() {
    for mut stage in Stage1::each().await {
        let other = stage.backend.owner().await;
        let here = stage.facebook().await;
        stage.backend.link(&other, Facebook, SignIn { pages: &[PAGE], ..MARA }).await;
        let there = stage.backend.account(&other, "Blumen Jung").await.1;
        stage.backend.fault(Facebook, Backend::kind("revoke")).await;
        let store = &stage.backend.services.store;
        let mut tx = store.begin().await.unwrap();
        tx.probe_soon(stage.caller.workspace, here, stage.backend.now()).await.unwrap();
        tx.commit().await.unwrap();
        stage.settle().await;
        assert!(matches!(stage.grant(here).await.state, GrantState::SignInNeeded { .. }));
        let sibling = stage.backend.services.store.grant(other.workspace, there).await.unwrap().unwrap();
        assert!(matches!(sibling.state, GrantState::SignInNeeded { .. }), "{:?}", sibling.state);
        assert_eq!(stage.backend.services.badges(&other).await.unwrap().disconnected, 1);
    }
}

#[tokio::test]
async fn new_boards_are_seen_within_a_day() {
    for mut stage in Stage1::each().await {
        let id = stage.pinterest().await;
        let boards = |text: String| serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap().len();
        let account = stage.backend.account(&stage.caller, "Mara Jung").await.0;
        let store = stage.backend.services.store.clone();
        let before = boards(store.account(stage.caller.workspace, account).await.unwrap().unwrap().boards);
        let place = json!({ "id": "549755885175099", "name": "Advent", "kind": "PUBLIC", "people": ["mara-jung"], "username": "", "lost": [], "blocked": false, "gone": false });
        stage.backend.knobs(Pinterest, json!({ "places": [place] })).await;
        stage.pass(days(1)).await;
        assert_eq!(boards(store.account(stage.caller.workspace, account).await.unwrap().unwrap().boards), before + 1);
        assert_eq!(stage.grant(id).await.state, GrantState::Live);
    }
}

#[tokio::test]
async fn somebody_elses_pages_stay_as_they_are() {
    for mut stage in Stage1::each().await {
        stage.facebook().await;
        stage.backend.link(&stage.caller, Facebook, SignIn { pages: &["615548210093371003"], ..TOM }).await;
        let tom = stage.backend.account(&stage.caller, "Smile Dental").await.1;
        stage.backend.fault(Facebook, json!({ "kind": "revoke", "account": "10226184503927711" })).await;
        stage.pass(days(1)).await;
        assert_eq!(stage.grant(tom).await.state, GrantState::Live);
        assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 2);
    }
}

#[tokio::test]
async fn a_sign_in_whose_pages_could_not_be_listed_is_finished_by_the_keeper() {
    let mut was_unfinished = false;
    for calls in 1..5 {
        let mut stage = Stage1::each().await.remove(0);
        let id = stage.facebook().await;
        stage.pass(days(61)).await;
        assert!(matches!(stage.grant(id).await.state, GrantState::SignInNeeded { .. }));
        stage.backend.fault(Facebook, json!({ "kind": "server_error", "op": "profile", "after": calls, "times": 100 })).await;
        let (_, outcome) = stage.backend.refresh(&stage.caller, id, MARA).await;
        let grant = stage.grant(id).await;
        let is_unfinished =
            matches!(outcome, ConsentOutcome::Unfinished { by_itself: true }) && matches!(grant.state, GrantState::Retrying { .. });
        was_unfinished |= is_unfinished;
        stage.backend.no_faults(Facebook).await;
        if is_unfinished {
            stage.pass(minutes(5)).await;
            assert_eq!((stage.grant(id).await.state, stage.grant(id).await.generation), (GrantState::Live, 2));
            assert_eq!(stage.backend.services.badges(&stage.caller).await.unwrap().disconnected, 0);
            let inbox = stage.backend.services.inbox(&stage.caller, true).await.unwrap();
            assert!(inbox.rows.iter().all(|row| row.is_resolved), "{:?}", inbox.rows);
            let (account, _) = stage.backend.account(&stage.caller, "Blumen Jung").await;
            let acting = stage.backend.services.acting(stage.caller.workspace, account).await.unwrap().unwrap();
            assert!(acting.adapter.probe(&acting.app, &acting.account, stage.backend.now()).await.is_ok(), "with the page's new token");
        }
    }
    assert!(was_unfinished, "one of them met the list");
}
