//! How long nobody works after a death (R2): on the same node, and on another one.

use super::drive::settle;
use super::oracle;
use super::stage::{Arms, House, Setting, Stage, Template};
use anyhow::{Result, bail};
use serde_json::json;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A node that is started again works within this time.
pub(super) const OWN: Duration = Duration::from_secs(2);
/// Another node has taken over within this time.
pub(super) const OTHER: Duration = Duration::from_secs(35);

/// How long it took, from the kill until the first post that the dead one held was looked for.
pub(super) struct Recovery {
    pub(super) setting: Setting,
    pub(super) by_another: bool,
    pub(super) took: Duration,
    pub(super) complaints: Vec<String>,
}

impl Recovery {
    /// What it should have taken at most.
    pub(super) fn limit(&self) -> Duration {
        if self.by_another { OTHER } else { OWN }
    }
}

/// Kills a node whose commits hang at the platform, and waits until somebody looks for one of them.
pub(super) fn measure(house: &House, template: &Template, setting: Setting, by_another: bool) -> Result<Recovery> {
    let mut stage = Stage::set(house, template, setting)?;
    for platform in ["facebook", "pinterest"] {
        // Accepted at once, answered after a minute: the node dies in between, with leases in its hands.
        stage.fault(platform, &json!({ "kind": "slow", "op": "commit", "seconds": 60, "times": 20 }))?;
    }
    stage.add_node(Arms::default())?;
    until(&mut stage, |stage| {
        let truth = stage.truth()?;
        let committing = count(&truth, "committing");
        if committing == 0
            && truth["held"] == 0
            && let (Some(next), Some(now)) = (truth["next_work"].as_i64(), truth["now"].as_i64())
            && next > now
        {
            stage.pass_micros(next - now)?;
        }
        Ok(committing >= 5)
    })?;
    if by_another {
        stage.add_node(Arms::default())?;
        until(&mut stage, |stage| Ok(stage.answers(1)))?;
    }
    let looks = looks(&mut stage)?;
    stage.nodes[0].kill()?;
    let dead = Instant::now();
    if by_another {
        stage.nodes.remove(0);
    } else {
        stage.restart(0)?;
    }
    while self::looks(&mut stage)? == looks {
        if dead.elapsed() > Duration::from_secs(180) {
            bail!("nobody took over for three minutes");
        }
        sleep(Duration::from_millis(5));
    }
    let took = dead.elapsed();
    stage.clear_faults()?;
    settle(&mut stage, |truth| count(truth, "published") + count(truth, "unconfirmed") == 20)?;
    let complaints = oracle::judge(&mut stage, 1, 0, oracle::Allowed::deaths(1))?;
    Ok(Recovery { setting, by_another, took, complaints })
}

fn count(truth: &serde_json::Value, state: &str) -> usize {
    truth["deliveries"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["state"]["state"] == state && (state != "published" || one["work_at"].is_null()))
        .count()
}

/// Calls that look for a post whose answer was lost.
fn looks(stage: &mut Stage<'_>) -> Result<usize> {
    let mut calls = stage.calls("facebook")?;
    calls.extend(stage.calls("pinterest")?);
    Ok(calls.iter().filter(|call| call["op"] == "read").count())
}

fn until(stage: &mut Stage<'_>, mut holds: impl FnMut(&mut Stage<'_>) -> Result<bool>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if holds(stage).unwrap_or(false) {
            return Ok(());
        }
        sleep(Duration::from_millis(5));
    }
    bail!("the world does not come to the point of the kill: {}", stage.truth().unwrap_or_default())
}
