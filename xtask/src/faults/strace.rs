//! Deaths by system call, at places that nobody numbered: the n-th write, send or flush of one thread kills the process.

use super::drive::{is_over, settle};
use super::stage::{Arms, House, Setting, Stage, Template};
use crate::process::on_path;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// The calls by which something leaves the process: to a platform, to the database, to a file.
const CALLS: &str = "sendto,writev,write,pwrite64,fsync,fdatasync";

/// strace's arguments for a death at the `number`-th of those calls in a thread. It counts for each thread by itself.
pub(super) fn death_at(number: u64) -> Vec<String> {
    let inject = format!("inject={CALLS}:signal=SIGKILL:when={number}");
    ["-f", "-qq", "--output=/dev/null", "-e", &format!("trace={CALLS}"), "-e", &inject].map(str::to_owned).to_vec()
}

/// How many of those calls the busiest thread makes until the world is over.
pub(super) fn count(house: &House, template: &Template, setting: Setting) -> Result<u64> {
    on_path(&["strace"]).context("strace is not installed: deaths by system call cannot be tried")?;
    let mut stage = Stage::set(house, template, setting)?;
    let trace = stage.folder.join("trace");
    let arguments = ["-f", "-qq", "-e", &format!("trace={CALLS}"), &format!("--output={}", trace.display())];
    stage.add_node(Arms { strace: Some(arguments.map(str::to_owned).to_vec()), ..Arms::default() })?;
    settle(&mut stage, |truth| is_over(truth, 1))?;
    let mut threads: BTreeMap<String, u64> = BTreeMap::new();
    for line in std::fs::read_to_string(&trace)?.lines().filter(|line| line.contains('(')) {
        *threads.entry(line.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    Ok(threads.values().copied().max().unwrap_or(0))
}
