//! The platforms we know, by the names used in code, SQL and addresses (design section 3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A social platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Facebook Pages.
    Facebook,
    /// Pinterest.
    Pinterest,
}

/// The text names no platform we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a platform we know")]
pub struct UnknownPlatform;

impl Platform {
    /// Every platform, in the order in which screens list them.
    pub const ALL: &'static [Self] = &[Self::Facebook, Self::Pinterest];

    /// The name in code, SQL and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
            Self::Pinterest => "pinterest",
        }
    }

    /// The company's own spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Facebook => "Facebook",
            Self::Pinterest => "Pinterest",
        }
    }

    /// What one account of it is called.
    pub const fn account_word(self) -> &'static str {
        match self {
            Self::Facebook => "Facebook Page",
            Self::Pinterest => "Pinterest",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;
    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        Self::ALL.iter().copied().find(|platform| platform.code() == text).ok_or(UnknownPlatform)
    }
}
