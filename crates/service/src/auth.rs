//! Who is asking: sign-in, sessions, first start. (Owner: logins)

use std::net::IpAddr;

use domain::role::Caller;
use domain::id::{PersonId, WorkspaceId};
use domain::summary::shell::Shell;
use secrecy::SecretString;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

/// A new session: the clear token goes into the cookie and nowhere else.
#[derive(Debug)]
pub struct NewSession {
    /// 256-bit random token.
    pub token: SecretString,
    /// The person.
    pub person: PersonId,
}

/// The first owner, as the create-owner page sends them.
#[derive(Debug)]
pub struct NewOwner {
    /// Name of the person.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Password, 10 to 500 characters.
    pub password: SecretString,
    /// Name of the first workspace.
    pub workspace: String,
    /// Its zone ("Europe/Berlin").
    pub zone: String,
}

impl Services {
    /// Signs a person in. Same timing for unknown people; limited per person and per source address (wall clock).
    pub async fn sign_in(&self, email: &str, password: SecretString, source: Option<IpAddr>) -> Answer<NewSession> { todo!() }
    /// Ends the session of this token.
    pub async fn sign_out(&self, token: &str) -> Answer<()> { todo!() }
    /// Who a session token stands for, in the workspace named by `slug` or else the last used one. None: not signed in.
    /// A slug that the person does not belong to is `NotFound`.
    pub async fn caller_of_session(&self, token: &str, slug: Option<&str>) -> Answer<Option<Caller>> { todo!() }
    /// A session for the demo owner, made without a password (demo only).
    pub async fn session_for(&self, person: PersonId) -> Answer<NewSession> { todo!() }
    /// Whether this installation has an owner.
    pub async fn has_owner(&self) -> Answer<bool> { todo!() }
    /// Makes (or replaces) the one-time code of the first start; only its hash is stored. None when there is an owner.
    pub async fn new_setup_code(&self) -> Answer<Option<String>> { todo!() }
    /// Creates the first owner with the one-time code. Two at once: one wins, the other gets `OwnerExists`.
    pub async fn create_first_owner(&self, code: &str, owner: NewOwner) -> Answer<NewSession> { todo!() }
    /// Creates an owner with a workspace without a code: `stayposted owner create`.
    pub async fn create_owner(&self, owner: NewOwner) -> Answer<(PersonId, WorkspaceId)> { todo!() }
    /// The frame around every screen.
    pub async fn shell(&self, caller: &Caller) -> Answer<Shell> { todo!() }
}
