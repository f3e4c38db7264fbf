//! Running other programs, and saying how long things took.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

/// Cargo, as it started us.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end; the program writes to our terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status();
    check(command, status)
}

/// Runs to the end and returns what it wrote; its complaints go to our terminal.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let finished = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let (status, text) = match finished {
        Ok(finished) => (Ok(finished.status), finished.stdout),
        Err(error) => (Err(error), Vec::new()),
    };
    check(command, status)?;
    String::from_utf8(text).with_context(|| format!("`{}` wrote something that is not text", words(command)))
}

fn check(command: &Command, status: std::io::Result<ExitStatus>) -> Result<()> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`{}` failed ({status})", words(command)),
        Err(error) => Err(not_started(command, error)),
    }
}

/// The error of a program that could not be started at all.
pub(crate) fn not_started(command: &Command, error: std::io::Error) -> anyhow::Error {
    let program = command.get_program().display();
    let context = if error.kind() == ErrorKind::NotFound {
        format!("`{program}` is not installed or not on PATH")
    } else {
        format!("`{program}` could not be started")
    };
    anyhow::Error::new(error).context(context)
}

/// The command as a person would type it.
pub(crate) fn words(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::display).collect();
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The first of `names` that is on PATH.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| file.is_file())
}

/// Are we allowed to install packages, and forbidden to run PostgreSQL as ourselves?
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Sends a signal (`TERM`, `INT`) to a process we started.
pub(crate) fn signal(child: &Child, name: &str) {
    // A process that has ended meanwhile needs no signal, so a failure is no news.
    drop(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).stderr(Stdio::null()).status());
}

/// Does one step of a task and says before that it starts, after how long it took.
pub(crate) fn phase<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("── {name}");
    let start = Instant::now();
    let result = work();
    let verdict = if result.is_ok() { "done" } else { "FAILED" };
    println!("   {verdict} in {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// Every file below a folder, sorted; none if the folder is missing.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("cannot list {}", folder.display()))?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}
