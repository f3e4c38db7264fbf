//! Linking and Refresh Credentials: from the button to the result page. (Owner: logins)

use domain::id::{ConsentId, GrantId};
use domain::platform::Platform;
use domain::summary::link::{ConsentResult, GoingTo};
use secrecy::SecretString;
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

/// A consent under way: the flow cookie binds it to this browser.
#[derive(Debug)]
pub struct Started {
    /// Where the browser goes.
    pub going_to: GoingTo,
    /// The value of the flow cookie: random, path `/oauth`, HttpOnly, SameSite=Lax, ten minutes.
    pub flow: SecretString,
}

/// How a consent for an existing login asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct RefreshOptions {
    /// Make the platform ask who signs in ("Try again as Mara").
    pub switch_person: bool,
}

/// What came back at `/oauth/{platform}/callback`; every field is hostile.
#[derive(Debug, Clone, Default)]
pub struct Callback {
    /// The state.
    pub state: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// An error instead.
    pub error: Option<String>,
    /// Its description.
    pub error_description: Option<String>,
    /// RFC 9207 issuer.
    pub iss: Option<String>,
    /// The flow cookie.
    pub flow: Option<String>,
}

impl Services {
    /// Starts a first link.
    pub async fn start_link(&self, caller: &Caller, platform: Platform) -> Answer<Started> { todo!() }
    /// Starts the consent for exactly this login.
    pub async fn start_refresh(&self, caller: &Caller, grant: GrantId, options: RefreshOptions) -> Answer<Started> { todo!() }
    /// Takes what a platform sent back; always ends in a result that can be shown (or `ConsentOver` when the state is
    /// unknown or belongs to another browser, person or platform). Returns the consent, its workspace's slug is in the result address.
    pub async fn finish_consent(&self, caller: &Caller, platform: Platform, callback: Callback) -> Answer<ConsentId> { todo!() }
    /// The result page of a consent.
    pub async fn consent_result(&self, caller: &Caller, consent: ConsentId) -> Answer<ConsentResult> { todo!() }
    /// First link: links what was chosen (by the platform's ids).
    pub async fn link_chosen(&self, caller: &Caller, consent: ConsentId, remote_ids: Vec<String>) -> Answer<ConsentResult> { todo!() }
    /// Lets the other person's login take the shareable accounts over (after `OtherPerson`).
    pub async fn take_over(&self, caller: &Caller, consent: ConsentId) -> Answer<ConsentResult> { todo!() }
}
