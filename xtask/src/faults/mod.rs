//! `cargo xtask faults`: the app and the simulated platforms as processes that die, at every cut, by strace and at random
//! moments; and an oracle that looks at what is left (reliability R1, R2).

mod around;
mod drive;
mod oracle;
mod points;
mod recovery;
mod stage;
mod strace;

use crate::build;
use crate::test::outcome::Outcome;
use crate::test::postgres::{self, PostgreSql};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use around::Trouble;
use clap::{Args, ValueEnum};
use drive::{Injury, Played, play};
use points::Reached;
use stage::{House, Scenario, Setting, Template};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How much to try.
#[derive(Args, Default)]
pub(crate) struct FaultsArgs {
    /// A little of everything, in less than four minutes: 30 cuts and 20 kills
    #[arg(long, conflicts_with = "all")]
    short: bool,
    /// Every cut of every scenario, and `--kills` kills
    #[arg(long)]
    all: bool,
    /// So many cuts, chosen at random from all
    #[arg(long, value_name = "N", conflicts_with = "all")]
    cuts: Option<usize>,
    /// How many processes to kill at random moments
    #[arg(long, value_name = "N")]
    kills: Option<usize>,
    /// What decides everything random; printed, so that a run can be repeated
    #[arg(long)]
    seed: Option<u64>,
    /// On which databases
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// Only this scenario
    #[arg(long, value_enum)]
    scenario: Option<ScenarioName>,
    /// Only this cut of each scenario
    #[arg(long, value_name = "K")]
    cut: Option<u64>,
    /// How many deaths by system call (strace) to try, evenly spread over all; `--all` tries every one of posts on SQLite
    #[arg(long, value_name = "N")]
    strace: Option<usize>,
    /// Also all trouble around us: databases, disks, platforms, stopped nodes; part of `--all`
    #[arg(long)]
    around: bool,
    /// Of the trouble around us only that whose name contains this
    #[arg(long, value_name = "TEXT")]
    trouble: Option<String>,
    /// How many worlds run at once
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    #[default]
    Both,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ScenarioName {
    Posts,
    Renewals,
    RenewalsWithGrace,
}

impl ScenarioName {
    fn scenario(self) -> Scenario {
        match self {
            Self::Posts => Scenario::Posts,
            Self::Renewals => Scenario::Renewals,
            Self::RenewalsWithGrace => Scenario::RenewalsWithGrace,
        }
    }
}

const SHORT_CUTS: usize = 30;
const SHORT_KILLS: usize = 20;
const ALL_KILLS: usize = 10_000;
/// Random kills of one world.
const KILLS_OF_A_WORLD: usize = 4;

/// A repeatable source of chance: SplitMix64 (Steele, Lea, Flood 2014), which is enough to choose moments.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, sides: u64) -> u64 {
        if sides == 0 { 0 } else { self.next() % sides }
    }
}

/// One world to be played.
struct Job<'a> {
    template: &'a Template,
    setting: Setting,
    injury: Injury,
}

impl Job<'_> {
    fn name(&self) -> String {
        format!("{} on {}, {:?}", self.template.scenario.name(), self.setting.name(), self.injury)
    }
}

/// What was tried, of one scenario and setting.
#[derive(Default)]
struct Tally {
    worlds: usize,
    deaths: usize,
    by: BTreeMap<&'static str, usize>,
    ends: BTreeMap<String, usize>,
    longest_start: Duration,
}

/// Everything that was tried.
#[derive(Default)]
struct Report {
    tallies: BTreeMap<(Scenario, Setting), Tally>,
    reached: Reached,
    /// Worlds in trouble that were played.
    troubles: usize,
    failed: Vec<String>,
}

impl Report {
    fn add(&mut self, job: &Job<'_>, played: Played) {
        let tally = self.tallies.entry((job.template.scenario, job.setting)).or_default();
        tally.worlds += 1;
        tally.deaths += played.deaths;
        let kind = match &job.injury {
            Injury::None => "unhurt",
            Injury::Cut(_) => "cuts",
            Injury::Kills(_) => "kills",
            Injury::Strace(_) => "strace",
        };
        *tally.by.entry(kind).or_default() += if kind == "unhurt" { 1 } else { played.deaths };
        for (end, count) in played.ends {
            *tally.ends.entry(end).or_default() += count;
        }
        tally.longest_start = tally.longest_start.max(played.longest_start);
        self.reached.add(played.reached);
        for complaint in played.complaints {
            self.failed.push(format!("{}: {complaint}", job.name()));
        }
    }

    fn print(&self) {
        for ((scenario, setting), tally) in &self.tallies {
            let list = |counts: Vec<String>| counts.join(", ");
            println!(
                "   {} on {}: {} worlds, {} deaths ({}); ends: {}; answered again after at most {:.2} s",
                scenario.name(),
                setting.name(),
                tally.worlds,
                tally.deaths,
                list(tally.by.iter().map(|(kind, count)| format!("{kind} {count}")).collect()),
                list(tally.ends.iter().map(|(end, count)| format!("{end} {count}")).collect()),
                tally.longest_start.as_secs_f64(),
            );
        }
    }
}

/// Plays jobs, so many at once.
fn play_all(house: &House, jobs: &[Job<'_>], at_once: usize, report: &Mutex<Report>) -> Result<()> {
    let (next, since) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.max(1))
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let played = play(house, job.template, job.setting, &job.injury).with_context(|| job.name())?;
                        for complaint in &played.complaints {
                            println!("   FAILED: {}: {complaint}", job.name());
                        }
                        let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        report.add(job, played);
                        let done: usize = report.tallies.values().map(|tally| tally.worlds).sum();
                        if done.is_multiple_of(100) {
                            println!("   {done} worlds, {:.0} s", since.elapsed().as_secs_f64());
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a thread of this program panicked"))??;
        }
        Ok(())
    })
}

/// Plays all trouble: what strikes every world alone, the rest so many at once.
fn go_through_all(house: &House, troubles: &[(&Template, Setting, Trouble)], at_once: usize, report: &Mutex<Report>) -> Result<()> {
    for (is_for_all, at_once) in [(false, at_once), (true, 1)] {
        let some: Vec<_> = troubles.iter().filter(|(_, _, trouble)| trouble.is_for_all() == is_for_all).collect();
        let next = AtomicUsize::new(0);
        let one = || -> Result<()> {
            while let Some((template, setting, trouble)) = some.get(next.fetch_add(1, Ordering::SeqCst)) {
                let name = format!("{} on {}, {trouble:?}", template.scenario.name(), setting.name());
                let complaints = around::play(house, template, *setting, *trouble).with_context(|| name.clone())?;
                println!("   {} {name}", if complaints.is_empty() { "ok" } else { "FAILED" });
                for complaint in &complaints {
                    println!("      {complaint}");
                }
                let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                report.troubles += 1;
                report.failed.extend(complaints.into_iter().map(|complaint| format!("{name}: {complaint}")));
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..at_once.max(1)).map(|_| scope.spawn(one)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a thread of this program panicked"))?)
        })?;
    }
    Ok(())
}

/// The phase of `cargo xtask test`.
pub(crate) fn short(workspace: &Workspace) -> Result<Outcome> {
    everything(workspace, &FaultsArgs { short: true, jobs: 2, ..FaultsArgs::default() })
}

/// The phase of `cargo xtask test --all`.
pub(crate) fn all(workspace: &Workspace) -> Result<Outcome> {
    everything(workspace, &FaultsArgs { all: true, jobs: 2, ..FaultsArgs::default() })
}

/// Runs the task.
pub(crate) fn run(workspace: &Workspace, args: &FaultsArgs) -> Result<ExitCode> {
    postgres::stop_when_told_to_end()?;
    let outcome = everything(workspace, args)?;
    println!("{outcome}");
    for failed in &outcome.failed {
        println!("   FAILED: {failed}");
    }
    Ok(if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures R2.
fn recover(house: &House, templates: &[(Template, bool)], report: &mut Report) -> Result<()> {
    for (template, is_shared) in templates.iter().filter(|(template, _)| template.scenario == Scenario::Posts) {
        let cases: &[(Setting, bool)] =
            if *is_shared { &[(Setting::Postgres, false), (Setting::PostgresThreeNodes, true)] } else { &[(Setting::Sqlite, false)] };
        for (setting, by_another) in cases {
            let recovery = recovery::measure(house, template, *setting, *by_another)?;
            let who = if recovery.by_another { "another node" } else { "the same node, started again," };
            let name = format!("recovery on {}", recovery.setting.name());
            println!("   {name}: {who} works {:.2} s after a kill", recovery.took.as_secs_f64());
            if recovery.took > recovery.limit() {
                report.failed.push(format!("{name}: {who} needs {:.2} s", recovery.took.as_secs_f64()));
            }
            report.failed.extend(recovery.complaints.into_iter().map(|complaint| format!("{name}: {complaint}")));
        }
    }
    Ok(())
}

fn everything(workspace: &Workspace, args: &FaultsArgs) -> Result<Outcome> {
    let seed = args.seed.unwrap_or_else(|| stage::now().unsigned_abs());
    println!("   seed {seed}");
    let binary = build::with_cuts(workspace)?;
    let folder = std::env::temp_dir().join(format!("stayposted-faults-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let wants_postgres = args.database != Databases::Sqlite;
    let house = House { binary, folder, postgres: wants_postgres.then(PostgreSql::start).transpose()? };
    let mut templates = Vec::new();
    for scenario in Scenario::ALL.into_iter().filter(|one| args.scenario.is_none_or(|only| only.scenario() == *one)) {
        for is_shared in [false, true] {
            if (is_shared && wants_postgres) || (!is_shared && args.database != Databases::Postgres) {
                templates.push((Template::fill(&house, scenario, is_shared)?, is_shared));
            }
        }
    }
    let report = Mutex::new(Report::default());
    let mut dice = Dice(seed);

    // First everything unhurt: it says how many cuts there are, and how long a world lives.
    let mut cuts = Vec::new();
    let mut life = Duration::ZERO;
    for (template, is_shared) in &templates {
        for setting in Setting::of(*is_shared) {
            let job = Job { template, setting: *setting, injury: Injury::None };
            let start = Instant::now();
            let played = play(&house, template, *setting, &Injury::None)?;
            life = life.max(start.elapsed());
            println!("   {}: {} cuts in the first round, {:.1} s", job.name(), played.first_round, start.elapsed().as_secs_f64());
            cuts.extend((1..=played.first_round).map(|at| Job { template, setting: *setting, injury: Injury::Cut(at) }));
            report.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(&job, played);
        }
    }
    let mut jobs = Vec::new();
    match args.cut {
        Some(only) => jobs.extend(cuts.into_iter().filter(|job| matches!(job.injury, Injury::Cut(at) if at == only))),
        None if args.all => jobs.extend(cuts),
        None => {
            let wanted = args.cuts.unwrap_or(if args.short { SHORT_CUTS } else { 0 });
            for _ in 0..wanted.min(cuts.len()) {
                jobs.push(cuts.swap_remove(usize::try_from(dice.below(cuts.len() as u64))?));
            }
        }
    }
    let kills = args.kills.unwrap_or(if args.all {
        ALL_KILLS
    } else if args.short {
        SHORT_KILLS
    } else {
        0
    });
    let every: Vec<(&Template, Setting)> = templates
        .iter()
        .flat_map(|(template, is_shared)| Setting::of(*is_shared).iter().map(move |setting| (template, *setting)))
        .collect();
    for world in 0..kills.div_ceil(KILLS_OF_A_WORLD) {
        let (template, setting) = every[world % every.len()];
        let moments = (0..KILLS_OF_A_WORLD.min(kills - world * KILLS_OF_A_WORLD))
            .map(|_| {
                let node = usize::try_from(dice.below(setting.nodes() as u64)).unwrap_or(0);
                (node, Duration::from_micros(dice.below(u64::try_from(life.as_micros()).unwrap_or(1) * 2 / 3)))
            })
            .collect();
        jobs.push(Job { template, setting, injury: Injury::Kills(moments) });
    }
    for (template, setting) in &every {
        if args.strace.is_none() || setting.nodes() > 1 {
            continue;
        }
        let most = strace::count(&house, template, *setting)?;
        let wanted = u64::try_from(args.strace.unwrap_or(0))?.min(most);
        println!("   {} on {}: the busiest thread makes {most} calls", template.scenario.name(), setting.name());
        jobs.extend((0..wanted).map(|index| {
            let at = 1 + index * most / wanted.max(1);
            Job { template, setting: *setting, injury: Injury::Strace(strace::death_at(at)) }
        }));
    }
    let troubles: Vec<(&Template, Setting, Trouble)> = every
        .iter()
        .filter(|_| args.around || args.all)
        .flat_map(|(template, setting)| around::all(template.scenario, *setting).into_iter().map(|trouble| (*template, *setting, trouble)))
        .filter(|(_, _, trouble)| args.trouble.as_ref().is_none_or(|text| format!("{trouble:?}").contains(text)))
        .collect();
    println!("   {} worlds to play", jobs.len() + troubles.len());
    play_all(&house, &jobs, args.jobs.max(1), &report)?;
    go_through_all(&house, &troubles, args.jobs.max(1), &report)?;
    let mut report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    report.print();
    if args.short || args.all {
        recover(&house, &templates, &mut report)?;
    }
    let mut outcome = Outcome::passed(report.tallies.values().map(|tally| tally.worlds).sum::<usize>() + report.troubles);
    let is_whole = args.all && args.database == Databases::Both && args.scenario.is_none();
    let known = points::known();
    println!(
        "   cuts: {} of {} known ones passed, somebody died at {} of them",
        report.reached.names().filter(|name| known.contains(*name)).count(),
        known.len(),
        known.intersection(&report.reached.last).count(),
    );
    outcome.failed.extend(points::complaints(&report.reached, is_whole)?);
    outcome.failed.extend(report.failed);
    if outcome.failed.is_empty() {
        drop(std::fs::remove_dir_all(&house.folder));
    }
    Ok(outcome)
}
