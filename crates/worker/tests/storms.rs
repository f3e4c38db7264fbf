//! Many at once (reliability R3, B5, B6). `STAYPOSTED_TEST_LONG` (set by `cargo xtask test --all`) takes the numbers that
//! are promised; without it there are fewer of everything.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::grant::{GrantState, Schedule, TokenTimes};
use domain::id::{GrantId, NodeId};
use domain::platform::Platform::Pinterest;
use domain::policy;
use domain::role::Caller;
use domain::time::{Timestamp, days, hours, minutes};
use platforms::adapter::Tokens;
use platforms::secret::{AccessToken, RefreshToken};
use serde_json::{Value, json};
use store::grants::Grant;
use testkit::FakeClock;
use testkit::backend::{Backend, Joining, MARA};
use worker::keeper::Keeper;

fn long_or(short: usize, long: usize) -> usize {
    if std::env::var_os("STAYPOSTED_TEST_LONG").is_some() { long } else { short }
}

const PROCESSES: u8 = 4;
/// Names the process of a storm; unset in the test that starts them.
const NUMBER: &str = "STAYPOSTED_STORM_PROCESS";

/// A process of this very program that only tells `a_process_of_the_storm`.
struct Process {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(number: u8, joining: &Joining, callers: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_process_of_the_storm", "--exact", "--nocapture"])
            .env(NUMBER, number.to_string())
            .env("STAYPOSTED_STORM_CALLERS", callers.to_string())
            .env("STAYPOSTED_STORM_DATABASE", &joining.database)
            .env("STAYPOSTED_STORM_KEYS", &joining.keys)
            .env("STAYPOSTED_STORM_PLATFORMS", &joining.platforms)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn tell(&mut self, at: Timestamp) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{}", at.0).unwrap();
    }

    /// How many logins it has begun in the round that was told last.
    fn hear(&mut self) -> usize {
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some(begun) = line.trim().strip_prefix("begun ") {
                return begun.parse().unwrap();
            }
            line.clear();
        }
        panic!("a process of the storm has ended");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: what each process of the storm does, round by round, at the moments that it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_the_storm() {
    let Ok(number) = std::env::var(NUMBER) else { return };
    let number: u8 = number.parse().unwrap();
    let var = |name: &str| std::env::var(format!("STAYPOSTED_STORM_{name}")).unwrap();
    let joining = Joining { database: var("DATABASE"), keys: var("KEYS"), platforms: var("PLATFORMS") };
    let (services, world, wall) = joining.join().await;
    let node = |caller: usize| {
        let mut id = [number + 1; 16];
        id[8..].copy_from_slice(&u64::try_from(caller).unwrap().to_be_bytes());
        NodeId(id)
    };
    let mut keepers: Vec<Keeper> = (0..var("CALLERS").parse().unwrap()).map(|caller| Keeper::new(services.clone(), node(caller))).collect();
    for line in std::io::stdin().lines() {
        let at = Timestamp(line.unwrap().trim().parse().unwrap());
        world.set(at);
        wall.set(at);
        let mut callers = tokio::task::JoinSet::new();
        for mut keeper in keepers.drain(..) {
            callers.spawn(async move {
                let begun = keeper.tick().await.unwrap();
                keeper.idle().await;
                (keeper, begun)
            });
        }
        let mut begun = 0;
        while let Some(done) = callers.join_next().await {
            let (keeper, count) = done.unwrap();
            keepers.push(keeper);
            begun += count;
        }
        writeln!(std::io::stdout(), "begun {begun}").unwrap();
    }
}

async fn token_requests(backend: &Backend) -> Vec<Value> {
    let calls = backend.calls(Pinterest).await;
    calls.into_iter().filter(|call| call["path"].as_str().unwrap().ends_with("/oauth/token")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_callers_on_one_login_makes_one_token_request_a_round_and_loses_no_family() {
    for fresh in testkit::db::each().await {
        let backend = Backend::on(fresh).await;
        let caller = backend.owner().await;
        // Strict: whoever shows a spent refresh token loses all of that consent.
        backend.knobs(Pinterest, json!({ "revoke_family_on_reuse": true })).await;
        backend.link(&caller, Pinterest, MARA).await;
        let id = backend.account(&caller, "Mara Jung").await.1;
        let callers = long_or(10, 250);
        let mut processes: Vec<Process> = (0..PROCESSES).map(|number| Process::start(number, &backend.joining(), callers)).collect();
        for round in 0..long_or(3, 20) {
            let grant = login(&backend, &caller, id).await;
            let due = grant.schedule.refresh_at.unwrap();
            backend.pass(due.since(backend.now()));
            let before = token_requests(&backend).await.len();
            processes.iter_mut().for_each(|process| process.tell(due));
            let begun: usize = processes.iter_mut().map(Process::hear).sum();
            // The daily check may be due as well, once the login is renewed.
            assert!((1..=2).contains(&begun), "{}, round {round}: {begun} begun", backend.kind);
            assert_eq!(token_requests(&backend).await.len(), before + 1, "{}, round {round}", backend.kind);
            let after = login(&backend, &caller, id).await;
            assert_eq!((after.state, after.generation), (GrantState::Live, grant.generation + 1), "{}, round {round}", backend.kind);
        }
    }
}

async fn login(backend: &Backend, caller: &Caller, id: GrantId) -> Grant {
    backend.services.store.grant(caller.workspace, id).await.unwrap().unwrap()
}

/// When all logins of the second storm come due, and their access tokens end a minute later.
const DUE: Timestamp = FakeClock::START;

/// Logins that the platform knows, all of one person: the storm needs their number, not their faces.
async fn many_logins(backend: &Backend, caller: &Caller, count: usize) -> Vec<GrantId> {
    let apps = backend.services.store.platform_apps().await.unwrap();
    let app = apps.iter().find(|app| app.platform == Pinterest).unwrap().id;
    let scopes: Vec<&str> = policy::PINTEREST.scopes.iter().map(|scope| scope.name).collect();
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        let issued_at = Timestamp(DUE.0 - i64::try_from(days(20).as_micros()).unwrap());
        let seeded = backend.simulator.seed_grant(Pinterest, "mara-jung", &scopes, &[], issued_at).unwrap();
        let id = GrantId(backend.services.new_id());
        let times = TokenTimes {
            issued_at,
            access_expires_at: Some(DUE + minutes(1)),
            refresh_expires_at: seeded.refresh_expires_at,
            has_refresh: true,
        };
        let grant = Grant {
            id,
            workspace: caller.workspace,
            app,
            platform: Pinterest,
            remote_person: format!("{}-{number}", seeded.person_id),
            login_of: seeded.name,
            scopes: seeded.scopes,
            state: GrantState::Live,
            generation: 1,
            tokens: times,
            schedule: Schedule { refresh_at: Some(DUE), ..Schedule::of(&policy::PINTEREST, &times, 0.0) },
            probe_at: None,
            warn_at: None,
            last_good_at: None,
            verdict: None,
            spread: 0,
            fence: 0,
            linked_at: issued_at,
            signed_in_at: issued_at,
        };
        let refresh = RefreshToken::new(seeded.refresh_token.unwrap());
        let access = AccessToken::new(seeded.access_token);
        let tokens = Tokens { access, refresh: Some(refresh), access_lives: None, refresh_lives: None, scopes: None };
        let pair = backend.services.seal_pair(caller.workspace, id, 1, &tokens, None).await.unwrap();
        let mut tx = backend.services.store.begin().await.unwrap();
        tx.add_grant(&grant).await.unwrap();
        tx.add_generation(caller.workspace, id, &pair, &times).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(id);
    }
    ids
}

/// Lets time pass from due moment to due moment.
async fn pass(backend: &Backend, keeper: &mut Keeper, length: Duration) {
    let target = backend.now() + length;
    loop {
        while keeper.tick().await.unwrap() > 0 {
            keeper.idle().await;
        }
        let now = backend.now();
        if now >= target {
            return;
        }
        let next = keeper.next_due().await.unwrap().unwrap_or(target).min(target);
        backend.pass(next.since(now).max(Duration::from_millis(100)));
    }
}

/// As often as it is asked.
const EVERY: u32 = 1_000_000;

/// The most requests that fell into one minute.
fn busiest_minute(calls: &[Value]) -> usize {
    let mut minutes = std::collections::HashMap::<String, usize>::new();
    for call in calls {
        // "2026-11-20T08:00:13…", cut after the minute.
        *minutes.entry(call["at_iso"].as_str().unwrap()[..16].to_owned()).or_default() += 1;
    }
    minutes.into_values().max().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_logins_meets_a_platform_in_trouble_asks_it_seldom_and_loses_none() {
    for fresh in testkit::db::each().await {
        let backend = Backend::on(fresh).await;
        let caller = backend.owner().await;
        let ids = many_logins(&backend, &caller, long_or(150, 10_000)).await;
        let mut keeper = Keeper::new(backend.services.clone(), backend.node());

        backend.fault(Pinterest, json!({ "kind": "rate_limit", "op": "token", "retry_after": 300, "times": EVERY })).await;
        pass(&backend, &mut keeper, minutes(5) - Duration::from_secs(1)).await;
        let limited = token_requests(&backend).await;
        assert!(limited.iter().all(|call| call["status"] == 429), "{}: {limited:?}", backend.kind);
        // Eight must fail before it is the platform's trouble; so many more may be under way by then.
        let most = 8 + policy::PINTEREST.slots;
        assert!((8..=most).contains(&limited.len()), "{}: {} asked though told to wait", backend.kind, limited.len());

        backend.no_faults(Pinterest).await;
        backend.fault(Pinterest, json!({ "kind": "server_error", "op": "token", "times": EVERY })).await;
        pass(&backend, &mut keeper, hours(1)).await;
        let all = token_requests(&backend).await;
        let away = &all[limited.len()..];
        assert!(away.iter().all(|call| call["status"] == 503));
        assert!((1..=70).contains(&away.len()), "{}: {} asked in the hour", backend.kind, away.len());
        assert!(busiest_minute(away) <= 4, "{}: {} in a minute", backend.kind, busiest_minute(away));
        let inbox = backend.services.inbox(&caller, true).await.unwrap();
        assert_eq!(inbox.rows.len(), 1, "{}: one story, of the platform: {:?}", backend.kind, inbox.rows);
        assert!(!inbox.rows[0].is_resolved);

        backend.no_faults(Pinterest).await;
        pass(&backend, &mut keeper, hours(2)).await;
        for id in &ids {
            let grant = login(&backend, &caller, *id).await;
            assert_eq!((grant.state, grant.generation), (GrantState::Live, 2), "{}", backend.kind);
        }
        let done = token_requests(&backend).await.split_off(all.len());
        assert_eq!(
            (done.len(), done.iter().filter(|call| call["status"] == 200).count()),
            (ids.len(), ids.len()),
            "{}: once each",
            backend.kind
        );
        let inbox = backend.services.inbox(&caller, true).await.unwrap();
        assert_eq!(inbox.rows.iter().map(|row| row.is_resolved).collect::<Vec<_>>(), [true], "{}: back to normal", backend.kind);
    }
}
