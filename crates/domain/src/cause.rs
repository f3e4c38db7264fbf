//! Why a login was lost: classes, causes, and the evidence for them (design section 4, Diagnosis).

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What an answer of a platform means. One list for every adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The access token is no longer accepted; a renewal may still work.
    AccessExpired,
    /// The login itself has run out.
    Expired,
    /// The person or the platform withdrew the login.
    Revoked,
    /// The login lives; a scope, role or board is missing.
    PermissionLost,
    /// The account is deleted, banned or deactivated.
    AccountGone,
    /// The platform refuses for policy, spam or checkpoint reasons.
    PolicyBlock,
    /// Too many calls or posts.
    RateLimited,
    /// Server or network trouble that may pass.
    Transient,
    /// The API version is gone; the operator's matter.
    ApiVersionRetired,
    /// The text, media or a parameter was refused.
    BadContent,
    /// The app's own registration is wrong; the operator's matter.
    AppMisconfigured,
    /// A sign-in did not complete (a bad or spent authorization code); says nothing about a stored login.
    LoginFailed,
    /// Nothing we can classify.
    Unknown,
}

impl Class {
    /// Whether only a new sign-in by a person repairs this. Everything else never takes a login offline.
    pub const fn needs_sign_in(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }

    /// Whether the account, not the login, is blocked: the login lives, posting does not.
    pub const fn blocks_account(self) -> bool {
        matches!(self, Self::PermissionLost | Self::AccountGone)
    }
}

/// What we did wrong ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OurFault {
    /// The answer to a renewal was lost, and the platform then refused the old pair.
    LostAnswer,
    /// The key that opens the stored tokens is gone or wrong.
    Key,
    /// Our clock is wrong.
    Clock,
}

/// Why a login was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its lifetime is over.
    Expired,
    /// Unused for too long.
    InactiveAccount,
    /// A scope, role or page was withdrawn.
    PrivacySettings,
    /// The person removed the app or withdrew the consent.
    UserAction,
    /// Password changed, second factor or session policy.
    AuthenticationChange,
    /// Suspended, checkpoint, spam or policy block.
    PolicyViolation,
    /// Deleted or banned.
    AccountDeletion,
    /// The API version was retired.
    ApiVersionChange,
    /// App configuration, admin policy, new terms.
    PlatformChange,
    /// Our own lost answer, key or clock.
    TechnicalIssue(OurFault),
    /// The platform gives no reason.
    Unknown,
}

impl Cause {
    /// The name of the cause without its detail, as stored and counted.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::InactiveAccount => "inactive_account",
            Self::PrivacySettings => "privacy_settings",
            Self::UserAction => "user_action",
            Self::AuthenticationChange => "authentication_change",
            Self::PolicyViolation => "policy_violation",
            Self::AccountDeletion => "account_deletion",
            Self::ApiVersionChange => "api_version_change",
            Self::PlatformChange => "platform_change",
            Self::TechnicalIssue(_) => "technical_issue",
            Self::Unknown => "unknown",
        }
    }
}

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The platform gives no reason, or several causes give the same answer.
    Guess,
    /// The evidence fits one cause best.
    Likely,
    /// The platform names this very cause.
    Certain,
}

/// What a platform said, classified: class and cause with the evidence they were read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verdict {
    /// What the answer means.
    pub class: Class,
    /// Why.
    pub cause: Cause,
    /// How sure that is.
    pub confidence: Confidence,
    /// Other causes that would have given the same answer, likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Cause>,
    /// HTTP status of the answer, where there was one.
    pub status: Option<u16>,
    /// The platform's own code, with its sub-code ("190/463"); at most 64 characters.
    pub code: Option<String>,
    /// The platform's own words: plain text without control characters, at most [`Verdict::TEXT_MAX`] characters.
    pub text: Option<String>,
    /// Scopes that were needed and are not granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
    /// When the answer came.
    pub at: Timestamp,
    /// When the last good call was, as far as we know.
    pub last_good_at: Option<Timestamp>,
}

impl Verdict {
    /// The longest platform text that is kept, in characters.
    pub const TEXT_MAX: usize = 500;

    /// A verdict without evidence beyond its class, for conclusions of our own.
    pub fn plain(class: Class, cause: Cause, confidence: Confidence, at: Timestamp) -> Self {
        Self {
            class,
            cause,
            confidence,
            candidates: Vec::new(),
            status: None,
            code: None,
            text: None,
            missing_scopes: Vec::new(),
            at,
            last_good_at: None,
        }
    }

    /// Foreign text made safe to keep: control characters become spaces, and it is cut (reliability O7).
    pub fn foreign_text(text: &str) -> String {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(Self::TEXT_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_cut_and_loses_its_control_characters() {
        let hostile = format!("a\r\nSet-Cookie: x\0{}", "y".repeat(2_000_000));
        let kept = Verdict::foreign_text(&hostile);
        assert_eq!(kept.chars().count(), Verdict::TEXT_MAX);
        assert!(kept.starts_with("a  Set-Cookie: x y"));
    }

    #[test]
    fn trouble_that_may_pass_never_needs_a_sign_in() {
        for class in
            [Class::Transient, Class::RateLimited, Class::AppMisconfigured, Class::ApiVersionRetired, Class::Unknown, Class::AccessExpired]
        {
            assert!(!class.needs_sign_in(), "{class:?}");
        }
    }
}
