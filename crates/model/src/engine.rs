//! The model as stateright explores it: what can happen next, and what comes of it.

use std::time::Duration;

use domain::delivery::{DeliveryEvent, DeliveryState};
use domain::grant::GrantState;
use domain::lease::{CLOCKS_DIFFER, LONGEST_CALL, MARGIN, has_run_out};
use domain::time::Timestamp;
use stateright::{Model, Property};

use crate::canonical;
use crate::platform::Outcome;
use crate::properties;
use crate::state::{Job, KeepStep, LoginRow, Platform, Row, START, State, Step, Told, Worker};

/// What keeps the engine's promise. Each can be taken away, to see what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// A write counts only while its lease holds the row.
    pub fence: bool,
    /// The intent is on disk before the request leaves.
    pub write_ahead: bool,
    /// What was said of a pair of tokens is held against the newest pair before it counts.
    pub re_read: bool,
    /// A request leaves only while its lease is trusted.
    pub trust_window: bool,
}

impl Guards {
    /// As the server runs.
    pub const ALL: Self = Self { fence: true, write_ahead: true, re_read: true, trust_window: true };
}

/// How logins work at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// We renew; a refresh token that is shown twice ends the login.
    Strict,
    /// We renew; a refresh token that is shown twice brings the same pair again.
    Forgiving,
    /// Only a person renews, and they may end it.
    Lasting,
}

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    /// What keeps the promise.
    pub guards: Guards,
    /// How many faults may happen.
    pub faults: u8,
    /// How often the person may sign in again.
    pub consents: u8,
    /// How often the person may answer.
    pub words: u8,
    /// How logins work.
    pub login: Login,
    /// Whether both deliveries have the same words, so that the platform's list cannot tell them apart.
    pub same_words: bool,
    /// How many deliveries there are, two at most.
    pub deliveries: usize,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A worker claims a delivery.
    Claim(usize, usize),
    /// A worker goes on with a delivery.
    Go(usize, usize),
    /// The list that it looks at does not show the newest posts yet.
    LookInVain(usize, usize),
    /// A worker leases the login.
    Keep(usize),
    /// A worker goes on with the login.
    GoKeep(usize),
    /// A request meets its outcome.
    Meet(usize, Outcome),
    /// A worker dies.
    Crash(usize),
    /// It is started again and takes its own rows back.
    Start(usize),
    /// A worker is stopped, or so slow that it might as well be.
    Stop(usize),
    /// It goes on where it was.
    Continue(usize),
    /// Time passes until something is due.
    Pass,
    /// The person who was asked says whether the post is there.
    Answer(usize),
    /// The person signs in again.
    SignIn,
    /// The person takes the consent back at the platform.
    Withdraw,
}

impl Engine {
    /// As the server runs.
    pub const fn new(login: Login, deliveries: usize, faults: u8) -> Self {
        Self { guards: Guards::ALL, faults, consents: 0, words: 1, login, same_words: false, deliveries }
    }

    /// The clock of a worker: the second one's is ahead.
    pub(crate) fn clock(&self, state: &State, worker: usize) -> Timestamp {
        if worker == 0 { state.now } else { state.now + CLOCKS_DIFFER }
    }

    pub(crate) const fn is_renewable(&self) -> bool {
        !matches!(self.login, Login::Lasting)
    }

    fn can_claim(&self, state: &State, worker: usize, delivery: usize) -> bool {
        let (row, clock) = (&state.rows[delivery], self.clock(state, worker));
        let is_free = row.lease.is_none_or(|lease| has_run_out(lease.until, clock));
        is_free && row.work_at.is_some_and(|due| due <= clock) && state.workers[worker].jobs[delivery].is_none()
    }

    fn can_keep(&self, state: &State, worker: usize) -> bool {
        let clock = self.clock(state, worker);
        let is_free = state.login.lease.is_none_or(|lease| has_run_out(lease.until, clock));
        is_free && state.login.work_at().is_some_and(|due| due <= clock) && state.workers[worker].keep.is_none()
    }

    /// What workers do without being waited for.
    fn work(&self, state: &State, events: &mut Vec<Event>) {
        for (number, worker) in state.workers.iter().enumerate().filter(|(_, worker)| worker.works()) {
            for delivery in 0..2 {
                match &worker.jobs[delivery] {
                    Some(Job { step: Step::Sent, .. }) => {}
                    Some(_) => events.push(Event::Go(number, delivery)),
                    None if self.can_claim(state, number, delivery) => events.push(Event::Claim(number, delivery)),
                    None => {}
                }
            }
            match &worker.keep {
                Some(keep) if keep.step == KeepStep::Sent => {}
                Some(_) => events.push(Event::GoKeep(number)),
                None if self.can_keep(state, number) => events.push(Event::Keep(number)),
                None => {}
            }
        }
    }

    /// The next moment at which something can be otherwise than now.
    fn next_moment(&self, state: &State) -> Option<Timestamp> {
        let mut moments: Vec<Timestamp> = state.wire.iter().map(|request| request.until).collect();
        for worker in 0..2 {
            let ahead = self.clock(state, worker).since(state.now);
            for row in &state.rows {
                moments.extend(row.work_at.map(|due| due.max(row.lease.map_or(due, |lease| lease.until)) - ahead));
            }
            let login = &state.login;
            moments.extend(login.work_at().map(|due| due.max(login.lease.map_or(due, |lease| lease.until)) - ahead));
            if state.workers[worker].is_stopped {
                // Just before its trust ends it may still send, just after that no more.
                let jobs = state.workers[worker].jobs.iter().flatten().filter(|job| job.step == Step::Intended).map(|job| job.until);
                let keep = state.workers[worker].keep.iter().filter(|keep| keep.step == KeepStep::Held).map(|keep| keep.until);
                for until in jobs.chain(keep) {
                    let end = until - MARGIN - ahead;
                    moments.extend([end - Duration::from_secs(1), end]);
                }
            }
        }
        moments.into_iter().filter(|moment| *moment > state.now).min()
    }

    /// Whether nothing more happens by itself.
    pub(crate) fn is_at_rest(&self, state: &State) -> bool {
        let mut work = Vec::new();
        self.work(state, &mut work);
        work.is_empty() && state.wire.is_empty() && state.workers.iter().all(Worker::works) && self.next_moment(state).is_none()
    }
}

impl Model for Engine {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        let row = |exists: bool| Row {
            state: if exists { DeliveryState::Scheduled } else { DeliveryState::Canceled { why: domain::delivery::CanceledWhy::Person } },
            work_at: exists.then_some(START),
            lease: None,
            fence: 0,
            attempts: 0,
        };
        vec![State {
            now: START,
            rows: [row(self.deliveries > 0), row(self.deliveries > 1)],
            login: LoginRow {
                state: GrantState::Live,
                generation: 1,
                pair: 1,
                best: 1,
                refresh_at: self.is_renewable().then_some(START),
                lease: None,
                fence: 0,
                attempts: Vec::new(),
            },
            workers: [Worker::default(), Worker::default()],
            wire: Vec::new(),
            platform: Platform { posts: Vec::new(), live: 1, is_revoked: false, is_answer_lost: false, is_lost_by_us: false },
            told: Told::default(),
            faults: self.faults,
            consents: self.consents,
            words: self.words,
        }]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        self.work(state, events);
        let is_work_left = !events.is_empty();
        let is_faulty = state.faults > 0;
        for number in 0..2 {
            let worker = &state.workers[number];
            if worker.is_down {
                events.push(Event::Start(number));
                continue;
            }
            if worker.is_stopped {
                events.push(Event::Continue(number));
            }
            // A worker with nothing in its hands does nothing else when it is gone.
            // One that is stopped for good is as good as dead.
            if is_faulty && worker.works() && (worker.keep.is_some() || worker.jobs.iter().any(Option::is_some)) {
                events.extend([Event::Crash(number), Event::Stop(number)]);
            }
            for delivery in 0..2 {
                let is_looking = matches!(&worker.jobs[delivery], Some(job) if job.step == Step::Look);
                if is_faulty && worker.works() && is_looking && !state.platform.posts.is_empty() {
                    events.push(Event::LookInVain(number, delivery));
                }
            }
        }
        for (index, request) in state.wire.iter().enumerate() {
            events.extend(self.outcomes(state, request).into_iter().map(|outcome| Event::Meet(index, outcome)));
        }
        for (number, row) in state.rows.iter().enumerate() {
            if state.words > 0 && matches!(row.state, DeliveryState::Unconfirmed { .. }) {
                events.push(Event::Answer(number));
            }
        }
        if state.consents > 0 {
            events.push(Event::SignIn);
        }
        if is_faulty && self.login == Login::Lasting && !state.platform.is_revoked {
            events.push(Event::Withdraw);
        }
        let is_wire_quiet = state.wire.iter().all(|request| request.until > state.now);
        if !is_work_left && is_wire_quiet && self.next_moment(state).is_some() {
            events.push(Event::Pass);
        }
    }

    fn next_state(&self, last: &State, event: Event) -> Option<State> {
        let mut state = last.clone();
        match event {
            Event::Claim(worker, delivery) => self.claim(&mut state, worker, delivery),
            Event::Go(worker, delivery) => self.go(&mut state, worker, delivery, true),
            Event::LookInVain(worker, delivery) => {
                state.faults -= 1;
                self.go(&mut state, worker, delivery, false);
            }
            Event::Keep(worker) => self.keep(&mut state, worker),
            Event::GoKeep(worker) => self.go_keep(&mut state, worker),
            Event::Meet(index, outcome) => self.meet(&mut state, index, outcome),
            Event::Crash(number) => {
                state.faults -= 1;
                self.leave(&mut state, number);
                state.workers[number] = Worker { is_down: true, ..Worker::default() };
                // What has left may still arrive.
                let over = state.now + LONGEST_CALL;
                for request in state.wire.iter_mut().filter(|request| request.from == number) {
                    (request.is_awaited, request.until) = (false, request.until.min(over));
                }
            }
            Event::Start(number) => {
                state.workers[number].is_down = false;
                for row in &mut state.rows {
                    row.lease = row.lease.filter(|lease| lease.holder != number);
                }
                state.login.lease = state.login.lease.filter(|lease| lease.holder != number);
            }
            Event::Stop(number) => {
                state.faults -= 1;
                self.leave(&mut state, number);
                state.workers[number].is_stopped = true;
            }
            Event::Continue(number) => state.workers[number].is_stopped = false,
            Event::Pass => state.now = self.next_moment(&state)?,
            Event::Answer(delivery) => Self::answer(&mut state, delivery),
            Event::SignIn => {
                state.consents -= 1;
                let platform = &mut state.platform;
                (platform.live, platform.is_revoked, platform.is_answer_lost) = (platform.live + 1, false, false);
                let login = &mut state.login;
                login.generation += 1;
                (login.pair, login.best) = (platform.live, platform.live);
                login.state = login.state.after_consent();
                login.refresh_at = None;
                login.attempts.clear();
            }
            Event::Withdraw => {
                state.faults -= 1;
                state.platform.is_revoked = true;
            }
        }
        canonical::make(&mut state, self.guards.write_ahead);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Engine {
    /// The person who was asked looks at the platform and says what is so.
    fn answer(state: &mut State, delivery: usize) {
        let is_there = state.platform.posts.contains(&delivery);
        let word = if is_there { DeliveryEvent::PersonSaysThere } else { DeliveryEvent::PersonSaysAbsent };
        state.words -= 1;
        let (now, row) = (state.now, &mut state.rows[delivery]);
        let Ok(next) = row.state.after(word, now) else { return };
        (row.lease, row.attempts) = (None, 0);
        row.work_at = (next == DeliveryState::Scheduled).then_some(now);
        row.state = next;
        state.told.asked[delivery] = 0;
    }

    /// A worker that dies or stops in the middle of a renewal has its answer no more.
    fn leave(&self, state: &mut State, worker: usize) {
        if matches!(&state.workers[worker].keep, Some(keep) if matches!(keep.step, KeepStep::Sent | KeepStep::Answered(_))) {
            state.platform.is_answer_lost = true;
        }
    }
}
