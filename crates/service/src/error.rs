//! How a request ends that did not do what it was asked.

use domain::role::NotAllowed;
use domain::summary::refusal::{ErrorCode, Refusal};
use store::StoreError;
use vault::VaultError;

/// Why a request changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The caller's role does not allow it.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// A refusal that the browser may know as it is.
    #[error("refused: {}", .0.code.as_str())]
    Refused(Box<Refusal>),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// The vault could not open or seal.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
    /// The media store failed.
    #[error("the media store failed")]
    Media(#[from] object_store::Error),
    /// A platform call failed below classification.
    #[error("the platform call failed")]
    Platform(#[source] platforms::adapter::CallError),
    /// A stored value contradicts itself.
    #[error("stored data contradicts itself: {0}")]
    Contradiction(&'static str),
}

impl From<ErrorCode> for ServiceError {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(Box::new(code.into()))
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl ServiceError {
    /// What the browser may know. Causes are for the log, which the caller of this writes, once.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NotAllowed(_) => ErrorCode::NotAllowed.into(),
            Self::Refused(refusal) => (**refusal).clone(),
            Self::Platform(_) => ErrorCode::PlatformUnreachable.into(),
            Self::Store(_) | Self::Vault(_) | Self::Media(_) | Self::Contradiction(_) => ErrorCode::Internal.into(),
        }
    }
}
