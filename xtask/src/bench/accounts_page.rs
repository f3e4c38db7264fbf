//! The page of linked accounts, asked for by 25 clients at once.

use super::percentile;
use super::rehearsal::{Rehearsal, SEED};
use crate::build::Built;
use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};

const PAGE: &str = "/social/settings/accounts";
const CLIENTS: usize = 25;
const WARM_UP: Duration = Duration::from_secs(3);
const LENGTH: Duration = Duration::from_secs(20);

pub(super) fn measure(built: &Built) -> Result<String> {
    let rehearsal = Rehearsal::start(built, SEED)?;
    let accounts = rehearsal.accounts()?.len();
    load(&rehearsal, WARM_UP)?;
    let (mut times, bytes) = load(&rehearsal, LENGTH)?;
    times.sort();
    let of = |share| percentile(&times, share).map(|time: Duration| time.as_secs_f64() * 1000.0).context("no request was answered");
    Ok(format!(
        "`GET {PAGE}` with {accounts} accounts, signed in, {CLIENTS} clients on loopback for {} s, {bytes} bytes a page: **{:.0} requests/s**, p50 {:.1} ms, p99 {:.1} ms.",
        LENGTH.as_secs(),
        times.len() as f64 / LENGTH.as_secs_f64(),
        of(0.5)?,
        of(0.99)?
    ))
}

/// How long each request took, and how large the page is.
fn load(rehearsal: &Rehearsal, length: Duration) -> Result<(Vec<Duration>, usize)> {
    let one_client = || -> Result<(Vec<Duration>, usize)> {
        let mut client = rehearsal.client()?;
        let (mut times, mut bytes) = (Vec::new(), 0);
        let end = Instant::now() + length;
        while Instant::now() < end {
            let start = Instant::now();
            let answer = client.get(PAGE, &[("cookie", &rehearsal.cookie), ("accept", "text/html")])?;
            if answer.status != 200 {
                bail!("{PAGE} answered {}", answer.status);
            }
            times.push(start.elapsed());
            bytes = answer.body.len();
        }
        Ok((times, bytes))
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(one_client)).collect();
        let (mut all, mut size) = (Vec::new(), 0);
        for client in clients {
            let (times, bytes) = client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
            all.extend(times);
            size = bytes;
        }
        Ok((all, size))
    })
}
