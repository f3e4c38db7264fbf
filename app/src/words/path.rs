//! Addresses. Every link we make names its workspace (design section 7).

use domain::id::{AccountId, ConsentId, PostId, ThreadId};

/// Overview.
pub const OVERVIEW: &str = "/";
/// Calendar.
pub const CALENDAR: &str = "/social/calendar";
/// Posts.
pub const POSTS: &str = "/social/posts";
/// Compose.
pub const COMPOSE: &str = "/social/compose";
/// Missed posts.
pub const MISSED: &str = "/social/missed";
/// Linked Accounts.
pub const ACCOUNTS: &str = "/social/settings/accounts";
/// Inbox.
pub const INBOX: &str = "/inbox";

/// `path` in the workspace of that slug; empty: the last used one.
pub fn href(slug: &str, path: &str) -> String {
    match (slug, path) {
        ("", path) => path.to_owned(),
        (slug, "/") => format!("/w/{slug}"),
        (slug, path) => format!("/w/{slug}{path}"),
    }
}

/// The page of an account.
pub fn account_path(slug: &str, id: AccountId) -> String {
    href(slug, &format!("{ACCOUNTS}/{id}"))
}

/// The page of a post.
pub fn post_path(slug: &str, id: PostId) -> String {
    href(slug, &format!("{POSTS}/{id}"))
}

/// The page of a thread.
pub fn thread_path(slug: &str, id: ThreadId) -> String {
    href(slug, &format!("{INBOX}/{id}"))
}

/// The result page of a consent.
pub fn result_path(slug: &str, id: ConsentId) -> String {
    href(slug, &format!("/link/result/{id}"))
}

/// The sign-in page that leads on to `then`.
pub fn sign_in_path(then: &str) -> String {
    if then == "/" {
        return "/sign-in".to_owned();
    }
    format!("/sign-in?then={}", in_query(then))
}

/// Text as it may stand in the query of an address.
pub fn in_query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_their_workspace() {
        assert_eq!(href("blumen-jung", OVERVIEW), "/w/blumen-jung");
        assert_eq!(href("blumen-jung", INBOX), "/w/blumen-jung/inbox");
        assert_eq!(href("", INBOX), "/inbox");
    }

    #[test]
    fn the_way_back_survives_the_sign_in() {
        assert_eq!(sign_in_path("/"), "/sign-in");
        assert_eq!(sign_in_path("/w/a/inbox?all=1&x=\r\n"), "/sign-in?then=/w/a/inbox%3Fall%3D1%26x%3D%0D%0A");
    }
}
