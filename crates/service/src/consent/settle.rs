//! From what a consent brought to logins and accounts, inside one transaction.

use domain::account::AccountState;
use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::grant::GrantState;
use domain::id::{AccountId, GrantId, ThreadId, WorkspaceId};
use domain::inbox::{Root, Stage};
use domain::summary::link::{ConsentOutcome, Missing, MissingWhy};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use platforms::adapter::Board;
use platforms::secret::AccessToken;
use store::Tx;
use store::accounts::Account;
use store::consents::Consent;
use store::grants::Grant;
use store::verdicts::login_object;

use super::brought::{Brought, BroughtAccount};
use super::{Answer, Flow};
use crate::Services;
use crate::access::{first_warning, next_probe, schedule_of, times_of};

/// How late a delivery may go out unless somebody decides otherwise, in seconds.
const LATE_AT_MOST: i64 = 3 * 3600;

/// What came of the accounts behind a login.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) back: Vec<String>,
    pub(super) missing: Vec<Missing>,
}

impl From<Accounts> for ConsentOutcome {
    fn from(accounts: Accounts) -> Self {
        if accounts.missing.is_empty() {
            Self::AllBack { accounts: accounts.back }
        } else {
            Self::SomeBack { back: accounts.back, missing: accounts.missing }
        }
    }
}

impl Services {
    /// Writes the pair as the newest generation of the person's login: of `target`, else of the one this person has
    /// here, else of a new one. Its state is Live afterwards, except for a `target`, whose accounts are looked at first.
    /// Returns also since when it was lost.
    pub(super) async fn store_login(
        &self,
        tx: &mut Tx,
        flow: &Flow<'_>,
        brought: &Brought,
        target: Option<GrantId>,
    ) -> Answer<(Grant, Option<Timestamp>)> {
        let Consent { workspace, platform, app, .. } = *flow.consent;
        let (policy, person, now) = (flow.adapter.policy(), brought.person()?, flow.now);
        let existing = match target {
            Some(target) => tx.lock_grant(workspace, target).await?,
            None => tx.lock_grant_of_person(workspace, app, &person.remote_id).await?,
        };
        let tokens = brought.tokens();
        let mut times = times_of(&tokens, brought.at);
        times.access_expires_at = person.expires_at.or(times.access_expires_at);
        let is_new = existing.is_none();
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of a million")]
        let spread = existing.as_ref().map_or_else(|| (self.chance.fraction() * 1_000_000.0) as i64, |grant| grant.spread);
        let mut grant = existing.unwrap_or_else(|| Grant {
            id: GrantId(self.new_id()),
            workspace,
            app,
            platform,
            remote_person: person.remote_id.clone(),
            login_of: String::new(),
            scopes: Vec::new(),
            state: GrantState::Live,
            generation: 0,
            tokens: times,
            schedule: schedule_of(policy, &times, 0.0),
            probe_at: None,
            warn_at: None,
            last_good_at: None,
            verdict: None,
            spread,
            fence: 0,
            linked_at: now,
            signed_in_at: now,
        });
        let lost_since = match grant.state {
            GrantState::SignInNeeded { since, .. } => Some(since),
            _ => None,
        };
        if grant.state == GrantState::Unlinked {
            grant.linked_at = now;
        }
        if target.is_none() {
            grant.state = grant.state.after_consent();
            grant.verdict = None;
        }
        grant.generation += 1;
        grant.login_of.clone_from(&person.name);
        grant.scopes.clone_from(&person.granted);
        grant.tokens = times;
        grant.schedule = schedule_of(policy, &times, grant.spread_fraction());
        grant.probe_at = Some(next_probe(&grant.schedule, grant.spread_fraction(), now));
        grant.warn_at = first_warning(&grant.schedule, now);
        grant.last_good_at = Some(now);
        grant.signed_in_at = now;
        if is_new {
            tx.add_grant(&grant).await?;
        } else {
            tx.save_grant(&grant).await?;
        }
        let pair = self.seal_pair(workspace, grant.id, grant.generation, &tokens, None).await?;
        tx.add_generation(workspace, grant.id, &pair, &grant.tokens).await?;
        tx.prove_generation(grant.id, grant.generation, now).await?;
        let by = Some(flow.consent.person);
        tx.audit(self.new_id(), Some(workspace), by, "login.signed_in", &login_object(grant.id), now).await?;
        Ok((grant, lost_since))
    }

    /// Links what is chosen, brings back what stands on this login already, and blocks what did not come back.
    pub(super) async fn settle(
        &self,
        tx: &mut Tx,
        flow: &Flow<'_>,
        grant: &Grant,
        brought: &Brought,
        chosen: &[String],
    ) -> Answer<Accounts> {
        let (workspace, now) = (flow.consent.workspace, flow.now);
        let mut out = Accounts::default();
        for account in tx.linked_accounts(workspace, grant.id).await? {
            match brought.account(&account.remote_id) {
                Some(found) if found.may_post => {
                    out.back.push(found.name.clone());
                    self.bring_back(tx, grant, account, found, now).await?;
                }
                found => {
                    let why = if found.is_some() { MissingWhy::RoleGone } else { MissingWhy::NotTicked };
                    out.missing.push(Missing { account: account.id, name: account.name.clone(), why });
                    let verdict = Verdict::plain(Class::PermissionLost, Cause::PrivacySettings, Confidence::Certain, now);
                    tx.block_account(workspace, account.id, &verdict, ThreadId(self.new_id()), now).await?;
                    // One that was blocked before had its story in that of the login, which ends here.
                    let root = Root::Account { account: account.id };
                    if tx.open_stage(workspace, &root).await?.is_none() {
                        tx.tell(workspace, &root, &Stage::Lost { cause: verdict.cause }, ThreadId(self.new_id()), now).await?;
                    }
                }
            }
        }
        for remote_id in chosen {
            let Some(found) = brought.account(remote_id) else { continue };
            match tx.account_by_remote(workspace, grant.platform, remote_id).await? {
                None => {
                    let account = self.new_account(grant, found, now);
                    tx.add_account(&account).await?;
                    self.set_own_token(tx, workspace, account.id, found).await?;
                    out.back.push(found.name.clone());
                }
                Some(account) if account.grant == grant.id && !account.is_unlinked() => {}
                Some(account) => {
                    let is_elsewhere = !account.is_unlinked();
                    if is_elsewhere && !flow.adapter.policy().take_over {
                        return Err(ErrorCode::Outdated.into());
                    }
                    let before = account.grant;
                    self.revive(tx, grant, account, found, now).await?;
                    out.back.push(found.name.clone());
                    if is_elsewhere {
                        tx.retire_login(workspace, before, now).await?;
                    }
                }
            }
        }
        tx.event(workspace, EventKind::Accounts, now).await?;
        Ok(out)
    }

    fn new_account(&self, grant: &Grant, found: &BroughtAccount, now: Timestamp) -> Account {
        Account {
            id: AccountId(self.new_id()),
            workspace: grant.workspace,
            grant: grant.id,
            platform: grant.platform,
            remote_id: found.remote_id.clone(),
            name: found.name.clone(),
            handle: found.handle.clone(),
            picture: found.picture.clone(),
            boards: boards_text(&found.boards),
            state: AccountState::Ok,
            verdict: None,
            is_paused: false,
            last_good_at: Some(now),
            late_at_most: LATE_AT_MOST,
            linked_at: now,
        }
    }

    async fn set_own_token(&self, tx: &mut Tx, workspace: WorkspaceId, account: AccountId, found: &BroughtAccount) -> Answer<()> {
        let sealed = match &found.access {
            Some(access) => Some(self.seal_account_token(workspace, account, &AccessToken::new(access.clone())).await?),
            None => None,
        };
        tx.set_account_token(account, sealed).await?;
        Ok(())
    }

    /// An account that stands on this login and came back with it.
    async fn bring_back(&self, tx: &mut Tx, grant: &Grant, mut account: Account, found: &BroughtAccount, now: Timestamp) -> Answer<()> {
        let since = account.blocked_since();
        let was_blocked = account.unblock(now);
        account.name.clone_from(&found.name);
        account.handle.clone_from(&found.handle);
        account.picture.clone_from(&found.picture);
        account.boards = boards_text(&found.boards);
        account.last_good_at = Some(now);
        tx.save_account(&account).await?;
        self.set_own_token(tx, grant.workspace, account.id, found).await?;
        if let (true, Some(since)) = (was_blocked, since) {
            tx.account_back(grant, &account, since, now).await?;
        }
        Ok(())
    }

    /// An account that was taken out, or that moves here from another login: same row, history kept.
    async fn revive(&self, tx: &mut Tx, grant: &Grant, mut account: Account, found: &BroughtAccount, now: Timestamp) -> Answer<()> {
        if account.is_unlinked() {
            account.state = AccountState::Ok;
            account.is_paused = false;
            account.verdict = None;
            account.linked_at = now;
        }
        account.grant = grant.id;
        self.bring_back(tx, grant, account, found, now).await
    }

    /// What follows once a login is Live again and its accounts are settled.
    pub(super) async fn login_is_back(&self, tx: &mut Tx, flow: &Flow<'_>, grant: &Grant, lost_since: Option<Timestamp>) -> Answer<()> {
        let (workspace, now) = (grant.workspace, flow.now);
        if let Some(since) = lost_since {
            for account in tx.linked_accounts(workspace, grant.id).await? {
                tx.note_outage(account.id, since, now).await?;
            }
        }
        tx.back_to_normal(workspace, &Root::Login { grant: grant.id }, now).await?;
        tx.end_trouble(grant, now).await?;
        tx.probe_siblings(grant, now).await?;
        tx.event(workspace, EventKind::Accounts, now).await?;
        Ok(())
    }
}

fn boards_text(boards: &[Board]) -> String {
    serde_json::to_string(boards).unwrap_or_else(|_| "[]".to_owned())
}
