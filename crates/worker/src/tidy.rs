//! Throws away what nobody can need any more.

use service::Services;

use crate::WorkerError;

/// One round; returns how many rows went.
///
/// # Errors
/// When the database fails.
pub async fn tidy(services: &Services) -> Result<u64, WorkerError> {
    let now = services.clocks.world.now();
    let store = &services.store;
    Ok(store.tidy_events(now).await? + store.tidy_limits(now).await?)
}
