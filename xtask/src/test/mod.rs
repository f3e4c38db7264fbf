//! test
use crate::workspace::Workspace;
#[derive(clap::Args)]
pub(crate) struct TestArgs {}
pub(crate) fn run(_: &Workspace, _: &TestArgs) -> anyhow::Result<()> { Ok(()) }
