//! The one trait behind which a platform lives, and the outcomes it speaks in.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::cause::Verdict;
use domain::id::DeliveryId;
use domain::media::ImageFacts;
use domain::policy::Policy;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::secret::{AccessToken, AppSecret, AuthorizationCode, PkceVerifier, RefreshToken};

/// Where a platform is reached. Only these differ between the real platforms and the rehearsal ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Base of the pages that a browser opens.
    pub browser: Url,
    /// Base of the API.
    pub api: Url,
}

/// Our registration at a platform, ready for use.
#[derive(Debug, Clone)]
pub struct App {
    /// The public half.
    pub client_id: String,
    /// The secret half.
    pub secret: AppSecret,
    /// Where it is registered.
    pub endpoints: Endpoints,
    /// Our address to which consents return, byte-identical to the registered one.
    pub redirect_uri: Url,
}

/// What a consent asks for.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// The single-use state, at least 128 bits.
    pub state: String,
    /// The PKCE S256 challenge; adapters whose platform has no PKCE ignore it (named in their doc).
    pub pkce_challenge: String,
    /// Ask for the choice of accounts and declined permissions again (Facebook `rerequest`).
    pub ask_again: bool,
    /// Make the platform ask who is signing in (Facebook `reauthenticate`).
    pub switch_person: bool,
}

/// A pair of tokens as the platform gave it.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: AccessToken,
    /// The refresh token; `None` when the answer had none (the stored one is then kept).
    pub refresh: Option<RefreshToken>,
    /// How long the access token lives, if said.
    pub access_lives: Option<Duration>,
    /// How long the refresh token lives, if said.
    pub refresh_lives: Option<Duration>,
    /// Granted scopes, if said in this answer.
    pub scopes: Option<Vec<String>>,
}

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The platform's id of the person or, where the login is the account, of the account.
    pub remote_id: String,
    /// Their name, plain text.
    pub name: String,
    /// Scopes that were granted; where only the tokens' own answer tells them ([`Tokens::scopes`]), those we asked for.
    pub granted: Vec<String>,
    /// When the login ends, where introspection tells.
    pub expires_at: Option<Timestamp>,
}

/// A place inside an account (Pinterest: a board).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The platform's id.
    pub id: String,
    /// Its name, plain text.
    pub name: String,
}

/// Something that can be posted to with a login.
#[derive(Debug)]
pub struct RemoteAccount {
    /// The platform's id.
    pub remote_id: String,
    /// Its name, plain text.
    pub name: String,
    /// Its handle without `@`, if it has one.
    pub handle: Option<String>,
    /// Address of its picture.
    pub picture: Option<String>,
    /// Its own access token, where posting needs one (Facebook: the page token).
    pub access: Option<AccessToken>,
    /// Whether the person's role allows posting to it.
    pub may_post: bool,
    /// Its boards, where posts need one.
    pub boards: Vec<Board>,
}

/// What we use to act on one account.
#[derive(Debug)]
pub struct AccountAccess {
    /// The platform's id of the account.
    pub remote_id: String,
    /// The account's own token, else the login's.
    pub access: AccessToken,
}

/// One image to be sent.
#[derive(Debug, Clone)]
pub struct Image {
    /// What is known of it.
    pub facts: ImageFacts,
    /// The bytes.
    pub bytes: Bytes,
    /// Alternative text.
    pub alt: String,
}

/// What is to be posted, to one account.
#[derive(Debug)]
pub struct Job {
    /// The delivery; stable over all attempts.
    pub delivery: DeliveryId,
    /// Where it goes.
    pub account: AccountAccess,
    /// The text.
    pub text: String,
    /// The title.
    pub title: String,
    /// The link; empty for none.
    pub link: String,
    /// The board, where needed.
    pub board: Option<String>,
    /// The images in order.
    pub images: Vec<Image>,
}

/// The remembered result of one repeatable step (an uploaded photo's id). Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What kind of step, in the adapter's words.
    pub kind: String,
    /// What the platform answered with.
    pub result: String,
}

/// What preparing came to.
#[derive(Debug)]
pub enum Prepared {
    /// One more step is done; remember it and ask again.
    Step(Step),
    /// Nothing is left to prepare: commit.
    Ready,
}

/// How a call other than a commit failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The platform answered and we can say what it means. `wait` is the wait that it asked for.
    #[error("the platform answered: {:?} {}", verdict.class, verdict.code.as_deref().unwrap_or_default())]
    Answered {
        /// What it means, with the evidence.
        verdict: Box<Verdict>,
        /// How long to wait, if it said so.
        wait: Option<Duration>,
    },
    /// The request never left: no connection, or it could not be built.
    #[error("the request did not leave")]
    NotSent(#[source] HttpError),
    /// The request left, and no answer that can be read came back.
    #[error("the request left, and no answer says what became of it")]
    Lost(#[source] HttpError),
}

/// Trouble of the HTTP client, without address or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

/// How the one request that makes a post public ended.
#[derive(Debug)]
pub enum Committed {
    /// It is online.
    Published {
        /// The platform's id.
        remote_id: String,
        /// Its address, if told.
        link: Option<String>,
    },
    /// Accepted, public later.
    Processing {
        /// The platform's name of it.
        handle: String,
    },
    /// A classified refusal: certainly not done. What to do follows from the class (post, login, account, wait).
    Refused {
        /// What the platform said.
        verdict: Box<Verdict>,
        /// How long to wait, if it said so.
        wait: Option<Duration>,
    },
    /// The request never left: certainly not done.
    NotSent(HttpError),
    /// A 5xx, a timeout, a cut or unreadable answer: it may be online. `evidence` is what came back, if anything.
    Unknown {
        /// What came back, if anything did.
        evidence: Option<Box<Verdict>>,
        /// What went wrong below HTTP, if that is what happened.
        error: Option<HttpError>,
    },
}

/// A post found at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePost {
    /// The platform's id.
    pub remote_id: String,
    /// Its address.
    pub link: Option<String>,
    /// When the platform says it was created.
    pub created_at: Timestamp,
}

/// What looking for a post came to. There is no "absent": absence in a list is never proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// Posts that equal this one in text and media and are not older than the attempt (by the platform's clock, with
    /// two minutes of tolerance). The caller takes out those bound to other deliveries: one left = found, two = ask.
    Matches(Vec<RemotePost>),
    /// Accepted and being processed.
    Processing {
        /// The platform's name of it.
        handle: String,
    },
    /// Proof that it does not exist, and that a request still under way cannot make it any more (a container that has run
    /// out; never a list).
    ProvenAbsent,
}

/// What reading a published post back showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenOnline {
    /// It is there.
    Yes,
    /// The platform did not show it (yet, or any more).
    No,
    /// The platform does not allow reading.
    CannotTell,
}

/// A platform. Every method is one conversation and may be called again.
///
/// `now` is world time, for verdicts and for turning lifetimes into moments.
#[async_trait]
pub trait Adapter: Send + Sync + fmt::Debug {
    /// Its rules.
    fn policy(&self) -> &'static Policy;

    /// The address that the person's browser opens.
    fn consent_url(&self, app: &App, request: &ConsentRequest) -> Url;

    /// Trades the code of a consent for tokens (for Facebook including the long-lived exchange).
    async fn exchange(&self, app: &App, code: &AuthorizationCode, verifier: &PkceVerifier, now: Timestamp) -> Result<Tokens, CallError>;

    /// Trades a refresh token for the next pair. Never called where the policy has no renewal. Not only `Lost`, also an
    /// answer with a 5xx status may hide that the pair was spent: a gateway speaks for a server that went on working.
    async fn renew(&self, app: &App, refresh: &RefreshToken, now: Timestamp) -> Result<Tokens, CallError>;

    /// Who signed in, what was granted, and when it ends.
    async fn identify(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Identity, CallError>;

    /// Everything this login can post to.
    async fn accounts(&self, app: &App, access: &AccessToken, now: Timestamp) -> Result<Vec<RemoteAccount>, CallError>;

    /// The cheapest call that shows whether an account can be used. `Ok` means that it can.
    async fn probe(&self, app: &App, account: &AccountAccess, now: Timestamp) -> Result<(), CallError>;

    /// Does the next repeatable step after those in `done`.
    async fn prepare(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Result<Prepared, CallError>;

    /// Sends the one request that makes the post public.
    async fn commit(&self, app: &App, job: &Job, done: &[Step], now: Timestamp) -> Committed;

    /// Looks for a post whose commit was written at `attempted_at`.
    async fn look(&self, app: &App, job: &Job, done: &[Step], attempted_at: Timestamp, now: Timestamp) -> Result<Looked, CallError>;

    /// Asks what became of something accepted for processing.
    async fn follow(&self, app: &App, job: &Job, handle: &str, now: Timestamp) -> Result<Committed, CallError>;

    /// Reads a published post back.
    async fn read_back(&self, app: &App, account: &AccountAccess, remote_id: &str, now: Timestamp) -> Result<SeenOnline, CallError>;

    /// Tells the platform that the login is no longer wanted. `Ok(false)` where the platform has no way.
    async fn revoke(&self, app: &App, access: &AccessToken, remote_person: &str, now: Timestamp) -> Result<bool, CallError>;
}
