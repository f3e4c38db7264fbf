//! How long an open page does not know that a login has died, once the platform has told us.

use super::percentile;
use super::rehearsal::{Rehearsal, SEED};
use crate::build::Built;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::BufRead;
use std::time::{Duration, Instant};

pub(super) fn measure(built: &Built) -> Result<String> {
    let rehearsal = Rehearsal::start(built, SEED)?;
    let rows = rehearsal.accounts()?;
    // Accounts that share a login lose it together, and only the first loss is news: one account per login.
    let mut accounts: Vec<&Value> = Vec::new();
    for row in rows.iter().filter(|row| row["status"]["status"] != "disconnected") {
        if accounts.iter().all(|known| known["grant"] != row["grant"]) {
            accounts.push(row);
        }
    }
    // From now on every login is dead, and nobody here knows.
    for platform in ["facebook", "pinterest"] {
        rehearsal.post(&format!("/sim/{platform}/faults"), &json!({ "kind": "revoke" }))?;
    }
    let shell = rehearsal.get("/api/v1/shell")?;
    let after = shell["event_seq"].as_i64().context("the shell has no `event_seq`")?;
    let mut badge = shell["badges"]["disconnected"].as_u64().context("the shell has no badges")?;
    let mut events =
        rehearsal.client()?.stream(&format!("/events?after={after}"), &[("cookie", &rehearsal.cookie), ("accept", "text/event-stream")])?;
    let mut times = Vec::new();
    for account in accounts {
        let start = Instant::now();
        rehearsal.post("/api/v1/accounts/check", &json!({ "account": account["id"] }))?;
        badge = wait_for_badge(&mut events, badge)?;
        times.push(start.elapsed());
    }
    times.sort();
    let of = |share| percentile(&times, share).map(|time: Duration| time.as_secs_f64() * 1000.0).context("there is no account");
    Ok(format!(
        "{} logins revoked at the platform, then checked one by one; from asking for the check (the call to the platform included) to the event in an open page: p50 {:.0} ms, **p99 {:.0} ms**.",
        times.len(),
        of(0.5)?,
        of(0.99)?
    ))
}

/// Reads until the badge shows more than it did, and returns what it shows.
fn wait_for_badge(events: &mut impl BufRead, before: u64) -> Result<u64> {
    let mut line = String::new();
    loop {
        line.clear();
        if events.read_line(&mut line).context("no such event within 30 s")? == 0 {
            bail!("the server ended the stream");
        }
        let Some(event) = line.strip_prefix("data:") else { continue };
        let event: Value = serde_json::from_str(event).context("the event is not JSON")?;
        match event["badges"]["disconnected"].as_u64() {
            Some(now) if now > before => return Ok(now),
            _ => {}
        }
    }
}
