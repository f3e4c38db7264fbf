//! Wall times and zones (jiff): the server's half of time. (Owner: posts)

use domain::summary::Moment;
use domain::summary::compose::ClockChange;
use domain::summary::refusal::ErrorCode;
use domain::time::Timestamp;

/// A zone, ready to format and to resolve wall times.
#[derive(Debug, Clone)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// By its name in the tz database.
    ///
    /// # Errors
    /// [`ErrorCode::BadZone`] when there is none of that name.
    pub fn named(name: &str) -> Result<Self, ErrorCode> { todo!() }
    /// The texts for a moment, in this zone; `now` decides "today" and "tomorrow".
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> Moment { todo!() }
    /// "09:00:03".
    pub fn clock(&self, at: Timestamp) -> String { todo!() }
    /// A wall time ("2026-12-03", "09:00") as a moment. A gap moves forward by its length, a fold takes the first; both are told.
    ///
    /// # Errors
    /// [`ErrorCode::BadTime`] when date or time cannot be read.
    pub fn resolve(&self, date: &str, time: &str) -> Result<(Timestamp, Option<ClockChange>), ErrorCode> { todo!() }
    /// Date and time of a moment as form values ("2026-12-03", "09:00").
    pub fn wall(&self, at: Timestamp) -> (String, String) { todo!() }
    /// Midnight at the start of the day that is `days` after the day of `at`.
    pub fn day_start(&self, at: Timestamp, days: i32) -> Timestamp { todo!() }
}
