//! Memory and CPU of a server that nobody uses, read from `/proc`.

use crate::build::Built;
use crate::process::output;
use crate::running::{Running, free_port};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

pub(super) fn measure(built: &Built, minutes: u64) -> Result<String> {
    ensure!(minutes > 0, "--minutes must be at least 1");
    let data = std::env::temp_dir().join(format!("stayposted-idle-{}", std::process::id()));
    let arguments = ["serve".to_owned(), "--data".to_owned(), data.display().to_string()];
    let mut server = Running::start(built, &arguments, &format!("127.0.0.1:{}", free_port()?), &[])?;
    let measured = server.wait_until_ready().and_then(|()| watch(server.id(), minutes));
    server.stop();
    drop(fs::remove_dir_all(&data));
    measured
}

fn watch(pid: u32, minutes: u64) -> Result<String> {
    // The start is not idle: it opens the database and runs the migrations.
    sleep(Duration::from_secs(10));
    let before = cpu_ticks(pid)?;
    sleep(Duration::from_secs(60 * minutes));
    let ticks = cpu_ticks(pid)? - before;
    let per_second: f64 = output(Command::new("getconf").arg("CLK_TCK"))?.trim().parse().context("getconf CLK_TCK is not a number")?;
    let share = ticks as f64 / per_second / (60 * minutes) as f64;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let memory = |key: &str| -> Result<f64> {
        let line = status.lines().find(|line| line.starts_with(key)).with_context(|| format!("/proc has no {key}"))?;
        let kib: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).context("not a number")?;
        Ok(kib / 1024.0)
    };
    Ok(format!(
        "`stayposted serve` on SQLite, {minutes} minutes: {:.1} MiB resident (at most {:.1}), {:.3} % of a core.",
        memory("VmRSS:")?,
        memory("VmHWM:")?,
        share * 100.0
    ))
}

/// User and system time of a process.
fn cpu_ticks(pid: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server ended")?;
    // The second field is the name in parentheses and may contain anything; the third follows the last parenthesis.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let field = |index: usize| -> Result<u64> { fields.get(index).and_then(|text| text.parse().ok()).context("/proc/PID/stat is odd") };
    Ok(field(11)? + field(12)?)
}
