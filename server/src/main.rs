//! The program `stayposted`: settings, commands, start and stop. What it does stands in the crates below.
#![allow(clippy::print_stdout, reason = "commands answer the person who started them")]

mod config;
#[cfg(feature = "cuts")]
mod cut_build;
mod demo;
mod doctor;
mod folder;
mod log;
mod memory;
mod owner;
mod serve;
mod start;
mod web;

use clap::{Parser, Subcommand};

/// Keeps the logins of linked social accounts alive and publishes every scheduled post exactly once.
#[derive(Debug, Parser)]
#[command(name = "stayposted", version)]
struct Cli {
    #[command(flatten)]
    log: log::LogSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the app
    Serve(Box<config::Serve>),
    /// Run the app with simulated platforms: nothing leaves this computer
    Demo(demo::DemoArgs),
    /// Run the simulated platforms alone
    Simulate(demo::simulate::SimulateArgs),
    /// Bring the database up to date and stop
    Migrate(config::Data),
    /// Look for what is wrong with this installation and say what to do
    Doctor(Box<config::Serve>),
    /// Manage owners
    #[command(subcommand)]
    Owner(owner::OwnerCommand),
    /// The processes of `cargo xtask faults`; only this build has them
    #[cfg(feature = "cuts")]
    #[command(subcommand)]
    Cuts(cut_build::CutsCommand),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    log::start(&cli.log)?;
    memory::keep_private();
    // One provider for everything, before anybody asks for TLS.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(cli.command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(settings) => {
            let backend = start::backend(&settings.data, settings.public(), start::World::real()).await?;
            start::set_apps(&backend.services, &settings.apps).await?;
            owner::print_setup_code(&backend.services, &settings.public()).await?;
            serve::run(&settings, backend, |_, _| Ok(None)).await
        }
        Command::Demo(args) => demo::run(args).await,
        Command::Simulate(args) => demo::simulate::run(args, std::sync::Arc::new(service::clocks::SystemClock)).await,
        Command::Migrate(data) => {
            let folder = folder::Folder::open(&data.folder, &vault::SystemChance)?;
            start::database(&data, &folder).await?.close().await;
            println!("The database is up to date.");
            Ok(())
        }
        Command::Doctor(settings) => doctor::run(&settings).await,
        Command::Owner(command) => owner::run(command).await,
        #[cfg(feature = "cuts")]
        Command::Cuts(command) => cut_build::run(command).await,
    }
}
