#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a check fails by panicking")]

mod answers;
mod sealed;
mod stub;
mod talks;

use domain::media::SIDE_MAX;
use domain::platform::Platform;
use domain::text::Counting;
use platforms::callback::Returned;

/// What is done with the bytes; it panics when something is wrong.
pub type Check = fn(&[u8]);

/// Every check, with the name of its corpus and of its fuzz target.
pub const CHECKS: [(&str, Check); 8] = [
    ("answers_facebook", answers_facebook),
    ("answers_pinterest", answers_pinterest),
    ("callback", callback),
    ("image", image),
    ("sealed", sealed::check),
    ("talks_facebook", talks_facebook),
    ("talks_pinterest", talks_pinterest),
    ("words", words),
];

/// One answer of Facebook, judged.
pub fn answers_facebook(bytes: &[u8]) {
    answers::check(Platform::Facebook, bytes);
}

/// One answer of Pinterest, judged.
pub fn answers_pinterest(bytes: &[u8]) {
    answers::check(Platform::Pinterest, bytes);
}

/// A whole conversation with Facebook.
pub fn talks_facebook(bytes: &[u8]) {
    talks::check(Platform::Facebook, bytes);
}

/// A whole conversation with Pinterest.
pub fn talks_pinterest(bytes: &[u8]) {
    talks::check(Platform::Pinterest, bytes);
}

pub use sealed::check as sealed;

/// The query of a callback.
pub fn callback(bytes: &[u8]) {
    let Ok(query) = std::str::from_utf8(bytes) else { return };
    let Some(Returned { state, code, error, error_description, iss }) = Returned::from_query(query) else { return };
    for value in [state, code, error, error_description, iss].into_iter().flatten() {
        assert!(value.len() <= 4096, "a parameter is too long");
    }
}

/// An uploaded image.
pub fn image(bytes: &[u8]) {
    let Ok((kind, width, height)) = images::header(bytes) else { return };
    assert!((1..=SIDE_MAX).contains(&width) && (1..=SIDE_MAX).contains(&height));
    // A large one takes long to decode, and shows nothing that a small one does not.
    if u64::from(width) * u64::from(height) <= 250_000 {
        let _ = images::decode(bytes, kind);
    }
}

/// What a person typed: ids, links and texts.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(id) = text.parse::<domain::id::PostId>() {
        assert_eq!(id.to_string().parse(), Ok(id), "an id is read back");
    }
    let _ = domain::text::is_link(&text);
    for counting in [Counting::CodePoints, Counting::Utf16, Counting::Graphemes] {
        assert!(counting.count(&text) <= text.len());
    }
    for most in [0, 1, 7, 80] {
        assert!(Counting::Graphemes.count(&domain::text::beginning(&text, most)) <= most + 1, "a beginning is short");
    }
    let content = domain::text::Content { text: &text, title: &text, link: &text, images: &[], board: None };
    for platform in Platform::ALL {
        let _ = domain::text::problems(&domain::policy::of(*platform).limits, &content);
    }
    let kept = domain::cause::Verdict::foreign_text(&text);
    assert!(kept.chars().count() <= domain::cause::Verdict::TEXT_MAX && !kept.chars().any(char::is_control));
}
