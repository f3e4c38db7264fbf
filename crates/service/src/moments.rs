//! Wall times and zones (jiff): the server's half of time.

use domain::summary::Moment;
use domain::summary::compose::ClockChange;
use domain::summary::refusal::ErrorCode;
use domain::time::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{ToSpan, Zoned};

/// Moments outside the years 1 to 9998 are shown as the nearest one inside: every zone can then format them.
const EARLIEST: i64 = -62_135_596_800_000_000;
const LATEST: i64 = 253_370_764_800_000_000;
/// A day is written with its year when it is farther away than this.
const YEAR_IS_CLEAR: i64 = 300 * 86_400_000_000;

/// A zone, ready to format and to resolve wall times.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// By its name in the tz database.
    ///
    /// # Errors
    /// [`ErrorCode::BadZone`] when there is none of that name.
    pub fn named(name: &str) -> Result<Self, ErrorCode> {
        TimeZone::get(name).map(Self).map_err(|_| ErrorCode::BadZone)
    }

    /// By its stored name; UTC when the tz database of today no longer knows it.
    pub fn stored(name: &str) -> Self {
        Self::named(name).unwrap_or(Self::UTC)
    }

    /// The names of all zones that can be picked.
    pub fn names() -> Vec<String> {
        let mut names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).filter(|name| name.contains('/')).collect();
        names.retain(|name| !name.starts_with("Etc/") && !name.starts_with("posix/") && !name.starts_with("right/"));
        names.push("UTC".to_owned());
        names.sort_unstable();
        names
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        let at = jiff::Timestamp::from_microsecond(at.0.clamp(EARLIEST, LATEST)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned(self.0.clone())
    }

    /// The texts for a moment, in this zone; `now` decides "today" and "tomorrow".
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> Moment {
        let zoned = self.zoned(at);
        let time = zoned.strftime("%H:%M").to_string();
        let is_clear = at.0.abs_diff(now.0) <= YEAR_IS_CLEAR.unsigned_abs();
        let day = zoned.strftime(if is_clear { "%a %-d %b" } else { "%a %-d %b %Y" }).to_string();
        let text = format!("{day}, {time}");
        let today = self.zoned(now).date();
        let near = match today.until(zoned.date()).map(|span| span.get_days()) {
            Ok(0) => format!("today {time}"),
            Ok(1) => format!("tomorrow {time}"),
            Ok(-6..=6) => format!("{} {time}", zoned.strftime("%a")),
            _ => text.clone(),
        };
        Moment { at, text, day, time, near }
    }

    /// "09:00:03".
    pub fn clock(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%H:%M:%S").to_string()
    }

    /// "Thu".
    pub fn weekday(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%a").to_string()
    }

    /// A wall time ("2026-12-03", "09:00") as a moment. A gap moves forward by its length, a fold takes the first; both are told.
    ///
    /// # Errors
    /// [`ErrorCode::BadTime`] when date or time cannot be read.
    pub fn resolve(&self, date: &str, time: &str) -> Result<(Timestamp, Option<ClockChange>), ErrorCode> {
        let asked = DateTime::from_parts(read_date(date).ok_or(ErrorCode::BadTime)?, read_time(time).ok_or(ErrorCode::BadTime)?);
        let ambiguous = self.0.to_ambiguous_zoned(asked);
        let offset = ambiguous.offset();
        let zoned = ambiguous.compatible().map_err(|_| ErrorCode::BadTime)?;
        let text = |of: &DateTime| of.strftime("%H:%M").to_string();
        let change = match offset {
            AmbiguousOffset::Unambiguous { .. } => None,
            AmbiguousOffset::Gap { .. } => Some(ClockChange::Gap { asked: text(&asked), becomes: text(&zoned.datetime()) }),
            AmbiguousOffset::Fold { .. } => Some(ClockChange::Fold { asked: text(&asked) }),
        };
        Ok((Timestamp(zoned.timestamp().as_microsecond()), change))
    }

    /// Date and time of a moment as form values ("2026-12-03", "09:00").
    pub fn wall(&self, at: Timestamp) -> (String, String) {
        let zoned = self.zoned(at);
        (zoned.strftime("%Y-%m-%d").to_string(), zoned.strftime("%H:%M").to_string())
    }

    /// Midnight at the start of the day that is `days` after the day of `at`; where summer time skips it, the first
    /// moment of that day.
    pub fn day_start(&self, at: Timestamp, days: i32) -> Timestamp {
        let zoned = self.zoned(at);
        let start = zoned.date().checked_add(days.days()).and_then(|date| date.to_zoned(self.0.clone())).and_then(|day| day.start_of_day());
        start.map_or(at, |start| Timestamp(start.timestamp().as_microsecond()))
    }

    /// Minutes since midnight on the wall at `at`.
    pub fn minute_of_day(&self, at: Timestamp) -> i32 {
        let zoned = self.zoned(at);
        i32::from(zoned.hour()) * 60 + i32::from(zoned.minute())
    }
}

/// Up to `most` characters of ASCII digits, exactly `digits` of them.
fn number(text: &str, digits: usize) -> Option<i16> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn read_date(text: &str) -> Option<Date> {
    let mut parts = text.trim().split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    parts.next().is_none().then_some(())?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// "09:00"; browsers may add seconds, which are dropped.
fn read_time(text: &str) -> Option<Time> {
    let mut parts = text.trim().split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if let Some(seconds) = parts.next() {
        number(seconds, 2).filter(|seconds| *seconds < 60)?;
    }
    parts.next().is_none().then_some(())?;
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::{days, hours};

    /// Fri 20 Nov 2026, 08:00 UTC.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);

    fn berlin() -> Zone {
        Zone::named("Europe/Berlin").expect("the zone is bundled")
    }

    #[test]
    fn moments_are_written_with_weekday_day_month_and_time() {
        let (at, change) = berlin().resolve("2026-12-03", "14:02").expect("a time");
        assert_eq!(change, None);
        let moment = berlin().moment(at, NOW);
        assert_eq!((moment.text.as_str(), moment.day.as_str(), moment.time.as_str()), ("Thu 3 Dec, 14:02", "Thu 3 Dec", "14:02"));
        assert_eq!(moment.near, "Thu 3 Dec, 14:02");
        assert_eq!(berlin().moment(NOW, NOW).near, "today 09:00");
        assert_eq!(berlin().moment(NOW + days(1), NOW).near, "tomorrow 09:00");
        assert_eq!(berlin().moment(NOW + days(3), NOW).near, "Mon 09:00");
        assert_eq!(berlin().moment(NOW - days(1), NOW).near, "Thu 09:00");
        assert_eq!(berlin().moment(NOW + days(400), NOW).day, "Sat 25 Dec 2027");
        assert_eq!(berlin().clock(NOW), "09:00:00");
    }

    #[test]
    fn today_is_decided_in_the_zone_and_not_in_utc() {
        let late = NOW + hours(15) + domain::time::minutes(30);
        assert_eq!(berlin().moment(late, NOW).near, "tomorrow 00:30");
        assert_eq!(Zone::UTC.moment(late, NOW).near, "today 23:30");
    }

    #[test]
    fn a_gap_moves_forward_and_a_fold_takes_the_first_and_both_are_told() {
        let (at, change) = berlin().resolve("2027-03-28", "02:30").expect("a time");
        assert_eq!(change, Some(ClockChange::Gap { asked: "02:30".into(), becomes: "03:30".into() }));
        assert_eq!(berlin().wall(at), ("2027-03-28".to_owned(), "03:30".to_owned()));
        let (first, change) = berlin().resolve("2026-10-25", "02:30").expect("a time");
        assert_eq!(change, Some(ClockChange::Fold { asked: "02:30".into() }));
        assert_eq!(berlin().wall(first + hours(1)), berlin().wall(first), "the second one is an hour later");
    }

    #[test]
    fn a_day_without_midnight_starts_at_its_first_moment() {
        let santiago = Zone::named("America/Santiago").expect("a zone");
        let (noon, _) = santiago.resolve("2027-09-04", "12:00").expect("a time");
        let (date, time) = santiago.wall(santiago.day_start(noon, 1));
        assert_eq!((date.as_str(), time.as_str()), ("2027-09-05", "01:00"));
    }

    #[test]
    fn every_quarter_hour_of_two_years_comes_back_to_the_wall_time_it_was_asked_for() {
        for name in
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Chatham", "UTC"]
        {
            let zone = Zone::named(name).expect("a zone");
            let mut at = NOW;
            while at < NOW + days(730) {
                let (date, time) = zone.wall(at);
                let (resolved, change) = zone.resolve(&date, &time).expect("a wall time that exists");
                assert_eq!(zone.wall(resolved), (date.clone(), time.clone()), "{name}");
                match change {
                    None => assert_eq!(resolved, at, "{name} {date} {time}"),
                    Some(ClockChange::Fold { .. }) => assert!(resolved <= at && at.since(resolved) <= hours(1), "{name} {date} {time}"),
                    Some(ClockChange::Gap { .. }) => panic!("{name} {date} {time} exists"),
                }
                at = at + domain::time::minutes(15);
            }
        }
    }

    #[test]
    fn every_wall_time_of_a_changing_day_is_resolved_forward_only() {
        for (name, date) in [("Europe/Berlin", "2027-03-28"), ("America/New_York", "2027-03-14"), ("Australia/Lord_Howe", "2027-10-03")] {
            let zone = Zone::named(name).expect("a zone");
            for minute in 0..1440 {
                let time = format!("{:02}:{:02}", minute / 60, minute % 60);
                let (at, change) = zone.resolve(date, &time).expect("a time");
                let (_, got) = zone.wall(at);
                match change {
                    Some(ClockChange::Gap { asked, becomes }) => {
                        assert!(asked == time && got == becomes && becomes > asked, "{name} {time}")
                    }
                    _ => assert_eq!(got, time, "{name}"),
                }
            }
        }
    }

    #[test]
    fn what_is_no_wall_time_is_refused() {
        for (date, time) in [
            ("", ""),
            ("2026-12-03", ""),
            ("", "09:00"),
            ("2026-02-30", "09:00"),
            ("2026-12-03", "24:00"),
            ("2026-12-03", "9:00"),
            ("03/12/2026", "09:00"),
            ("2026-12-03T00", "09:00"),
            ("99999-01-01", "09:00"),
            ("2026-12-03", "09:00:61"),
            ("2026-12-03", "09:00:00:00"),
            ("-026-12-03", "09:00"),
            ("２０２６-12-03", "09:00"),
            ("9999-12-31", "23:59"),
        ] {
            let got = Zone::named("America/New_York").expect("a zone").resolve(date, time);
            assert!(got == Err(ErrorCode::BadTime), "{date} {time}: {got:?}");
        }
        for zone in ["", "Berlin", "Europe/Berlin\0", "../etc/passwd", "Europe/Berlin ", "+01:00", "EST5EDT,M3.2.0,M11.1.0"] {
            assert!(Zone::named(zone).is_err(), "{zone:?}");
        }
    }

    #[test]
    fn moments_outside_every_calendar_can_still_be_shown() {
        for at in [Timestamp(i64::MIN), Timestamp(i64::MAX), Timestamp(0)] {
            assert!(!berlin().moment(at, NOW).text.is_empty());
            let _ = berlin().day_start(at, 1);
            let _ = berlin().wall(at);
        }
    }
}
