//! Whose refusal it is: of a login, or of one account behind it. Keeper and publisher ask here, so that both say the same.
//!
//! An account may have a token of its own (Facebook's page tokens). That the platform no longer takes it may mean that the
//! login is over, that the person lost this account alone, or only that there is a newer token: the code is the same. The
//! login's own token decides, by listing what it can post to.

use std::time::Duration;

use domain::cause::{Cause, Class, Verdict};
use domain::time::Timestamp;
use platforms::adapter::{AccountAccess, Adapter, App, CallError, RemoteAccount};
use platforms::secret::AccessToken;

/// What a refused call that changed nothing means.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The login, or the token that was shown.
    Login(Box<Verdict>),
    /// The access token alone; a renewal may bring a new one.
    Access(Box<Verdict>),
    /// What the call was about is blocked while the login lives.
    Blocked(Box<Verdict>),
    /// Our own registration: the operator's matter.
    App(Box<Verdict>),
    /// Trouble that may pass.
    Trouble {
        /// The wait that the platform asked for.
        wait: Option<Duration>,
    },
}

/// Reads the failure of a call that changes nothing.
pub(crate) fn refused(error: CallError) -> Refused {
    let (verdict, wait) = match error {
        CallError::Answered { verdict, wait } => (verdict, wait),
        // Nothing was changed by it, so it makes no difference whether it left.
        CallError::NotSent(_) | CallError::Lost(_) => return Refused::Trouble { wait: None },
    };
    match verdict.class {
        Class::Expired | Class::Revoked => Refused::Login(verdict),
        Class::AccessExpired => Refused::Access(verdict),
        Class::PermissionLost | Class::AccountGone | Class::PolicyBlock => Refused::Blocked(verdict),
        Class::AppMisconfigured | Class::ApiVersionRetired => Refused::App(verdict),
        Class::RateLimited | Class::Transient | Class::BadContent | Class::LoginFailed | Class::Unknown => Refused::Trouble { wait },
    }
}

/// A login at its platform, with its own token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Login<'a> {
    pub(crate) adapter: &'a dyn Adapter,
    pub(crate) app: &'a App,
    pub(crate) access: &'a AccessToken,
    /// World time.
    pub(crate) now: Timestamp,
}

/// What a login can post to, read at most once.
#[derive(Debug, Default)]
pub(crate) enum List {
    #[default]
    Unread,
    Read(Vec<RemoteAccount>),
    Failed,
}

impl List {
    /// Takes an account out of the list; none when the list does not have it.
    pub(crate) async fn take(&mut self, login: Login<'_>, remote_id: &str) -> Result<Option<RemoteAccount>, Refused> {
        if matches!(self, Self::Unread) {
            *self = match login.adapter.accounts(login.app, login.access, login.now).await {
                Ok(read) => Self::Read(read),
                Err(error) => {
                    *self = Self::Failed;
                    return Err(refused(error));
                }
            };
        }
        let Self::Read(read) = self else { return Err(Refused::Trouble { wait: None }) };
        let at = read.iter().position(|remote| remote.remote_id == remote_id);
        Ok(at.map(|at| read.swap_remove(at)))
    }
}

/// What the refusal of an account turned out to be.
#[derive(Debug)]
pub(crate) enum Whose {
    /// The login lives, and cannot use this account any more.
    Account(Box<Verdict>),
    /// The account's token was an old one. With the one in here it can be used.
    OldToken(Box<RemoteAccount>),
    /// The login itself is not taken, or cannot be asked now.
    Login(Refused),
}

/// After `verdict` refused `tried`: asks with the login's own token.
pub(crate) async fn whose(login: Login<'_>, list: &mut List, tried: &AccountAccess, verdict: Box<Verdict>) -> Whose {
    let remote = match list.take(login, &tried.remote_id).await {
        Ok(remote) => remote.filter(|remote| remote.may_post),
        Err(refused) => return Whose::Login(refused),
    };
    let Some(remote) = remote else { return Whose::Account(withdrawn(verdict)) };
    let Some(fresh) = remote.access.clone().filter(|fresh| fresh.to_seal() != tried.access.to_seal()) else {
        return Whose::Account(withdrawn(verdict));
    };
    let again = AccountAccess { remote_id: tried.remote_id.clone(), access: fresh };
    match login.adapter.probe(login.app, &again, login.now).await {
        Ok(()) => Whose::OldToken(Box::new(remote)),
        Err(error) => match refused(error) {
            Refused::Login(verdict) | Refused::Access(verdict) | Refused::Blocked(verdict) => Whose::Account(withdrawn(verdict)),
            other @ (Refused::App(_) | Refused::Trouble { .. }) => Whose::Login(other),
        },
    }
}

/// The login lives, so it is this account that was withdrawn, whatever the platform calls it.
fn withdrawn(mut verdict: Box<Verdict>) -> Box<Verdict> {
    if verdict.class.needs_sign_in() || verdict.class == Class::AccessExpired {
        verdict.cause = Cause::PrivacySettings;
    }
    verdict
}
