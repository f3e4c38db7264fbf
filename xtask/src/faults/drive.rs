//! Plays a world to its end: whoever dies is started again, and the clock goes on whenever nothing is left to do.

use super::stage::{Arms, House, RENEWALS_APART, Scenario, Setting, Stage, Template};
use super::{oracle, points::Reached};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use signal_hook::consts::{SIGABRT, SIGKILL};
use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How a world is hurt.
#[derive(Clone, Debug)]
pub(super) enum Injury {
    /// Not at all: shows how many cuts there are.
    None,
    /// The first node dies at this cut.
    Cut(u64),
    /// A node dies by SIGKILL, so long after the one before (or the beginning).
    Kills(Vec<(usize, Duration)>),
    /// The first node dies by strace with these arguments.
    Strace(Vec<String>),
}

/// How it went.
#[derive(Default)]
pub(super) struct Played {
    /// What must not be: empty when all is well.
    pub(super) complaints: Vec<String>,
    /// How often a process died.
    pub(super) deaths: usize,
    /// The cuts that were passed.
    pub(super) reached: Reached,
    /// How many cuts the first node had passed when the first round was over: later ones are the same again.
    pub(super) first_round: u64,
    /// How many posts or logins ended how.
    pub(super) ends: Vec<(String, usize)>,
    /// How long the only node needed from a start after a death until it answered, at most.
    pub(super) longest_start: Duration,
}

/// A world that has not come to rest after this time never will.
const REST_WITHIN: Duration = Duration::from_secs(150);
const LOOK: Duration = Duration::from_millis(5);
/// Long after everything: nothing may happen any more.
const AFTERWARDS: Duration = Duration::from_secs(1200);

/// Plays one world and holds the end against the oracle.
pub(super) fn play(house: &House, template: &Template, setting: Setting, injury: &Injury) -> Result<Played> {
    let mut stage = Stage::set(house, template, setting)?;
    let mut played = Played::default();
    let result = run(&mut stage, injury, &mut played);
    match result {
        Ok(complaints) => played.complaints = complaints,
        Err(error) => played.complaints = vec![format!("{error:#}")],
    }
    for log in stage.cuts() {
        played.reached.read(&log);
    }
    if !matches!(injury, Injury::Cut(_)) {
        // They died at other moments.
        played.reached.last.clear();
    }
    if !played.complaints.is_empty() {
        stage.is_kept = true;
        played.complaints.push(format!("kept: {}", stage.folder.display()));
    }
    Ok(played)
}

fn run(stage: &mut Stage<'_>, injury: &Injury, played: &mut Played) -> Result<Vec<String>> {
    let before = stage.calls("pinterest")?.len();
    let first = match injury {
        Injury::None | Injury::Kills(_) => Arms::default(),
        Injury::Cut(at) => Arms { cut: Some(*at), ..Arms::default() },
        Injury::Strace(arguments) => Arms { strace: Some(arguments.clone()), ..Arms::default() },
    };
    stage.add_node(first)?;
    for _ in 1..stage.setting().nodes() {
        stage.add_node(Arms::default())?;
    }
    let mut kills = if let Injury::Kills(kills) = injury { kills.clone() } else { Vec::new() };
    kills.reverse();
    let rounds = if stage.scenario == Scenario::Posts { 1 } else { 2 };
    for round in 1..=rounds {
        settle_hurt(stage, &mut kills, played, |truth| is_over(truth, round), &mut |_| Ok(true))?;
        if round == 1 {
            played.first_round = stage.passed_by_first()?;
        }
        if round < rounds {
            stage.pass(RENEWALS_APART)?;
        }
    }
    let truth = stage.truth()?;
    if stage.scenario == Scenario::Posts {
        stage.pass(AFTERWARDS)?;
        settle_hurt(stage, &mut kills, played, |truth| is_over(truth, 1), &mut |_| Ok(true))?;
    }
    let complaints = oracle::judge(stage, rounds, before, oracle::Allowed::deaths(played.deaths))?;
    played.ends = oracle::ends(&truth);
    Ok(complaints)
}

/// Whether everything has come to an end: posts that nobody works on any more, logins renewed so many times or lost.
pub(super) fn is_over(truth: &Value, round: i64) -> bool {
    let deliveries = truth["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all_posts = deliveries.iter().all(|delivery| delivery["work_at"].is_null() || delivery["state"]["state"] == "unconfirmed");
    let logins = truth["logins"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_renewed = |login: &Value| login["generation"].as_i64().is_some_and(|generation| generation > round);
    let all_logins = logins.iter().all(|login| login["state"] == "sign_in_needed" || (login["state"] == "live" && is_renewed(login)));
    all_posts && (all_logins || !deliveries.is_empty())
}

/// Lets a world in which nobody is hurt on purpose run until it is over and at rest.
pub(super) fn settle(stage: &mut Stage<'_>, is_over: impl Fn(&Value) -> bool) -> Result<()> {
    settle_while(stage, is_over, |_| Ok(true))
}

/// The same, with something that is done at every look until it says that it is over.
pub(super) fn settle_while(
    stage: &mut Stage<'_>,
    is_over: impl Fn(&Value) -> bool,
    mut trouble: impl FnMut(&mut Stage<'_>) -> Result<bool>,
) -> Result<()> {
    settle_hurt(stage, &mut Vec::new(), &mut Played::default(), is_over, &mut trouble)
}

/// Lets the world run until it is over and at rest.
fn settle_hurt(
    stage: &mut Stage<'_>,
    kills: &mut Vec<(usize, Duration)>,
    played: &mut Played,
    is_over: impl Fn(&Value) -> bool,
    trouble: &mut dyn FnMut(&mut Stage<'_>) -> Result<bool>,
) -> Result<()> {
    let end = Instant::now() + REST_WITHIN;
    let mut last_kill = Instant::now();
    let mut has_answered = false;
    loop {
        let is_calm = trouble(stage)?;
        if let Some(&(node, after)) = kills.last()
            && last_kill.elapsed() >= after
        {
            kills.pop();
            last_kill = Instant::now();
            // Somebody who has died by an earlier kill is being started below.
            if stage.nodes[node].ended()?.is_none() {
                stage.nodes[node].kill()?;
                played.deaths += 1;
                stage.restart(node)?;
                has_answered = false;
            }
        }
        for number in 0..stage.nodes.len() {
            let Some(status) = stage.nodes[number].ended()? else { continue };
            let node = &stage.nodes[number];
            if !node.is_armed() || !matches!(status.signal(), Some(SIGABRT | SIGKILL)) {
                bail!("node {number} ended by itself ({status}):\n{}", node.last_words());
            }
            played.deaths += 1;
            stage.restart(number)?;
            has_answered = false;
        }
        if Instant::now() > end {
            bail!("does not come to rest; the last truth: {}", stage.truth().unwrap_or_default());
        }
        let Ok(rest) = stage.rest() else {
            sleep(LOOK);
            continue;
        };
        if !has_answered && played.deaths > 0 && stage.nodes.len() == 1 {
            played.longest_start = played.longest_start.max(stage.nodes[0].started.elapsed());
        }
        has_answered = true;
        let now = rest["now"].as_i64().context("no time")?;
        let next = rest["next_work"].as_i64();
        if rest["held"] == 0 && next.is_none_or(|next| next > now) {
            let Ok(truth) = stage.truth() else { continue };
            if is_over(&truth) {
                if kills.is_empty() && truth["held"] == 0 && is_calm {
                    return Ok(());
                }
            } else if let Some(next) = next {
                stage.pass_micros(next - now)?;
            }
        }
        sleep(LOOK);
    }
}
