//! Logins, accounts and consents as stored, on both databases.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::sync::atomic::{AtomicU8, Ordering};

use domain::account::AccountState;
use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::grant::{GrantState, Schedule, TokenTimes};
use domain::id::{AccountId, AttemptId, ConsentId, GrantId, LeaseId, NodeId, PersonId, PlatformAppId, ThreadId, WorkspaceId};
use domain::inbox::{Root, Stage};
use domain::platform::Platform::{Facebook, Pinterest};
use domain::policy;
use domain::role::Role;
use domain::summary::accounts::Health;
use domain::time::{Timestamp, days, minutes};
use store::accounts::{Account, day_of};
use store::consents::Consent;
use store::grants::{AttemptOutcome, Generation, Grant, NewLease};
use store::people::NewPerson;
use store::workspaces::NewWorkspace;
use store::{Store, StoreError};
use testkit::FakeClock;
use testkit::db::Fresh;

const NOW: Timestamp = FakeClock::START;
const APP: PlatformAppId = PlatformAppId([3; 16]);
const WORKSPACE: WorkspaceId = WorkspaceId([1; 16]);
const PERSON: PersonId = PersonId([2; 16]);

static NEXT: AtomicU8 = AtomicU8::new(10);

/// An id that no other call got.
fn fresh() -> [u8; 16] {
    let mut id = [0; 16];
    id[0] = NEXT.fetch_add(1, Ordering::SeqCst);
    id[15] = 7;
    id
}

/// Every database with a person, a workspace and an app.
async fn each() -> Vec<Fresh> {
    let all = testkit::db::each().await;
    for Fresh { store, .. } in &all {
        let mut tx = store.begin().await.unwrap();
        let person = NewPerson { id: PERSON, email: "m@x".into(), name: "Mara".into(), password_hash: "x".into(), is_operator: true };
        tx.add_person(&person, NOW).await.unwrap();
        let workspace = NewWorkspace { id: WORKSPACE, name: "Blumen".into(), zone: "UTC".into(), data_key: vec![1] };
        tx.add_workspace(&workspace, "blumen", NOW).await.unwrap();
        tx.add_membership(WORKSPACE, PERSON, Role::Owner, NOW).await.unwrap();
        tx.settle_platform_app(APP, Pinterest, "1", NOW).await.unwrap();
        tx.commit().await.unwrap();
    }
    all
}

fn grant(person: &str) -> Grant {
    let tokens =
        TokenTimes { issued_at: NOW, access_expires_at: Some(NOW + days(30)), refresh_expires_at: Some(NOW + days(60)), has_refresh: true };
    Grant {
        id: GrantId(fresh()),
        workspace: WORKSPACE,
        app: APP,
        platform: Pinterest,
        remote_person: person.to_owned(),
        login_of: "Mara Jung".to_owned(),
        scopes: vec!["pins:write".to_owned()],
        state: GrantState::Live,
        generation: 1,
        tokens,
        schedule: Schedule::of(policy::of(Pinterest), &tokens, 0.5),
        probe_at: Some(NOW + days(1)),
        warn_at: None,
        last_good_at: None,
        verdict: None,
        spread: 500_000,
        fence: 0,
        linked_at: NOW,
        signed_in_at: NOW,
    }
}

fn account(grant: &Grant, remote_id: &str) -> Account {
    Account {
        id: AccountId(fresh()),
        workspace: grant.workspace,
        grant: grant.id,
        platform: grant.platform,
        remote_id: remote_id.to_owned(),
        name: remote_id.to_owned(),
        handle: None,
        picture: None,
        boards: "[]".to_owned(),
        state: AccountState::Ok,
        verdict: None,
        is_paused: false,
        last_good_at: None,
        late_at_most: 10_800,
        linked_at: NOW,
    }
}

async fn with_login(store: &Store, accounts: usize) -> (Grant, Vec<Account>) {
    let grant = grant(&format!("person {:?}", fresh()));
    let accounts: Vec<Account> = (0..accounts).map(|number| account(&grant, &format!("{:?} {number}", grant.id))).collect();
    let mut tx = store.begin().await.unwrap();
    tx.add_grant(&grant).await.unwrap();
    for account in &accounts {
        tx.add_account(account).await.unwrap();
    }
    tx.commit().await.unwrap();
    (grant, accounts)
}

fn verdict(class: Class, cause: Cause, at: Timestamp) -> Verdict {
    Verdict::plain(class, cause, Confidence::Certain, at)
}

async fn refuse(store: &Store, grant: &Grant, verdict: &Verdict, now: Timestamp) -> bool {
    refuse_pair(store, grant, grant.generation, verdict, now).await
}

async fn refuse_pair(store: &Store, grant: &Grant, used: i64, verdict: &Verdict, now: Timestamp) -> bool {
    let mut tx = store.begin().await.unwrap();
    let news = tx.refuse_login(WORKSPACE, grant.id, used, verdict, ThreadId(fresh()), now).await.unwrap();
    tx.commit().await.unwrap();
    news
}

async fn open(store: &Store) -> Vec<(Root, Stage)> {
    let threads = store.threads(WORKSPACE, PERSON, true, 100).await.unwrap();
    threads.into_iter().filter(|thread| thread.resolved_at.is_none()).map(|thread| (thread.root, thread.stage)).collect()
}

fn lease(wall: Timestamp) -> NewLease {
    NewLease { id: LeaseId(fresh()), holder: NodeId([1; 16]), wall, until: wall + minutes(2) }
}

#[tokio::test]
async fn a_login_is_read_back_as_it_was_written_in_every_state() {
    for Fresh { store, kind, .. } in &each().await {
        let (mut grant, _) = with_login(store, 0).await;
        for state in [
            GrantState::Live,
            GrantState::Retrying { since: NOW, attempt: 3, retry_at: NOW + minutes(2) },
            GrantState::SignInNeeded { since: NOW, cause: Cause::TechnicalIssue(domain::cause::OurFault::LostAnswer) },
            GrantState::Unlinked,
        ] {
            grant.state = state;
            grant.verdict = Some(verdict(Class::Revoked, Cause::UserAction, NOW));
            let mut tx = store.begin().await.unwrap();
            tx.save_grant(&grant).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(store.grant(WORKSPACE, grant.id).await.unwrap().as_ref(), Some(&grant), "{kind}");
        }
        assert!(store.grant(WorkspaceId([9; 16]), grant.id).await.unwrap().is_none(), "another workspace");
    }
}

#[tokio::test]
async fn a_refusal_is_told_once_and_an_older_one_says_nothing() {
    for Fresh { store, .. } in &each().await {
        let (grant, accounts) = with_login(store, 2).await;
        assert!(!refuse(store, &grant, &verdict(Class::Transient, Cause::Unknown, NOW), NOW).await, "may pass");
        let now = NOW + minutes(5);
        let refused = verdict(Class::Revoked, Cause::UserAction, now);
        assert!(!refuse_pair(store, &grant, grant.generation - 1, &refused, now).await, "newer tokens are here");
        assert!(refuse(store, &grant, &refused, now).await);
        assert!(!refuse(store, &grant, &verdict(Class::Expired, Cause::Expired, now), now + minutes(9)).await, "known");
        assert_eq!(open(store).await, [(Root::Login { grant: grant.id }, Stage::Lost { cause: Cause::UserAction })]);
        assert_eq!(store.count_disconnected(WORKSPACE).await.unwrap(), 2);
        assert_eq!(store.next_grant_work(NOW).await.unwrap(), None, "nobody works on what needs a person");
        let days = store.account_days(accounts[0].id, 0).await.unwrap();
        assert_eq!(days, [(day_of(now), Health::CouldNotPost)]);
    }
}

#[tokio::test]
async fn an_access_token_that_cannot_be_renewed_ends_the_login() {
    for Fresh { store, .. } in &each().await {
        let (mut grant, _) = with_login(store, 1).await;
        let refused = verdict(Class::AccessExpired, Cause::Expired, NOW);
        assert!(!refuse(store, &grant, &refused, NOW).await, "a renewal may bring a new one");
        grant.tokens.has_refresh = false;
        let mut tx = store.begin().await.unwrap();
        tx.save_grant(&grant).await.unwrap();
        tx.commit().await.unwrap();
        assert!(refuse(store, &grant, &refused, NOW).await);
    }
}

#[tokio::test]
async fn a_blocked_account_has_its_own_story_until_the_login_is_lost() {
    for Fresh { store, .. } in &each().await {
        let (grant, accounts) = with_login(store, 2).await;
        let (workspace, first) = (WORKSPACE, accounts[0].id);
        let lost = verdict(Class::PermissionLost, Cause::PrivacySettings, NOW);
        for _ in 0..2 {
            let mut tx = store.begin().await.unwrap();
            tx.block_account(workspace, first, &lost, ThreadId(fresh()), NOW).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(open(store).await, [(Root::Account { account: first }, Stage::Lost { cause: Cause::PrivacySettings })]);
        assert_eq!(store.count_disconnected(workspace).await.unwrap(), 1);
        assert!(refuse(store, &grant, &verdict(Class::Revoked, Cause::UserAction, NOW), NOW).await);
        assert_eq!(open(store).await, [(Root::Login { grant: grant.id }, Stage::Lost { cause: Cause::UserAction })], "the widest wins");
        assert_eq!(store.count_disconnected(workspace).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_good_call_ends_trouble_and_unblocks_and_never_brings_a_lost_login_back() {
    for Fresh { store, .. } in &each().await {
        let (mut grant, accounts) = with_login(store, 1).await;
        let (id, account) = (grant.id, accounts[0].id);
        let good = async |now| {
            let mut tx = store.begin().await.unwrap();
            tx.good_call(WORKSPACE, id, Some(account), now).await.unwrap();
            tx.commit().await.unwrap();
            (store.grant(WORKSPACE, id).await.unwrap().unwrap().state, store.account(WORKSPACE, account).await.unwrap().unwrap().state)
        };
        let mut tx = store.begin().await.unwrap();
        let gone = verdict(Class::AccountGone, Cause::AccountDeletion, NOW);
        tx.block_account(WORKSPACE, account, &gone, ThreadId(fresh()), NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(store.account(WORKSPACE, account).await.unwrap().unwrap().state, AccountState::Gone { .. }));
        assert_eq!(good(NOW + minutes(2)).await, (GrantState::Live, AccountState::Ok));
        assert!(open(store).await.is_empty());

        grant = store.grant(WORKSPACE, grant.id).await.unwrap().unwrap();
        grant.state = GrantState::Retrying { since: NOW, attempt: 2, retry_at: NOW + minutes(9) };
        let mut tx = store.begin().await.unwrap();
        tx.save_grant(&grant).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(good(NOW + minutes(3)).await.0, GrantState::Live);
        assert!(refuse(store, &grant, &verdict(Class::Revoked, Cause::UserAction, NOW + minutes(4)), NOW + minutes(4)).await);
        assert!(matches!(good(NOW + minutes(5)).await.0, GrantState::SignInNeeded { .. }));
    }
}

#[tokio::test]
async fn a_call_with_the_old_token_does_not_hide_that_the_renewal_fails() {
    for Fresh { store, .. } in &each().await {
        let (mut grant, accounts) = with_login(store, 1).await;
        let retrying = GrantState::Retrying { since: NOW, attempt: 2, retry_at: NOW + days(21) };
        (grant.state, grant.schedule.refresh_at) = (retrying, Some(NOW));
        let mut tx = store.begin().await.unwrap();
        tx.save_grant(&grant).await.unwrap();
        tx.good_call(WORKSPACE, grant.id, Some(accounts[0].id), NOW + minutes(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.grant(WORKSPACE, grant.id).await.unwrap().unwrap().state, retrying);
    }
}

#[tokio::test]
async fn one_login_is_leased_by_one_worker_until_the_lease_runs_out() {
    for Fresh { store, kind, .. } in &each().await {
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(with_login(store, 0).await.0.id);
        }
        let due = NOW + days(1);
        let lease_up_to = async |most, wall| store.lease_grants(Pinterest, most, due, &lease(wall)).await.unwrap();
        assert!(store.lease_grants(Pinterest, 9, NOW, &lease(NOW)).await.unwrap().is_empty(), "nothing is due");
        assert!(store.lease_grants(Facebook, 9, due, &lease(NOW)).await.unwrap().is_empty(), "another platform");
        let (one, two) = tokio::join!(lease_up_to(3, NOW), lease_up_to(3, NOW));
        let mut taken: Vec<GrantId> = one.iter().chain(&two).map(|leased| leased.grant.id).collect();
        taken.sort();
        ids.sort();
        assert_eq!(taken, ids, "{kind}: each once");
        assert!(lease_up_to(9, NOW + minutes(1)).await.is_empty(), "held");
        let again = lease_up_to(9, NOW + minutes(3)).await;
        assert_eq!(again.len(), 5, "run out");
        assert!(again.iter().all(|leased| leased.grant.fence == 2));
        // The first holder comes too late.
        let old = &one[0];
        assert!(matches!(store.keep_grant(old.grant.id, old.lease, NOW + days(1)).await, Err(StoreError::LeaseLost)));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.lock_leased(old.grant.id, old.lease).await.unwrap().is_none());
        assert!(!tx.release_grant(old.grant.id, old.lease).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.release_grants_of(NodeId([2; 16])).await.unwrap(), 0, "another node's are not ours");
        assert_eq!(store.release_grants_of(NodeId([1; 16])).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn a_kept_pair_is_never_overwritten_and_the_older_stays_until_the_newer_works() {
    for Fresh { store, .. } in &each().await {
        let (grant, _) = with_login(store, 0).await;
        let pair =
            |generation, text: &str| Generation { generation, access: text.as_bytes().to_vec(), refresh: Some(text.as_bytes().to_vec()) };
        let mut tx = store.begin().await.unwrap();
        assert!(tx.add_generation(WORKSPACE, grant.id, &pair(1, "one"), &grant.tokens).await.unwrap());
        assert!(tx.add_generation(WORKSPACE, grant.id, &pair(2, "two"), &grant.tokens).await.unwrap());
        assert!(!tx.add_generation(WORKSPACE, grant.id, &pair(2, "late"), &grant.tokens).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.newest_generation(WORKSPACE, grant.id).await.unwrap(), Some(pair(2, "two")));
        let kept = async || {
            let rows =
                store.rows::<(i64,)>("select count(*) from token_generations where grant_id = $1", &[grant.id.into()]).await.unwrap();
            rows[0].0
        };
        assert_eq!(kept().await, 2);
        let mut tx = store.begin().await.unwrap();
        tx.prove_generation(grant.id, 2, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(kept().await, 1);
        assert!(store.newest_generation(WorkspaceId([9; 16]), grant.id).await.unwrap().is_none(), "another workspace");
    }
}

#[tokio::test]
async fn an_attempt_without_an_end_counts_as_a_lost_answer_for_its_own_pair_only() {
    for Fresh { store, .. } in &each().await {
        let (mut grant, _) = with_login(store, 0).await;
        let begin = async |grant: &Grant, id| {
            let mut tx = store.begin().await.unwrap();
            let lost = tx.begin_attempt(id, grant, NOW).await.unwrap();
            tx.commit().await.unwrap();
            lost
        };
        let end = async |id, outcome| {
            let mut tx = store.begin().await.unwrap();
            tx.end_attempt(id, outcome, None, NOW).await.unwrap();
            tx.commit().await.unwrap();
        };
        let (one, two, three) = (AttemptId(fresh()), AttemptId(fresh()), AttemptId(fresh()));
        assert!(!begin(&grant, one).await);
        end(one, AttemptOutcome::NotDone).await;
        assert!(!begin(&grant, two).await, "certainly nothing happened");
        assert!(begin(&grant, three).await, "cut off");
        end(two, AttemptOutcome::NotDone).await;
        end(three, AttemptOutcome::Unknown).await;
        assert!(begin(&grant, AttemptId(fresh())).await, "no answer");
        grant.generation = 2;
        assert!(!begin(&grant, AttemptId(fresh())).await, "another pair");
    }
}

#[tokio::test]
async fn of_many_at_once_one_spends_a_consent() {
    for Fresh { store, kind, .. } in &each().await {
        let consent = Consent {
            id: ConsentId(fresh()),
            workspace: WORKSPACE,
            person: PERSON,
            platform: Pinterest,
            app: APP,
            grant: None,
            flow_hash: vec![2; 32],
            verifier: vec![1],
            expires_at: NOW + minutes(10),
            used_at: None,
            tokens: None,
            result: None,
        };
        store.add_consent(&consent, [1; 32], NOW).await.unwrap();
        let spend = |flow: [u8; 32], person, platform, now| store.spend_consent([1; 32], flow, person, platform, now);
        assert!(!spend([3; 32], PERSON, Pinterest, NOW).await.unwrap(), "another browser");
        assert!(!spend([2; 32], PersonId([9; 16]), Pinterest, NOW).await.unwrap(), "another person");
        assert!(!spend([2; 32], PERSON, Facebook, NOW).await.unwrap(), "another platform");
        assert!(!spend([2; 32], PERSON, Pinterest, NOW + minutes(10)).await.unwrap(), "too late");
        let all = futures::future::join_all((0..8).map(|_| spend([2; 32], PERSON, Pinterest, NOW))).await;
        assert_eq!(all.into_iter().filter(|spent| *spent.as_ref().unwrap()).count(), 1, "{kind}");
        store.keep_consent_tokens(consent.id, Some(vec![1, 2])).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(tx.take_consent_tokens(consent.id).await.unwrap());
        assert!(!tx.take_consent_tokens(consent.id).await.unwrap(), "once");
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_login_is_retired_only_when_nothing_stands_on_it() {
    for Fresh { store, .. } in &each().await {
        let (grant, mut accounts) = with_login(store, 1).await;
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.retire_login(WORKSPACE, grant.id, NOW).await.unwrap());
        accounts[0].state = AccountState::Unlinked;
        tx.save_account(&accounts[0]).await.unwrap();
        assert!(tx.retire_login(WORKSPACE, grant.id, NOW).await.unwrap());
        assert!(!tx.retire_login(WORKSPACE, grant.id, NOW).await.unwrap(), "once");
        tx.commit().await.unwrap();
        assert_eq!(store.grant(WORKSPACE, grant.id).await.unwrap().unwrap().state, GrantState::Unlinked);
        assert!(!store.has_sibling(APP, &grant.remote_person, GrantId([0; 16])).await.unwrap());
    }
}

#[tokio::test]
async fn the_worst_of_a_day_stays() {
    for Fresh { store, .. } in &each().await {
        let (_, accounts) = with_login(store, 1).await;
        let id = accounts[0].id;
        let mut tx = store.begin().await.unwrap();
        tx.note_health(id, 5, Health::Handled).await.unwrap();
        tx.note_health(id, 5, Health::CouldNotPost).await.unwrap();
        tx.note_health(id, 5, Health::Handled).await.unwrap();
        tx.note_health(id, 6, Health::Handled).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.account_days(id, 5).await.unwrap(), [(5, Health::CouldNotPost), (6, Health::Handled)]);
        assert_eq!(store.account_days(id, 6).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn tries_are_counted_in_a_window() {
    for Fresh { store, .. } in &each().await {
        for expected in 1..=3 {
            assert_eq!(store.count_try("person:x", NOW - minutes(15), NOW).await.unwrap(), expected);
        }
        let later = NOW + minutes(20);
        assert_eq!(store.count_try("person:x", later - minutes(15), later).await.unwrap(), 1);
        store.forget_tries("person:x").await.unwrap();
        assert_eq!(store.count_try("person:x", later - minutes(15), later).await.unwrap(), 1);
    }
}
