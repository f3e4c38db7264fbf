//! What a platform's answer does to a login and its accounts: each of these is one step inside the transaction of
//! whoever made the call, with its thread, its event and its line in the audit log. All may be called again.

use domain::account::AccountState;
use domain::cause::{Cause, Class, Verdict};
use domain::grant::{GrantState, speaks_of};
use domain::id::{AccountId, GrantId, ThreadId, WorkspaceId};
use domain::inbox::{Root, Stage};
use domain::platform::Platform;
use domain::summary::accounts::Health;
use domain::summary::shell::EventKind;
use domain::time::{Timestamp, minutes};

use crate::accounts::{Account, day_of};
use crate::args;
use crate::db::Tx;
use crate::error::StoreError;
use crate::grants::Grant;

/// A good call is written at most this often, so that publishing does not write the same moment a thousand times.
const GOOD_CALL_EVERY: std::time::Duration = minutes(1);
/// With a dead access token, trouble that may pass becomes a thread after this long.
const QUIET_TROUBLE: std::time::Duration = minutes(15);
/// So many logins of one platform in trouble are one story of the platform.
const MANY: u32 = 3;

/// An id of its own for a line in the audit log, from ids and moments that are unique already.
fn audit_id(seed: &[u8; 16], action: &str, object: &str, now: Timestamp) -> [u8; 16] {
    let mut text = seed.to_vec();
    text.extend_from_slice(&now.0.to_be_bytes());
    text.extend_from_slice(action.as_bytes());
    text.push(0);
    text.extend_from_slice(object.as_bytes());
    let hash = vault::sha256(&text);
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// How the audit log names a login.
pub fn login_object(grant: GrantId) -> String {
    format!("login:{grant}")
}

/// How the audit log names an account.
pub fn account_object(account: AccountId) -> String {
    format!("account:{account}")
}

fn with_last_good(verdict: &Verdict, last_good_at: Option<Timestamp>) -> Verdict {
    Verdict { last_good_at: verdict.last_good_at.or(last_good_at), ..verdict.clone() }
}

impl Account {
    /// Takes away what blocked it. Returns whether something did.
    pub fn unblock(&mut self, now: Timestamp) -> bool {
        if self.blocked_since().is_none() {
            return false;
        }
        self.state = if self.is_paused { AccountState::Paused { since: now } } else { AccountState::Ok };
        self.verdict = None;
        true
    }
}

impl Tx {
    /// A call that showed the tokens of generation `used` met a classified refusal of the login: it needs a person now.
    /// `false` when the verdict does not say that, when it is known already, or when newer tokens than the refused ones are
    /// here. Moments cannot tell that: a call that begins after a renewal did may still show the old tokens.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse_login(
        &mut self,
        workspace: WorkspaceId,
        grant: GrantId,
        used: i64,
        verdict: &Verdict,
        fresh: ThreadId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(mut grant) = self.lock_grant(workspace, grant).await? else { return Ok(false) };
        if !speaks_of(used, grant.generation) {
            return Ok(false);
        }
        let class = match verdict.class {
            // Without a way to renew, the end of the access token is the end of the login.
            Class::AccessExpired if !grant.tokens.has_refresh => Class::Expired,
            class => class,
        };
        match grant.state.after_refusal(class, verdict.cause, now) {
            Ok(state) if state != grant.state => {
                self.lose_login(&mut grant, state, Some(verdict), fresh, now).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Writes that a login needs a person, with everything that follows. `grant` is held by this transaction and `state`
    /// is its new [`GrantState::SignInNeeded`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lose_login(
        &mut self,
        grant: &mut Grant,
        state: GrantState,
        verdict: Option<&Verdict>,
        fresh: ThreadId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let GrantState::SignInNeeded { cause, .. } = state else { return Err(StoreError::Changed) };
        grant.state = state;
        if let Some(verdict) = verdict {
            grant.verdict = Some(with_last_good(verdict, grant.last_good_at));
        }
        self.save_grant(grant).await?;
        self.tell(grant.workspace, &Root::Login { grant: grant.id }, &Stage::Lost { cause }, fresh, now).await?;
        for account in self.linked_accounts(grant.workspace, grant.id).await? {
            // The login's story is the wider one.
            self.close_quietly(grant.workspace, &Root::Account { account: account.id }, now).await?;
            self.note_health(account.id, day_of(now), Health::CouldNotPost).await?;
        }
        let object = login_object(grant.id);
        self.audit(audit_id(&fresh.0, "login.lost", &object, now), Some(grant.workspace), None, "login.lost", &object, now).await?;
        self.event(grant.workspace, EventKind::Accounts, now).await?;
        self.probe_siblings(grant, now).await?;
        Ok(())
    }

    /// A call showed that an account cannot be used while its login lives. Known already: nothing changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn block_account(
        &mut self,
        workspace: WorkspaceId,
        account: AccountId,
        verdict: &Verdict,
        fresh: ThreadId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(found) = self.account(workspace, account).await? else { return Ok(()) };
        let Some(grant) = self.lock_grant(workspace, found.grant).await? else { return Ok(()) };
        let Some(mut account) = self.account(workspace, account).await? else { return Ok(()) };
        if !self.mark_blocked(&mut account, verdict, now).await? {
            return Ok(());
        }
        // A lost login is the wider story.
        if !matches!(grant.state, GrantState::SignInNeeded { .. }) {
            let stage = Stage::Lost { cause: verdict.cause };
            self.tell(workspace, &Root::Account { account: account.id }, &stage, fresh, now).await?;
        }
        let object = account_object(account.id);
        self.audit(audit_id(&fresh.0, "account.blocked", &object, now), Some(workspace), None, "account.blocked", &object, now).await?;
        self.event(workspace, EventKind::Accounts, now).await?;
        Ok(())
    }

    async fn mark_blocked(&mut self, account: &mut Account, verdict: &Verdict, now: Timestamp) -> Result<bool, StoreError> {
        let state = match (account.state, verdict.class) {
            (AccountState::Unlinked | AccountState::Gone { .. }, _) => return Ok(false),
            (AccountState::Blocked { since, .. }, Class::AccountGone) => AccountState::Gone { since },
            // The first refusal tells when it began.
            (AccountState::Blocked { .. }, _) => return Ok(false),
            (_, Class::AccountGone) => AccountState::Gone { since: now },
            (_, _) => AccountState::Blocked { since: now, cause: verdict.cause },
        };
        account.state = state;
        account.verdict = Some(with_last_good(verdict, account.last_good_at));
        self.save_account(account).await?;
        self.note_health(account.id, day_of(now), Health::CouldNotPost).await?;
        Ok(true)
    }

    /// A call showed that the whole login is blocked at the platform without being ended (a checkpoint, a missing
    /// scope): all its accounts are, in one story of the login. Returns whether that was news.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn block_login(
        &mut self,
        workspace: WorkspaceId,
        grant: GrantId,
        verdict: &Verdict,
        fresh: ThreadId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(mut grant) = self.lock_grant(workspace, grant).await? else { return Ok(false) };
        let mut is_news = false;
        for mut account in self.linked_accounts(workspace, grant.id).await? {
            is_news |= self.mark_blocked(&mut account, verdict, now).await?;
            self.close_quietly(workspace, &Root::Account { account: account.id }, now).await?;
        }
        if !is_news {
            return Ok(false);
        }
        grant.verdict = Some(with_last_good(verdict, grant.last_good_at));
        self.save_grant(&grant).await?;
        self.tell(workspace, &Root::Login { grant: grant.id }, &Stage::Lost { cause: verdict.cause }, fresh, now).await?;
        let object = login_object(grant.id);
        self.audit(audit_id(&fresh.0, "login.blocked", &object, now), Some(workspace), None, "login.blocked", &object, now).await?;
        self.event(workspace, EventKind::Accounts, now).await?;
        Ok(true)
    }

    /// A call with this login, and to this account if one is named, worked: trouble that may pass is over, and what
    /// blocked the account too. A login that needs a sign-in stays so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn good_call(
        &mut self,
        workspace: WorkspaceId,
        grant: GrantId,
        account: Option<AccountId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(mut grant) = self.lock_grant(workspace, grant).await? else { return Ok(()) };
        // While the renewal is what fails, a call with the old access token says nothing about it.
        let recovers = matches!(grant.state, GrantState::Retrying { .. }) && !grant.is_renewal_due(now);
        if recovers {
            grant.state = grant.state.after_good_call().unwrap_or(grant.state);
        }
        let is_stale = grant.last_good_at.is_none_or(|last| last + GOOD_CALL_EVERY <= now);
        if recovers || is_stale {
            grant.last_good_at = Some(now);
            self.save_grant(&grant).await?;
            self.prove_generation(grant.id, grant.generation, now).await?;
        }
        if recovers {
            self.end_trouble(&grant, now).await?;
            self.event(workspace, EventKind::Accounts, now).await?;
        }
        let is_platform_in_trouble = self.open_stage(workspace, &Root::Platform { platform: grant.platform }).await?.is_some();
        if is_platform_in_trouble && self.count_retrying(workspace, grant.platform).await? == 0 {
            self.back_to_normal(workspace, &Root::Platform { platform: grant.platform }, now).await?;
        }
        let Some(account) = account else { return Ok(()) };
        let Some(mut account) = self.account(workspace, account).await? else { return Ok(()) };
        let since = account.blocked_since();
        let unblocked = account.unblock(now);
        if unblocked || account.last_good_at.is_none_or(|last| last + GOOD_CALL_EVERY <= now) {
            account.last_good_at = Some(now);
            self.save_account(&account).await?;
        }
        if let (true, Some(since)) = (unblocked, since) {
            self.account_back(&grant, &account, since, now).await?;
        }
        Ok(())
    }

    /// What follows when an account is no longer blocked. `grant` and `account` are written already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_back(&mut self, grant: &Grant, account: &Account, since: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        self.note_outage(account.id, since, now).await?;
        self.back_to_normal(grant.workspace, &Root::Account { account: account.id }, now).await?;
        let is_lost = matches!(grant.state, GrantState::SignInNeeded { .. });
        let is_any_blocked = self.linked_accounts(grant.workspace, grant.id).await?.iter().any(|account| account.blocked_since().is_some());
        if !is_lost && !is_any_blocked {
            let root = Root::Login { grant: grant.id };
            if matches!(self.open_stage(grant.workspace, &root).await?, Some(Stage::Lost { .. } | Stage::Missed { .. })) {
                self.back_to_normal(grant.workspace, &root, now).await?;
            }
        }
        self.event(grant.workspace, EventKind::Accounts, now).await?;
        Ok(())
    }

    /// The login answers again: ends its story, unless one of its accounts is still blocked or only its end is near, and
    /// the platform's when no other login is in trouble. `grant` is written already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_trouble(&mut self, grant: &Grant, now: Timestamp) -> Result<(), StoreError> {
        let root = Root::Login { grant: grant.id };
        let is_over = match self.open_stage(grant.workspace, &root).await? {
            Some(Stage::Trouble) => true,
            Some(Stage::Lost { .. } | Stage::Missed { .. }) => {
                let accounts = self.linked_accounts(grant.workspace, grant.id).await?;
                grant.state == GrantState::Live && accounts.iter().all(|account| account.blocked_since().is_none())
            }
            _ => false,
        };
        if is_over {
            self.back_to_normal(grant.workspace, &root, now).await?;
        }
        if self.count_retrying(grant.workspace, grant.platform).await? == 0 {
            self.back_to_normal(grant.workspace, &Root::Platform { platform: grant.platform }, now).await?;
        }
        Ok(())
    }

    /// Takes a login out when no account stands on it any more: its tokens go, its story ends. Returns whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire_login(&mut self, workspace: WorkspaceId, grant: GrantId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(mut grant) = self.lock_grant(workspace, grant).await? else { return Ok(false) };
        if grant.state == GrantState::Unlinked || !self.linked_accounts(workspace, grant.id).await?.is_empty() {
            return Ok(false);
        }
        grant.state = grant.state.after_unlink();
        grant.verdict = None;
        self.save_grant(&grant).await?;
        self.drop_tokens(grant.id).await?;
        self.close_quietly(workspace, &Root::Login { grant: grant.id }, now).await?;
        self.event(workspace, EventKind::Accounts, now).await?;
        Ok(true)
    }

    /// A login could not be reached, for a reason that may pass; `grant` is written already. Silent, until deliveries
    /// are held up or the access token has been dead for a while; then one story of the login, or of the platform when
    /// several are in trouble.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trouble(&mut self, grant: &Grant, fresh: ThreadId, now: Timestamp) -> Result<(), StoreError> {
        let GrantState::Retrying { since, .. } = grant.state else { return Ok(()) };
        for account in self.linked_accounts(grant.workspace, grant.id).await? {
            self.note_health(account.id, day_of(now), Health::Handled).await?;
        }
        let is_dead = grant.tokens.access_expires_at.is_some_and(|end| end <= now);
        let is_long = since.max(grant.tokens.access_expires_at.unwrap_or(since)) + QUIET_TROUBLE <= now;
        if !(is_dead && is_long || self.holds_up_deliveries(grant.id).await?) {
            return Ok(());
        }
        let login = Root::Login { grant: grant.id };
        if self.count_retrying(grant.workspace, grant.platform).await? >= MANY {
            let platform = Root::Platform { platform: grant.platform };
            self.tell(grant.workspace, &platform, &Stage::Trouble, fresh, now).await?;
            self.close_trouble_of_logins(grant.workspace, grant.platform, now).await?;
            return Ok(());
        }
        // A story that needs somebody is not covered up by one that does not.
        if self.open_stage(grant.workspace, &login).await?.is_none()
            && self.open_stage(grant.workspace, &Root::Platform { platform: grant.platform }).await?.is_none()
        {
            self.tell(grant.workspace, &login, &Stage::Trouble, fresh, now).await?;
        }
        Ok(())
    }

    async fn holds_up_deliveries(&mut self, grant: GrantId) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select cast(1 as bigint) from deliveries d join accounts a on a.id = d.account_id where a.grant_id = $1 and d.state = 'waiting' limit 1",
                args![grant],
            )
            .await?;
        Ok(row.is_some())
    }

    async fn close_trouble_of_logins(&mut self, workspace: WorkspaceId, platform: Platform, now: Timestamp) -> Result<(), StoreError> {
        let rows: Vec<(Vec<u8>,)> = self
            .rows(
                "select id from grants where workspace_id = $1 and platform = $2 and state = 'retrying'",
                args![workspace, platform.code()],
            )
            .await?;
        for (id,) in rows {
            let root = Root::Login { grant: GrantId(crate::records::id_bytes("grants", &id)?) };
            if matches!(self.open_stage(workspace, &root).await?, Some(Stage::Trouble)) {
                self.close_quietly(workspace, &root, now).await?;
            }
        }
        Ok(())
    }

    /// The platform refuses our own registration, or the version we speak: one story of the app, and no login is touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn app_trouble(
        &mut self,
        workspace: WorkspaceId,
        platform: Platform,
        verdict: &Verdict,
        fresh: ThreadId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let cause = if verdict.cause == Cause::Unknown { Cause::PlatformChange } else { verdict.cause };
        self.tell(workspace, &Root::App { platform }, &Stage::Lost { cause }, fresh, now).await?;
        Ok(())
    }

    /// The platform takes our registration: ends the story of the app, if one is open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn app_works(&mut self, workspace: WorkspaceId, platform: Platform, now: Timestamp) -> Result<(), StoreError> {
        self.back_to_normal(workspace, &Root::App { platform }, now).await?;
        Ok(())
    }
}
