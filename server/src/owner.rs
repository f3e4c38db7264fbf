//! The first owner: by one-time code in the browser, or by command.

use std::io::BufRead;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use secrecy::SecretString;
use service::auth::NewOwner;
use service::{ServiceError, Services};
use url::Url;

use crate::config::Data;
use crate::start;

/// What can be done with owners.
#[derive(Debug, Subcommand)]
pub(crate) enum OwnerCommand {
    /// Create an owner with a workspace; the password is read from standard input
    Create(Create),
}

/// The new owner.
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    data: Data,
    /// Name of the person.
    #[arg(long)]
    name: String,
    /// E-mail address, with which they sign in.
    #[arg(long)]
    email: String,
    /// Name of the workspace.
    #[arg(long)]
    workspace: String,
    /// Time zone of the workspace, such as Europe/Berlin.
    #[arg(long, default_value = "UTC")]
    zone: String,
}

/// Runs an owner command.
///
/// # Errors
/// When the database cannot be opened or the owner is refused.
pub(crate) async fn run(command: OwnerCommand) -> anyhow::Result<()> {
    let OwnerCommand::Create(args) = command;
    eprintln!("Password (10 to 500 characters), then Enter:");
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).context("the password cannot be read")?;
    let local = Url::parse("http://127.0.0.1/")?;
    let backend = start::backend(&args.data, local, start::World::real()).await?;
    let owner = NewOwner {
        name: args.name,
        email: args.email,
        password: SecretString::from(password.trim_end_matches(['\n', '\r'])),
        workspace: args.workspace,
        zone: args.zone,
    };
    match backend.services.create_owner(owner).await {
        Ok(_) => println!("The owner can sign in now."),
        Err(ServiceError::Refused(refusal)) => bail!("refused: {}", refusal.code.as_str()),
        Err(error) => return Err(error.into()),
    }
    backend.services.store.close().await;
    Ok(())
}

/// Until there is an owner, each start prints a one-time code that the create-owner page asks for.
///
/// # Errors
/// When the database fails.
pub(crate) async fn print_setup_code(services: &Services, public_url: &Url) -> anyhow::Result<()> {
    if let Some(code) = services.new_setup_code().await? {
        println!(
            "\nThis installation has no owner yet. Open {public_url}welcome and enter this code:\n\n    {code}\n\nIt works once. The next start prints a new one.\n"
        );
    }
    Ok(())
}
