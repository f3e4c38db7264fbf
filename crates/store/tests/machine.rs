//! Random stories of deliveries and their login on the real databases, held against a small model in memory: the transitions
//! of `domain`, and leases as plain values. `STAYPOSTED_TEST_LONG` (set by `cargo xtask test --all`) tells many more of them.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::time::Duration;

use domain::account::AccountState;
use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::delivery::{CanceledWhy, DeliveryEvent, DeliveryState, Duty};
use domain::grant::{GrantState, RefreshOutcome, Round, Schedule, TokenTimes, becomes_newest, speaks_of};
use domain::id::{
    AccountId, AttemptId, DeliveryId, GrantId, LeaseId, NodeId, PersonId, PlatformAppId, PostId, RevisionId, ThreadId, WorkspaceId,
};
use domain::inbox::{Root, Stage};
use domain::lease::{LEASE, has_run_out};
use domain::platform::Platform::Pinterest;
use domain::policy;
use domain::post::Content;
use domain::role::Role;
use domain::time::{Timestamp, days, hours, minutes};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use store::accounts::Account;
use store::deliveries::{Delivery, NewDelivery, Record};
use store::grants::{AttemptOutcome, Generation, Grant, LeasedGrant, NewLease};
use store::people::NewPerson;
use store::posts::{PostTimes, Wall};
use store::publishing::{Also, Claim, Claimed, Move, Together};
use store::workspaces::NewWorkspace;
use store::{Store, StoreError};
use testkit::FakeClock;
use testkit::db::Fresh;

const WORKSPACE: WorkspaceId = WorkspaceId([1; 16]);
const PERSON: PersonId = PersonId([2; 16]);
const APP: PlatformAppId = PlatformAppId([3; 16]);
const GRANT: GrantId = GrantId([4; 16]);
/// Deliveries, each to an account of its own.
const COUNT: usize = 3;

/// How many stories are told on each database.
fn cases() -> u32 {
    if std::env::var_os("STAYPOSTED_TEST_LONG").is_some() { 500 } else { 15 }
}

/// What a commit met.
#[derive(Debug, Clone, Copy)]
enum Met {
    Accepted,
    Lost,
    NotDone,
    /// The tokens were refused for good.
    Refused,
}

/// What a renewal met.
#[derive(Debug, Clone, Copy)]
enum Renewed {
    Pair,
    Lost,
    NotDone,
    Refused,
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Pass(u16),
    /// A worker claims, those of unknown outcome or all others.
    Claim(usize, bool),
    /// A worker goes on with a delivery that it believes to hold.
    Go(usize, usize, Met),
    /// A worker looks, and finds it or not.
    Look(usize, usize, bool),
    /// A worker is killed; at once it is back and takes its own rows back, or it stays away.
    Crash(usize, bool),
    Cancel(usize),
    /// A person gives it a time so many minutes ahead.
    Move(usize, u8),
    /// A person who was asked says whether it is there.
    Answer(usize, bool),
    /// A worker leases the login, writes its intent, and asks the platform.
    Keep(usize),
    /// The platform answers.
    Kept(usize, Renewed),
    SignIn,
}

fn op() -> impl Strategy<Value = Op> {
    let met = prop_oneof![3 => Just(Met::Accepted), 3 => Just(Met::Lost), 2 => Just(Met::NotDone), 1 => Just(Met::Refused)];
    let renewed = prop_oneof![3 => Just(Renewed::Pair), 2 => Just(Renewed::Lost), 1 => Just(Renewed::NotDone), 1 => Just(Renewed::Refused)];
    prop_oneof![
        4 => (1u16..200).prop_map(Op::Pass),
        6 => (0usize..2, any::<bool>()).prop_map(|(worker, unclear)| Op::Claim(worker, unclear)),
        12 => (0usize..2, 0..COUNT, met).prop_map(|(worker, delivery, met)| Op::Go(worker, delivery, met)),
        6 => (0usize..2, 0..COUNT, any::<bool>()).prop_map(|(worker, delivery, found)| Op::Look(worker, delivery, found)),
        2 => (0usize..2, any::<bool>()).prop_map(|(worker, back)| Op::Crash(worker, back)),
        1 => (0..COUNT).prop_map(Op::Cancel),
        1 => (0..COUNT, 0u8..5).prop_map(|(delivery, minutes)| Op::Move(delivery, minutes)),
        2 => (0..COUNT, any::<bool>()).prop_map(|(delivery, there)| Op::Answer(delivery, there)),
        3 => (0usize..2).prop_map(Op::Keep),
        3 => (0usize..2, renewed).prop_map(|(worker, renewed)| Op::Kept(worker, renewed)),
        1 => Just(Op::SignIn),
    ]
}

/// A delivery as it should be.
#[derive(Debug, Clone)]
struct Expected {
    state: DeliveryState,
    due_at: Timestamp,
    work_at: Option<Timestamp>,
    lease: Option<(LeaseId, usize, Timestamp)>,
    /// A commit may have left, and nobody has said what became of it.
    may_be_out: bool,
}

/// What a worker has in its hands, whether or not it still may.
#[derive(Default)]
struct Worker {
    held: Vec<Claimed>,
    renewal: Option<(LeasedGrant, AttemptId, i64, bool)>,
}

struct Story<'a> {
    store: &'a Store,
    now: Timestamp,
    next_id: u64,
    expected: Vec<Expected>,
    login: GrantState,
    generation: i64,
    login_lease: Option<(LeaseId, usize, Timestamp)>,
    refresh_at: Option<Timestamp>,
    /// Tries with the newest pair whose end nobody knows.
    unclear: Vec<(AttemptId, i64)>,
    workers: [Worker; 2],
}

fn delivery_id(number: usize) -> DeliveryId {
    DeliveryId([u8::try_from(number).unwrap() + 10; 16])
}

fn root(number: usize) -> Root {
    Root::Delivery { delivery: delivery_id(number), post: PostId([u8::try_from(number).unwrap() + 20; 16]) }
}

fn node(worker: usize) -> NodeId {
    NodeId([u8::try_from(worker).unwrap() + 1; 16])
}

fn times(now: Timestamp) -> TokenTimes {
    TokenTimes { issued_at: now, access_expires_at: Some(now + days(30)), refresh_expires_at: Some(now + days(60)), has_refresh: true }
}

fn verdict(now: Timestamp) -> Verdict {
    Verdict::plain(Class::Revoked, Cause::UserAction, Confidence::Certain, now)
}

fn pair(generation: i64) -> Generation {
    let token = generation.to_be_bytes().to_vec();
    Generation { generation, access: token.clone(), refresh: Some(token) }
}

impl<'a> Story<'a> {
    async fn begin(store: &'a Store) -> Self {
        let now = FakeClock::START;
        let mut tx = store.begin().await.unwrap();
        let person = NewPerson { id: PERSON, email: "m@x".into(), name: "Mara".into(), password_hash: "x".into(), is_operator: true };
        tx.add_person(&person, now).await.unwrap();
        let workspace = NewWorkspace { id: WORKSPACE, name: "Blumen".into(), zone: "UTC".into(), data_key: vec![1] };
        tx.add_workspace(&workspace, "blumen", now).await.unwrap();
        tx.add_membership(WORKSPACE, PERSON, Role::Owner, now).await.unwrap();
        tx.settle_platform_app(APP, Pinterest, "1", now).await.unwrap();
        let tokens = times(now);
        let schedule = Schedule { refresh_at: Some(now), ..Schedule::of(policy::of(Pinterest), &tokens, 0.5) };
        let grant = Grant {
            id: GRANT,
            workspace: WORKSPACE,
            app: APP,
            platform: Pinterest,
            remote_person: "mara".to_owned(),
            login_of: "Mara Jung".to_owned(),
            scopes: Vec::new(),
            state: GrantState::Live,
            generation: 1,
            tokens,
            schedule,
            probe_at: None,
            warn_at: None,
            last_good_at: None,
            verdict: None,
            spread: 0,
            fence: 0,
            linked_at: now,
            signed_in_at: now,
        };
        tx.add_grant(&grant).await.unwrap();
        tx.add_generation(WORKSPACE, GRANT, &pair(1), &tokens).await.unwrap();
        let mut expected = Vec::new();
        for number in 0..COUNT {
            let byte = u8::try_from(number).unwrap();
            let account = AccountId([byte + 40; 16]);
            let row = Account {
                id: account,
                workspace: WORKSPACE,
                grant: GRANT,
                platform: Pinterest,
                remote_id: number.to_string(),
                name: number.to_string(),
                handle: None,
                picture: None,
                boards: "[]".to_owned(),
                state: AccountState::Ok,
                verdict: None,
                is_paused: false,
                last_good_at: None,
                late_at_most: 10_800,
                linked_at: now,
            };
            tx.add_account(&row).await.unwrap();
            let (post, revision) = (PostId([byte + 20; 16]), RevisionId([byte + 30; 16]));
            let wall = Wall { date: None, time: None, zone: None };
            let plan = PostTimes { is_draft: false, due_at: Some(now), wall };
            tx.insert_post(WORKSPACE, post, revision, &Content::default(), &plan, None, PERSON, now).await.unwrap();
            let new = NewDelivery { id: delivery_id(number), post, revision, account, platform: Pinterest, due_at: now };
            tx.insert_delivery(WORKSPACE, &new, now).await.unwrap();
            let state = DeliveryState::Scheduled;
            expected.push(Expected { state, due_at: now, work_at: Some(now), lease: None, may_be_out: false });
        }
        tx.commit().await.unwrap();
        Self {
            store,
            now,
            next_id: 0,
            expected,
            login: GrantState::Live,
            generation: 1,
            login_lease: None,
            refresh_at: Some(now),
            unclear: Vec::new(),
            workers: Default::default(),
        }
    }

    fn id(&mut self) -> [u8; 16] {
        self.next_id += 1;
        let mut id = [0xee; 16];
        id[..8].copy_from_slice(&self.next_id.to_be_bytes());
        id
    }

    async fn tell(&mut self, op: Op) {
        match op {
            Op::Pass(seconds) => self.now = self.now + Duration::from_secs(seconds.into()),
            Op::Claim(worker, unclear) => self.claim(worker, unclear).await,
            Op::Go(worker, delivery, met) => self.go(worker, delivery, met).await,
            Op::Look(worker, delivery, found) => self.look(worker, delivery, found).await,
            Op::Crash(worker, is_back) => {
                self.workers[worker] = Worker::default();
                if is_back {
                    self.store.reclaim_deliveries(node(worker)).await.unwrap();
                    self.store.release_grants_of(node(worker)).await.unwrap();
                    self.expected.iter_mut().for_each(|row| row.lease = row.lease.filter(|lease| lease.1 != worker));
                    self.login_lease = self.login_lease.filter(|lease| lease.1 != worker);
                }
            }
            Op::Cancel(number) => self.person(number, DeliveryEvent::Cancel(CanceledWhy::Person), self.now).await,
            Op::Move(number, ahead) => self.person(number, DeliveryEvent::Reschedule, self.now + minutes(ahead.into())).await,
            Op::Answer(number, true) => self.person(number, DeliveryEvent::PersonSaysThere, self.now).await,
            Op::Answer(number, false) => self.person(number, DeliveryEvent::PersonSaysAbsent, self.now).await,
            Op::Keep(worker) => self.keep(worker).await,
            Op::Kept(worker, renewed) => self.kept(worker, renewed).await,
            Op::SignIn => self.sign_in().await,
        }
        self.compare().await;
    }

    /// The claim takes exactly what is due and free, and doubts what was being committed.
    async fn claim(&mut self, worker: usize, unclear: bool) {
        let (now, lease) = (self.now, LeaseId(self.id()));
        let until = now + LEASE;
        let mut tx = self.store.begin().await.unwrap();
        let claim = Claim { platform: Pinterest, unclear, most: 10, lease, holder: node(worker), now, wall: now, until };
        let claimed = tx.claim_deliveries(&claim).await.unwrap();
        let is_unclear = |state: &DeliveryState| matches!(state, DeliveryState::Committing { .. } | DeliveryState::Confirming { .. });
        let mut wanted: Vec<DeliveryId> = Vec::new();
        for (number, row) in self.expected.iter().enumerate() {
            let is_free = row.lease.is_none_or(|(_, _, until)| has_run_out(until, now));
            if row.work_at.is_some_and(|due| due <= now) && is_free && is_unclear(&row.state) == unclear {
                wanted.push(delivery_id(number));
            }
        }
        let mut got: Vec<DeliveryId> = claimed.iter().map(|claimed| claimed.id).collect();
        got.sort_by_key(|id| id.0);
        assert_eq!(got, wanted, "claimed");
        let mut together = Together::default();
        for mut claimed in claimed {
            let number = usize::from(claimed.id.0[0] - 10);
            assert_eq!(claimed.generation, self.generation, "the claim sees the newest pair");
            self.expected[number].lease = Some((lease, worker, until));
            let events = match claimed.state.duty(claimed.due_at, now) {
                Duty::Begin if matches!(self.login, GrantState::SignInNeeded { .. }) => {
                    vec![DeliveryEvent::Miss(domain::delivery::MissedWhy::Disconnected)]
                }
                Duty::Begin => vec![DeliveryEvent::Claimed],
                Duty::Doubt => vec![DeliveryEvent::OutcomeUnknown],
                Duty::AskAndLook => vec![DeliveryEvent::Ask],
                _ => Vec::new(),
            };
            let mut state = claimed.state.clone();
            for event in events {
                state = state.after(event, now).unwrap();
            }
            let keep = (!matches!(state, DeliveryState::Missed { .. })).then_some(until);
            let to = self.to(&claimed, state.clone(), if keep.is_some() { Some(claimed.work_at) } else { None }, keep);
            tx.move_delivery(&to, &mut together).await.unwrap();
            self.write(number, &to, worker);
            claimed.state = state;
            if keep.is_some() {
                self.workers[worker].held.retain(|held| held.id != claimed.id);
                self.workers[worker].held.push(claimed);
            }
        }
        tx.end_together(together, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A move with the notices that the publisher sends with it.
    fn to(&mut self, claimed: &Claimed, state: DeliveryState, work_at: Option<Timestamp>, keep_until: Option<Timestamp>) -> Move {
        let number = usize::from(claimed.id.0[0] - 10);
        let mut also = Vec::new();
        let (was, fresh) = (claimed.state.code(), ThreadId(self.id()));
        match state {
            DeliveryState::Unconfirmed { .. } if was != "unconfirmed" => also.push(Also::Tell(root(number), Stage::NeedsAnswer, fresh)),
            DeliveryState::Missed { .. } if was != "missed" => {
                also.push(Also::TellMissed(Root::Login { grant: GRANT }, store::publishing::Behind::Login(GRANT), fresh));
            }
            DeliveryState::Published { .. } => also.push(Also::Back(root(number))),
            _ => {}
        }
        let mut records = Vec::new();
        if matches!(state, DeliveryState::Committing { .. }) {
            let id = AttemptId(self.id());
            records.push(Record { id, kind: "commit", at: self.now, ended_at: None, outcome: None, detail: None });
        }
        Move {
            workspace: WORKSPACE,
            delivery: claimed.id,
            lease: claimed.lease,
            fence: claimed.fence,
            state,
            work_at,
            keep_until,
            is_checked: false,
            step: None,
            records,
            ended: None,
            also,
            now: self.now,
        }
    }

    /// What a move that was written makes of the expected row.
    fn write(&mut self, number: usize, to: &Move, worker: usize) {
        let row = &mut self.expected[number];
        assert!(!(row.may_be_out && matches!(to.state, DeliveryState::Committing { .. })), "a second commit while the first may be out");
        row.may_be_out = match to.state {
            DeliveryState::Committing { .. } => true,
            DeliveryState::Confirming { .. } | DeliveryState::Unconfirmed { .. } => row.may_be_out,
            _ => false,
        };
        (row.state, row.work_at) = (to.state.clone(), to.work_at);
        row.lease = to.keep_until.map(|until| (to.lease, worker, until));
    }

    fn holds(&self, claimed: &Claimed) -> bool {
        let number = usize::from(claimed.id.0[0] - 10);
        self.expected[number].lease.is_some_and(|(lease, ..)| lease == claimed.lease)
    }

    /// Writes a move of a delivery in a worker's hands. Without its lease nothing is written.
    async fn move_it(&mut self, worker: usize, mut claimed: Claimed, events: &[DeliveryEvent], goes_on: bool, also: Option<Also>) {
        let number = usize::from(claimed.id.0[0] - 10);
        let mut state = claimed.state.clone();
        for event in events {
            let Ok(next) = state.after(event.clone(), self.now) else { return };
            state = next;
        }
        let work_at = if goes_on { Some(claimed.work_at) } else { self.work_at(&state) };
        let until = goes_on.then(|| self.now + LEASE);
        let mut to = self.to(&claimed, state.clone(), work_at, until);
        to.also.splice(0..0, also);
        let mut tx = self.store.begin().await.unwrap();
        let mut together = Together::default();
        let moved = tx.move_delivery(&to, &mut together).await;
        if !self.holds(&claimed) {
            assert!(matches!(moved, Err(StoreError::LeaseLost)), "written without the lease: {moved:?}");
            return;
        }
        let is_stale = to.also.iter().any(|also| matches!(also, Also::RefuseLogin(_, used, ..) if !speaks_of(*used, self.generation)));
        if is_stale {
            assert!(matches!(moved, Err(StoreError::Changed)), "an older pair speaks for a newer one: {moved:?}");
            return;
        }
        moved.unwrap();
        tx.end_together(together, self.now).await.unwrap();
        tx.commit().await.unwrap();
        self.write(number, &to, worker);
        if to.also.iter().any(|also| matches!(also, Also::RefuseLogin(..)))
            && let Ok(next) = self.login.after_refusal(Class::Revoked, Cause::UserAction, self.now)
        {
            self.login = next;
        }
        if goes_on {
            claimed.state = state;
            self.workers[worker].held.push(claimed);
        }
    }

    fn work_at(&self, state: &DeliveryState) -> Option<Timestamp> {
        match state {
            DeliveryState::Waiting { retry_at, .. } => Some(*retry_at),
            DeliveryState::Scheduled => Some(self.now),
            state => state.next_look(self.now),
        }
    }

    fn take(&mut self, worker: usize, number: usize) -> Option<Claimed> {
        let held = &mut self.workers[worker].held;
        let at = held.iter().position(|held| held.id == delivery_id(number))?;
        Some(held.remove(at))
    }

    /// From preparing to the intent; from the intent to what became of it.
    async fn go(&mut self, worker: usize, number: usize, met: Met) {
        let Some(claimed) = self.take(worker, number) else { return };
        let not_done = DeliveryEvent::NotDone { retry_at: self.now + minutes(1), give_up_at: self.now + hours(3) };
        match (&claimed.state, met) {
            (DeliveryState::Preparing { .. }, _) => self.move_it(worker, claimed, &[DeliveryEvent::CommitIntended], true, None).await,
            (DeliveryState::Committing { .. }, Met::Accepted) => {
                let accepted = DeliveryEvent::Accepted { remote_id: format!("r{number}"), link: None };
                self.move_it(worker, claimed, &[accepted], false, None).await;
            }
            (DeliveryState::Committing { .. }, Met::Lost) => {
                self.move_it(worker, claimed, &[DeliveryEvent::OutcomeUnknown], true, None).await;
            }
            (DeliveryState::Committing { .. }, Met::NotDone) => self.move_it(worker, claimed, &[not_done], false, None).await,
            (DeliveryState::Committing { .. }, Met::Refused) => {
                let also = Also::RefuseLogin(GRANT, claimed.generation, Box::new(verdict(self.now)), ThreadId(self.id()));
                let events = [not_done, DeliveryEvent::Miss(domain::delivery::MissedWhy::Disconnected)];
                self.move_it(worker, claimed, &events, false, Some(also)).await;
            }
            _ => self.workers[worker].held.push(claimed),
        }
    }

    async fn look(&mut self, worker: usize, number: usize, is_found: bool) {
        let Some(claimed) = self.take(worker, number) else { return };
        if !matches!(claimed.state, DeliveryState::Confirming { .. } | DeliveryState::Unconfirmed { .. }) {
            self.workers[worker].held.push(claimed);
            return;
        }
        let found = DeliveryEvent::Found { remote_id: format!("r{number}"), link: None, created_at: self.now };
        let events = match is_found {
            true => vec![found],
            false if claimed.state.is_to_ask(self.now) => vec![DeliveryEvent::Ask],
            false => Vec::new(),
        };
        self.move_it(worker, claimed, &events, false, None).await;
    }

    /// What a person does counts only in the states that the table lists, whoever holds a lease.
    async fn person(&mut self, number: usize, event: DeliveryEvent, due_at: Timestamp) {
        let mut tx = self.store.begin().await.unwrap();
        let before = tx.delivery(WORKSPACE, delivery_id(number)).await.unwrap().unwrap();
        let is_resent = matches!(event, DeliveryEvent::PersonSaysAbsent | DeliveryEvent::Reschedule);
        let Ok(state) = before.state.after(event, self.now) else { return };
        let due_at = if is_resent { due_at } else { before.due_at };
        let work_at = (state == DeliveryState::Scheduled).then_some(due_at);
        let changed = Delivery { state: state.clone(), due_at, work_at, ..before.clone() };
        tx.change_delivery(WORKSPACE, &before, &changed, self.now).await.unwrap();
        if matches!(before.state, DeliveryState::Unconfirmed { .. }) {
            tx.back_to_normal(WORKSPACE, &root(number), self.now).await.unwrap();
        }
        tx.commit().await.unwrap();
        let row = &mut self.expected[number];
        (row.state, row.due_at, row.work_at, row.lease, row.may_be_out) = (state, due_at, work_at, None, false);
    }

    /// Leases the login and writes the intent; the request is out until [`Op::Kept`].
    async fn keep(&mut self, worker: usize) {
        let (now, id) = (self.now, LeaseId(self.id()));
        let lease = NewLease { id, holder: node(worker), wall: now, until: now + LEASE };
        let leased = self.store.lease_grants(Pinterest, 1, now, &lease).await.unwrap();
        let due = match self.login {
            GrantState::Live => self.refresh_at,
            GrantState::Retrying { retry_at, .. } => Some(retry_at),
            GrantState::SignInNeeded { .. } | GrantState::Unlinked => None,
        };
        let is_free = self.login_lease.is_none_or(|(_, _, until)| has_run_out(until, now));
        assert_eq!(leased.len(), usize::from(is_free && due.is_some_and(|due| due <= now)), "leased");
        let Some(leased) = leased.into_iter().next() else { return };
        self.login_lease = Some((id, worker, lease.until));
        let attempt = AttemptId(self.id());
        let mut tx = self.store.begin().await.unwrap();
        let held = tx.lock_leased(GRANT, id).await.unwrap().unwrap();
        let answer_lost = tx.begin_attempt(attempt, &held, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(answer_lost, self.unclear.iter().any(|(_, generation)| *generation == held.generation), "an answer was lost");
        self.unclear.push((attempt, held.generation));
        self.workers[worker].renewal = Some((leased, attempt, held.generation, answer_lost));
    }

    async fn kept(&mut self, worker: usize, renewed: Renewed) {
        let Some((leased, attempt, used, answer_lost)) = self.workers[worker].renewal.take() else { return };
        let (now, lease) = (self.now, leased.lease);
        let (kept_as, outcome) = match renewed {
            Renewed::Pair => (AttemptOutcome::Renewed, RefreshOutcome::Renewed),
            Renewed::Lost => (AttemptOutcome::Unknown, RefreshOutcome::Unknown),
            Renewed::NotDone => (AttemptOutcome::NotDone, RefreshOutcome::NotDone),
            Renewed::Refused => (AttemptOutcome::Refused, RefreshOutcome::Refused(Cause::UserAction)),
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.end_attempt(attempt, kept_as, None, now).await.unwrap();
        if !matches!(renewed, Renewed::Lost) {
            self.unclear.retain(|(id, _)| *id != attempt);
        }
        let holds = self.login_lease.is_some_and(|(id, ..)| id == lease);
        let round = Round { now, wait: minutes(1), answer_lost };
        if let Renewed::Pair = renewed {
            let mut held = tx.lock_grant(WORKSPACE, GRANT).await.unwrap().unwrap();
            let fresh = used + 1;
            assert_eq!(becomes_newest(fresh, held.generation, held.state), fresh > self.generation);
            if becomes_newest(fresh, held.generation, held.state) {
                assert!(tx.add_generation(WORKSPACE, GRANT, &pair(fresh), &times(now)).await.unwrap());
                (held.generation, held.tokens) = (fresh, times(now));
                held.schedule.refresh_at = Some(now + minutes(2));
                held.state = held.state.after_refresh(outcome, &round).unwrap_or(GrantState::Live);
                tx.save_grant(&held).await.unwrap();
                tx.back_to_normal(WORKSPACE, &Root::Login { grant: GRANT }, now).await.unwrap();
                (self.generation, self.login, self.refresh_at) = (fresh, held.state, held.schedule.refresh_at);
            }
        } else {
            let locked = tx.lock_leased(GRANT, lease).await.unwrap();
            assert_eq!(locked.is_some(), holds, "the lease");
            if let Some(mut held) = locked.filter(|held| speaks_of(used, held.generation))
                && let Ok(next) = held.state.after_refresh(outcome, &round)
            {
                if matches!(next, GrantState::SignInNeeded { .. }) {
                    let fresh = ThreadId(self.id());
                    tx.lose_login(&mut held, next, Some(&verdict(now)), fresh, now).await.unwrap();
                } else {
                    held.state = next;
                    tx.save_grant(&held).await.unwrap();
                }
                self.login = next;
            }
        }
        assert_eq!(tx.release_grant(GRANT, lease).await.unwrap(), holds, "the lease");
        tx.commit().await.unwrap();
        if holds {
            self.login_lease = None;
        }
    }

    async fn sign_in(&mut self) {
        let now = self.now;
        let mut tx = self.store.begin().await.unwrap();
        let mut held = tx.lock_grant(WORKSPACE, GRANT).await.unwrap().unwrap();
        held.generation += 1;
        held.state = held.state.after_consent();
        held.tokens = times(now);
        held.schedule.refresh_at = Some(now + minutes(2));
        tx.save_grant(&held).await.unwrap();
        assert!(tx.add_generation(WORKSPACE, GRANT, &pair(held.generation), &held.tokens).await.unwrap());
        tx.back_to_normal(WORKSPACE, &Root::Login { grant: GRANT }, now).await.unwrap();
        tx.commit().await.unwrap();
        (self.generation, self.login, self.refresh_at) = (held.generation, held.state, held.schedule.refresh_at);
    }

    /// The database says what the model says, and what must hold always does.
    async fn compare(&self) {
        for (number, expected) in self.expected.iter().enumerate() {
            let found = self.store.delivery(WORKSPACE, delivery_id(number)).await.unwrap().unwrap();
            assert_eq!(
                (&found.state, found.due_at, found.work_at),
                (&expected.state, expected.due_at, expected.work_at),
                "delivery {number}"
            );
            let (_, lease) = self.store.delivery_state(delivery_id(number)).await.unwrap().unwrap();
            // A lease that its own node gave up stays in the row, and counts for nobody.
            if let Some((id, ..)) = expected.lease {
                assert_eq!(lease, Some(id), "lease of {number}");
            }
            assert!(is_done(&found.state) || found.work_at.is_some(), "no way out of {:?}", found.state);
        }
        let grant = self.store.grant(WORKSPACE, GRANT).await.unwrap().unwrap();
        assert_eq!((grant.state, grant.generation), (self.login, self.generation), "the login");
        let newest = self.store.newest_generation(WORKSPACE, GRANT).await.unwrap().unwrap();
        assert_eq!(newest, pair(self.generation), "the newest pair is the one of the login");
        self.notices(&grant).await;
    }

    /// One open question for each delivery that waits for a person, one open story for a lost login, and none without cause.
    async fn notices(&self, grant: &Grant) {
        let threads = self.store.threads(WORKSPACE, PERSON, true, 100).await.unwrap();
        let open: Vec<_> = threads.iter().filter(|thread| thread.resolved_at.is_none()).collect();
        for (number, expected) in self.expected.iter().enumerate() {
            let asked = open.iter().filter(|thread| thread.root == root(number) && thread.stage == Stage::NeedsAnswer).count();
            assert_eq!(asked, usize::from(matches!(expected.state, DeliveryState::Unconfirmed { .. })), "questions about {number}");
        }
        let told = open.iter().filter(|thread| thread.root == Root::Login { grant: GRANT }).count();
        assert!(told <= 1, "one story of one login");
        assert!(told == 1 || !matches!(grant.state, GrantState::SignInNeeded { .. }), "a lost login is told");
    }

    /// Everything is left to one worker that does its duty at a platform that answers: all ends.
    async fn end(&mut self) {
        self.sign_in().await;
        for _ in 0..60 {
            if self.expected.iter().all(|row| is_done(&row.state)) {
                return;
            }
            self.now = self.now + Duration::from_secs(130);
            for unclear in [true, false] {
                self.claim(0, unclear).await;
                for number in 0..COUNT {
                    self.go(0, number, Met::Accepted).await;
                    self.go(0, number, Met::Accepted).await;
                    self.look(0, number, false).await;
                }
            }
            self.compare().await;
        }
        panic!("no end: {:?}", self.expected);
    }
}

/// Settled, or a person was asked.
fn is_done(state: &DeliveryState) -> bool {
    use DeliveryState as S;
    matches!(state, S::Published { .. } | S::Missed { .. } | S::Failed { .. } | S::Canceled { .. } | S::Unconfirmed { .. })
}

/// Tells random stories, each on a fresh database.
fn tell(kind: &str, fresh: impl Fn(&tokio::runtime::Runtime) -> Option<Fresh>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: cases(), failure_persistence: None, max_shrink_iters: 200, ..Config::default() });
    let stories = prop::collection::vec(op(), 10..60);
    let told = runner.run(&stories, |ops| {
        let Some(fresh) = fresh(&runtime) else { return Ok(()) };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut story = Story::begin(&fresh.store).await;
                for op in &ops {
                    story.tell(*op).await;
                }
                story.end().await;
            });
        }));
        outcome.map_err(|panic| {
            let words = panic.downcast_ref::<String>().cloned();
            TestCaseError::fail(words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
        })
    });
    if let Err(error) = told {
        panic!("{kind}: {error}");
    }
}

#[test]
fn whatever_happens_sqlite_says_what_the_model_says() {
    tell("sqlite", |runtime| Some(runtime.block_on(testkit::db::sqlite())));
}

#[test]
fn whatever_happens_postgresql_says_what_the_model_says() {
    if std::env::var_os("STAYPOSTED_TEST_POSTGRES_URL").is_none() {
        return;
    }
    tell("postgres", |runtime| runtime.block_on(testkit::db::postgres()));
}
