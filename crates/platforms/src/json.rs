//! Reading foreign JSON leniently: numbers that come as text, text that comes as numbers, fields that do not come.

use std::time::Duration;

use serde_json::Value;

/// Text under `key`; a number is taken as its digits (ids come both ways). Empty is none.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number under `key`, also as text or as `12.0`.
pub(crate) fn whole(value: &Value, key: &str) -> Option<i64> {
    match value.get(key)? {
        Value::Number(number) => number.as_i64().or_else(|| exact(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The longest life of a token that we believe. A larger number is a mistake or a moment in place of a length.
const LIFE_MAX: i64 = 10 * 366 * 86_400;

/// A length in seconds under `key`; what cannot be the life of a token (zero, negative, centuries) is unknown.
pub(crate) fn life(value: &Value, key: &str) -> Option<Duration> {
    let seconds = whole(value, key).filter(|seconds| (1..=LIFE_MAX).contains(seconds))?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// The elements under `key`; none when it is no list.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts among the elements under `key`.
pub(crate) fn texts(value: &Value, key: &str) -> Vec<String> {
    let scalar = |element: &Value| match element {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    list(value, key).iter().filter_map(scalar).collect()
}

/// The whole number that a float stands for, if it stands for one.
fn exact(float: f64) -> Option<i64> {
    // Beyond 2^53 a float no longer names one whole number.
    let fits = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation)] // checked in the line above
    fits.then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_texts_stand_for_each_other() {
        let value = json!({"a": "190", "b": 190, "c": 190.0, "d": 190.5, "e": true, "f": null, "g": "", "h": " 7 "});
        for key in ["a", "b", "c"] {
            assert_eq!(whole(&value, key), Some(190), "{key}");
        }
        for key in ["d", "e", "f", "g", "nothing"] {
            assert_eq!(whole(&value, key), None, "{key}");
        }
        assert_eq!(whole(&value, "h"), Some(7));
        assert_eq!(text(&value, "b").as_deref(), Some("190"));
        assert_eq!(text(&value, "g"), None);
    }

    #[test]
    fn a_life_that_cannot_be_is_unknown() {
        for nonsense in [json!(0), json!(-5), json!("soon"), json!(1e12), json!(1e300), json!(null), json!([60]), json!(1.5)] {
            assert_eq!(life(&json!({"expires_in": nonsense}), "expires_in"), None, "{nonsense}");
        }
        for (good, seconds) in [(json!(5_183_944), 5_183_944), (json!("2592000"), 2_592_000), (json!(3600.0), 3600)] {
            assert_eq!(life(&json!({"expires_in": good}), "expires_in"), Some(Duration::from_secs(seconds)));
        }
    }
}
