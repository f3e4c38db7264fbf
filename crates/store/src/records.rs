//! Reading columns back into the types of `domain`; what contradicts itself is an error that names the table.

use domain::platform::Platform;
use domain::time::Timestamp;

use crate::error::{StoreError, contradiction};

pub(crate) use crate::threads::{id_bytes, json, parsed};

pub(crate) fn platform(table: &'static str, code: &str) -> Result<Platform, StoreError> {
    code.parse().map_err(|_| contradiction(table, code))
}

pub(crate) fn at(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp)
}

/// A number that a count or a list position may be.
pub(crate) fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX })
}
