//! What happens around us while nobody dies: databases, disks, platforms and machines in trouble.

use super::drive::{is_over, settle_while};
use super::oracle::{self, Allowed};
use super::stage::{Arms, House, Scenario, Setting, Stage, Template};
use crate::process::run;
use anyhow::{Context, Result};
use serde_json::json;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Trouble {
    /// The database server ends at once and comes back.
    PostgresRestarted,
    /// All connections to the database are ended, again and again: also some that are just committing.
    ConnectionsCut,
    /// Nobody gets at the posts and logins for longer than a connection is waited for.
    DatabaseHangs,
    /// A node is stopped for longer than its lease, and goes on as if nothing had been.
    StoppedPastLease,
    /// The clock of one of the machines is five minutes ahead.
    ClockAhead,
    /// Nobody answers at the platforms for an hour of world time.
    PlatformsAway,
    /// The disk says that what it was given is not safe.
    FsyncFails,
    /// The disk is full for a while.
    DiskFull,
    /// A simulated platform has this fault at this kind of call, three times.
    Platform { platform: &'static str, kind: &'static str, op: &'static str },
}

/// Kinds of trouble at a platform that pass by themselves.
const KINDS: [&str; 8] =
    ["rate_limit", "server_error", "slow", "broken_json", "drop_before_accept", "drop_after_accept", "error_after_accept", "listing_lag"];

/// Everything that is tried with a scenario on a setting.
pub(super) fn all(scenario: Scenario, setting: Setting) -> Vec<Trouble> {
    let mut all = match setting {
        Setting::Sqlite => vec![Trouble::PlatformsAway, Trouble::FsyncFails, Trouble::DiskFull],
        Setting::Postgres => {
            vec![Trouble::PostgresRestarted, Trouble::ConnectionsCut, Trouble::DatabaseHangs, Trouble::PlatformsAway]
        }
        Setting::PostgresThreeNodes => vec![Trouble::ClockAhead, Trouble::StoppedPastLease, Trouble::ConnectionsCut],
    };
    if setting == Setting::Sqlite {
        for kind in KINDS {
            match scenario {
                Scenario::Posts => {
                    let ops: &[&str] = if kind == "listing_lag" { &["commit"] } else { &["prepare", "commit", "read"] };
                    for platform in ["facebook", "pinterest"] {
                        all.extend(ops.iter().map(|op| Trouble::Platform { platform, kind, op }));
                    }
                }
                Scenario::Renewals | Scenario::RenewalsWithGrace => {
                    if kind != "listing_lag" {
                        all.extend(["token", "profile"].map(|op| Trouble::Platform { platform: "pinterest", kind, op }));
                    }
                }
            }
        }
    }
    all
}

impl Trouble {
    /// Whether it strikes other worlds too, so that it is tried alone.
    pub(super) fn is_for_all(self) -> bool {
        self == Self::PostgresRestarted
    }

    fn allows(self) -> Allowed {
        match self {
            // An answer may come to a process that cannot write it down.
            Self::PostgresRestarted
            | Self::ConnectionsCut
            | Self::DatabaseHangs
            | Self::StoppedPastLease
            | Self::FsyncFails
            | Self::DiskFull => Allowed { losses: 20, trouble: true, ..Allowed::default() },
            Self::ClockAhead => Allowed::default(),
            Self::PlatformsAway => Allowed { losses: 20, trouble: true, ..Allowed::default() },
            Self::Platform { kind, .. } => Allowed { losses: 3, trouble: true, hidden: kind == "listing_lag", ..Allowed::default() },
        }
    }
}

/// Plays a world in trouble; what must not be.
pub(super) fn play(house: &House, template: &Template, setting: Setting, trouble: Trouble) -> Result<Vec<String>> {
    let mut stage = Stage::set(house, template, setting)?;
    let before = stage.calls("pinterest")?.len();
    let mut complaints = go_through(&mut stage, trouble)
        .and_then(|()| oracle::judge(&mut stage, 1, before, trouble.allows()))
        .unwrap_or_else(|error| vec![format!("{error:#}")]);
    if !complaints.is_empty() {
        stage.is_kept = true;
        complaints.push(format!("kept: {}", stage.folder.display()));
    }
    if trouble == Trouble::DiskFull {
        stage.stop_all();
        drop(run(Command::new("umount").arg(stage.folder.join("node-0"))));
    }
    Ok(complaints)
}

fn go_through(stage: &mut Stage<'_>, trouble: Trouble) -> Result<()> {
    let mut arms = Arms::default();
    match trouble {
        Trouble::FsyncFails => {
            let inject = "inject=fsync,fdatasync:error=EIO:when=12+";
            arms.strace =
                Some(["-f", "-qq", "--output=/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject].map(str::to_owned).to_vec());
        }
        Trouble::DiskFull => small_disk(stage)?,
        Trouble::Platform { platform, kind, op } => {
            stage.fault(platform, &json!({ "kind": kind, "op": op, "times": 3, "seconds": if kind == "slow" { 25 } else { 600 } }))?;
        }
        _ => {}
    }
    stage.add_node(arms)?;
    for _ in 1..stage.setting().nodes() {
        let clock_ahead = if trouble == Trouble::ClockAhead && stage.nodes.len() == 1 { 300 } else { 0 };
        stage.add_node(Arms { clock_ahead, ..Arms::default() })?;
    }
    let calls = stage.calls("pinterest")?.len();
    let mut began: Option<Instant> = None;
    let mut step = 0;
    settle_while(
        stage,
        |truth| is_over(truth, 1),
        |stage| {
            // The trouble begins when the first call of the play has been made: in the middle of everything.
            if began.is_none()
                && (stage.calls("pinterest").is_ok_and(|now| now.len() > calls + 3) || matches!(trouble, Trouble::FsyncFails))
            {
                began = Some(Instant::now());
            }
            let Some(since) = began.map(|began| began.elapsed()) else { return Ok(false) };
            trouble.step(stage, &mut step, since)
        },
    )
}

impl Trouble {
    /// One look at a world in trouble. Whether the trouble is over.
    fn step(self, stage: &mut Stage<'_>, step: &mut u32, since: Duration) -> Result<bool> {
        match self {
            Self::Platform { .. } | Self::ClockAhead => Ok(true),
            Self::PostgresRestarted => {
                if *step == 0 {
                    *step = 1;
                    stage.restart_postgres()?;
                }
                Ok(true)
            }
            Self::ConnectionsCut => {
                let due = u32::try_from(since.as_millis() / 60).unwrap_or(u32::MAX);
                if *step < 25 && *step < due {
                    *step += 1;
                    stage.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")?;
                }
                Ok(*step >= 25)
            }
            Self::DatabaseHangs => {
                if *step == 0 {
                    *step = 1;
                    let mut psql =
                        stage.sql_behind("begin; lock table deliveries, grants in access exclusive mode; select pg_sleep(12); commit")?;
                    std::thread::spawn(move || drop(psql.wait()));
                }
                Ok(since > Duration::from_secs(13))
            }
            Self::StoppedPastLease => {
                if *step == 0 {
                    *step = 1;
                    stage.nodes[0].signal("STOP");
                    // The others answer in its place.
                    stage.nodes.rotate_left(1);
                }
                if *step == 1 && since > Duration::from_secs(33) {
                    *step = 2;
                    let last = stage.nodes.len() - 1;
                    stage.nodes[last].signal("CONT");
                }
                Ok(since > Duration::from_secs(35))
            }
            Self::PlatformsAway => {
                if *step == 0 {
                    *step = 1;
                    stage.begin_counting();
                    stage.platforms_go()?;
                }
                if *step == 1 && stage.passed() > Duration::from_secs(3600) {
                    *step = 2;
                    stage.platforms_come_back()?;
                }
                Ok(*step == 2)
            }
            Self::FsyncFails => {
                if *step == 0 && since > Duration::from_secs(4) {
                    *step = 1;
                    // The disk is well again, and so is a new process.
                    stage.nodes[0].kill()?;
                    stage.nodes[0].disarm();
                    stage.restart(0)?;
                }
                Ok(*step == 1)
            }
            Self::DiskFull => {
                let filler = stage.nodes[0].data().join("filler");
                if *step == 0 {
                    *step = 1;
                    fill(&filler)?;
                }
                if *step == 1 && since > Duration::from_secs(4) {
                    *step = 2;
                    fs::remove_file(&filler)?;
                }
                Ok(*step == 2)
            }
        }
    }
}

/// Puts the node's folder on a disk of its own, a little larger than what is in it.
fn small_disk(stage: &Stage<'_>) -> Result<()> {
    let data = stage.folder.join("node-0");
    let aside = stage.folder.join("node-0-aside");
    fs::rename(&data, &aside)?;
    fs::create_dir_all(&data)?;
    run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m,mode=700", "none"]).arg(&data))
        .context("a small disk cannot be mounted")?;
    run(Command::new("cp").arg("-a").arg(aside.join(".")).arg(&data))
}

/// Fills a disk to its last page.
fn fill(file: &std::path::Path) -> Result<()> {
    use std::io::Write;
    let mut file = fs::File::create(file)?;
    let page = [0u8; 4096];
    while file.write_all(&page).is_ok() {}
    Ok(())
}
