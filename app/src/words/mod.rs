//! Every sentence that more than one place shows (ux.md sections 3 and 7). Facts in, words out; nothing here knows a
//! clock or a zone.

mod account;
mod cause;
mod delivery;
mod path;
pub mod posts;
mod refusal;
mod thread;

pub use account::{account_cost, account_status, history, line_label, renewal};
pub use cause::{cause_sentence, cause_word};
pub use delivery::{clock_change, delivery_status, failed_why, left_out, missed_why, post_end, post_status, problem, proof_step};
pub use path::{
    ACCOUNTS, CALENDAR, COMPOSE, INBOX, MISSED, OVERVIEW, POSTS, account_path, href, in_query, post_path, result_path, sign_in_path,
    thread_path,
};
pub use refusal::refusal;
pub use thread::{entry, needs_cost, thread_cost, thread_names, thread_title, thread_tone};

/// Icon and colour that go with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Cannot post, will not go out.
    Stop,
    /// By a date.
    Need,
    /// We are on it.
    Wait,
    /// Needs an answer.
    Ask,
    /// Fine.
    Ok,
    /// Paused.
    Pause,
    /// Neither good nor bad.
    Plain,
}

impl Tone {
    /// The class beside `status`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Stop => "status status--stop",
            Self::Need => "status status--need",
            Self::Wait => "status status--wait",
            Self::Ask => "status status--ask",
            Self::Ok => "status status--ok",
            Self::Pause => "status status--pause",
            Self::Plain => "status",
        }
    }

    /// The icon's id.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Need => "clock",
            Self::Wait => "trying",
            Self::Ask => "ask",
            Self::Ok => "check",
            Self::Pause => "pause",
            Self::Plain => "more",
        }
    }
}

/// "1 post", "7 posts".
pub fn count(n: u32, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// "2,200".
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "4 MB", "4.2 MB", "240 KB".
pub fn size(bytes: usize) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    match (tenths / 10, tenths % 10) {
        (0, _) => format!("{} KB", bytes / 1024),
        (whole, 0) => format!("{whole} MB"),
        (whole, tenth) => format!("{whole}.{tenth} MB"),
    }
}

/// "Blumen Jung", "Blumen Jung and Kids", "Smile Dental, Kids, Riverside and 37 more": at most `most` names.
pub fn names<S: AsRef<str>>(all: &[S], most: usize) -> String {
    let shown: Vec<&str> = all.iter().take(most).map(AsRef::as_ref).collect();
    let rest = all.len() - shown.len();
    match (shown.as_slice(), rest) {
        ([], _) => String::new(),
        ([only], 0) => (*only).to_owned(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (shown, rest) => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// The name to call a person by: "Mara" of "Mara Jung".
pub fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// "Berlin" of "Europe/Berlin".
pub fn city(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

/// The beginning of a post as a title; posts without text are named by what they have.
pub fn post_title(text: &str, images: u32) -> String {
    match (text.is_empty(), images) {
        (false, _) => text.to_owned(),
        (true, 0) => "Empty draft".to_owned(),
        (true, n) => count(n, "picture"),
    }
}

/// Under Refresh Credentials: what it does.
pub fn refresh_note(platform: domain::platform::Platform, login_of: &str, accounts: usize) -> String {
    let ticked = if accounts > 1 { format!(" Keep all {accounts} pages ticked there.") } else { String::new() };
    format!("Opens {}. {} signs in. About a minute.{ticked}", platform.name(), first_name(login_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_read_as_people_write_them() {
        assert_eq!(count(1, "post"), "1 post");
        assert_eq!(count(0, "post"), "0 posts");
        assert_eq!([thousands(999), thousands(2264), thousands(1_000_000)], ["999", "2,264", "1,000,000"]);
        assert_eq!([size(240 * 1024), size(4 << 20), size((4 << 20) + 300_000)], ["240 KB", "4 MB", "4.2 MB"]);
        assert_eq!(names(&["a"], 3), "a");
        assert_eq!(names(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(names(&["a", "b", "c", "d"], 3), "a, b, c and 1 more");
        assert_eq!(names::<&str>(&[], 3), "");
        assert_eq!(city("America/New_York"), "New York");
    }
}
