//! What can be turned on a rehearsal platform while it runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Every knob; [`names`] says which ones a platform has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Knobs {
    pub(crate) listing_lag_seconds: u64,
    // Facebook
    pub(crate) page_token_endless: bool,
    pub(crate) short_token_seconds: u64,
    pub(crate) long_token_seconds: u64,
    pub(crate) data_access_seconds: u64,
    pub(crate) exchange_extends: bool,
    pub(crate) refuse_duplicates_seconds: u64,
    pub(crate) app_calls_per_hour: u64,
    pub(crate) page_calls_per_day: u64,
    // Pinterest
    pub(crate) access_token_seconds: u64,
    pub(crate) refresh_token_seconds: u64,
    pub(crate) refresh_grace_seconds: u64,
    pub(crate) grace_same_pair: bool,
    pub(crate) revoke_family_on_reuse: bool,
    pub(crate) reads_per_minute: u64,
    pub(crate) writes_per_minute: u64,
    pub(crate) min_image_side: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            listing_lag_seconds: 600,
            page_token_endless: false,
            short_token_seconds: 5_400,
            long_token_seconds: 5_184_000,
            data_access_seconds: 7_776_000,
            exchange_extends: false,
            refuse_duplicates_seconds: 0,
            app_calls_per_hour: 1_000_000,
            page_calls_per_day: 4_800_000,
            access_token_seconds: 2_592_000,
            refresh_token_seconds: 5_184_000,
            refresh_grace_seconds: 0,
            grace_same_pair: false,
            revoke_family_on_reuse: false,
            reads_per_minute: 1_000,
            writes_per_minute: 100,
            min_image_side: 1,
        }
    }
}

const FACEBOOK: &[&str] = &[
    "page_token_endless",
    "short_token_seconds",
    "long_token_seconds",
    "data_access_seconds",
    "exchange_extends",
    "refuse_duplicates_seconds",
    "app_calls_per_hour",
    "page_calls_per_day",
    "listing_lag_seconds",
];

const PINTEREST: &[&str] = &[
    "access_token_seconds",
    "refresh_token_seconds",
    "refresh_grace_seconds",
    "grace_same_pair",
    "revoke_family_on_reuse",
    "reads_per_minute",
    "writes_per_minute",
    "min_image_side",
    "listing_lag_seconds",
];

/// The knobs of a platform.
pub(crate) fn names(realm: &str) -> &'static [&'static str] {
    if realm == "facebook" { FACEBOOK } else { PINTEREST }
}

impl Knobs {
    /// The knobs of one platform with their values.
    pub(crate) fn shown(&self, realm: &str) -> Value {
        let all = serde_json::to_value(self).unwrap_or_default();
        let shown: Map<String, Value> = names(realm).iter().map(|name| ((*name).to_owned(), all[*name].clone())).collect();
        Value::Object(shown)
    }

    /// With `changes` applied, or the name of the first knob that does not exist or does not fit.
    pub(crate) fn turned(&self, realm: &str, changes: &Map<String, Value>) -> Result<Self, String> {
        let mut all = serde_json::to_value(self).unwrap_or_default();
        for (name, value) in changes {
            if !names(realm).contains(&name.as_str()) {
                return Err(format!("{realm} has no knob {name}"));
            }
            all[name] = value.clone();
        }
        serde_json::from_value(all).map_err(|error| error.to_string())
    }
}
