//! The pages of a login, and whether one of them can still be used.

use std::collections::HashSet;

use domain::cause::{Cause, Class};
use domain::policy::FACEBOOK;
use domain::time::Timestamp;
use serde_json::Value;
use url::Url;

use super::{Facebook, signature, versioned};
use crate::adapter::{AccountAccess, App, CallError, HttpError, RemoteAccount};
use crate::answer::{Call, unreadable};
use crate::http::id;
use crate::json::{list, text, texts};
use crate::secret::AccessToken;

/// Tasks that allow posting; the second pair is what newer pages report.
const POSTING_TASKS: [&str; 4] = ["CREATE_CONTENT", "MANAGE", "PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_FULL_CONTROL"];
/// The scope whose grant can be limited to some pages.
const POSTING_SCOPE: &str = "pages_manage_posts";
/// A list that is longer than this goes in circles.
const PAGES_MAX: usize = 50;

impl Facebook {
    pub(super) async fn pages(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Vec<RemoteAccount>, CallError> {
        let mut found: Vec<RemoteAccount> = Vec::new();
        let mut known = HashSet::new();
        let mut address = versioned(app, &["me", "accounts"]);
        address.query_pairs_mut().append_pair("fields", "id,name,username,access_token,tasks,picture{url}").append_pair("limit", "100");
        let mut next = Some(address);
        for _ in 0..PAGES_MAX {
            let Some(address) = next else { break };
            let request = self.http.get(address).query(&signature(app, access));
            let answer = self.call(Call::Api, request, now).await?;
            if !answer.get("data").is_some_and(Value::is_array) {
                return Err(unreadable());
            }
            let fresh = list(&answer, "data").iter().filter_map(page);
            found.extend(fresh.filter(|page| known.insert(page.remote_id.clone())));
            next = next_page(&app.endpoints.api, &answer).map_err(CallError::Lost)?;
        }
        // The choice of pages at the consent. When it cannot be asked, a refusal will tell later.
        if let Ok(inspection) = self.inspect(app, access, now).await {
            for page in &mut found {
                page.may_post &= inspection.allows(POSTING_SCOPE, &page.remote_id);
            }
        }
        Ok(found)
    }

    pub(super) async fn probe_page(&self, app: &App, account: &AccountAccess, now: Timestamp) -> Result<(), CallError> {
        // With a page's token `me` is the page.
        match self.read(app, &["me"], &[("fields", "id,name")], &account.access, now).await {
            Ok(me) => text(&me, "id").map(drop).ok_or_else(unreadable),
            Err(CallError::Answered { mut verdict, wait }) => {
                if verdict.class == Class::AccountGone {
                    // The same code says "deleted" and "not allowed to see it": what the token may do decides.
                    if let Ok(inspection) = self.inspect(app, &account.access, now).await {
                        let lacks = |scope: &&str| {
                            !inspection.scopes.iter().any(|granted| granted == scope) || !inspection.allows(scope, &account.remote_id)
                        };
                        let missing: Vec<String> =
                            FACEBOOK.scopes.iter().map(|scope| scope.name).filter(lacks).map(str::to_owned).collect();
                        if !missing.is_empty() {
                            verdict.class = Class::PermissionLost;
                            verdict.cause = Cause::PrivacySettings;
                            verdict.candidates = vec![Cause::AccountDeletion];
                            verdict.missing_scopes = missing;
                        }
                    }
                }
                Err(CallError::Answered { verdict, wait })
            }
            Err(error) => Err(error),
        }
    }
}

fn page(entry: &Value) -> Option<RemoteAccount> {
    let remote_id = text(entry, "id").filter(|found| id(found).is_ok())?;
    let access = text(entry, "access_token").map(AccessToken::new);
    // An entry without tasks says nothing about the role; one without a token cannot be posted to.
    let has_role = entry.get("tasks").is_none() || texts(entry, "tasks").iter().any(|task| POSTING_TASKS.contains(&task.as_str()));
    Some(RemoteAccount {
        name: text(entry, "name").unwrap_or_else(|| remote_id.clone()),
        handle: text(entry, "username"),
        picture: entry.pointer("/picture/data").and_then(|data| text(data, "url")),
        may_post: has_role && access.is_some(),
        access,
        boards: Vec::new(),
        remote_id,
    })
}

/// The address of the next page of a list, without the token that Facebook writes into it (we add our own again). An
/// address at another host than the API's is refused: it would carry the token away.
pub(super) fn next_page(api: &Url, answer: &Value) -> Result<Option<Url>, HttpError> {
    let Some(next) = answer.get("paging").and_then(|paging| text(paging, "next")) else { return Ok(None) };
    let elsewhere = || HttpError("the next page of a list lies outside the platform's address".to_owned());
    let next = Url::parse(&next).map_err(|_| elsewhere())?;
    let is_ours = next.origin() == api.origin() && next.path().starts_with(api.path()) && next.username().is_empty();
    if !is_ours {
        return Err(elsewhere());
    }
    let ours = ["access_token", "appsecret_proof"];
    let kept: Vec<_> = next.query_pairs().into_owned().filter(|(name, _)| !ours.contains(&name.as_str())).collect();
    let mut address = next;
    address.set_fragment(None);
    address.query_pairs_mut().clear().extend_pairs(kept);
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn next(api: &str, address: &str) -> Result<Option<Url>, HttpError> {
        next_page(&Url::parse(api).unwrap(), &json!({"paging": {"next": address}}))
    }

    #[test]
    fn the_next_page_is_followed_at_the_api_only() {
        let api = "https://graph.facebook.com";
        let good = next(api, "https://graph.facebook.com/v26.0/me/accounts?access_token=EAAlong&after=QVE&appsecret_proof=ab").unwrap();
        assert_eq!(good.unwrap().as_str(), "https://graph.facebook.com/v26.0/me/accounts?after=QVE");
        for bad in [
            "https://graph.facebook.com.evil.example/v26.0/me/accounts?after=QVE",
            "http://graph.facebook.com/v26.0/me/accounts",
            "https://graph.facebook.com:8443/v26.0/me/accounts",
            "https://graph.facebook.com@evil.example/",
            "https://x@graph.facebook.com/v26.0/me/accounts",
            "//evil.example/",
            "/v26.0/me/accounts",
            "javascript:alert(1)",
        ] {
            assert!(next(api, bad).is_err(), "{bad}");
        }
        assert!(next("http://localhost:3000/facebook/", "http://localhost:3000/elsewhere/me").is_err());
        assert_eq!(next_page(&Url::parse(api).unwrap(), &json!({"paging": {"cursors": {"after": "QVE"}}})), Ok(None));
    }

    #[test]
    fn a_page_may_be_posted_to_with_a_role_and_a_token() {
        let with = |tasks: Value| page(&json!({"id": "1001", "name": "Demo", "access_token": "EAA", "tasks": tasks})).unwrap().may_post;
        assert!(with(json!(["ANALYZE", "CREATE_CONTENT"])));
        assert!(with(json!(["PROFILE_PLUS_FULL_CONTROL"])));
        assert!(!with(json!(["ANALYZE", "MODERATE"])));
        assert!(!with(json!([])));
        assert!(page(&json!({"id": 1001, "access_token": "EAA"})).unwrap().may_post);
        assert!(!page(&json!({"id": "1001", "tasks": ["MANAGE"]})).unwrap().may_post);
        assert!(page(&json!({"id": "../me"})).is_none());
    }
}
