//! How a round of a worker fails.

use domain::grant::InvalidTransition;
use service::ServiceError;
use store::StoreError;

/// Why a round did not do all that it should. What it left is found again in the rows.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The database failed, or a lease was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Opening what is sealed, or the media store, failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A state does not know an event: a mistake of ours.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
}
