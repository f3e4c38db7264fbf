//! Pinterest, API v5.
//!
//! A login is a refresh token of 60 days that slides and rotates with each renewal. The account is the person; posts
//! (pins) go to a board. Images are sent in the request itself, so that no public address of ours is needed. PKCE is not
//! mentioned by the documents: challenge and verifier are ignored. A pin has one alternative text: with several images
//! that of the first is sent.
//!
//! Not verified in the documents, and why being wrong is harmless:
//!
//! * Whether an old refresh token still works after a rotation: the newest is used; the old pair is asked again only after
//!   a lost answer.
//! * Whether a renewal can come without a refresh token: then the stored one stays.
//! * What comes back when the person declines: the caller reads `error`, and a consent without callback just runs out.
//! * How a removed app, a changed password or a suspended account show: 401 with code 2 leads to a renewal, and its refusal
//!   (283) to "withdrawn, for no known reason" with the candidates named.
//! * Basic credentials are escaped as RFC 6749 says before encoding; for Pinterest's ids and secrets (digits and letters)
//!   that changes nothing.
//! * The unit of `x-ratelimit-reset`: read as seconds, at most one hour is waited for its sake.
//! * The zone of `created_at`: read as UTC when it names none. If it were another, a pin of ours would look too old or too
//!   new; the first asks a person, the second still needs equal words.
//! * The order of a board's pins: some pages are read whatever the order; not finding proves nothing anyway.
//! * The names of `media.media_type` in answers: only "video" is taken as a contradiction.
//! * Which of 800 and 500 characters holds for descriptions: a longer one is refused, nothing is lost.
//! * The link of a pin (`/pin/{id}/`): common, in no specification; it is shown, never called.
//! * Unknown 401 with a readable body: taken as an access token that no longer works, which costs one renewal.

mod accounts;
mod classify;
mod look;
mod publish;
mod tokens;

use async_trait::async_trait;
use domain::policy::{PINTEREST, Policy};
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
pub(crate) struct Pinterest {
    http: Http,
}

impl Pinterest {
    pub(crate) const fn new(http: Http) -> Self {
        Self { http }
    }

    async fn call(&self, request: RequestBuilder, now: Timestamp) -> Result<Value, CallError> {
        let answer = self.http.send(request).await?;
        understood(&answer, judge(Call::Api, &answer, now))
    }

    async fn read(
        &self,
        app: &App,
        segments: &[&str],
        query: &[(&str, &str)],
        access: &AccessToken,
        now: Timestamp,
    ) -> Result<Value, CallError> {
        self.call(self.http.get(versioned(app, segments)).query(query).bearer_auth(access.expose()), now).await
    }
}

/// The address of `segments` in the version that we speak.
fn versioned(app: &App, segments: &[&str]) -> Url {
    let mut path = vec![PINTEREST.api_version.name];
    path.extend_from_slice(segments);
    below(&app.endpoints.api, &path)
}

#[async_trait]
impl Adapter for Pinterest {
    fn policy(&self) -> &'static Policy {
        &PINTEREST
    }

    fn consent_url(&self, app: &App, request: &ConsentRequest) -> Url {
        tokens::consent_url(app, request)
    }

    async fn exchange(&self, app: &App, code: &AuthorizationCode, _: &PkceVerifier, now: Timestamp) -> Result<Tokens, CallError> {
        self.exchange_code(app, code, now).await
    }

    async fn renew(&self, app: &App, refresh: &RefreshToken, now: Timestamp) -> Result<Tokens, CallError> {
        self.renew_pair(app, refresh, now).await
    }

    async fn identify(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Identity, CallError> {
        self.identity(app, access, now).await
    }

    async fn accounts(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Vec<RemoteAccount>, CallError> {
        self.account(app, access, now).await.map(|account| vec![account])
    }

    async fn probe(&self, app: &App, account: &AccountAccess, now: Timestamp) -> Result<(), CallError> {
        self.profile(app, &account.access, now).await.map(drop)
    }

    async fn prepare(&self, _: &App, _: &Job, _: &[Step], _: Timestamp) -> Result<Prepared, CallError> {
        // The images travel with the commit.
        Ok(Prepared::Ready)
    }

    async fn commit(&self, app: &App, job: &Job, _: &[Step], now: Timestamp) -> Committed {
        self.publish(app, job, now).await
    }

    async fn look(&self, app: &App, job: &Job, _: &[Step], attempted_at: Timestamp, now: Timestamp) -> Result<Looked, CallError> {
        self.find(app, job, attempted_at, now).await
    }

    async fn follow(&self, app: &App, job: &Job, handle: &str, now: Timestamp) -> Result<Committed, CallError> {
        self.follow_pin(app, job, handle, now).await
    }

    async fn read_back(&self, app: &App, account: &AccountAccess, remote_id: &str, now: Timestamp) -> Result<SeenOnline, CallError> {
        self.see(app, account, remote_id, now).await
    }

    async fn revoke(&self, _: &App, _: &AccessToken, _: &str, _: Timestamp) -> Result<bool, CallError> {
        // The endpoint exists for system users only; a person ends a login in Pinterest's own settings.
        Ok(false)
    }
}
