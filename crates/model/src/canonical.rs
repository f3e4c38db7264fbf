//! Equal futures are one state: what can make no difference any more is taken out, moments are counted from now, and leases
//! and pairs of tokens are numbered anew.

use domain::delivery::DeliveryState;
use domain::grant::GrantState;
use domain::time::{Timestamp, minutes};

use crate::state::{KeepStep, Reply, START, State, Step};

/// Failures beyond this many wait no longer for being more.
const FAILURES: u32 = 3;

pub(crate) fn make(state: &mut State, write_ahead: bool) {
    forget(state, write_ahead);
    count_from_now(state);
    number_leases(state);
    number_pairs(state);
    state.wire.sort();
}

fn forget(state: &mut State, write_ahead: bool) {
    for row in &mut state.rows {
        match &mut row.state {
            DeliveryState::Published { at, seen_at, link, .. } => (*at, *seen_at, *link) = (START, None, None),
            DeliveryState::Missed { at, .. } => *at = START,
            _ => {}
        }
        row.attempts = row.attempts.min(FAILURES);
    }
    let login = &mut state.login;
    if let GrantState::Retrying { attempt, .. } = &mut login.state {
        *attempt = (*attempt).min(FAILURES);
    }
    let newest = login.generation;
    login.attempts.retain(|(_, generation, _)| *generation == newest);
    if login.work_at().is_none() && state.workers.iter().all(|worker| worker.keep.is_none()) {
        login.attempts.clear();
    }
    let told = &mut state.told;
    told.lost = told.lost.min(2);
    for worker in &mut state.workers {
        for job in worker.jobs.iter_mut().flatten() {
            job.attempts = job.attempts.min(FAILURES);
            let is_looking = matches!(job.step, Step::Look | Step::Shown(_) | Step::Compared(..));
            if is_looking {
                (job.used, job.pair) = (newest, login.pair);
            }
            if write_ahead && job.step != Step::Intended || is_looking {
                job.until = START;
            }
        }
        for keep in worker.keep.iter_mut().filter(|keep| keep.step != KeepStep::Held) {
            keep.until = START;
        }
    }
}

/// What is past is as good as now; of a doubt it counts how old it is, up to two minutes.
fn count_from_now(state: &mut State) {
    let shift = state.now.since(START);
    let soon = |at: &mut Timestamp| *at = (*at - shift).max(START);
    let state_of = |delivery: &mut DeliveryState| match delivery {
        DeliveryState::Committing { since } => *since = START,
        DeliveryState::Confirming { since } => *since = (*since - shift).max(START - minutes(2)),
        DeliveryState::Unconfirmed { asked_at, since } => {
            *asked_at = START;
            *since = (*since - shift).max(START - minutes(2));
        }
        DeliveryState::Waiting { retry_at, .. } => soon(retry_at),
        _ => {}
    };
    for row in &mut state.rows {
        row.work_at.iter_mut().for_each(soon);
        row.lease.iter_mut().for_each(|lease| soon(&mut lease.until));
        state_of(&mut row.state);
    }
    let login = &mut state.login;
    login.refresh_at.iter_mut().for_each(soon);
    login.lease.iter_mut().for_each(|lease| soon(&mut lease.until));
    match &mut login.state {
        GrantState::Retrying { since, retry_at, .. } => {
            *since = START;
            soon(retry_at);
        }
        GrantState::SignInNeeded { since, .. } => *since = START,
        GrantState::Live | GrantState::Unlinked => {}
    }
    for worker in &mut state.workers {
        for job in worker.jobs.iter_mut().flatten() {
            soon(&mut job.until);
            state_of(&mut job.state);
        }
        worker.keep.iter_mut().for_each(|keep| soon(&mut keep.until));
    }
    for request in &mut state.wire {
        soon(&mut request.until);
    }
    state.now = START;
}

fn number_leases(state: &mut State) {
    for number in 0..2 {
        let row = &mut state.rows[number];
        let mut fences: Vec<&mut u8> = row.lease.iter_mut().map(|lease| &mut lease.fence).collect();
        fences.extend(state.workers.iter_mut().filter_map(|worker| worker.jobs[number].as_mut()).map(|job| &mut job.fence));
        row.fence = renumber(fences);
    }
    let login = &mut state.login;
    let mut fences: Vec<&mut u8> = login.lease.iter_mut().map(|lease| &mut lease.fence).collect();
    fences.extend(state.workers.iter_mut().filter_map(|worker| worker.keep.as_mut()).map(|keep| &mut keep.fence));
    fences.extend(login.attempts.iter_mut().map(|attempt| &mut attempt.0));
    login.fence = renumber(fences);
}

/// The same order with the smallest numbers; returns the largest.
fn renumber(mut fences: Vec<&mut u8>) -> u8 {
    fences.sort();
    let (mut last, mut number) = (0, 0);
    for fence in fences {
        if *fence != last {
            last = *fence;
            number += 1;
        }
        *fence = number;
    }
    number
}

fn number_pairs(state: &mut State) {
    let login = &mut state.login;
    let mut pairs = vec![&mut state.platform.live, &mut login.pair, &mut login.best];
    let mut generations = vec![&mut login.generation];
    generations.extend(login.attempts.iter_mut().map(|attempt| &mut attempt.1));
    pairs.extend(state.wire.iter_mut().map(|request| &mut request.pair));
    for worker in &mut state.workers {
        for job in worker.jobs.iter_mut().flatten().filter(|job| job.step != Step::Claimed) {
            pairs.push(&mut job.pair);
            generations.push(&mut job.used);
        }
        for keep in worker.keep.iter_mut().filter(|keep| keep.step != KeepStep::Leased) {
            pairs.push(&mut keep.pair);
            generations.push(&mut keep.generation);
            if let KeepStep::Answered(Reply::Pair(pair)) = &mut keep.step {
                pairs.push(pair);
            }
        }
    }
    // Neighbours stay neighbours: a platform may give the pair after a spent one again.
    let below = pairs.iter().map(|pair| **pair).min().unwrap_or(1) - 1;
    pairs.into_iter().for_each(|pair| *pair -= below);
    let below = generations.iter().map(|generation| **generation).min().unwrap_or(1) - 1;
    generations.into_iter().for_each(|generation| *generation -= below);
}
