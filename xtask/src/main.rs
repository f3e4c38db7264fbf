//! The tasks of this repository. `cargo xtask` lists them, `cargo xtask <task> --help` explains one.
#![allow(clippy::print_stdout, reason = "a command-line program speaks to the person who started it")]

mod bench;
mod build;
mod demo;
mod dev;
mod faults;
mod http;
mod process;
mod running;
mod sbom;
mod setup;
mod site;
mod split;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

/// The tasks of this repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install everything that building, testing and measuring need; the other tasks call what they need of it
    Setup,
    /// Build the server and the site; the release build ends in `dist/`
    Build {
        /// The build of the demo: quick to make, larger to load; ends in `target/`
        #[arg(long)]
        dev: bool,
    },
    /// Build, then run the app with simulated platforms
    Demo(demo::DemoArgs),
    /// Like `demo`, and again after every change of a source file
    Dev(demo::DemoArgs),
    /// Everything CI checks: format, lints, docs, licences, tests on both databases, browser tests
    Test(test::TestArgs),
    /// Let processes die at every commit, request and file, and at random moments, and look at what is left
    Faults(faults::FaultsArgs),
    /// Measure the release build and write `docs/benchmarks.md`
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::enter()?;
    match task {
        Task::Setup => setup::everything(&workspace)?,
        Task::Build { dev: true } => drop(build::dev(&workspace)?),
        Task::Build { dev: false } => drop(build::release(&workspace)?),
        Task::Demo(args) => demo::run(&workspace, &args)?,
        Task::Dev(args) => dev::run(&workspace, &args)?,
        Task::Test(args) => return test::run(&workspace, &args),
        Task::Faults(args) => return faults::run(&workspace, &args),
        Task::Bench(args) => bench::run(&workspace, &args)?,
    }
    Ok(ExitCode::SUCCESS)
}
