//! Server functions: the HTTP API under `/api/v1`, one file per subject.

pub mod accounts;
pub mod auth;
pub mod codec;
pub mod compose;
pub mod error;
pub mod inbox;
pub mod link;
pub mod media;
pub mod missed;
pub mod posts;
pub mod send;
pub mod shell;

pub use codec::{FormOrJson, Json};
pub use error::ApiError;
