//! What a refused call says to a person.

use domain::summary::refusal::{ErrorCode, Refusal};

use super::problem;
use crate::api::error::NO_CONNECTION;

/// One or more sentences for a refusal; the codes are for programs.
pub fn refusal(refusal: &Refusal) -> String {
    if refusal.trace.as_deref() == Some(NO_CONNECTION) {
        return "No connection. What you write is kept.".to_owned();
    }
    if !refusal.problems.is_empty() {
        let mut said: Vec<String> = Vec::new();
        for found in &refusal.problems {
            let sentence = problem(&found.problem, found.platform);
            if !said.contains(&sentence) {
                said.push(sentence);
            }
        }
        return said.join(" ");
    }
    match refusal.code {
        ErrorCode::TimePassed => match &refusal.instead {
            Some(instead) => format!("This time has passed; the next free one is {}.", instead.near),
            None => "This time has passed.".to_owned(),
        },
        ErrorCode::Internal => match &refusal.trace {
            Some(trace) => format!("Something broke on our side. Nothing was changed. Code {trace}."),
            None => "Something broke on our side. Nothing was changed.".to_owned(),
        },
        code => plain(code).to_owned(),
    }
}

const fn plain(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotSignedIn => "You are signed out. Sign in to go on.",
        ErrorCode::WrongPassword => "E-mail or password is wrong.",
        ErrorCode::TooManyTries => "Too many tries. Wait a few minutes.",
        ErrorCode::NotAllowed => "Your role cannot change this. Ask an owner or admin of this workspace.",
        ErrorCode::NotFound | ErrorCode::UnknownFunction => "Not here, or not yours to see.",
        ErrorCode::WrongMethod | ErrorCode::BadArguments | ErrorCode::WrongContentType => {
            "That could not be read. Nothing was changed. Reload the page and try again."
        }
        ErrorCode::CrossSite => "This came from another site. Nothing was changed.",
        ErrorCode::TooLarge => "That is too large. Nothing was changed.",
        ErrorCode::Content => "A platform would refuse this.",
        ErrorCode::NoAccounts => "Pick at least one account.",
        ErrorCode::NoPosts => "Tick at least one post.",
        ErrorCode::BadTime => "Date or time cannot be read.",
        ErrorCode::BadZone => "There is no such time zone.",
        ErrorCode::TimePassed => "This time has passed.",
        ErrorCode::TimeTooFar => "This is more than two years ahead.",
        ErrorCode::ImageKind => "Pictures have to be JPEG or PNG.",
        ErrorCode::ImageBroken => "This picture cannot be read.",
        ErrorCode::ImageTooLarge => "This picture is too large.",
        ErrorCode::AlreadyBeingSent => "It is already being sent.",
        ErrorCode::Outdated => "This has changed meanwhile. Nothing was changed by you; look again.",
        ErrorCode::UndoOver => "The first of the new times has passed; there is nothing left to undo.",
        ErrorCode::NotSetUp => "This platform is not set up on this server.",
        ErrorCode::TooEarly => "The platform lets you sign in again only after the login has ended.",
        ErrorCode::ConsentOver => "This sign-in is over. Nothing was changed. Please start again.",
        ErrorCode::PlatformUnreachable => "The platform could not be reached. Nothing was changed. Try again in a minute.",
        ErrorCode::OwnerExists => "This server already has an owner. Sign in instead.",
        ErrorCode::WrongCode => "The one-time code is wrong. It stands in the server's log.",
        ErrorCode::BadPassword => "The password needs 10 to 500 characters.",
        ErrorCode::BadEmail => "This cannot be an e-mail address.",
        ErrorCode::BadName => "A name is empty or too long.",
        ErrorCode::Internal => "Something broke on our side. Nothing was changed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_words_that_name_no_code() {
        for code in ErrorCode::ALL {
            let words = refusal(&Refusal::from(*code));
            assert!(words.ends_with('.') && !words.contains('_'), "{words}");
        }
    }
}
