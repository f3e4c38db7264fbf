//! bench
use crate::workspace::Workspace;
#[derive(clap::Args)]
pub(crate) struct BenchArgs {}
pub(crate) fn run(_: &Workspace, _: &BenchArgs) -> anyhow::Result<()> {
    Ok(())
}
pub(crate) fn everything(_: &Workspace) -> anyhow::Result<()> {
    Ok(())
}
