//! Posts and deliveries.

use domain::delivery::{CanceledWhy, FailedWhy, KnownBy, MissedWhy};
use domain::missed::LeftOut;
use domain::platform::Platform;
use domain::post::PostStatus;
use domain::summary::compose::ClockChange;
use domain::summary::posts::{DeliveryLine, DeliveryStatus, PostLine, ProofWhat};
use domain::text::Problem;

use super::{Tone, city, size, thousands};

/// How a delivery is.
pub fn delivery_status(line: &DeliveryLine) -> (Tone, String) {
    let name = line.platform.name();
    match &line.status {
        DeliveryStatus::Planned if line.at_risk => (Tone::Stop, "Will not go out".to_owned()),
        DeliveryStatus::Planned => (Tone::Ok, "Planned".to_owned()),
        DeliveryStatus::AwaitingApproval => (Tone::Wait, "Waits for approval".to_owned()),
        DeliveryStatus::Sending => (Tone::Wait, "Being sent".to_owned()),
        DeliveryStatus::Processing => (Tone::Wait, format!("Accepted, not public on {name} yet")),
        DeliveryStatus::Checking => (Tone::Wait, format!("Checking with {name}")),
        DeliveryStatus::NeedsAnswer { .. } => (Tone::Ask, "Needs your answer".to_owned()),
        DeliveryStatus::Waiting { retry } => (Tone::Wait, format!("Waiting for {name}, next try {}", retry.time)),
        DeliveryStatus::Published { at, seen, known_by, .. } => {
            let how = match (seen, known_by) {
                (Some(seen), _) => format!(", seen online {}", seen.time),
                (None, KnownBy::Person) => ", by your word".to_owned(),
                (None, KnownBy::Answer | KnownBy::Found) => String::new(),
            };
            (Tone::Ok, format!("Published {}{how}", at.near))
        }
        DeliveryStatus::Missed { why, .. } => (Tone::Stop, format!("Missed: {}", missed_why(*why, line.platform))),
        DeliveryStatus::Failed { why, .. } => (Tone::Stop, format!("Failed: {}", failed_short(why, line.platform))),
        DeliveryStatus::Canceled { why } => (Tone::Plain, canceled(*why).to_owned()),
    }
}

const fn canceled(why: CanceledWhy) -> &'static str {
    match why {
        CanceledWhy::Person => "Cancelled",
        CanceledWhy::Dropped => "Dropped after it was missed",
        CanceledWhy::Unlinked => "Account unlinked; kept as a draft",
        CanceledWhy::Replaced => "Replaced by an edit",
    }
}

/// "account was disconnected"
pub fn missed_why(why: MissedWhy, platform: Platform) -> String {
    match why {
        MissedWhy::Disconnected => "account was disconnected".to_owned(),
        MissedWhy::AccountBlocked => format!("account was blocked by {}", platform.name()),
        MissedWhy::Paused => "posting was paused".to_owned(),
        MissedWhy::PlatformDown => format!("{} was down", platform.name()),
        MissedWhy::WeWereOff => "Stayposted was not running".to_owned(),
        MissedWhy::Restored => "a backup was restored".to_owned(),
        MissedWhy::TooLate => "its last moment had passed".to_owned(),
        MissedWhy::NotApproved => "nobody approved it in time".to_owned(),
    }
}

fn failed_short(why: &FailedWhy, platform: Platform) -> String {
    match why {
        FailedWhy::Refused(_) => format!("{} refused it", platform.name()),
        FailedWhy::Content(_) => format!("{} would refuse it", platform.name()),
        FailedWhy::MediaGone => "a picture is missing".to_owned(),
    }
}

/// Why a post was refused, as a sentence.
pub fn failed_why(why: &FailedWhy, platform: Platform) -> String {
    match why {
        FailedWhy::Refused(verdict) => match &verdict.text {
            Some(text) => format!("{} says: {text}", platform.name()),
            None => format!("{} refused it and gives no reason.", platform.name()),
        },
        FailedWhy::Content(found) => problem(found, Some(platform)),
        FailedWhy::MediaGone => "A picture of this post is no longer stored here.".to_owned(),
    }
}

/// How a post is, as the sum of its deliveries.
pub const fn post_status(status: PostStatus) -> (Tone, &'static str) {
    match status {
        PostStatus::Draft => (Tone::Plain, "Draft"),
        PostStatus::Planned => (Tone::Ok, "Planned"),
        PostStatus::Underway => (Tone::Wait, "Being sent"),
        PostStatus::NeedsAnswer => (Tone::Ask, "Needs your answer"),
        PostStatus::Published => (Tone::Ok, "Published"),
        PostStatus::Partly => (Tone::Stop, "Partly published"),
        PostStatus::Missed => (Tone::Stop, "Missed"),
        PostStatus::Failed => (Tone::Stop, "Failed"),
        PostStatus::Canceled => (Tone::Plain, "Cancelled"),
    }
}

/// How a planned post will end: "will go out", or which account keeps it from going out.
pub fn post_end(line: &PostLine) -> (Tone, String) {
    let lost: Vec<&DeliveryLine> = line.deliveries.iter().filter(|delivery| delivery.at_risk).collect();
    match (line.status, lost.as_slice()) {
        (PostStatus::Planned | PostStatus::Underway, [first, rest @ ..]) => {
            let text = if rest.len() + 1 == line.deliveries.len() {
                "Will not go out".to_owned()
            } else {
                format!("{}: will not go out", first.platform.name())
            };
            (Tone::Stop, text)
        }
        (PostStatus::Planned, []) => (Tone::Ok, "Will go out".to_owned()),
        (status, _) => {
            let (tone, word) = post_status(status);
            (tone, word.to_owned())
        }
    }
}

/// What a platform would refuse, as a sentence.
pub fn problem(problem: &Problem, platform: Option<Platform>) -> String {
    let name = platform.map_or("The platform", Platform::name);
    match problem {
        Problem::Empty => "There is nothing to post yet: add a text, a picture or a link.".to_owned(),
        Problem::TextTooLong { has, limit } => {
            format!("{name} takes {} characters; this has {}.", thousands(*limit), thousands(*has))
        }
        Problem::TitleTooLong { has, limit } => {
            format!("{name} takes a title of {} characters; this has {}.", thousands(*limit), thousands(*has))
        }
        Problem::BadLink => "The link has to be a whole web address, such as https://example.com.".to_owned(),
        Problem::TooFewImages { limit: 1 } => format!("{name} needs a picture."),
        Problem::TooFewImages { limit } => format!("{name} needs {limit} pictures."),
        Problem::TooManyImages { has, limit } => format!("{name} takes {limit} pictures; this has {has}."),
        Problem::ImageTooLarge { has, limit } => format!("The image is {}; the limit of {name} is {}.", size(*has), size(*limit)),
        Problem::AltTextTooLong { has, limit } => {
            format!("{name} takes a picture text of {} characters; this has {}.", thousands(*limit), thousands(*has))
        }
        Problem::LinkWithImages => format!("{name} takes either a link or pictures, not both."),
        Problem::NoBoard => format!("{name} needs a board."),
    }
}

/// Why a missed post is not ticked.
pub const fn left_out(why: LeftOut) -> &'static str {
    match why {
        LeftOut::TooLate => "Left out: its last moment has passed",
        LeftOut::Old => "Left out: more than 3 days old",
        LeftOut::NamesAPastDay => "Left out: names a day that has passed",
        LeftOut::NoFreeTime => "Left out: no free time in the next 14 days",
        LeftOut::StillDisconnected => "Left out: its account is still disconnected",
    }
}

/// A wall time that does not exist, or exists twice.
pub fn clock_change(change: &ClockChange, zone: &str) -> String {
    match change {
        ClockChange::Gap { asked, becomes } => {
            format!("This day has no {asked} in {}; the post goes out at {becomes}.", city(zone))
        }
        ClockChange::Fold { asked } => format!("{asked} comes twice; we take the first."),
    }
}

/// One line of a proof of posting.
pub fn proof_step(what: &ProofWhat, platform: Platform) -> (Tone, String) {
    let name = platform.name();
    let (tone, text) = match what {
        ProofWhat::Planned => (Tone::Plain, "Planned."),
        ProofWhat::Checked => (Tone::Plain, "Checked ahead of time; everything was fine."),
        ProofWhat::Uploaded => (Tone::Plain, "A picture was uploaded."),
        ProofWhat::Sent => return (Tone::Plain, format!("Sent to {name}.")),
        ProofWhat::Accepted => return (Tone::Ok, format!("{name} accepted it.")),
        ProofWhat::NoAnswer => return (Tone::Wait, format!("No answer from {name} came back.")),
        ProofWhat::NotSent => return (Tone::Wait, format!("{name} was in trouble; certainly not sent.")),
        ProofWhat::Refused => return (Tone::Stop, format!("{name} refused it.")),
        ProofWhat::LookedNotFound => return (Tone::Wait, format!("Looked at {name}, and did not find it.")),
        ProofWhat::LookedFound => return (Tone::Ok, format!("Looked at {name}, and found it.")),
        ProofWhat::Asked => (Tone::Ask, "Asked you whether it is there."),
        ProofWhat::PersonSaidThere => (Tone::Ok, "You said that it is there."),
        ProofWhat::PersonSaidAbsent => (Tone::Plain, "You said that it is not there."),
        ProofWhat::SeenOnline => (Tone::Ok, "Seen online."),
        ProofWhat::Missed { why } => return (Tone::Stop, format!("Missed: {}.", missed_why(*why, platform))),
        ProofWhat::Rescheduled => (Tone::Plain, "Given a new time."),
        ProofWhat::Canceled => (Tone::Plain, "Taken out."),
    };
    (tone, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_said_with_both_numbers() {
        let found = Problem::TextTooLong { has: 2264, limit: 2200 };
        assert_eq!(problem(&found, Some(Platform::Pinterest)), "Pinterest takes 2,200 characters; this has 2,264.");
    }

    #[test]
    fn missed_always_has_its_reason() {
        assert_eq!(missed_why(MissedWhy::PlatformDown, Platform::Facebook), "Facebook was down");
    }
}
