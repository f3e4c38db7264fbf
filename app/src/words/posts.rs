//! What only the pages of posts say: the rule of catching up, accounts in a line, and the names of states in
//! `data-` attributes, which browser tests read.

use domain::missed::CatchUpRule;
use domain::platform::Platform;
use domain::post::PostStatus;
use domain::summary::compose::AccountProblem;
use domain::summary::inbox::About;
use domain::summary::posts::{DeliveryLine, DeliveryStatus, PostLine, ProofWhat};
use domain::text::Problem;

use super::{city, count};

/// The name of a post's status in `data-status`.
pub const fn post_code(status: PostStatus) -> &'static str {
    match status {
        PostStatus::Draft => "draft",
        PostStatus::Planned => "planned",
        PostStatus::Underway => "underway",
        PostStatus::NeedsAnswer => "needs_answer",
        PostStatus::Published => "published",
        PostStatus::Partly => "partly",
        PostStatus::Missed => "missed",
        PostStatus::Failed => "failed",
        PostStatus::Canceled => "canceled",
    }
}

/// The name of a delivery's status in `data-status`.
pub const fn delivery_code(status: &DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Planned => "planned",
        DeliveryStatus::AwaitingApproval => "awaiting_approval",
        DeliveryStatus::Sending => "sending",
        DeliveryStatus::Processing => "processing",
        DeliveryStatus::Checking => "checking",
        DeliveryStatus::NeedsAnswer { .. } => "needs_answer",
        DeliveryStatus::Waiting { .. } => "waiting",
        DeliveryStatus::Published { .. } => "published",
        DeliveryStatus::Missed { .. } => "missed",
        DeliveryStatus::Failed { .. } => "failed",
        DeliveryStatus::Canceled { .. } => "canceled",
    }
}

/// The name of a proof's step in `data-what`.
pub const fn proof_code(what: &ProofWhat) -> &'static str {
    match what {
        ProofWhat::Planned => "planned",
        ProofWhat::Checked => "checked",
        ProofWhat::Uploaded => "uploaded",
        ProofWhat::Sent => "sent",
        ProofWhat::Accepted => "accepted",
        ProofWhat::NoAnswer => "no_answer",
        ProofWhat::NotSent => "not_sent",
        ProofWhat::Refused => "refused",
        ProofWhat::LookedNotFound => "looked_not_found",
        ProofWhat::LookedFound => "looked_found",
        ProofWhat::Asked => "asked",
        ProofWhat::PersonSaidThere => "person_said_there",
        ProofWhat::PersonSaidAbsent => "person_said_absent",
        ProofWhat::SeenOnline => "seen_online",
        ProofWhat::Missed { .. } => "missed",
        ProofWhat::Rescheduled => "rescheduled",
        ProofWhat::Canceled => "canceled",
    }
}

/// The name of a thread's root in `data-root`.
pub const fn root_code(about: &About) -> &'static str {
    match about {
        About::Login { .. } => "login",
        About::Account { .. } => "account",
        About::Platform { .. } => "platform",
        About::App { .. } => "app",
        About::Absence { .. } => "absence",
        About::Failed { .. } | About::NeedsAnswer { .. } => "delivery",
    }
}

/// The platform that a thread is about, if it is about one.
pub const fn platform_of(about: &About) -> Option<Platform> {
    match about {
        About::Login { platform, .. }
        | About::Account { platform, .. }
        | About::Platform { platform, .. }
        | About::App { platform, .. }
        | About::Failed { platform, .. }
        | About::NeedsAnswer { platform, .. } => Some(*platform),
        About::Absence { .. } => None,
    }
}

/// The accounts of a post in one line: "Facebook Page, Pinterest"; what will not go out is named. Where two are of one
/// kind, their names stand instead.
pub fn accounts_line(line: &PostLine) -> String {
    let lost = words(line, |delivery| delivery.at_risk).join(", ");
    let fine = words(line, |delivery| !delivery.at_risk).join(", ");
    match (fine.is_empty(), lost.is_empty()) {
        (_, true) => fine,
        (true, false) => format!("{lost}: will not go out"),
        (false, false) => format!("{fine} only. {lost}: will not go out"),
    }
}

/// The accounts that missed a post, or all of it, by name: they are what a person must decide about. "Blumen Jung (Facebook Page)".
pub fn missed_accounts(line: &PostLine) -> String {
    let is_missed = |delivery: &&DeliveryLine| matches!(delivery.status, DeliveryStatus::Missed { .. });
    let any = line.deliveries.iter().any(|delivery| is_missed(&delivery));
    let named = line.deliveries.iter().filter(|delivery| !any || is_missed(delivery));
    named.map(|delivery| format!("{} ({})", delivery.account_name, delivery.platform.account_word())).collect::<Vec<_>>().join(", ")
}

fn words(line: &PostLine, is_meant: impl Fn(&DeliveryLine) -> bool) -> Vec<&str> {
    let is_alone = |delivery: &DeliveryLine| line.deliveries.iter().filter(|other| other.platform == delivery.platform).count() == 1;
    let word = |delivery| if is_alone(delivery) { delivery.platform.account_word() } else { delivery.account_name.as_str() };
    line.deliveries.iter().filter(|delivery| is_meant(delivery)).map(word).collect()
}

/// The sentence of the rule behind the proposed times.
pub fn rule(rule: CatchUpRule) -> String {
    let posts = match rule.per_day {
        1 => "one extra post".to_owned(),
        n => format!("{n} extra posts"),
    };
    format!("At most {posts} a day per account, at its usual times, {}.", rule_start(rule.from_day))
}

/// "from today".
pub fn rule_start(from_day: u32) -> String {
    match from_day {
        0 => "from today".to_owned(),
        1 => "from tomorrow".to_owned(),
        n => format!("from {n} days ahead"),
    }
}

/// "9 posts were missed on 3 accounts".
pub fn missed_lead(posts: u32, accounts: u32) -> String {
    let were = if posts == 1 { "was" } else { "were" };
    format!("{} {were} missed on {}", count(posts, "post"), count(accounts, "account"))
}

/// What was done about missed posts: "2 posts are being sent now; 3 have new times."
pub fn sent_now(now: u32, moved: u32) -> String {
    let are = if now == 1 { "is" } else { "are" };
    let sent = format!("{} {are} being sent now", count(now, "post"));
    match moved {
        0 => format!("{sent}."),
        1 => format!("{sent}; 1 has a new time."),
        n => format!("{sent}; {n} have new times."),
    }
}

/// "Berlin time".
pub fn zone_time(zone: &str) -> String {
    format!("{} time", city(zone))
}

/// The field of Compose beside which a problem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Accounts and boards.
    Accounts,
    /// The text.
    Text,
    /// The title.
    Title,
    /// The link.
    Link,
    /// The images.
    Images,
}

impl Field {
    /// Where a problem belongs.
    pub const fn of(problem: &AccountProblem) -> Self {
        match problem.problem {
            Problem::Empty | Problem::TextTooLong { .. } => Self::Text,
            Problem::TitleTooLong { .. } => Self::Title,
            Problem::BadLink | Problem::LinkWithImages => Self::Link,
            Problem::TooFewImages { .. }
            | Problem::TooManyImages { .. }
            | Problem::ImageTooLarge { .. }
            | Problem::AltTextTooLong { .. } => Self::Images,
            Problem::NoBoard => Self::Accounts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_one_sentence() {
        let usual = "At most one extra post a day per account, at its usual times, from today.";
        assert_eq!(rule(CatchUpRule::default()), usual);
        let quicker = "At most 3 extra posts a day per account, at its usual times, from tomorrow.";
        assert_eq!(rule(CatchUpRule { per_day: 3, from_day: 1 }), quicker);
    }

    #[test]
    fn posts_are_counted_once_and_their_accounts_beside_them() {
        assert_eq!(missed_lead(9, 3), "9 posts were missed on 3 accounts");
        assert_eq!(missed_lead(1, 1), "1 post was missed on 1 account");
        assert_eq!(sent_now(1, 0), "1 post is being sent now.");
        assert_eq!(sent_now(2, 3), "2 posts are being sent now; 3 have new times.");
    }
}
