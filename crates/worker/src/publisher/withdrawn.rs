//! After a platform has refused the token with which we act on an account: is the login over, or this account withdrawn?

use std::time::Duration;

use domain::cause::Verdict;
use platforms::adapter::RemoteAccount;
use store::publishing::Also;

use super::held::Held;
use super::load::access;
use crate::WorkerError;
use crate::whose::{List, Login, Refused, Whose, whose};

/// Asking takes at most this long, so that the outcome is written well within the lease.
const ASK_WITHIN: Duration = Duration::from_secs(30);

/// What the refusal of an account's token turned out to be.
#[derive(Debug)]
pub(super) enum Withdrawn {
    /// The login lives; this account cannot be posted to.
    Account(Box<Verdict>),
    /// The token was an old one; this keeps the one with which the account can be used, where it is not kept already.
    OldToken(Option<Also>),
    /// What is refused is more than this account, or nobody can tell now. An access token only where it can be renewed.
    Login(Refused),
}

/// Asks whose refusal it is. A token that several accounts share is the login's own, and speaks for it.
pub(super) async fn withdrawn(held: &Held, verdict: Box<Verdict>) -> Withdrawn {
    match asked(held, verdict).await {
        Ok(found) => found,
        Err(error) => {
            // What the platform refused stays refused; whose it is can be asked at the next try.
            tracing::warn!(delivery.id = %held.claimed.id, error = &error as &dyn std::error::Error, "a refusal cannot be looked into");
            Withdrawn::Login(Refused::Trouble { wait: None })
        }
    }
}

async fn asked(held: &Held, verdict: Box<Verdict>) -> Result<Withdrawn, WorkerError> {
    let (services, claimed) = (&held.inner.services, &held.claimed);
    let acting = access(held).await?;
    let pair = services.pair(claimed.workspace, claimed.grant).await?;
    // Unlinked meanwhile: nothing can be asked any more, and nothing depends on the answer.
    let (Some(acting), Some(pair)) = (acting, pair) else { return Ok(plain(verdict)) };
    if acting.generation != pair.generation {
        // Renewed, or signed in again, since it was opened.
        return Ok(Withdrawn::OldToken(None));
    }
    if acting.account.access.to_seal() == pair.access.to_seal() {
        return Ok(plain(verdict));
    }
    let login = Login { adapter: &*pair.adapter, app: &pair.app, access: &pair.access, now: held.inner.now() };
    let mut list = List::default();
    let Ok(told) = tokio::time::timeout(ASK_WITHIN, whose(login, &mut list, &acting.account, verdict)).await else {
        return Ok(Withdrawn::Login(Refused::Trouble { wait: None }));
    };
    Ok(match told {
        Whose::Account(verdict) => Withdrawn::Account(verdict),
        Whose::OldToken(remote) => Withdrawn::OldToken(Some(keep(held, &remote).await?)),
        Whose::Login(Refused::Access(verdict)) if !claimed.has_refresh => Withdrawn::Login(Refused::Login(verdict)),
        Whose::Login(refused) => Withdrawn::Login(refused),
    })
}

/// What a refusal says by itself.
fn plain(verdict: Box<Verdict>) -> Withdrawn {
    if verdict.class.needs_sign_in() { Withdrawn::Login(Refused::Login(verdict)) } else { Withdrawn::Account(verdict) }
}

async fn keep(held: &Held, remote: &RemoteAccount) -> Result<Also, WorkerError> {
    let claimed = &held.claimed;
    let sealed = match &remote.access {
        Some(access) => Some(held.inner.services.seal_account_token(claimed.workspace, claimed.account, access).await?),
        None => None,
    };
    Ok(Also::AccountToken(claimed.account, sealed))
}
