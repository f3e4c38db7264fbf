//! The fuzzer, for a while: everything that reads bytes from outside, from the corpora in the repository on.

use super::outcome::Outcome;
use crate::process::run;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate of the checks and their corpora.
const FOREIGN: &str = "crates/foreign";
/// How long each target is tried.
const SECONDS: u32 = 30;

/// Builds all targets and tries each for a while. What makes one fail is kept under `target/fuzz/found`, to be put into its
/// corpus together with the repair.
pub(super) fn fuzz(workspace: &Workspace) -> Result<Outcome> {
    let cargo_fuzz = match setup::fuzz(workspace) {
        Ok(cargo_fuzz) => cargo_fuzz,
        Err(error) => return Ok(Outcome::without_tool(&error)),
    };
    let target = std::env::current_dir()?.join(&workspace.target).join("fuzz");
    run(&mut command(&cargo_fuzz, "build", &target))?;
    let mut outcome = Outcome::default();
    for name in targets()? {
        let (grown, found) = (target.join("corpus").join(&name), target.join("found").join(&name));
        std::fs::create_dir_all(&grown)?;
        std::fs::create_dir_all(&found)?;
        let mut fuzz = command(&cargo_fuzz, "run", &target);
        fuzz.arg(&name).arg(&grown).arg(Path::new(FOREIGN).join("corpus").join(&name)).args(["--", "-timeout=10", "-verbosity=0"]);
        fuzz.arg(format!("-max_total_time={SECONDS}")).arg(format!("-artifact_prefix={}/", found.display()));
        match run(&mut fuzz) {
            Ok(()) => outcome.passed += 1,
            Err(error) => outcome.failed.push(format!("{name}: {error:#}; what made it fail is in {}", found.display())),
        }
    }
    Ok(outcome)
}

fn command(cargo_fuzz: &Path, what: &str, target: &Path) -> Command {
    let mut command = Command::new(cargo_fuzz);
    command.args(["fuzz", what, "--fuzz-dir"]).arg(Path::new(FOREIGN).join("fuzz")).arg("--target-dir").arg(target);
    // The fuzzer's instruments are not stable yet; the compiler we have knows them all the same.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Every target has a corpus of its name; a test of the crate sees to that.
fn targets() -> Result<Vec<String>> {
    let corpora = Path::new(FOREIGN).join("corpus");
    let folders = std::fs::read_dir(&corpora).with_context(|| format!("no corpora in {}", corpora.display()))?;
    let paths = folders.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<PathBuf>, _>>()?;
    let mut names: Vec<String> = paths.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}
