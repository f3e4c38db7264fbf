//! Answers to renewals that no platform should give (reliability B4), and races around them: the real Pinterest adapter
//! with its renewals replaced.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::grant::GrantState;
use domain::id::GrantId;
use domain::platform::Platform::Pinterest;
use domain::policy::Policy;
use domain::role::Caller;
use domain::time::{Timestamp, days, hours};
use platforms::adapter::{
    AccountAccess, Adapter, App, CallError, Committed, ConsentRequest, Identity, Job, Looked, Prepared, RemoteAccount, SeenOnline, Step,
    Tokens,
};
use platforms::secret::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken};
use store::grants::Grant;
use testkit::backend::{Backend, MARA};
use tokio::sync::Semaphore;
use url::Url;
use worker::keeper::Keeper;

/// Renewals answer from a list; everything else is the real adapter.
#[derive(Debug)]
struct Renewer {
    real: Arc<dyn Adapter>,
    answers: Mutex<VecDeque<Result<Tokens, CallError>>>,
    offered: Mutex<Vec<Vec<u8>>>,
    /// A permit lets one renewal answer.
    gate: Semaphore,
}

#[async_trait]
impl Adapter for Renewer {
    fn policy(&self) -> &'static Policy {
        self.real.policy()
    }
    fn consent_url(&self, app: &App, request: &ConsentRequest) -> Url {
        self.real.consent_url(app, request)
    }
    async fn exchange(&self, app: &App, code: &AuthorizationCode, verifier: &PkceVerifier, now: Timestamp) -> Result<Tokens, CallError> {
        self.real.exchange(app, code, verifier, now).await
    }
    async fn renew(&self, _: &App, refresh: &RefreshToken, _: Timestamp) -> Result<Tokens, CallError> {
        self.offered.lock().unwrap().push(refresh.to_seal().to_vec());
        self.gate.acquire().await.unwrap().forget();
        self.answers.lock().unwrap().pop_front().expect("an answer")
    }
    async fn identify(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Identity, CallError> {
        self.real.identify(app, access, now).await
    }
    async fn accounts(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Vec<RemoteAccount>, CallError> {
        self.real.accounts(app, access, now).await
    }
    async fn probe(&self, app: &App, account: &AccountAccess, now: Timestamp) -> Result<(), CallError> {
        self.real.probe(app, account, now).await
    }
    async fn prepare(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Result<Prepared, CallError> {
        self.real.prepare(app, job, done, now).await
    }
    async fn commit(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Committed {
        self.real.commit(app, job, done, now).await
    }
    async fn look(&self, app: &App, job: &Job, done: &[Step], attempted_at: Timestamp, now: Timestamp) -> Result<Looked, CallError> {
        self.real.look(app, job, done, attempted_at, now).await
    }
    async fn follow(&self, app: &App, job: &Job, handle: &str, now: Timestamp) -> Result<Committed, CallError> {
        self.real.follow(app, job, handle, now).await
    }
    async fn read_back(&self, app: &App, account: &AccountAccess, remote_id: &str, now: Timestamp) -> Result<SeenOnline, CallError> {
        self.real.read_back(app, account, remote_id, now).await
    }
    async fn revoke(&self, app: &App, access: &AccessToken, remote_person: &str, now: Timestamp) -> Result<bool, CallError> {
        self.real.revoke(app, access, remote_person, now).await
    }
}

struct Scene {
    backend: Backend,
    caller: Caller,
    renewer: Arc<Renewer>,
    id: GrantId,
    keeper: Keeper,
}

impl Scene {
    /// A login whose renewal is due, and these answers to it.
    async fn each(answers: fn() -> Vec<Result<Tokens, CallError>>) -> Vec<Self> {
        let mut all = Vec::new();
        for fresh in testkit::db::each().await {
            let mut made = None;
            let backend = Backend::with(fresh, |registry| {
                let renewer = Arc::new(Renewer {
                    real: registry.get(Pinterest).clone(),
                    answers: Mutex::new(answers().into()),
                    offered: Mutex::new(Vec::new()),
                    gate: Semaphore::new(1000),
                });
                made = Some(renewer.clone());
                registry.with(Pinterest, renewer)
            })
            .await;
            let caller = backend.owner().await;
            backend.link(&caller, Pinterest, MARA).await;
            let id = backend.account(&caller, "Mara Jung").await.1;
            let keeper = Keeper::new(backend.services.clone(), backend.node());
            let scene = Self { backend, caller, renewer: made.unwrap(), id, keeper };
            let due = scene.grant().await.schedule.refresh_at.unwrap();
            scene.backend.pass(due.since(scene.backend.now()));
            all.push(scene);
        }
        all
    }

    async fn grant(&self) -> Grant {
        self.backend.services.store.grant(self.caller.workspace, self.id).await.unwrap().unwrap()
    }

    async fn round(&mut self) {
        self.keeper.tick().await.unwrap();
        self.keeper.idle().await;
    }

    async fn refresh_token(&self) -> Vec<u8> {
        self.backend.services.pair(self.caller.workspace, self.id).await.unwrap().unwrap().refresh.unwrap().to_seal().to_vec()
    }
}

fn tokens(access: &str, refresh: Option<&str>, access_lives: Option<Duration>, refresh_lives: Option<Duration>) -> Tokens {
    Tokens {
        access: AccessToken::new(access.to_owned()),
        refresh: refresh.map(|refresh| RefreshToken::new(refresh.to_owned())),
        access_lives,
        refresh_lives,
        scopes: None,
    }
}

fn refused() -> CallError {
    let verdict = Verdict { status: Some(401), ..Verdict::plain(Class::Revoked, Cause::Unknown, Confidence::Guess, Timestamp(i64::MAX)) };
    CallError::Answered { verdict: Box::new(verdict), wait: None }
}

#[tokio::test]
async fn a_stored_refresh_token_is_never_replaced_by_nothing() {
    for answer in [|| vec![Ok(tokens("new", None, None, None))], || vec![Ok(tokens("new", Some(""), None, None))]] {
        for mut scene in Scene::each(answer).await {
            let (before, end) = (scene.refresh_token().await, scene.grant().await.tokens.refresh_expires_at);
            scene.round().await;
            let grant = scene.grant().await;
            assert_eq!((grant.state, grant.generation), (GrantState::Live, 2));
            assert_eq!(scene.refresh_token().await, before, "sealed again under the new generation");
            assert!(grant.tokens.has_refresh);
            let _ = end;
            let pair = scene.backend.services.pair(scene.caller.workspace, scene.id).await.unwrap().unwrap();
            assert_eq!(pair.access.to_seal(), b"new");
        }
    }
}

#[tokio::test]
async fn lengths_that_cannot_be_are_no_ends() {
    let answers = || {
        vec![
            Ok(tokens("a", Some("r1"), Some(Duration::ZERO), Some(Duration::ZERO))),
            Ok(tokens("b", Some("r2"), Some(Duration::from_secs(1_000_000_000_000)), Some(Duration::MAX))),
            Ok(tokens("c", Some("r2"), None, None)),
        ]
    };
    for mut scene in Scene::each(answers).await {
        for generation in 2..=4 {
            scene.round().await;
            let grant = scene.grant().await;
            assert_eq!((grant.state, grant.generation), (GrantState::Live, generation));
            assert_eq!((grant.tokens.access_expires_at, grant.tokens.refresh_expires_at), (None, None));
            // By our table then: a third of sixty days.
            let due = grant.schedule.refresh_at.unwrap();
            assert_eq!(due, scene.backend.now() + days(20));
            scene.backend.pass(days(20));
            let mut tx = scene.backend.services.store.begin().await.unwrap();
            let mut held = tx.lock_grant(scene.caller.workspace, scene.id).await.unwrap().unwrap();
            held.probe_at = Some(scene.backend.now() + days(1));
            tx.save_grant(&held).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_short_access_token_is_renewed_before_it_ends() {
    let answers = || vec![Ok(tokens("a", Some("r1"), Some(days(5)), Some(days(365))))];
    for mut scene in Scene::each(answers).await {
        scene.round().await;
        let grant = scene.grant().await;
        let due = grant.schedule.refresh_at.unwrap().since(scene.backend.now());
        assert!(due < days(5) - hours(10) && due > days(4), "{due:?}");
    }
}

#[tokio::test]
async fn an_empty_access_token_is_a_lost_answer() {
    let answers = || vec![Ok(tokens("", Some("r1"), None, None)), Ok(tokens("a", Some("r1"), None, None))];
    for mut scene in Scene::each(answers).await {
        scene.round().await;
        assert!(matches!(scene.grant().await.state, GrantState::Retrying { .. }));
        scene.round().await;
        assert_eq!(scene.grant().await.state, GrantState::Live);
        let offered = scene.renewer.offered.lock().unwrap().clone();
        assert_eq!(offered[0], offered[1], "the same pair, at once");
    }
}

#[tokio::test]
async fn a_refusal_of_a_pair_that_a_consent_replaced_meanwhile_is_none() {
    for mut scene in Scene::each(|| vec![Err(refused())]).await {
        scene.renewer.gate.forget_permits(1000);
        scene.keeper.tick().await.unwrap();
        while scene.renewer.offered.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Meanwhile Mara signs in again.
        scene.backend.link(&scene.caller, Pinterest, MARA).await;
        let brought = scene.refresh_token().await;
        scene.renewer.gate.add_permits(1);
        scene.keeper.idle().await;
        let grant = scene.grant().await;
        assert_eq!((grant.state, grant.generation), (GrantState::Live, 2));
        assert_eq!(scene.refresh_token().await, brought);
        assert!(scene.backend.services.inbox(&scene.caller, true).await.unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn an_older_pair_never_overwrites_the_one_a_consent_brought() {
    for mut scene in Scene::each(|| vec![Ok(tokens("late", Some("late"), None, None))]).await {
        scene.renewer.gate.forget_permits(1000);
        scene.keeper.tick().await.unwrap();
        while scene.renewer.offered.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.backend.link(&scene.caller, Pinterest, MARA).await;
        let brought = scene.refresh_token().await;
        scene.renewer.gate.add_permits(1);
        scene.keeper.idle().await;
        assert_eq!(scene.refresh_token().await, brought);
        assert_eq!(scene.grant().await.generation, 2);
    }
}

#[tokio::test]
async fn a_damaged_token_is_our_fault_and_told() {
    for mut scene in Scene::each(Vec::new).await {
        let store = &scene.backend.services.store;
        store
            .run("update token_generations set refresh = $2 where grant_id = $1", &[scene.id.into(), vec![1_u8, 2, 3].into()])
            .await
            .unwrap();
        scene.round().await;
        let cause = Cause::TechnicalIssue(domain::cause::OurFault::Key);
        assert!(matches!(scene.grant().await.state, GrantState::SignInNeeded { cause: found, .. } if found == cause));
        assert_eq!(scene.backend.services.inbox(&scene.caller, false).await.unwrap().rows.len(), 1);
    }
}
