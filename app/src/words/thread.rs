//! A thread of the inbox: its title, what it costs, its story.

use domain::cause::Cause;
use domain::inbox::Stage;
use domain::platform::Platform;
use domain::summary::Moment;
use domain::summary::inbox::{About, Entry, ThreadRow};

use super::account::end;
use super::{Tone, cause_sentence, count, failed_why, first_name, names};

/// What happened, to whom.
pub fn thread_title(row: &ThreadRow) -> String {
    match &row.about {
        About::Login { platform, login_of, accounts, act_by, cause, may_sign_in_now, .. } => {
            let all: Vec<&str> = accounts.iter().map(|(_, name)| name.as_str()).collect();
            let subject = if all.is_empty() { login_of.clone() } else { names(&all, 2) };
            let name = platform.name();
            match &row.stage {
                Stage::EndsSoon { .. } => match act_by {
                    Some(by) if *may_sign_in_now => format!("Refresh by {}: {name}, {login_of}", by.moment.day),
                    Some(by) => format!("{name} logs out {}", end(by)),
                    None => format!("{name} login ends soon: {subject}"),
                },
                Stage::Lost { cause } => lost_title(*cause, *platform, &subject),
                Stage::Missed { posts } if row.missed > 0 => {
                    format!("{} missed so far: {subject}", count(if row.missed > 0 { row.missed } else { *posts }, "post"))
                }
                Stage::Missed { .. } => lost_title(cause.unwrap_or(Cause::Unknown), *platform, &subject),
                Stage::Trouble => format!("Trouble reaching {name}: {subject}"),
                Stage::Back if accounts.len() == 2 => "Both pages are connected again".to_owned(),
                Stage::Back if accounts.len() > 2 => format!("All {} pages are connected again", accounts.len()),
                _ => format!("{subject} is connected again"),
            }
        }
        About::Account { name, platform, cause, .. } => match &row.stage {
            Stage::Back => format!("{name} is connected again"),
            Stage::Missed { .. } if row.missed > 0 => format!("{} missed so far: {name}", count(row.missed, "post")),
            Stage::Lost { cause: Cause::PolicyViolation } => format!("{} has suspended {name}", platform.name()),
            Stage::Lost { cause: Cause::AccountDeletion } => format!("{name} is gone from {}", platform.name()),
            Stage::Lost { cause } => lost_title(*cause, *platform, name),
            _ => lost_title(cause.unwrap_or(Cause::Unknown), *platform, name),
        },
        About::Platform { platform, .. } if row.is_resolved => format!("{} answers again", platform.name()),
        About::Platform { platform, .. } => format!("{} is not answering", platform.name()),
        About::App { platform, .. } => format!("{} no longer accepts this server's app", platform.name()),
        About::Absence { from, until, .. } => format!("Stayposted was off from {} to {}", from.near, until.near),
        About::Failed { platform, text, .. } => format!("{} refused {}", platform.name(), quoted(text)),
        About::NeedsAnswer { platform, .. } => format!("Did this post appear on {}?", platform.name()),
    }
}

fn lost_title(cause: Cause, platform: Platform, subject: &str) -> String {
    match cause {
        Cause::Expired => format!("{} login expired: {subject}", platform.name()),
        Cause::PrivacySettings => format!("One permission is missing: {subject}"),
        _ => format!("{} is disconnected: {subject}", platform.name()),
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "a post".to_owned() } else { format!("“{text}”") }
}

/// "7 posts will not go out; the next is tomorrow 09:00." or nothing.
fn will_not(n: u32, next: Option<&Moment>) -> String {
    match (n, next) {
        (0, _) => String::new(),
        (n, Some(next)) => format!(" {} will not go out; the next is {}.", count(n, "post"), next.near),
        (n, None) => format!(" {} will not go out.", count(n, "post")),
    }
}

/// What it costs and who can do something, in one or two sentences.
pub fn thread_cost(row: &ThreadRow) -> String {
    let lost = will_not(row.will_not_go_out, row.next_lost.as_ref());
    match &row.about {
        About::Login { platform, login_of, lasts_days, may_sign_in_now, cause, .. } => {
            let (name, who) = (platform.name(), first_name(login_of));
            match &row.stage {
                Stage::EndsSoon { .. } => {
                    let planned = match row.will_not_go_out {
                        0 => "No post is planned after it.".to_owned(),
                        1 => "1 post is planned after it.".to_owned(),
                        n => format!("{n} posts are planned after it."),
                    };
                    if *may_sign_in_now {
                        format!("{planned} {who} can sign in now; nothing is interrupted.")
                    } else {
                        format!("{name} lets you sign in again only after that. {planned}")
                    }
                }
                Stage::Lost { cause } => login_lost(*cause, *platform, who, *lasts_days, &row.since, &lost),
                Stage::Missed { .. } if row.missed > 0 => {
                    let more = match (row.will_not_go_out, &row.next_lost) {
                        (0, _) => String::new(),
                        (n, Some(next)) => format!(" {n} more will not go out; the next is {}.", next.near),
                        (n, None) => format!(" {n} more will not go out."),
                    };
                    format!("{name} is still disconnected.{more}")
                }
                Stage::Missed { .. } => login_lost(cause.unwrap_or(Cause::Unknown), *platform, who, *lasts_days, &row.since, &lost),
                Stage::Trouble => format!("Nothing to do: we keep trying since {}.{lost}", row.since.near),
                _ => back(row),
            }
        }
        About::Account { platform, cause, .. } => match &row.stage {
            Stage::Back => back(row),
            Stage::Lost { cause } => account_lost(*cause, *platform, row, &lost),
            _ => account_lost(cause.unwrap_or(Cause::Unknown), *platform, row, &lost),
        },
        About::Platform { waiting, .. } => {
            if row.is_resolved {
                return back(row);
            }
            let waits = match waiting {
                0 => "we keep trying".to_owned(),
                1 => "we keep trying, and 1 post goes out up to 3 hours late".to_owned(),
                n => format!("we keep trying, and {n} posts go out up to 3 hours late"),
            };
            format!("Since {}, for everybody here. Nothing to do: {waits}.", row.since.near)
        }
        About::App { platform, logins } => {
            let fine = match logins {
                0 => String::new(),
                1 => format!("The {} login is fine; ", platform.name()),
                n => format!("All {n} {} logins are fine; ", platform.name()),
            };
            format!("{fine}the app's secret is not. Nobody has to sign in again.")
        }
        About::Absence { due, waiting, .. } => {
            let gone = due.saturating_sub(*waiting);
            let late = match gone {
                0 => String::new(),
                n => format!(" {n} less than 3 hours late {} gone out;", if n == 1 { "has" } else { "have" }),
            };
            let left = match waiting {
                0 => " nothing waits for you.".to_owned(),
                1 => " 1 waits for you.".to_owned(),
                n => format!(" {n} wait for you."),
            };
            format!("{} came due.{late}{left}", count(*due, "post"))
        }
        About::Failed { platform, why, others_have_it, .. } => {
            let why = why.as_ref().map_or_else(|| format!("{} gave no reason.", platform.name()), |why| failed_why(why, *platform));
            let others = match others_have_it {
                0 => String::new(),
                1 => " The other account has it.".to_owned(),
                n => format!(" The other {n} accounts have it."),
            };
            format!("{why}{others}")
        }
        About::NeedsAnswer { platform, sent_clock, account, text, .. } => {
            format!(
                "{} to {account}: we sent it at {sent_clock} and got no answer, and looking at {} does not settle it.",
                if text.is_empty() { "A post".to_owned() } else { quoted(text) },
                platform.name()
            )
        }
    }
}

fn back(row: &ThreadRow) -> String {
    let missed = match row.missed {
        0 => String::new(),
        1 => " 1 post was missed.".to_owned(),
        n => format!(" {n} posts were missed."),
    };
    format!("Since {}.{missed}", row.updated.near)
}

fn login_lost(cause: Cause, platform: Platform, who: &str, lasts_days: Option<u32>, since: &Moment, lost: &str) -> String {
    match (cause, lasts_days) {
        (Cause::Expired, Some(days)) => format!("It ended {}, as {} does every {days} days.{lost}", since.text, platform.name()),
        (Cause::Expired, None) => format!("It ended {}.{lost}", since.text),
        (Cause::PrivacySettings, _) => format!("Reading works, posting does not. Sign in and leave every box ticked.{lost}"),
        (Cause::Unknown, _) => format!("{} Signing in again usually helps.{lost}", sentence(cause, platform)),
        (cause, _) => format!("{} ({}).{lost} {who} has to sign in.", cause_sentence(cause, platform), since.near),
    }
}

fn account_lost(cause: Cause, platform: Platform, row: &ThreadRow, lost: &str) -> String {
    let wait = match row.will_not_go_out {
        0 => String::new(),
        1 => "; 1 post waits".to_owned(),
        n => format!("; {n} posts wait"),
    };
    match cause {
        Cause::PolicyViolation => format!("Signing in does not help here. Open {} to see why{wait}.", platform.name()),
        Cause::AccountDeletion => format!("{} Signing in does not help here{wait}.", sentence(cause, platform)),
        Cause::PrivacySettings => format!("Reading works, posting does not. Sign in and leave every box ticked.{lost}"),
        cause => format!("{} ({}).{lost}", cause_sentence(cause, platform), row.since.near),
    }
}

fn sentence(cause: Cause, platform: Platform) -> String {
    cause_sentence(cause, platform) + "."
}

/// What it costs, for the band of Overview: the same sentence everywhere (ux.md rule 3).
pub fn needs_cost(row: &ThreadRow) -> String {
    thread_cost(row)
}

/// "Smile Dental, Smile Dental Kids, Riverside and 37 more", or nothing when the title names them all.
pub fn thread_names(row: &ThreadRow) -> Option<String> {
    match &row.about {
        About::Login { accounts, .. } if accounts.len() > 2 => {
            let all: Vec<&str> = accounts.iter().map(|(_, name)| name.as_str()).collect();
            Some(names(&all, 3))
        }
        _ => None,
    }
}

/// Icon and colour of a thread.
pub fn thread_tone(row: &ThreadRow) -> Tone {
    match (&row.stage, &row.about) {
        _ if row.is_resolved => Tone::Ok,
        (Stage::Back, _) => Tone::Ok,
        (Stage::EndsSoon { .. }, _) => Tone::Need,
        (Stage::Trouble, _) | (_, About::Platform { .. }) => Tone::Wait,
        (Stage::NeedsAnswer, _) => Tone::Ask,
        (Stage::WasOff { .. }, _) => Tone::Need,
        (Stage::Lost { .. } | Stage::Missed { .. } | Stage::Refused, _) => Tone::Stop,
    }
}

/// One line of a thread's story.
pub fn entry(entry: &Entry, about: &About) -> (Tone, String) {
    let platform = match about {
        About::Login { platform, .. }
        | About::Account { platform, .. }
        | About::Platform { platform, .. }
        | About::App { platform, .. }
        | About::Failed { platform, .. }
        | About::NeedsAnswer { platform, .. } => Some(*platform),
        About::Absence { .. } => None,
    };
    let name = platform.map_or("the platform", Platform::name);
    match &entry.stage {
        Stage::EndsSoon { .. } => (Tone::Need, format!("The {name} login ends soon.")),
        Stage::Lost { cause } => {
            let text = platform.map_or_else(|| "Disconnected.".to_owned(), |platform| sentence(*cause, platform));
            (Tone::Stop, text)
        }
        Stage::Trouble => (Tone::Wait, format!("Trouble reaching {name}. We keep trying.")),
        Stage::Missed { posts: 1 } => (Tone::Stop, "1 post was missed so far.".to_owned()),
        Stage::Missed { posts } => (Tone::Stop, format!("{posts} posts were missed so far.")),
        Stage::Refused => (Tone::Stop, format!("{name} refused the post.")),
        Stage::NeedsAnswer => (Tone::Ask, "We could not find out whether the post is online, and asked you.".to_owned()),
        Stage::WasOff { .. } => (Tone::Need, "Stayposted was off.".to_owned()),
        Stage::Back => (Tone::Ok, "Back to normal.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{AccountId, GrantId, ThreadId};
    use domain::time::Timestamp;

    use super::*;

    fn moment(text: &str, near: &str) -> Moment {
        let (day, time) = text.split_once(", ").unwrap_or((text, ""));
        Moment { at: Timestamp(0), text: text.to_owned(), day: day.to_owned(), time: time.to_owned(), near: near.to_owned() }
    }

    fn login(cause: Cause) -> ThreadRow {
        ThreadRow {
            id: ThreadId([0; 16]),
            about: About::Login {
                grant: GrantId([1; 16]),
                platform: Platform::Facebook,
                login_of: "Mara Jung".to_owned(),
                accounts: vec![(AccountId([2; 16]), "Blumen Jung".to_owned())],
                act_by: None,
                cause: Some(cause),
                lasts_days: Some(60),
                may_sign_in_now: true,
            },
            stage: Stage::Lost { cause },
            will_not_go_out: 7,
            next_lost: Some(moment("Sat 21 Nov, 09:00", "tomorrow 09:00")),
            missed: 0,
            updated: moment("Mon 23 Nov, 08:12", "Mon 08:12"),
            since: moment("Fri 20 Nov, 20:41", "Fri 20:41"),
            is_unread: true,
            is_resolved: false,
            needs_somebody: true,
        }
    }

    #[test]
    fn an_expired_login_reads_as_the_design_says() {
        let row = login(Cause::Expired);
        assert_eq!(thread_title(&row), "Facebook login expired: Blumen Jung");
        assert_eq!(
            thread_cost(&row),
            "It ended Fri 20 Nov, 20:41, as Facebook does every 60 days. 7 posts will not go out; the next is tomorrow 09:00."
        );
    }

    #[test]
    fn a_login_lost_for_another_cause_names_the_person() {
        let mut row = login(Cause::AuthenticationChange);
        (row.will_not_go_out, row.next_lost) = (3, None);
        assert_eq!(thread_title(&row), "Facebook is disconnected: Blumen Jung");
        assert_eq!(
            thread_cost(&row),
            "Facebook reports a changed password or a security reset (Fri 20:41). 3 posts will not go out. Mara has to sign in."
        );
    }

    #[test]
    fn missed_posts_are_counted_so_far() {
        let mut row = login(Cause::Expired);
        (row.stage, row.missed, row.will_not_go_out) = (Stage::Missed { posts: 4 }, 4, 8);
        assert_eq!(thread_title(&row), "4 posts missed so far: Blumen Jung");
        assert_eq!(thread_cost(&row), "Facebook is still disconnected. 8 more will not go out; the next is tomorrow 09:00.");
    }

    #[test]
    fn back_to_normal_says_since_when_and_what_was_missed() {
        let mut row = login(Cause::Expired);
        (row.stage, row.missed, row.is_resolved) = (Stage::Back, 3, true);
        assert_eq!(thread_title(&row), "Blumen Jung is connected again");
        assert_eq!(thread_cost(&row), "Since Mon 08:12. 3 posts were missed.");
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let mut row = login(Cause::Expired);
        if let About::Login { accounts, .. } = &mut row.about {
            accounts[0].1 = "<script>".to_owned();
        }
        assert_eq!(thread_title(&row), "Facebook login expired: <script>");
    }
}
