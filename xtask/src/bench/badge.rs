//! How long an open page does not know that a login has died, once the platform has told us.

use super::percentile;
use super::rehearsal::Rehearsal;
use crate::build::Built;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::io::BufRead;
use std::time::{Duration, Instant};

pub(super) fn measure(built: &Built) -> Result<String> {
    let rehearsal = Rehearsal::start(built, "hundred").context("the demo needs the seed `hundred`: 100 linked accounts")?;
    let page = rehearsal.get("/api/v1/accounts/list")?;
    let accounts: Vec<String> = page["accounts"]
        .as_array()
        .context("the accounts page lists no accounts")?
        .iter()
        .filter_map(|account| account["id"].as_str().map(str::to_owned))
        .collect();
    // From now on every login is dead, and nobody here knows.
    for platform in ["facebook", "pinterest"] {
        rehearsal.post(&format!("/sim/{platform}/faults"), &json!({ "kind": "revoke" }))?;
    }
    let mut events = rehearsal.client()?.stream("/events?after=0", &[("cookie", &rehearsal.cookie), ("accept", "text/event-stream")])?;
    let mut times = Vec::new();
    for account in accounts.iter().take(20) {
        let start = Instant::now();
        rehearsal.post("/api/v1/accounts/check", &json!({ "account": account }))?;
        wait_for_event(&mut events)?;
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

/// Reads until an event that moves the badges.
fn wait_for_event(events: &mut impl BufRead) -> Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        if events.read_line(&mut line).context("no event within 30 s")? == 0 {
            bail!("the server ended the stream");
        }
        if line.starts_with("data:") && line.contains("disconnected") {
            return Ok(());
        }
    }
}
