//! Asks a platform how a login and its accounts are, by its cheapest calls: daily, at the moment at which a person should
//! have acted, after a hook or a sibling's loss, and when a person asks.

use std::time::Duration;

use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::grant::{GrantState, RefreshOutcome, speaks_of};
use domain::id::{AccountId, LeaseId};
use domain::inbox::{Root, Stage};
use domain::time::{Timestamp, minutes};
use platforms::adapter::{Identity, RemoteAccount};
use platforms::secret::AccessToken;
use service::access::{Pair, first_warning, next_probe, schedule_of};
use store::accounts::Account;
use store::grants::Grant;
use store::{StoreError, Tx};

use super::Inner;
use super::judge::Failure;
use super::renew::{open, write_failure};
use crate::WorkerError;
use crate::whose::{List, Login, Refused, Whose, refused, whose};

/// A pair that is younger than this and not accepted is trouble, not a reason for the next renewal.
const FRESH: Duration = minutes(1);
/// The end that a platform states may differ by this much from the one we know.
const SAME_END: Duration = minutes(1);

/// What the calls showed.
#[derive(Debug, Default)]
struct Findings {
    /// Who the login is, when that was told.
    identity: Option<Identity>,
    /// The login was refused.
    login: Option<Box<Verdict>>,
    /// The access token was refused, and can be renewed.
    access: Option<Box<Verdict>>,
    /// The login lives and nothing can be done with it.
    blocked: Option<Box<Verdict>>,
    /// Our registration was refused.
    app: Option<Box<Verdict>>,
    /// Trouble that may pass, and the wait that was asked for.
    trouble: Option<Option<Duration>>,
    accounts: Vec<(AccountId, Finding)>,
}

#[derive(Debug)]
enum Finding {
    /// It can be used; what a list said of it, where one was read.
    Good(Option<Box<RemoteAccount>>),
    Blocked(Box<Verdict>),
}

impl Findings {
    fn note(&mut self, refused: Refused) {
        match refused {
            Refused::Login(verdict) => self.login = Some(verdict),
            Refused::Access(verdict) => self.access = Some(verdict),
            Refused::Blocked(verdict) => self.blocked = Some(verdict),
            Refused::App(verdict) => self.app = Some(verdict),
            Refused::Trouble { wait } => self.trouble = Some(wait.or(self.trouble.flatten())),
        }
    }

    const fn is_login_good(&self) -> bool {
        self.identity.is_some() && self.login.is_none() && self.access.is_none() && self.blocked.is_none() && self.app.is_none()
    }
}

/// Probes a login and its accounts.
pub(super) async fn probe(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<(), WorkerError> {
    let Some(pair) = open(inner, grant, lease).await? else { return Ok(()) };
    let mut found = Findings::default();
    inner.hold(grant, lease).await?;
    match pair.adapter.identify(&pair.app, &pair.access, inner.now()).await {
        Ok(identity) if identity.remote_id != grant.remote_person => {
            tracing::error!(grant.id = %grant.id, "the platform names another person for this login");
            found.trouble = Some(None);
        }
        Ok(identity) => found.identity = Some(identity),
        Err(error) => found.note(refused(error)),
    }
    if let Some(identity) = &found.identity {
        let missing = missing_scopes(&pair, identity);
        if missing.is_empty() {
            ask_accounts(inner, grant, lease, &pair, &mut found).await?;
        } else {
            let verdict = Verdict::plain(Class::PermissionLost, Cause::PrivacySettings, Confidence::Certain, inner.now());
            found.blocked = Some(Box::new(Verdict { missing_scopes: missing, ..verdict }));
        }
    }
    inner.note_answer(grant.platform, grant.id, found.trouble);
    write(inner, grant, lease, &pair, found).await
}

fn missing_scopes(pair: &Pair, identity: &Identity) -> Vec<String> {
    let is_granted = |name: &str| identity.granted.iter().any(|scope| scope == name);
    let needed = pair.adapter.policy().scopes.iter().filter(|scope| scope.is_needed);
    needed.filter(|scope| !is_granted(scope.name)).map(|scope| scope.name.to_owned()).collect()
}

async fn ask_accounts(inner: &Inner, grant: &Grant, lease: LeaseId, pair: &Pair, found: &mut Findings) -> Result<(), WorkerError> {
    let accounts = inner.services.store.accounts_of(grant.workspace, grant.id).await?;
    let mut list = List::default();
    for account in accounts.iter().filter(|account| !account.is_unlinked()) {
        inner.hold(grant, lease).await?;
        ask_account(inner, account, pair, &mut list, found).await?;
        if found.login.is_some() || found.access.is_some() || found.app.is_some() {
            break;
        }
    }
    Ok(())
}

async fn ask_account(inner: &Inner, account: &Account, pair: &Pair, list: &mut List, found: &mut Findings) -> Result<(), WorkerError> {
    let Some(acting) = inner.services.acting(account.workspace, account.id).await? else { return Ok(()) };
    let login = Login { adapter: &*pair.adapter, app: &pair.app, access: &pair.access, now: inner.now() };
    // Where posts need a place inside the account, the list tells how the account is and which places there are now.
    if pair.adapter.policy().limits.needs_board {
        match list.take(login, &account.remote_id).await {
            Ok(Some(remote)) if remote.may_post => found.accounts.push((account.id, Finding::Good(Some(Box::new(remote))))),
            Ok(Some(_)) => found.accounts.push((account.id, Finding::Blocked(role_gone(inner.now())))),
            // A list without it says nothing certain.
            Ok(None) => found.trouble = Some(None),
            Err(refused) => found.note(refused),
        }
        return Ok(());
    }
    let error = match pair.adapter.probe(&pair.app, &acting.account, inner.now()).await {
        Ok(()) => {
            found.accounts.push((account.id, Finding::Good(None)));
            return Ok(());
        }
        Err(error) => error,
    };
    match refused(error) {
        // The login itself was accepted a moment ago: this account's token or place is what is wrong.
        Refused::Login(verdict) | Refused::Access(verdict) | Refused::Blocked(verdict) => {
            match whose(login, list, &acting.account, verdict).await {
                Whose::Account(verdict) => found.accounts.push((account.id, Finding::Blocked(verdict))),
                Whose::OldToken(remote) => found.accounts.push((account.id, Finding::Good(Some(remote)))),
                Whose::Login(refused) => found.note(refused),
            }
        }
        other => found.note(other),
    }
    Ok(())
}

fn role_gone(now: Timestamp) -> Box<Verdict> {
    Box::new(Verdict::plain(Class::PermissionLost, Cause::PrivacySettings, Confidence::Likely, now))
}

/// Writes everything that was found, in one transaction.
async fn write(inner: &Inner, grant: &Grant, lease: LeaseId, pair: &Pair, found: Findings) -> Result<(), WorkerError> {
    let (workspace, now) = (grant.workspace, inner.now());
    let tokens = sealed_tokens(inner, grant, &found).await?;
    let mut tx = inner.services.store.begin().await?;
    let mut held = tx.lock_leased(grant.id, lease).await?.ok_or(StoreError::LeaseLost)?;
    // What was said of an older pair, or of a login that is lost or gone meanwhile, says nothing about this one.
    let is_current = speaks_of(pair.generation, held.generation) && matches!(held.state, GrantState::Live | GrantState::Retrying { .. });
    if is_current {
        note_end(&mut held, pair, found.identity.as_ref(), now);
        held.probe_at = Some(next_probe(&held.schedule, held.spread_fraction(), now));
        tx.save_grant(&held).await?;
        end_moved_away(&mut tx, &held, now).await?;
        let is_login_good = found.is_login_good();
        for (account, finding) in found.accounts {
            write_account(inner, &mut tx, grant, account, finding, tokens.get(&account), now).await?;
        }
        if is_login_good && found.trouble.is_none() {
            tx.good_call(workspace, grant.id, None, now).await?;
            if !held.is_renewal_due(now) {
                tx.app_works(workspace, grant.platform, now).await?;
            }
        }
        let mut held = tx.lock_leased(grant.id, lease).await?.ok_or(StoreError::LeaseLost)?;
        if let Some(verdict) = found.login {
            tx.refuse_login(workspace, grant.id, pair.generation, &verdict, inner.thread_id(), now).await?;
        } else if let Some(verdict) = found.access {
            access_refused(inner, &mut tx, &mut held, verdict, now).await?;
        } else if let Some(verdict) = found.blocked {
            tx.block_login(workspace, grant.id, &verdict, inner.thread_id(), now).await?;
        } else if let Some(verdict) = found.app {
            let failure = Failure { outcome: RefreshOutcome::NotDone, verdict: Some(verdict), wait: None };
            write_failure(inner, &mut tx, &mut held, &failure, false, now).await?;
        } else if let Some(wait) = found.trouble {
            let failure = Failure { outcome: RefreshOutcome::NotDone, verdict: None, wait };
            write_failure(inner, &mut tx, &mut held, &failure, false, now).await?;
        }
    }
    tx.release_grant(grant.id, lease).await?;
    tx.commit().await?;
    metrics::counter!("stayposted_probes_total", "platform" => grant.platform.code()).increment(1);
    Ok(())
}

/// The access token is no longer taken: a renewal brings the next one, at once; where there is none, the login has ended.
async fn access_refused(inner: &Inner, tx: &mut Tx, held: &mut Grant, verdict: Box<Verdict>, now: Timestamp) -> Result<(), StoreError> {
    if !held.tokens.has_refresh {
        tx.refuse_login(held.workspace, held.id, held.generation, &verdict, inner.thread_id(), now).await?;
        return Ok(());
    }
    if now < held.tokens.issued_at + FRESH {
        let failure = Failure { outcome: RefreshOutcome::NotDone, verdict: Some(verdict), wait: None };
        return write_failure(inner, tx, held, &failure, false, now).await;
    }
    tx.renew_now(held.workspace, held.id, held.generation, now).await?;
    Ok(())
}

/// Takes over the end that the platform states, where it tells one.
fn note_end(held: &mut Grant, pair: &Pair, identity: Option<&Identity>, now: Timestamp) {
    let Some(end) = identity.and_then(|identity| identity.expires_at).filter(|_| !held.tokens.has_refresh) else { return };
    let is_known =
        held.tokens.access_expires_at.is_some_and(|known| known.0.abs_diff(end.0) <= u64::try_from(SAME_END.as_micros()).unwrap_or(0));
    if is_known {
        return;
    }
    held.tokens.access_expires_at = Some(end);
    held.schedule = schedule_of(pair.adapter.policy(), &held.tokens, held.spread_fraction());
    held.warn_at = first_warning(&held.schedule, now);
}

/// A warning of an end that the platform has moved far ahead is over.
async fn end_moved_away(tx: &mut Tx, held: &Grant, now: Timestamp) -> Result<(), StoreError> {
    let root = Root::Login { grant: held.id };
    if held.warn_at.is_some_and(|due| due > now) && matches!(tx.open_stage(held.workspace, &root).await?, Some(Stage::EndsSoon { .. })) {
        tx.back_to_normal(held.workspace, &root, now).await?;
    }
    Ok(())
}

/// Seals the fresh tokens of accounts, before the transaction begins.
async fn sealed_tokens(
    inner: &Inner,
    grant: &Grant,
    found: &Findings,
) -> Result<std::collections::HashMap<AccountId, Vec<u8>>, WorkerError> {
    let mut sealed = std::collections::HashMap::new();
    for (account, finding) in &found.accounts {
        if let Finding::Good(Some(remote)) = finding
            && let Some(access) = &remote.access
        {
            let access: &AccessToken = access;
            sealed.insert(*account, inner.services.seal_account_token(grant.workspace, *account, access).await?);
        }
    }
    Ok(sealed)
}

async fn write_account(
    inner: &Inner,
    tx: &mut Tx,
    grant: &Grant,
    id: AccountId,
    finding: Finding,
    token: Option<&Vec<u8>>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match finding {
        Finding::Good(remote) => {
            if let (Some(remote), Some(mut account)) = (remote, tx.account(grant.workspace, id).await?)
                && !account.is_unlinked()
            {
                account.name.clone_from(&remote.name);
                account.handle.clone_from(&remote.handle);
                account.picture.clone_from(&remote.picture);
                account.boards = serde_json::to_string(&remote.boards).unwrap_or_else(|_| "[]".to_owned());
                tx.save_account(&account).await?;
                if let Some(token) = token {
                    tx.set_account_token(id, Some(token.clone())).await?;
                }
            }
            tx.good_call(grant.workspace, grant.id, Some(id), now).await
        }
        Finding::Blocked(verdict) => tx.block_account(grant.workspace, id, &verdict, inner.thread_id(), now).await,
    }
}
