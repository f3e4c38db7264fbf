//! How a call ends that did not do what it was asked.

use domain::summary::refusal::{ErrorCode, Refusal};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use super::codec::JsonText;

/// What the browser may know: `{"code": "…"}` with a few facts, no causes. Its HTTP status is [`ErrorCode::status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiError(pub Box<Refusal>);

/// Stands in `trace` when the browser did not reach us at all.
pub const NO_CONNECTION: &str = "no-connection";

impl ApiError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    fn answer(refusal: Refusal) -> Self {
        #[cfg(feature = "ssr")]
        crate::context::set_status(refusal.code);
        Self(Box::new(refusal))
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::answer(code.into())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::answer(refusal)
    }
}

#[cfg(feature = "ssr")]
impl From<service::ServiceError> for ApiError {
    fn from(error: service::ServiceError) -> Self {
        Self::answer(crate::context::known(&error))
    }
}

#[cfg(feature = "ssr")]
impl From<domain::role::NotAllowed> for ApiError {
    fn from(_: domain::role::NotAllowed) -> Self {
        ErrorCode::NotAllowed.into()
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let mut refusal = Refusal::from(match &error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => ErrorCode::BadArguments,
            ServerFnErrorErr::Deserialization(why) if why == super::codec::WRONG_CONTENT_TYPE => ErrorCode::WrongContentType,
            // On the server this is the body; in the browser it is an answer that is not ours (a proxy's error page).
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => ErrorCode::BadArguments,
            _ => ErrorCode::Internal,
        });
        if !cfg!(feature = "ssr") && matches!(error, ServerFnErrorErr::Request(_) | ServerFnErrorErr::Deserialization(_)) {
            refusal.trace = Some(NO_CONNECTION.to_owned());
        }
        Self::answer(refusal)
    }
}
