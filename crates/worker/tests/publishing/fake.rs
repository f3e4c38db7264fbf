//! A platform that does as it is told, and remembers every post that it has accepted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::id::DeliveryId;
use domain::policy::{self, Policy};
use domain::time::{Clock, Timestamp};
use platforms::adapter::{
    AccountAccess, Adapter, App, CallError, Committed, ConsentRequest, HttpError, Identity, Job, Looked, Prepared, RemoteAccount,
    RemotePost, SeenOnline, Step, Tokens,
};
use platforms::secret::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken};
use testkit::FakeClock;
use tokio::sync::Notify;
use url::Url;

/// What the next commit meets.
#[derive(Debug, Clone)]
pub enum Next {
    /// It is accepted and answered.
    Accept,
    /// The connection is cut before the platform takes it.
    DropBefore,
    /// The platform takes it, and the answer is lost.
    DropAfter,
    /// It is taken, and shown in no list until [`Fake::show_all`].
    DropAfterUnlisted,
    /// It never leaves.
    NotSent,
    /// A classified refusal.
    Refuse(Class, Option<Duration>),
    /// Accepted, public later.
    Process,
    /// Taken, and the answer never comes.
    HangAfter,
    /// Not taken, and no answer comes.
    HangBefore,
}

/// A post that the platform has accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub remote_id: String,
    pub account: String,
    pub text: String,
    pub token: String,
    pub at: Timestamp,
    pub is_listed: bool,
}

#[derive(Debug, Default)]
struct State {
    accepted: Vec<Accepted>,
    commits: HashMap<DeliveryId, u32>,
    next: VecDeque<Next>,
    prepares: VecDeque<Class>,
    looks_fail: Option<Class>,
    steps: usize,
    step_calls: usize,
    gate: Option<Arc<Notify>>,
    list: Option<Result<Vec<(String, String)>, Class>>,
}

/// The platform.
#[derive(Debug)]
pub struct Fake {
    clock: FakeClock,
    latency: Duration,
    state: Mutex<State>,
}

impl Fake {
    pub fn new(clock: FakeClock, latency: Duration) -> Arc<Self> {
        Arc::new(Self { clock, latency, state: Mutex::default() })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn next(&self, next: impl IntoIterator<Item = Next>) {
        self.with(|state| state.next.extend(next));
    }

    pub fn refuse_prepare(&self, class: Class) {
        self.with(|state| state.prepares.push_back(class));
    }

    /// What the login can post to from now on, each with its own token, or how the list is refused.
    pub fn lists(&self, list: Result<&[(&str, &str)], Class>) {
        let owned = list.map(|all| all.iter().map(|(remote, token)| ((*remote).to_owned(), (*token).to_owned())).collect());
        self.with(|state| state.list = Some(owned));
    }

    pub fn set_steps(&self, steps: usize) {
        self.with(|state| state.steps = steps);
    }

    /// Holds the next preparation until the gate is told to open.
    pub fn hold_prepare(&self) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        self.with(|state| state.gate = Some(gate.clone()));
        gate
    }

    /// Whether nobody stands before the gate yet.
    pub fn is_gate_waiting(&self) -> bool {
        self.with(|state| state.gate.is_some())
    }

    pub fn looks_fail(&self, fail: bool) {
        self.with(|state| state.looks_fail = fail.then_some(Class::Transient));
    }

    pub fn looks_refused(&self, class: Class) {
        self.with(|state| state.looks_fail = Some(class));
    }

    pub fn show_all(&self) {
        self.with(|state| state.accepted.iter_mut().for_each(|post| post.is_listed = true));
    }

    pub fn accepted(&self) -> Vec<Accepted> {
        self.with(|state| state.accepted.clone())
    }

    pub fn step_calls(&self) -> usize {
        self.with(|state| state.step_calls)
    }

    /// How often a commit for this delivery reached us.
    pub fn commits(&self, delivery: DeliveryId) -> u32 {
        self.with(|state| state.commits.get(&delivery).copied().unwrap_or_default())
    }

    fn accept(&self, job: &Job, is_listed: bool) -> String {
        let at = self.clock.now();
        self.with(|state| {
            let remote_id = format!("r{}", state.accepted.len() + 1);
            state.accepted.push(Accepted {
                remote_id: remote_id.clone(),
                account: job.account.remote_id.clone(),
                text: job.text.clone(),
                token: String::from_utf8_lossy(job.account.access.to_seal()).into_owned(),
                at,
                is_listed,
            });
            remote_id
        })
    }

    fn link(remote_id: &str) -> Option<String> {
        Some(format!("https://platform.example/{remote_id}"))
    }
}

pub fn verdict(class: Class, at: Timestamp) -> Box<Verdict> {
    Box::new(Verdict::plain(class, Cause::Unknown, Confidence::Guess, at))
}

fn lost() -> HttpError {
    HttpError("the connection was cut".to_owned())
}

#[async_trait]
impl Adapter for Fake {
    fn policy(&self) -> &'static Policy {
        &policy::FACEBOOK
    }

    fn consent_url(&self, app: &App, _: &ConsentRequest) -> Url {
        app.endpoints.browser.clone()
    }

    async fn exchange(&self, _: &App, _: &AuthorizationCode, _: &PkceVerifier, _: Timestamp) -> Result<Tokens, CallError> {
        Err(CallError::NotSent(lost()))
    }

    async fn renew(&self, _: &App, _: &RefreshToken, _: Timestamp) -> Result<Tokens, CallError> {
        Err(CallError::NotSent(lost()))
    }

    async fn identify(&self, _: &App, _: &AccessToken, _: Timestamp) -> Result<Identity, CallError> {
        Err(CallError::NotSent(lost()))
    }

    async fn accounts(&self, _: &App, _: &AccessToken, now: Timestamp) -> Result<Vec<RemoteAccount>, CallError> {
        let remote = |(remote_id, token): (String, String)| RemoteAccount {
            name: remote_id.clone(),
            remote_id,
            handle: None,
            picture: None,
            access: Some(AccessToken::new(token)),
            may_post: true,
            boards: Vec::new(),
        };
        match self.with(|state| state.list.clone()) {
            None => Err(CallError::NotSent(lost())),
            Some(Ok(list)) => Ok(list.into_iter().map(remote).collect()),
            Some(Err(class)) => Err(CallError::Answered { verdict: verdict(class, now), wait: None }),
        }
    }

    async fn probe(&self, _: &App, _: &AccountAccess, _: Timestamp) -> Result<(), CallError> {
        Ok(())
    }

    async fn prepare(&self, _: &App, _: &Job, done: &[Step], now: Timestamp) -> Result<Prepared, CallError> {
        let gate = self.with(|state| state.gate.take());
        if let Some(gate) = gate {
            gate.notified().await;
        }
        let (refused, steps) = self.with(|state| (state.prepares.pop_front(), state.steps));
        if let Some(class) = refused {
            return Err(CallError::Answered { verdict: verdict(class, now), wait: None });
        }
        if done.len() < steps {
            self.with(|state| state.step_calls += 1);
            return Ok(Prepared::Step(Step { kind: "photo".to_owned(), result: format!("p{}", done.len()) }));
        }
        Ok(Prepared::Ready)
    }

    async fn commit(&self, _: &App, job: &Job, _: &[Step], now: Timestamp) -> Committed {
        let next = self.with(|state| {
            *state.commits.entry(job.delivery).or_default() += 1;
            state.next.pop_front()
        });
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let unknown = || Committed::Unknown { evidence: None, error: Some(lost()) };
        match next {
            None | Some(Next::Accept) => {
                let remote_id = self.accept(job, true);
                Committed::Published { link: Self::link(&remote_id), remote_id }
            }
            Some(Next::DropBefore) => unknown(),
            Some(Next::DropAfter) => {
                self.accept(job, true);
                unknown()
            }
            Some(Next::DropAfterUnlisted) => {
                self.accept(job, false);
                unknown()
            }
            Some(Next::NotSent) => Committed::NotSent(lost()),
            Some(Next::Refuse(class, wait)) => Committed::Refused { verdict: verdict(class, now), wait },
            Some(Next::Process) => Committed::Processing { handle: self.accept(job, false) },
            Some(Next::HangAfter) => {
                self.accept(job, true);
                std::future::pending().await
            }
            Some(Next::HangBefore) => std::future::pending().await,
        }
    }

    async fn look(&self, _: &App, job: &Job, _: &[Step], attempted_at: Timestamp, now: Timestamp) -> Result<Looked, CallError> {
        if let Some(class) = self.with(|state| state.looks_fail) {
            return Err(CallError::Answered { verdict: verdict(class, now), wait: None });
        }
        let matches = self.accepted().into_iter().filter(|post| {
            post.is_listed
                && post.account == job.account.remote_id
                && post.text == job.text
                && post.at >= attempted_at - Duration::from_secs(120)
        });
        let matches = matches.map(|post| RemotePost { link: Self::link(&post.remote_id), remote_id: post.remote_id, created_at: post.at });
        Ok(Looked::Matches(matches.collect()))
    }

    async fn follow(&self, _: &App, _: &Job, handle: &str, _: Timestamp) -> Result<Committed, CallError> {
        Ok(Committed::Published { remote_id: handle.to_owned(), link: Self::link(handle) })
    }

    async fn read_back(&self, _: &App, _: &AccountAccess, _: &str, _: Timestamp) -> Result<SeenOnline, CallError> {
        Ok(SeenOnline::Yes)
    }

    async fn revoke(&self, _: &App, _: &AccessToken, _: &str, _: Timestamp) -> Result<bool, CallError> {
        Ok(true)
    }
}
