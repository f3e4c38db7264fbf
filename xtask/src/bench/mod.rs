//! `cargo xtask bench`: measures the release build, and keeps the results in `docs/benchmarks.md`.

mod accounts_page;
mod badge;
mod burst;
mod idle;
mod page_weight;
mod rehearsal;
mod results;

use crate::build::{self, Built};
use crate::process::phase;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use results::Results;

/// What to measure.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Which measurements; all when none is named
    measurements: Vec<Measurement>,
    /// How long the server idles in the `idle` measurement
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Measure what is in `dist/` without building it anew
    #[arg(long)]
    no_build: bool,
}

/// In the order of the document.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Compressed bytes of everything a first visit loads
    PageWeight,
    /// Memory and CPU of a server nobody uses
    Idle,
    /// Requests a second and p99 of the page of linked accounts
    AccountsPage,
    /// How late 1,000 posts are that are due at one instant
    Burst,
    /// From a login that died to the badge in an open page
    Badge,
}

impl Measurement {
    fn title(self) -> &'static str {
        match self {
            Self::PageWeight => "Page weight",
            Self::Idle => "Idle",
            Self::AccountsPage => "Linked Accounts under load",
            Self::Burst => "1,000 posts due at one instant",
            Self::Badge => "From a dead login to the badge",
        }
    }

    fn measure(self, built: &Built, minutes: u64) -> Result<String> {
        match self {
            Self::PageWeight => page_weight::measure(built),
            Self::Idle => idle::measure(built, minutes),
            Self::AccountsPage => accounts_page::measure(built),
            Self::Burst => burst::measure(built),
            Self::Badge => badge::measure(built),
        }
    }
}

/// All measurements, as `cargo xtask test --all` wants them: idling is shortened.
pub(crate) fn everything(workspace: &Workspace) -> Result<()> {
    run(workspace, &BenchArgs { measurements: Vec::new(), minutes: 1, no_build: true })
}

/// Measures what was asked for; a measurement that fails does not keep the next from being tried.
pub(crate) fn run(workspace: &Workspace, args: &BenchArgs) -> Result<()> {
    let built = if args.no_build { build::existing_release()? } else { build::release(workspace)? };
    let chosen = if args.measurements.is_empty() { Measurement::value_variants() } else { &args.measurements };
    let mut results = Results::read()?;
    let mut failed = Vec::new();
    for measurement in chosen {
        match phase(measurement.title(), || measurement.measure(&built, args.minutes)) {
            Ok(text) => {
                println!("{text}");
                results.put(measurement.title(), &text)?;
            }
            Err(error) => failed.push(format!("{}: {error:#}", measurement.title())),
        }
    }
    results.write(Measurement::value_variants().iter().map(|measurement| measurement.title()))?;
    if failed.is_empty() { Ok(()) } else { bail!("not measured:\n{}", failed.join("\n")) }
}

/// The value below which `share` (0.99) of the sorted values lie.
fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&values, 0.99), Some(99));
        assert_eq!(percentile(&values, 0.5), Some(50));
        assert_eq!(percentile(&[7], 0.99), Some(7));
        assert_eq!(percentile::<u32>(&[], 0.99), None);
    }
}
