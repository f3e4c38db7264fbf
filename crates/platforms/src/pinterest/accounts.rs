//! The person behind a login, and their boards.

use std::collections::HashSet;

use domain::policy::PINTEREST;
use domain::time::Timestamp;
use serde_json::Value;

use super::Pinterest;
use crate::adapter::{App, Board, CallError, Identity, RemoteAccount};
use crate::answer::unreadable;
use crate::http::id;
use crate::json::{list, text};
use crate::secret::AccessToken;

/// An account has at most 2,000 boards: eight pages. A list that is longer goes in circles.
const PAGES_MAX: usize = 20;

impl Pinterest {
    /// The profile, with a readable id.
    pub(super) async fn profile(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Value, CallError> {
        let profile = self.read(app, &["user_account"], &[], access, now).await?;
        if text(&profile, "id").is_some() { Ok(profile) } else { Err(unreadable()) }
    }

    pub(super) async fn identity(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Identity, CallError> {
        let profile = self.profile(app, access, now).await?;
        let (remote_id, name) = names(&profile).ok_or_else(unreadable)?;
        // Nothing tells the scopes of a token but the answer that brought it (`Tokens::scopes`), and the consent offers no
        // choice between them; the ones we asked for are taken as granted until a call is refused.
        let granted = PINTEREST.scopes.iter().map(|scope| scope.name.to_owned()).collect();
        Ok(Identity { remote_id, name, granted, expires_at: None })
    }

    pub(super) async fn account(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<RemoteAccount, CallError> {
        let profile = self.profile(app, access, now).await?;
        let (remote_id, name) = names(&profile).ok_or_else(unreadable)?;
        Ok(RemoteAccount {
            remote_id,
            name,
            handle: text(&profile, "username"),
            picture: text(&profile, "profile_image"),
            access: None,
            may_post: true,
            boards: self.boards(app, access, now).await?,
        })
    }

    async fn boards(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Vec<Board>, CallError> {
        let mut found: Vec<Board> = Vec::new();
        let mut known = HashSet::new();
        let mut bookmark: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("page_size", "250")];
            query.extend(bookmark.as_deref().map(|bookmark| ("bookmark", bookmark)));
            let answer = self.read(app, &["boards"], &query, access, now).await?;
            if !answer.get("items").is_some_and(Value::is_array) {
                return Err(unreadable());
            }
            found.extend(list(&answer, "items").iter().filter_map(board).filter(|board| known.insert(board.id.clone())));
            bookmark = text(&answer, "bookmark");
            if bookmark.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

fn names(profile: &Value) -> Option<(String, String)> {
    let remote_id = text(profile, "id")?;
    let name = text(profile, "business_name").or_else(|| text(profile, "username")).unwrap_or_else(|| remote_id.clone());
    Some((remote_id, name))
}

fn board(entry: &Value) -> Option<Board> {
    // Boards for advertisements take no pins.
    if entry.get("is_ads_only").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let board = text(entry, "id").filter(|found| id(found).is_ok())?;
    Some(Board { name: text(entry, "name").unwrap_or_else(|| board.clone()), id: board })
}
