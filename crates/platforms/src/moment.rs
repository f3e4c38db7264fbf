//! Reading the moments that platforms write: ISO 8601 with or without an offset, or seconds since the epoch.

use domain::time::Timestamp;
use serde_json::Value;

/// The moment under `key`; without an offset it is taken as UTC.
pub(crate) fn moment(value: &Value, key: &str) -> Option<Timestamp> {
    match value.get(key)? {
        Value::Number(number) => number.as_i64().and_then(epoch),
        Value::String(text) => iso(text.trim()).or_else(|| epoch(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// Seconds since the epoch; zero stands for "none", and what lies outside the years 1970 to 9999 is no moment.
pub(crate) fn epoch(seconds: i64) -> Option<Timestamp> {
    (1..253_402_300_800).contains(&seconds).then(|| Timestamp::from_seconds(seconds))
}

fn iso(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let [year, month, day] = numbers(date, '-')?;
    // The time ends where its fraction or its offset begins.
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(rest.len());
    let (time, rest) = rest.split_at(end);
    let [hour, minute, second] = numbers(time, ':')?;
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Timestamp::from_seconds(
        days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset_seconds(offset)?,
    ))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between).map(|part| part.parse::<u16>().ok().map(i64::from));
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// `Z`, nothing, `+hhmm`, `+hh:mm` or `+hh`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits = rest.replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<u16>().ok()?, 0),
        4 => (digits.get(..2)?.parse::<u16>().ok()?, digits.get(2..)?.parse::<u16>().ok()?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// Days from 1970-01-01, by the calendar that begins its years in March (so that the leap day comes last).
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_spellings_of_one_moment_are_read() {
        let expected = Some(Timestamp::from_seconds(1_795_428_000)); // 2026-11-23T10:00:00Z
        for spelling in [
            json!("2026-11-23T10:00:00+0000"),
            json!("2026-11-23T10:00:00Z"),
            json!("2026-11-23T10:00:00"),
            json!("2026-11-23T10:00:00.123456"),
            json!("2026-11-23T12:00:00.5+02:00"),
            json!("2026-11-23T05:30:00-0430"),
            json!("2026-11-23 10:00:00"),
            json!(1_795_428_000),
            json!("1795428000"),
        ] {
            assert_eq!(moment(&json!({"at": spelling}), "at"), expected, "{spelling}");
        }
    }

    #[test]
    fn leap_days_and_year_ends_are_counted() {
        for (text, seconds) in [("1970-01-01T00:00:01Z", 1), ("2000-02-29T00:00:00Z", 951_782_400), ("2028-03-01T00:00:00Z", 1_835_481_600)]
        {
            assert_eq!(moment(&json!({"at": text}), "at"), Some(Timestamp::from_seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for nonsense in [
            json!("yesterday"),
            json!("2026-13-01T00:00:00Z"),
            json!("2026-11-23T25:00:00Z"),
            json!("2026-11-23T10:00Z"),
            json!("2026-11-23T10:00:00+99:99"),
            json!("2026-11-23T10:00:00 Ä"),
            json!("99999999999-1-1T0:0:0"),
            json!(0),
            json!(-1),
            json!(1e40),
            json!(null),
            json!({}),
        ] {
            assert_eq!(moment(&json!({"at": nonsense}), "at"), None, "{nonsense}");
        }
    }
}
