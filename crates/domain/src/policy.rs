//! What can be data about a platform is data: one `Policy` value each. Sources stand at the values.

use std::time::Duration;

use crate::platform::Platform;
use crate::text::Counting;
use crate::time::{Timestamp, days};

/// How a login is renewed without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// There is no way.
    None,
    /// By refresh token; each renewal starts a new full life. Done at a third of it.
    Sliding {
        /// Whether the old refresh token must be taken as dead once a new one came.
        rotates: bool,
    },
}

/// A permission that we ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The platform's name of it.
    pub name: &'static str,
    /// Whether posting is impossible without it.
    pub is_needed: bool,
}

/// An API version and the day it stops working, if announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiVersion {
    /// As it stands in addresses.
    pub name: &'static str,
    /// End of life.
    pub sunset: Option<Timestamp>,
}

/// What the platform takes in one post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text.
    pub text: usize,
    /// How the platform counts it.
    pub counting: Counting,
    /// Longest title; none where posts have no title.
    pub title: Option<usize>,
    /// Longest alternative text of an image, in characters.
    pub alt_text: usize,
    /// Longest link, in characters.
    pub link: usize,
    /// Fewest images of a post.
    pub images_min: usize,
    /// Most images of a post.
    pub images_max: usize,
    /// Largest image file, in bytes.
    pub image_bytes: usize,
    /// Whether a link and images may stand in one post.
    pub link_with_images: bool,
    /// Whether each post needs a place inside the account (Pinterest: a board).
    pub needs_board: bool,
}

/// One platform's rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Which platform.
    pub platform: Platform,
    /// How long a login lasts by the mission's schedule; used where the platform states no end.
    pub login_lasts: Option<Duration>,
    /// How it is renewed.
    pub renewal: Renewal,
    /// Whether a person may sign in again before the end (design section 4, Early sign-in).
    pub early_sign_in: bool,
    /// Whether another person who manages the same account may take the login over.
    pub take_over: bool,
    /// What we ask for.
    pub scopes: &'static [Scope],
    /// The version we speak.
    pub api_version: ApiVersion,
    /// What a post may hold.
    pub limits: Limits,
    /// Calls in flight at once.
    pub slots: usize,
    /// How far a list may lag behind what was accepted, before "not in it" stops being surprising.
    pub list_lag: Duration,
}

const fn needed(name: &'static str) -> Scope {
    Scope { name, is_needed: true }
}

/// Facebook Pages. Source: platforms/meta.md part A.
pub const FACEBOOK: Policy = Policy {
    platform: Platform::Facebook,
    // Long-lived user tokens last about 60 days; page tokens die with them in the mission's schedule (A.2).
    login_lasts: Some(days(60)),
    renewal: Renewal::None,
    early_sign_in: true,
    take_over: true,
    scopes: &[needed("pages_show_list"), needed("pages_read_engagement"), needed("pages_manage_posts")],
    // v26.0, released 29 Jul 2026, end to be decided (A.7).
    api_version: ApiVersion { name: "v26.0", sunset: None },
    limits: Limits {
        // UNVERIFIED by an official page (A.6); a longer text would be refused by Facebook, not lost.
        text: 63_206,
        counting: Counting::CodePoints,
        title: None,
        alt_text: 500,
        link: 2048,
        images_min: 0,
        // No official number; another scheduler caps at 10 (A.6).
        images_max: 10,
        // Error 1366046 speaks of 4 MB (A.6).
        image_bytes: 4 * 1024 * 1024,
        link_with_images: false,
        needs_board: false,
    },
    slots: 16,
    list_lag: Duration::from_secs(3600),
};

/// Pinterest. Source: platforms/tiktok-pinterest-open.md part Pinterest.
pub const PINTEREST: Policy = Policy {
    platform: Platform::Pinterest,
    // Refresh token 60 days, sliding (section 2).
    login_lasts: Some(days(60)),
    renewal: Renewal::Sliding { rotates: true },
    early_sign_in: false,
    take_over: false,
    scopes: &[needed("boards:read"), needed("boards:write"), needed("pins:read"), needed("pins:write"), needed("user_accounts:read")],
    api_version: ApiVersion { name: "v5", sunset: None },
    limits: Limits {
        // 800 in the API document, 500 on the help page (section 6).
        text: 800,
        counting: Counting::CodePoints,
        title: Some(100),
        alt_text: 500,
        link: 2048,
        images_min: 1,
        images_max: 5,
        image_bytes: 20 * 1024 * 1024,
        link_with_images: true,
        needs_board: true,
    },
    slots: 16,
    list_lag: Duration::from_secs(3600),
};

/// The policy of a platform.
pub const fn of(platform: Platform) -> &'static Policy {
    match platform {
        Platform::Facebook => &FACEBOOK,
        Platform::Pinterest => &PINTEREST,
    }
}
