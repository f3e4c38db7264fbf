//! An account in Linked Accounts.

use domain::grant::RenewedBy;
use domain::summary::End;
use domain::summary::accounts::{AccountRow, AccountStatus, HistoryWhat};

use super::{Tone, cause_word, count, first_name};

/// The word beside the icon.
pub fn account_status(row: &AccountRow) -> (Tone, String) {
    match row.status {
        AccountStatus::Disconnected { .. } | AccountStatus::Blocked { .. } | AccountStatus::Gone { .. } => {
            (Tone::Stop, "Disconnected".to_owned())
        }
        AccountStatus::Trouble { .. } => (Tone::Wait, format!("Trouble reaching {}, trying again", row.platform.name())),
        AccountStatus::EndsSoon => {
            let by = row.act_by.as_ref().map(|end| format!("Refresh by {}", end.moment.day));
            (Tone::Need, by.unwrap_or_else(|| "Refresh soon".to_owned()))
        }
        AccountStatus::Paused => (Tone::Pause, "Posting paused".to_owned()),
        AccountStatus::Connected => (Tone::Ok, "Connected".to_owned()),
    }
}

/// "Thu 3 Dec, 14:02" where the platform stated it, else "about Thu 3 Dec".
pub(super) fn end(end: &End) -> String {
    if end.is_stated { end.moment.text.clone() } else { format!("about {}", end.moment.day) }
}

/// One sentence of what it costs.
pub fn account_cost(row: &AccountRow) -> String {
    let (platform, who) = (row.platform, first_name(&row.login_of));
    match row.status {
        AccountStatus::Disconnected { cause, .. } => {
            let past = row.act_by.as_ref().filter(|end| end.is_past && cause == domain::cause::Cause::Expired);
            let why = past.map_or_else(|| cause_word(cause, platform), |end| format!("Login expired {}", end.moment.near));
            format!("{why}. {}", lost(row, &format!("{who} has to sign in.")))
        }
        AccountStatus::Blocked { cause, .. } => format!("{}. {}", cause_word(cause, platform), lost(row, "No planned post is affected.")),
        AccountStatus::Gone { .. } => {
            format!("{} says that it no longer exists. {}", platform.name(), lost(row, "No planned post is affected."))
        }
        AccountStatus::Trouble { .. } => "Nothing to do.".to_owned(),
        AccountStatus::EndsSoon => match row.cost.will_not_go_out {
            0 => "No post is planned after it ends.".to_owned(),
            1 => "1 post is planned after it ends.".to_owned(),
            n => format!("{n} posts are planned after it ends."),
        },
        AccountStatus::Paused => "Posts that come due wait in Missed posts.".to_owned(),
        AccountStatus::Connected => renewal(row),
    }
}

/// "7 posts will not go out; the next is tomorrow 09:00. 3 were missed."
fn lost(row: &AccountRow, nothing: &str) -> String {
    let mut text = match (row.cost.will_not_go_out, &row.cost.next) {
        (0, _) if row.cost.missed > 0 => String::new(),
        (0, _) => nothing.to_owned(),
        (n, Some(next)) => format!("{} will not go out; the next is {}.", count(n, "post"), next.near),
        (n, None) => format!("{} will not go out.", count(n, "post")),
    };
    if row.cost.missed > 0 {
        if !text.is_empty() {
            text.push(' ');
        }
        let were = if row.cost.missed == 1 { "was" } else { "were" };
        text.push_str(&format!("{} {were} missed.", count(row.cost.missed, "post")));
    }
    text
}

/// Who renews the login, and when.
pub fn renewal(row: &AccountRow) -> String {
    match (row.renewed_by, &row.act_by, &row.renews_next) {
        (RenewedBy::Us, _, Some(next)) => format!("Renews by itself, next {}.", next.day),
        (RenewedBy::Us, _, None) => "Renews by itself.".to_owned(),
        (RenewedBy::Person, Some(by), _) if by.is_past => format!("It ended {}.", end(by)),
        (RenewedBy::Person, Some(by), _) => format!("{} signs in again by {}.", first_name(&row.login_of), end(by)),
        (RenewedBy::Person, None, _) => format!("{} has to sign in from time to time.", first_name(&row.login_of)),
        (RenewedBy::Nobody, ..) => "This login does not end.".to_owned(),
    }
}

/// The login line for people who cannot see it.
pub fn line_label(row: &AccountRow) -> String {
    let (name, lost) = (row.platform.name(), row.cost.will_not_go_out);
    let tail = if lost > 0 { format!("; {} will not go out", count(lost, "post")) } else { String::new() };
    match (&row.act_by, row.status) {
        (_, AccountStatus::Blocked { .. } | AccountStatus::Gone { .. }) => format!("{name} account is blocked{tail}"),
        (Some(end), AccountStatus::Disconnected { .. }) if end.is_past => format!("{name} login ended {}{tail}", end.moment.near),
        (_, AccountStatus::Disconnected { .. }) => format!("{name} login was lost{tail}"),
        (Some(by), _) if row.renewed_by == RenewedBy::Person => format!("{name} login ends {}{tail}", end(by)),
        _ => format!("{name} login: {}", renewal(row)),
    }
}

/// One line of an account's history.
pub fn history(what: HistoryWhat, platform: domain::platform::Platform) -> (Tone, String) {
    let name = platform.name();
    match what {
        HistoryWhat::SignedIn => (Tone::Ok, format!("Signed in at {name}.")),
        HistoryWhat::Renewed => (Tone::Ok, "Renewed by itself.".to_owned()),
        HistoryWhat::RenewalFailed => (Tone::Wait, format!("{name} could not be reached; we tried again.")),
        HistoryWhat::RenewalAnswerLost => (Tone::Wait, format!("The answer from {name} was lost; we asked again.")),
        HistoryWhat::Refused => (Tone::Stop, format!("{name} refused the login.")),
    }
}
