//! Facebook Pages over the Graph API.
//!
//! A login is a long-lived user token of about 60 days, which nothing but a person renews; each page has a token of its
//! own, and all posting uses that. PKCE is not part of the ordinary flow: challenge and verifier are ignored.
//!
//! Tokens travel as the documents show them: in the query of a GET, in the form of a POST (out of logs of addresses). We
//! send `appsecret_proof` with every call: an app may demand it at any time in its settings, and then a call without it is
//! refused; the official SDKs send it always. It also turns a wrong app secret into a clear answer.
//!
//! Not verified in the documents, and why being wrong is harmless:
//!
//! * Whether `expires_in` can be missing: the end is then read from `debug_token`, else taken from the policy's table.
//! * What `auth_type` does with two values: we send one. When a person is to be switched, a declined permission is found
//!   missing afterwards and asked for again.
//! * The exact `error_description` of a cancelled login: the caller reads `error` only.
//! * The shape of `debug_token` for a dead token (`subcode` in place of `error_subcode`): both are read, and without a
//!   readable error it counts as withdrawn for no known reason.
//! * Statuses: codes decide; a status alone never ends a login. Subcodes of 2013 (456 to 468) all mean a new sign-in, as
//!   190 without subcode does.
//! * A wrong app secret at the token endpoint ("Error validating client secret", code 1): read from the text. If the text
//!   differs, it counts as trouble that may pass, and the sign-in is tried again.
//! * `limit` on `me/accounts`, `attachments` on `published_posts`: without effect the lists have more pages, or only text
//!   and time are compared; if the field is refused, we ask without it.
//! * The order of `published_posts`: some pages are read whatever the order; not finding proves nothing anyway.
//! * The way a page's permalink looks for photos: the documented fallback (`/{post-id}`) is used.
//! * The life of an unpublished photo (about 24 hours): a commit with a dead one is refused as bad content, and nothing
//!   is posted.
//! * The longest text: a longer one is refused, nothing is lost.

mod accounts;
mod classify;
mod consent;
mod look;
mod publish;
mod tokens;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use domain::policy::{FACEBOOK, Policy};
use domain::time::Timestamp;
use reqwest::RequestBuilder;
use serde_json::Value;
use url::Url;

use crate::adapter::{
    AccountAccess, Adapter, App, CallError, Committed, ConsentRequest, Identity, Job, Looked, Prepared, RemoteAccount, SeenOnline, Step,
    Tokens,
};
use crate::answer::{Call, understood};
use crate::http::{Http, below};
use crate::secret::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken};

pub(crate) use classify::{committed, judge};

/// The adapter.
#[derive(Debug)]
pub(crate) struct Facebook {
    http: Http,
}

impl Facebook {
    pub(crate) const fn new(http: Http) -> Self {
        Self { http }
    }

    async fn call(&self, call: Call, request: RequestBuilder, now: Timestamp) -> Result<Value, CallError> {
        let answer = self.http.send(request).await?;
        understood(&answer, judge(call, &answer, now))
    }

    /// A GET below the version, with a token.
    async fn read(
        &self,
        app: &App,
        segments: &[&str],
        query: &[(&str, &str)],
        access: &AccessToken,
        now: Timestamp,
    ) -> Result<Value, CallError> {
        let request = self.http.get(versioned(app, segments)).query(query).query(&signature(app, access));
        self.call(Call::Api, request, now).await
    }
}

/// The address of `segments` in the version that we speak.
fn versioned(app: &App, segments: &[&str]) -> Url {
    let mut path = vec![FACEBOOK.api_version.name];
    path.extend_from_slice(segments);
    below(&app.endpoints.api, &path)
}

/// The token, and the proof that we know the app's secret.
fn signature(app: &App, access: &AccessToken) -> [(&'static str, String); 2] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app.secret.expose().as_bytes());
    let proof = hmac::sign(&key, access.expose().as_bytes());
    let hex = proof.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    [("access_token", access.expose().to_owned()), ("appsecret_proof", hex)]
}

#[async_trait]
impl Adapter for Facebook {
    fn policy(&self) -> &'static Policy {
        &FACEBOOK
    }

    fn consent_url(&self, app: &App, request: &ConsentRequest) -> Url {
        consent::url(app, request)
    }

    async fn exchange(&self, app: &App, code: &AuthorizationCode, _: &PkceVerifier, now: Timestamp) -> Result<Tokens, CallError> {
        self.exchange_code(app, code, now).await
    }

    async fn renew(&self, _: &App, _: &RefreshToken, _: Timestamp) -> Result<Tokens, CallError> {
        Err(crate::http::not_sent("facebook has no renewal").into())
    }

    async fn identify(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Identity, CallError> {
        self.identity(app, access, now).await
    }

    async fn accounts(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Vec<RemoteAccount>, CallError> {
        self.pages(app, access, now).await
    }

    async fn probe(&self, app: &App, account: &AccountAccess, now: Timestamp) -> Result<(), CallError> {
        self.probe_page(app, account, now).await
    }

    async fn prepare(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Result<Prepared, CallError> {
        self.upload_next(app, job, done, now).await
    }

    async fn commit(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Committed {
        self.publish(app, job, done, now).await
    }

    async fn look(&self, app: &App, job: &Job, done: &[Step], attempted_at: Timestamp, now: Timestamp) -> Result<Looked, CallError> {
        self.find(app, job, done, attempted_at, now).await
    }

    async fn follow(&self, app: &App, job: &Job, handle: &str, now: Timestamp) -> Result<Committed, CallError> {
        self.follow_post(app, job, handle, now).await
    }

    async fn read_back(&self, app: &App, account: &AccountAccess, remote_id: &str, now: Timestamp) -> Result<SeenOnline, CallError> {
        self.see(app, account, remote_id, now).await
    }

    async fn revoke(&self, app: &App, access: &AccessToken, remote_person: &str, now: Timestamp) -> Result<bool, CallError> {
        self.remove_app(app, access, remote_person, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::public_endpoints;
    use crate::secret::AppSecret;
    use domain::platform::Platform;

    #[test]
    fn the_proof_is_the_keyed_hash_of_the_token() {
        let app = App {
            client_id: "1".into(),
            secret: AppSecret::new("what do ya want for nothing?".into()),
            endpoints: public_endpoints(Platform::Facebook),
            redirect_uri: Url::parse("https://app.example/cb").unwrap(),
        };
        let [(_, token), (name, proof)] = signature(&app, &AccessToken::new("Jefe".into()));
        assert_eq!((token.as_str(), name), ("Jefe", "appsecret_proof"));
        assert_eq!(proof.len(), 64);
        assert_ne!(proof, signature(&app, &AccessToken::new("jefe".into()))[1].1);
        // RFC 4231 case 2, with key and data in their places.
        let app = App { secret: AppSecret::new("Jefe".into()), ..app };
        let proof = &signature(&app, &AccessToken::new("what do ya want for nothing?".into()))[1].1;
        assert_eq!(proof, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
