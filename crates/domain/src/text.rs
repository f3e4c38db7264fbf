//! Counting and checking what a person wrote, the same in composer, pre-flight and publisher.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::media::ImageFacts;
use crate::policy::Limits;

/// How a platform counts text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Unicode code points.
    CodePoints,
    /// UTF-16 units, as JavaScript counts.
    Utf16,
    /// What a person sees as one character.
    Graphemes,
}

impl Counting {
    /// The length of `text` in this way of counting.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::CodePoints => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Graphemes => text.graphemes(true).count(),
        }
    }
}

/// One thing a platform would refuse. Numbers only; the words are the view's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// Neither text nor image nor link.
    Empty,
    /// The text is too long.
    TextTooLong {
        /// What it has.
        has: usize,
        /// What the platform takes.
        limit: usize,
    },
    /// The title is too long.
    TitleTooLong {
        /// What it has.
        has: usize,
        /// What the platform takes.
        limit: usize,
    },
    /// The link is too long or not an http(s) address.
    BadLink,
    /// Too few images.
    TooFewImages {
        /// What the platform needs.
        limit: usize,
    },
    /// Too many images.
    TooManyImages {
        /// What it has.
        has: usize,
        /// What the platform takes.
        limit: usize,
    },
    /// One image file is too large.
    ImageTooLarge {
        /// Bytes it has.
        has: usize,
        /// Bytes the platform takes.
        limit: usize,
    },
    /// An alternative text is too long.
    AltTextTooLong {
        /// What it has.
        has: usize,
        /// What the platform takes.
        limit: usize,
    },
    /// Link and images do not go together there.
    LinkWithImages,
    /// No board is chosen.
    NoBoard,
}

/// What is to be posted to one account.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The text.
    pub text: &'a str,
    /// The title, where the platform has one.
    pub title: &'a str,
    /// The link; empty for none.
    pub link: &'a str,
    /// The images, each with its alternative text.
    pub images: &'a [(ImageFacts, String)],
    /// The board chosen for this account.
    pub board: Option<&'a str>,
}

/// Whether `link` is an absolute http(s) address without blanks or control characters.
pub fn is_link(link: &str) -> bool {
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && host.contains(|c: char| c.is_alphanumeric()) && !link.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

/// Everything in `content` that a platform with these limits would refuse; empty when it may go out.
pub fn problems(limits: &Limits, content: &Content<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let has_text = !content.text.trim().is_empty();
    if !has_text && content.link.is_empty() && content.images.is_empty() {
        found.push(Problem::Empty);
    }
    let has = limits.counting.count(content.text);
    if has > limits.text {
        found.push(Problem::TextTooLong { has, limit: limits.text });
    }
    if let Some(limit) = limits.title {
        let has = limits.counting.count(content.title);
        if has > limit {
            found.push(Problem::TitleTooLong { has, limit });
        }
    }
    if !content.link.is_empty() && (!is_link(content.link) || content.link.chars().count() > limits.link) {
        found.push(Problem::BadLink);
    }
    let images = content.images.len();
    if images < limits.images_min {
        found.push(Problem::TooFewImages { limit: limits.images_min });
    }
    if images > limits.images_max {
        found.push(Problem::TooManyImages { has: images, limit: limits.images_max });
    }
    for (facts, alt) in content.images {
        if facts.bytes > limits.image_bytes {
            found.push(Problem::ImageTooLarge { has: facts.bytes, limit: limits.image_bytes });
        }
        let has = alt.chars().count();
        if has > limits.alt_text {
            found.push(Problem::AltTextTooLong { has, limit: limits.alt_text });
        }
    }
    if !limits.link_with_images && images > 0 && !content.link.is_empty() {
        found.push(Problem::LinkWithImages);
    }
    if limits.needs_board && content.board.is_none_or(str::is_empty) {
        found.push(Problem::NoBoard);
    }
    found
}

/// The start of a text for lists: its first line, at most `most` graphemes, with an ellipsis when cut.
pub fn beginning(text: &str, most: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut graphemes = line.graphemes(true);
    let start: String = graphemes.by_ref().take(most).collect();
    if graphemes.next().is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    #[test]
    fn the_three_ways_of_counting_differ() {
        let family = "👨‍👩‍👧 e\u{301}";
        assert_eq!(Counting::CodePoints.count(family), 8);
        assert_eq!(Counting::Utf16.count(family), 11);
        assert_eq!(Counting::Graphemes.count(family), 3);
    }

    #[test]
    fn a_pin_needs_an_image_and_a_board() {
        let content = Content { text: "Wreaths", title: "", link: "", images: &[], board: None };
        assert_eq!(problems(&policy::PINTEREST.limits, &content), [Problem::TooFewImages { limit: 1 }, Problem::NoBoard]);
        assert_eq!(problems(&policy::FACEBOOK.limits, &content), []);
    }

    #[test]
    fn one_character_over_the_limit_is_said_with_both_numbers() {
        let text = "x".repeat(63_207);
        let content = Content { text: &text, title: "", link: "", images: &[], board: None };
        assert_eq!(problems(&policy::FACEBOOK.limits, &content), [Problem::TextTooLong { has: 63_207, limit: 63_206 }]);
    }

    #[test]
    fn only_web_addresses_are_links() {
        for good in ["https://example.org", "http://a/b?c#d"] {
            assert!(is_link(good), "{good}");
        }
        for bad in ["", "example.org", "javascript:alert(1)", "https://", "https://a b", "ftp://a", "https:///x", "https://a\nb"] {
            assert!(!is_link(bad), "{bad}");
        }
    }

    #[test]
    fn a_long_beginning_is_cut_between_graphemes() {
        assert_eq!(beginning("  Hello\nworld", 20), "Hello");
        assert_eq!(beginning("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 2), "👨‍👩‍👧👨‍👩‍👧…");
    }
}
