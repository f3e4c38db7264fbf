//! How the platforms write moments.

use domain::time::Timestamp;
use jiff::tz::TimeZone;

fn utc(moment: Timestamp) -> jiff::Zoned {
    zoned(moment, TimeZone::UTC)
}

fn zoned(moment: Timestamp, zone: TimeZone) -> jiff::Zoned {
    jiff::Timestamp::from_microsecond(moment.0).unwrap_or_default().to_zoned(zone)
}

/// `2026-11-23T10:00:00.000000Z`, for the test surface.
pub(crate) fn iso(moment: Timestamp) -> String {
    utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// `2026-11-23T10:00:00+0000`, as the Graph API writes `created_time`.
pub(crate) fn graph(moment: Timestamp) -> String {
    utc(moment).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// `2026-11-23T10:00:00`, as Pinterest writes `created_at` (UTC, without saying so).
pub(crate) fn pinterest(moment: Timestamp) -> String {
    utc(moment).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `Monday, 19-Jun-23 06:29:46 PDT`, as in the Graph API's expiry message.
pub(crate) fn pacific(moment: Timestamp) -> String {
    let zone = TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC);
    zoned(moment, zone).strftime("%A, %d-%b-%y %H:%M:%S %Z").to_string()
}

/// `Mon 23 Nov, 10:00 UTC`, for people.
pub(crate) fn readable(moment: Timestamp) -> String {
    utc(moment).strftime("%a %-d %b, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pacific_time_follows_daylight_saving() {
        assert_eq!(pacific(Timestamp::from_seconds(1_687_181_386)), "Monday, 19-Jun-23 06:29:46 PDT");
        assert_eq!(pacific(Timestamp::from_seconds(1_793_700_752)), "Tuesday, 03-Nov-26 02:12:32 PST");
    }

    #[test]
    fn a_moment_outside_any_calendar_is_still_written() {
        assert!(!iso(Timestamp(i64::MAX)).is_empty());
    }
}
