//! Code to short token to long token, and what Facebook says of a token.

use domain::cause::{Cause, Class};
use domain::time::Timestamp;
use serde_json::Value;

use super::classify::{self, Fault, WITHDRAWN};
use super::{Facebook, signature, versioned};
use crate::adapter::{App, CallError, Identity, Tokens};
use crate::answer::{Call, Refusal, open, understood, unreadable};
use crate::http::{below, id};
use crate::json::{life, list, text, texts, whole};
use crate::moment::epoch;
use crate::secret::{AccessToken, AuthorizationCode};

/// How often the long-lived token is asked for. The code is spent by then, so giving up costs the person a new sign-in.
const TRIES: usize = 3;

/// What `debug_token` says of a valid token.
pub(super) struct Inspection {
    pub(super) scopes: Vec<String>,
    /// The pages for which a scope was granted; a scope that is not here was granted for all.
    pub(super) targets: Vec<(String, Vec<String>)>,
    pub(super) expires_at: Option<Timestamp>,
}

impl Inspection {
    /// Whether a scope was granted for this page.
    pub(super) fn allows(&self, scope: &str, page: &str) -> bool {
        let targets = self.targets.iter().find(|(name, _)| name == scope);
        targets.is_none_or(|(_, pages)| pages.iter().any(|target| target == page))
    }
}

impl Facebook {
    pub(super) async fn exchange_code(&self, app: &App, code: &AuthorizationCode, now: Timestamp) -> Result<Tokens, CallError> {
        let short = self.ask_for_token(app, &[("redirect_uri", app.redirect_uri.as_str()), ("code", code.expose())], now).await?;
        let long = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", short.access.expose())];
        let mut tries = 1;
        loop {
            match self.ask_for_token(app, &long, now).await {
                Err(error) if tries < TRIES && may_pass(&error) => tries += 1,
                other => return other,
            }
        }
    }

    async fn ask_for_token(&self, app: &App, query: &[(&str, &str)], now: Timestamp) -> Result<Tokens, CallError> {
        let request = self
            .http
            .get(versioned(app, &["oauth", "access_token"]))
            .query(&[("client_id", app.client_id.as_str()), ("client_secret", app.secret.expose())])
            .query(query);
        let answer = self.call(Call::Exchange, request, now).await?;
        let access = text(&answer, "access_token").map(AccessToken::new).ok_or_else(unreadable)?;
        Ok(Tokens { access, refresh: None, access_lives: life(&answer, "expires_in"), refresh_lives: None, scopes: None })
    }

    pub(super) async fn identity(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Identity, CallError> {
        let me = self.read(app, &["me"], &[("fields", "id,name")], access, now).await?;
        let remote_id = text(&me, "id").ok_or_else(unreadable)?;
        let (granted, expires_at) = match self.inspect(app, access, now).await {
            Ok(found) => (found.scopes, found.expires_at),
            // The list of permissions says the same without the end.
            Err(_) => (self.permissions(app, access, &remote_id, now).await?, None),
        };
        let name = text(&me, "name").unwrap_or_else(|| remote_id.clone());
        Ok(Identity { remote_id, name, granted, expires_at })
    }

    /// Asks Facebook about a token, with the app's own.
    pub(super) async fn inspect(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Inspection, CallError> {
        let app_token = format!("{}|{}", app.client_id, app.secret.expose());
        let request = self
            .http
            .get(below(&app.endpoints.api, &["debug_token"]))
            .query(&[("input_token", access.expose()), ("access_token", app_token.as_str())]);
        let answer = self.http.send(request).await?;
        let value = understood(&answer, classify::judge(Call::Api, &answer, now))?;
        let data = value.get("data").ok_or_else(unreadable)?;
        match data.get("is_valid").and_then(Value::as_bool) {
            Some(true) => Ok(inspection(data)),
            Some(false) => {
                let fault = data.get("error").and_then(Fault::read);
                let Refusal { verdict, wait } = match fault {
                    Some(fault) => fault.refusal(Call::Api, &answer, now),
                    None => Refusal::new(open(Class::Revoked, WITHDRAWN), &answer, None, None, None, now),
                };
                Err(CallError::Answered { verdict, wait })
            }
            None => Err(unreadable()),
        }
    }

    async fn permissions(&self, app: &App, access: &AccessToken, person: &str, now: Timestamp) -> Result<Vec<String>, CallError> {
        let answer = self.read(app, &[id(person)?, "permissions"], &[], access, now).await?;
        let is_granted = |entry: &&Value| text(entry, "status").as_deref() == Some("granted");
        Ok(list(&answer, "data").iter().filter(is_granted).filter_map(|entry| text(entry, "permission")).collect())
    }

    /// Removes the app for this person, which ends all of their tokens of it.
    pub(super) async fn remove_app(&self, app: &App, access: &AccessToken, person: &str, now: Timestamp) -> Result<bool, CallError> {
        let request = self.http.delete(versioned(app, &[id(person)?, "permissions"])).query(&signature(app, access));
        match self.call(Call::Api, request, now).await {
            Ok(_) => Ok(true),
            // It was gone already.
            Err(CallError::Answered { verdict, .. }) if verdict.class.needs_sign_in() && verdict.cause != Cause::Expired => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn may_pass(error: &CallError) -> bool {
    match error {
        CallError::Answered { verdict, .. } => verdict.class == Class::Transient,
        CallError::NotSent(_) | CallError::Lost(_) => true,
    }
}

fn inspection(data: &Value) -> Inspection {
    let targets = list(data, "granular_scopes").iter().filter_map(|entry| {
        // No `target_ids` at all: granted for everything.
        entry.get("target_ids")?;
        Some((text(entry, "scope")?, texts(entry, "target_ids")))
    });
    Inspection { scopes: texts(data, "scopes"), targets: targets.collect(), expires_at: whole(data, "expires_at").and_then(epoch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scope_granted_for_some_pages_does_not_allow_others() {
        let found = inspection(&json!({
            "scopes": ["pages_manage_posts", "pages_show_list"],
            "granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["1001", 1002]}, {"scope": "pages_show_list"}],
            "expires_at": 1_800_000_000
        }));
        assert!(found.allows("pages_manage_posts", "1001") && found.allows("pages_manage_posts", "1002"));
        assert!(!found.allows("pages_manage_posts", "1003"));
        assert!(found.allows("pages_show_list", "1003"));
        assert_eq!(found.expires_at, Some(Timestamp::from_seconds(1_800_000_000)));
    }

    #[test]
    fn zero_and_nonsense_are_no_end() {
        for end in [json!(0), json!(-1), json!("never"), json!(null), json!(1e18)] {
            assert_eq!(inspection(&json!({"expires_at": end})).expires_at, None, "{end}");
        }
    }
}
