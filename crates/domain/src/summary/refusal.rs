//! What the browser may know when a call did not do what it was asked: a stable code and a few facts, no causes.

use serde::{Deserialize, Serialize};

use super::Moment;
use super::compose::AccountProblem;

/// A call that changed nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: ErrorCode,
    /// What is wrong with a composed post.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<AccountProblem>,
    /// A time that would be possible instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Moment>,
    /// For `internal`: the number under which the operator finds it in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self { code, problems: Vec::new(), instead: None, trace: None }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $text:literal),+ $(,)?) => {
        /// The stable codes of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl ErrorCode {
            /// Every code, for the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The code as text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// Nobody is signed in, or the session ended.
    NotSignedIn = 401 "not_signed_in",
    /// E-mail address or password is wrong; never told which.
    WrongPassword = 401 "wrong_password",
    /// Too many tries from here or for this person.
    TooManyTries = 429 "too_many_tries",
    /// The role does not allow it.
    NotAllowed = 403 "not_allowed",
    /// It does not exist, or belongs to somebody else.
    NotFound = 404 "not_found",
    /// No such address under `/api/v1`.
    UnknownFunction = 404 "unknown_function",
    /// The address exists, for another method.
    WrongMethod = 405 "wrong_method",
    /// The arguments cannot be read.
    BadArguments = 400 "bad_arguments",
    /// The body's content type is not one that we take.
    WrongContentType = 415 "wrong_content_type",
    /// The request came from another site.
    CrossSite = 403 "cross_site",
    /// The body is too large.
    TooLarge = 413 "too_large",
    /// A platform would refuse the post; see `problems`.
    Content = 422 "content",
    /// No account is picked.
    NoAccounts = 422 "no_accounts",
    /// No post is picked.
    NoPosts = 422 "no_posts",
    /// Date or time cannot be read.
    BadTime = 422 "bad_time",
    /// There is no such time zone.
    BadZone = 422 "bad_zone",
    /// The time has passed; see `instead`.
    TimePassed = 422 "time_passed",
    /// The time is more than two years ahead.
    TimeTooFar = 422 "time_too_far",
    /// The file is not an image that we take (JPEG or PNG).
    ImageKind = 422 "image_kind",
    /// The image cannot be read.
    ImageBroken = 422 "image_broken",
    /// The image file or its sides are too large.
    ImageTooLarge = 413 "image_too_large",
    /// It is already being sent.
    AlreadyBeingSent = 409 "already_being_sent",
    /// Its state does not know this any more; reload.
    Outdated = 409 "outdated",
    /// The first of the new times has passed; there is nothing left to undo.
    UndoOver = 409 "undo_over",
    /// No app is registered for this platform on this server.
    NotSetUp = 409 "not_set_up",
    /// The platform permits a new sign-in only after the end.
    TooEarly = 409 "too_early",
    /// The consent is spent, foreign to this browser, or too old.
    ConsentOver = 409 "consent_over",
    /// The platform could not be reached.
    PlatformUnreachable = 502 "platform_unreachable",
    /// This server already has an owner.
    OwnerExists = 409 "owner_exists",
    /// The one-time code is wrong.
    WrongCode = 403 "wrong_code",
    /// The password is shorter than ten characters or longer than 500.
    BadPassword = 422 "bad_password",
    /// The e-mail address cannot be one.
    BadEmail = 422 "bad_email",
    /// A name is empty or too long.
    BadName = 422 "bad_name",
    /// Something broke on our side; nothing was changed. See `trace`.
    Internal = 500 "internal",
}
