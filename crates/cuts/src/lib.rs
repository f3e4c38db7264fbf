#![doc = include_str!("../README.md")]

#[cfg(feature = "armed")]
mod armed;

#[cfg(feature = "armed")]
pub use armed::{arm, cut};

use std::fmt::{self, Display};

/// On which side of what a cut lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The transaction is written and not committed.
    BeforeCommit,
    /// It is committed, and nobody knows yet.
    AfterCommit,
    /// Nothing of the request has left.
    BeforeRequest,
    /// The platform has taken the request and begins to answer; nothing of the answer has been read.
    AfterRequest,
    /// The answer has been read, and nothing has been done about it.
    AnswerRead,
    /// The file is not there yet.
    BeforeFile,
    /// The file is there, and nothing else knows of it.
    AfterFile,
}

impl Cut {
    /// As it stands in logs and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeCommit => "before commit",
            Self::AfterCommit => "after commit",
            Self::BeforeRequest => "before request",
            Self::AfterRequest => "after request",
            Self::AnswerRead => "answer read",
            Self::BeforeFile => "before file",
            Self::AfterFile => "after file",
        }
    }
}

/// A place at which a test build may die. Here nothing happens.
#[cfg(not(feature = "armed"))]
#[inline(always)]
pub fn cut(_: Cut, _: impl Display) {}

/// A request as the name of a cut: what it is for, without what differs from call to call (`POST {id}/feed`). Ids are the
/// segments that begin with a digit, and everything up to the version of the API is left out; without one, the last segment stands for all.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path of the address.
    pub path: &'a str,
}

impl Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let segments: Vec<&str> = self.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let version = segments.iter().position(|segment| segment.strip_prefix('v').is_some_and(begins_with_digit));
        let own = segments.get(version.map_or(segments.len().saturating_sub(1), |at| at + 1)..).unwrap_or_default();
        let shape: Vec<&str> = own.iter().map(|segment| if begins_with_digit(segment) { "{id}" } else { segment }).collect();
        write!(f, "{} {}", self.method, shape.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_what_it_is_for() {
        let name = |method, path| Request { method, path }.to_string();
        assert_eq!(name("POST", "/sim/facebook/graph/v26.0/615548210093371001/feed"), "POST {id}/feed");
        assert_eq!(name("POST", "/sim/pinterest/v5/oauth/token"), "POST oauth/token");
        assert_eq!(name("GET", "/v26.0/61_99"), "GET {id}");
        assert_eq!(name("GET", "/sim/facebook/graph/debug_token"), "GET debug_token");
    }
}
