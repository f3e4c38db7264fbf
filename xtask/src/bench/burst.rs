//! 1,000 posts that are due at one instant: how late the last of them are on the platform.

use super::percentile;
use super::rehearsal::{Rehearsal, SEED};
use crate::build::Built;
use crate::process::output;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

const POSTS: usize = 1000;
const MARK: &str = "burst";
const PLATFORMS: [&str; 2] = ["facebook", "pinterest"];

pub(super) fn measure(built: &Built) -> Result<String> {
    let rehearsal = Rehearsal::start(built, SEED)?;
    let accounts = accounts(&rehearsal)?;
    let now = rehearsal.get("/sim/clock")?["now"].as_i64().context("/sim/clock has no `now`")?;
    // Posts are planned to the minute; five are enough to write a thousand.
    let due = (now / 60_000_000 + 5) * 60_000_000;
    schedule(&rehearsal, &accounts, due)?;
    if rehearsal.get("/sim/clock")?["now"].as_i64().is_none_or(|now| now >= due) {
        bail!("writing {POSTS} posts took so long that the moment has passed");
    }
    let mut late = wait_for_posts(&rehearsal, due)?;
    late.sort_unstable();
    let of = |share| percentile(&late, share).map(|late| late as f64 / 1000.0).context("no post arrived");
    Ok(format!(
        "{POSTS} posts to {} accounts, SQLite, seen in the platforms' feeds: p50 {:.0} ms late, **p99 {:.0} ms**, the last {:.0} ms.",
        accounts.len(),
        of(0.5)?,
        of(0.99)?,
        of(1.0)?
    ))
}

/// Ids of accounts that can post text alone.
fn accounts(rehearsal: &Rehearsal) -> Result<Vec<String>> {
    let page = rehearsal.get("/api/v1/posts/compose_page")?;
    let accounts = page["accounts"].as_array().context("the compose page lists no accounts")?;
    let ids: Vec<String> = accounts
        .iter()
        .filter(|account| account["can_post"] == true && account["platform"] == "facebook")
        .filter_map(|account| account["id"].as_str().map(str::to_owned))
        .collect();
    if ids.is_empty() { bail!("no account can post") } else { Ok(ids) }
}

fn schedule(rehearsal: &Rehearsal, accounts: &[String], due: i64) -> Result<()> {
    let moment = output(Command::new("date").args(["-u", "-d", &format!("@{}", due / 1_000_000), "+%F %H:%M"]))?;
    let (date, time) = moment.trim().split_once(' ').context("`date` is odd")?;
    for (index, account) in (0..POSTS).zip(accounts.iter().cycle()) {
        let post = json!({
            "text": format!("{MARK} {index}"), "accounts": [account], "date": date, "time": time, "zone": "UTC", "then": "schedule",
        });
        rehearsal.post("/api/v1/posts/compose", &post)?;
    }
    Ok(())
}

/// Microseconds between the moment and each post's arrival.
fn wait_for_posts(rehearsal: &Rehearsal, due: i64) -> Result<Vec<i64>> {
    let end = Instant::now() + Duration::from_secs(600);
    loop {
        let mut late = Vec::new();
        for platform in PLATFORMS {
            let feed = rehearsal.get(&format!("/sim/{platform}/feed.json"))?;
            let ours =
                feed.as_array().into_iter().flatten().filter(|post| post["text"].as_str().is_some_and(|text| text.starts_with(MARK)));
            late.extend(ours.filter_map(|post| post["created_at"].as_i64()).map(|at| at - due));
        }
        if late.len() >= POSTS {
            return Ok(late);
        }
        if Instant::now() > end {
            bail!("after ten minutes {} of {POSTS} posts have arrived", late.len());
        }
        sleep(Duration::from_secs(2));
    }
}
