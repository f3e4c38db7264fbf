//! Our own absence: noticed when we are back, and told as what it was.

use std::time::Duration;

use domain::delivery::{DeliveryEvent, MissedWhy};
use domain::id::{AttemptId, ThreadId};
use domain::inbox::{Root, Stage};
use domain::summary::shell::EventKind;
use domain::time::{Timestamp, minutes};
use service::Services;
use store::deliveries::Record;

use crate::WorkerError;

/// How often a running process says that it is there.
const BEAT: Duration = Duration::from_secs(60);
/// A silence longer than this was an absence.
const SILENCE: Duration = minutes(2);
/// Moves of this time before a start are told to open pages again.
const RECENT: Duration = minutes(10);
/// Name of the value that holds the last beat: world and wall time.
const NAME: &str = "heartbeat";

fn read(beat: &str) -> Option<(Timestamp, Timestamp)> {
    let (world, wall) = beat.split_once(' ')?;
    Some((Timestamp(world.parse().ok()?), Timestamp(wall.parse().ok()?)))
}

async fn beat(services: &Services) -> Result<(), WorkerError> {
    let beat = format!("{} {}", services.clocks.world.now().0, services.clocks.wall.now().0);
    Ok(services.store.set_installation(NAME, &beat).await?)
}

/// Says that we are here. When nobody was for more than two minutes (by the wall clock) and something came due meanwhile
/// (by the world's), tells so: what is too late becomes missed, the rest goes out late and spaced.
///
/// # Errors
/// When the database fails.
pub async fn note_return(services: &Services) -> Result<(), WorkerError> {
    let last = services.store.installation(NAME).await?.as_deref().and_then(read);
    let (now, wall) = (services.clocks.world.now(), services.clocks.wall.now());
    if let Some((from, last_wall)) = last
        && wall.since(last_wall) > SILENCE
    {
        tell(services, from, now).await?;
    }
    beat(services).await
}

async fn tell(services: &Services, from: Timestamp, now: Timestamp) -> Result<(), WorkerError> {
    let mut tx = services.store.begin().await?;
    let due = tx.came_due(from, now).await?;
    let mut workspaces: Vec<_> = due.iter().map(|delivery| delivery.workspace).collect();
    workspaces.dedup();
    for workspace in workspaces {
        tx.tell(workspace, &Root::Absence, &Stage::WasOff { from, until: now }, ThreadId(services.new_id()), now).await?;
        let mut waits_for_somebody = false;
        for late in due.iter().filter(|late| late.workspace == workspace && late.is_too_late) {
            let why = MissedWhy::WeWereOff;
            let missed = late.state.after(DeliveryEvent::Miss(why), now)?;
            let line =
                Record::moment(AttemptId(services.new_id()), "miss", why.code(), now).with(serde_json::to_string(&why).unwrap_or_default());
            tx.miss_after_absence(late, &missed, &line, now).await?;
            waits_for_somebody = true;
        }
        if waits_for_somebody {
            tx.event(workspace, EventKind::Posts, now).await?;
        } else {
            // Nothing to decide: it is told, and over.
            tx.back_to_normal(workspace, &Root::Absence, now).await?;
        }
    }
    tracing::warn!(from = from.0, until = now.0, due = due.len(), "posts came due while nobody was here");
    Ok(tx.commit().await?)
}

/// Says every minute that we are here, and notices when the machine slept in between.
pub(crate) async fn keep_beating(services: Services) {
    if let Err(error) = tell_pages_again(&services).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "open pages could not be told what moved before the start");
    }
    let mut interval = tokio::time::interval(BEAT);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval.tick().await;
    loop {
        interval.tick().await;
        if let Err(error) = note_return(&services).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the heartbeat could not be written");
        }
    }
}

/// A process that was killed may not have told open pages of its last moves.
async fn tell_pages_again(services: &Services) -> Result<(), WorkerError> {
    let now = services.clocks.world.now();
    let changed = services.store.changed_since(now - RECENT).await?;
    Ok(services.store.announce_posts(&changed, now).await?)
}
