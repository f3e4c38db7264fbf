//! `cargo xtask test`: everything CI checks. A phase that fails does not keep the next one from being tried; the end
//! tells what failed, what was skipped and why, and counts.

mod checks;
mod fuzz;
pub(crate) mod outcome;
pub(crate) mod postgres;
mod suites;

use crate::setup::{self, Package};
use crate::workspace::Workspace;
use crate::{bench, build, faults};
use anyhow::Result;
use clap::Args;
use outcome::Outcome;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What to check.
#[derive(Args)]
pub(crate) struct TestArgs {
    /// Also tell the long proofs, fuzz the parsers, make the release build and run the benchmarks
    #[arg(long)]
    all: bool,
    /// Only this phase (may be given several times)
    #[arg(long, value_name = "PHASE", value_parser = PHASES.map(|phase| phase.name))]
    only: Vec<String>,
}

struct Phase {
    name: &'static str,
    /// Left out unless `--all` or `--only` asks for it.
    is_extra: bool,
    work: fn(&Workspace) -> Result<Outcome>,
}

const fn phase(name: &'static str, work: fn(&Workspace) -> Result<Outcome>) -> Phase {
    Phase { name, is_extra: false, work }
}

/// In this order: what is quick and often wrong comes first.
const PHASES: [Phase; 19] = [
    phase("format", checks::format),
    phase("configuration", checks::configuration),
    phase("styles", checks::styles),
    phase("dependencies", checks::dependencies),
    phase("clippy", checks::clippy),
    phase("clippy-wasm", checks::clippy_wasm),
    phase("docs", checks::docs),
    phase("deny", checks::deny),
    phase("advisories", checks::advisories),
    phase("tests", suites::tests),
    phase("doctests", suites::doctests),
    phase("zones", suites::zones),
    phase("browser", suites::browser),
    phase("faults", faults::short),
    Phase { name: "faults-all", is_extra: true, work: faults::all },
    Phase { name: "proof", is_extra: true, work: suites::proof },
    Phase { name: "fuzz", is_extra: true, work: fuzz::fuzz },
    Phase { name: "release", is_extra: true, work: release },
    Phase { name: "bench", is_extra: true, work: benchmarks },
];

/// Runs the chosen phases; fails when one of them did.
pub(crate) fn run(workspace: &Workspace, args: &TestArgs) -> Result<ExitCode> {
    postgres::stop_when_told_to_end()?;
    let start = Instant::now();
    let chosen: Vec<&Phase> = PHASES.iter().filter(|phase| args.includes(phase)).collect();
    set_up(&chosen);
    let mut total = Outcome::default();
    let mut times = Vec::new();
    for phase in chosen {
        println!("── {}", phase.name);
        let start = Instant::now();
        let outcome = (phase.work)(workspace).unwrap_or_else(|error| Outcome::failed(format!("{error:#}")));
        for failure in &outcome.failed {
            println!("   FAILED: {failure}");
        }
        println!("   {outcome} in {:.1} s", start.elapsed().as_secs_f64());
        times.push((phase.name, start.elapsed(), outcome.to_string()));
        total.add(phase.name, outcome);
    }
    report(&times, start.elapsed(), &total);
    Ok(if total.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl TestArgs {
    fn includes(&self, phase: &Phase) -> bool {
        if self.only.is_empty() { self.all || !phase.is_extra } else { self.only.iter().any(|name| name == phase.name) }
    }
}

/// One visit to Debian's server for everything the phases will ask for. What could not be had, they report.
fn set_up(phases: &[&Phase]) {
    let needed = |name| phases.iter().any(|phase| phase.name == name);
    let mut packages = Vec::new();
    if ["tests", "faults", "faults-all", "proof"].into_iter().any(needed) {
        packages.push(Package::PostgreSql);
    }
    if needed("zones") {
        packages.push(Package::Python);
    }
    if needed("browser") {
        packages.push(Package::Chromium);
    }
    if let Err(error) = setup::debian_packages(&packages) {
        println!("   {error:#}");
    }
}

fn report(times: &[(&str, Duration, String)], whole: Duration, total: &Outcome) {
    println!("── summary");
    for (name, time, counts) in times {
        println!("   {name:<14} {:>7.1} s   {counts}", time.as_secs_f64());
    }
    println!("   {:<14} {:>7.1} s", "all", whole.as_secs_f64());
    for skipped in &total.skipped {
        println!("   skipped: {skipped}");
    }
    for failed in &total.failed {
        println!("   FAILED: {failed}");
    }
    println!("{total}");
}

fn release(workspace: &Workspace) -> Result<Outcome> {
    build::release(workspace)?;
    Ok(Outcome::passed(1))
}

fn benchmarks(workspace: &Workspace) -> Result<Outcome> {
    bench::everything(workspace)?;
    Ok(Outcome::passed(1))
}
