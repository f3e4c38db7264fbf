//! Why a login was lost, in words.

use domain::cause::{Cause, OurFault};
use domain::platform::Platform;

/// In two or three words: "Login expired".
pub fn cause_word(cause: Cause, platform: Platform) -> String {
    let word = match cause {
        Cause::Expired => "Login expired",
        Cause::InactiveAccount => "Unused for too long",
        Cause::PrivacySettings => "Permission missing",
        Cause::UserAction => "Access removed",
        Cause::AuthenticationChange => "Password or security change",
        Cause::PolicyViolation => return format!("Account blocked by {}", platform.name()),
        Cause::AccountDeletion => "Account gone",
        Cause::ApiVersionChange => return format!("{} retired its old interface", platform.name()),
        Cause::PlatformChange => return format!("Change at {}", platform.name()),
        Cause::TechnicalIssue(_) => "A fault of ours",
        Cause::Unknown => "Cause unknown",
    };
    word.to_owned()
}

/// As the beginning of a sentence, without its full stop: "Facebook reports a changed password or a security reset".
pub fn cause_sentence(cause: Cause, platform: Platform) -> String {
    let name = platform.name();
    match cause {
        Cause::Expired => format!("The {name} login has run out"),
        Cause::InactiveAccount => format!("{name} ended the login because it was not used for a long time"),
        Cause::PrivacySettings => format!("A permission, role or page was taken away at {name}"),
        Cause::UserAction => format!("Somebody removed Stayposted at {name}"),
        Cause::AuthenticationChange => format!("{name} reports a changed password or a security reset"),
        Cause::PolicyViolation => format!("{name} has blocked the account"),
        Cause::AccountDeletion => format!("{name} says that the account no longer exists"),
        Cause::ApiVersionChange => format!("{name} no longer answers this version of Stayposted"),
        Cause::PlatformChange => format!("{name} changed something on its side"),
        Cause::TechnicalIssue(OurFault::LostAnswer) => format!("An answer from {name} was lost on the way to us, and the login with it"),
        Cause::TechnicalIssue(OurFault::Key) => "The key that opens the stored login is missing on this server".to_owned(),
        Cause::TechnicalIssue(OurFault::Clock) => "The clock of this server is wrong".to_owned(),
        Cause::Unknown => format!("{name} ended the login and gives no reason"),
    }
}
