//! Linking and Refresh Credentials: from the button to the result page.

mod brought;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use domain::cause::{Cause, Class, Confidence, Verdict};
use domain::grant::{GrantState, RefreshOutcome, Round};
use domain::id::{ConsentId, GrantId, PlatformAppId, ThreadId};
use domain::inbox::{Root, Stage};
use domain::platform::Platform;
use domain::policy::Policy;
use domain::role::{Action, Caller, NotAllowed};
use domain::summary::link::{Choice, ConsentOutcome, ConsentResult, GoingTo, Missing, MissingWhy};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use domain::time::{Timestamp, hours, minutes};
use platforms::adapter::{Adapter, App, CallError, ConsentRequest};
use platforms::secret::{AccessToken, AuthorizationCode, PkceVerifier};
use secrecy::SecretString;
use store::Tx;
use store::accounts::Account;
use store::consents::Consent;
use store::grants::Grant;
use store::verdicts::login_object;
use url::Url;
use vault::Sealed;

use self::brought::Brought;
use crate::access::{clear_text, verifier_place};
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// A state lives this long, on the wall clock.
const STATE_LASTS: Duration = minutes(10);
/// An open choice of accounts, or of taking a login over, lives this long, on the wall clock.
pub const CHOICE_LASTS: Duration = hours(1);
/// How often a look-up after the exchange is tried: the code is spent, so giving up costs the person a new sign-in.
const TRIES: u32 = 3;

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
#[derive(Clone, Default)]
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

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("has_code", &self.code.is_some()).field("error", &self.error).finish_non_exhaustive()
    }
}

/// Asks again what may pass; evaluates to the last answer.
macro_rules! patiently {
    ($call:expr) => {{
        let mut tries = 1;
        loop {
            match $call.await {
                Err(error) if tries < TRIES && may_pass(&error) => {
                    tokio::time::sleep(Duration::from_millis(250) * tries).await;
                    tries += 1;
                }
                answer => break answer,
            }
        }
    }};
}

fn may_pass(error: &CallError) -> bool {
    match error {
        CallError::Answered { verdict, .. } => matches!(verdict.class, Class::Transient | Class::Unknown),
        CallError::NotSent(_) | CallError::Lost(_) => true,
    }
}

fn failed(error: &CallError) -> ConsentOutcome {
    let text = match error {
        CallError::Answered { verdict, .. } => verdict.text.clone(),
        CallError::NotSent(_) | CallError::Lost(_) => None,
    };
    ConsentOutcome::Failed { text }
}

/// What came of a look-up that failed: while the platform does not answer, the sign-in is kept for another try.
fn unanswered(error: &CallError) -> ConsentOutcome {
    if may_pass(error) { ConsentOutcome::Unfinished { by_itself: false } } else { failed(error) }
}

/// What a person needs to be allowed for a consent.
const fn action_of(consent: &Consent) -> Action {
    if consent.grant.is_some() { Action::RefreshLogin } else { Action::ManageAccounts }
}

fn missing_scopes(policy: &Policy, granted: &[String]) -> Vec<String> {
    let is_granted = |name: &str| granted.iter().any(|scope| scope == name);
    policy.scopes.iter().filter(|scope| scope.is_needed && !is_granted(scope.name)).map(|scope| scope.name.to_owned()).collect()
}

/// A permission that posting needs was not given.
fn permission_verdict(scopes: &[String], now: Timestamp) -> Verdict {
    Verdict { missing_scopes: scopes.to_vec(), ..Verdict::plain(Class::PermissionLost, Cause::PrivacySettings, Confidence::Certain, now) }
}

/// Whether the issuer that came back is the platform that was asked (RFC 9207).
fn is_issuer(iss: &str, browser: &Url) -> bool {
    Url::parse(iss).is_ok_and(|iss| iss.origin() == browser.origin())
}

/// A consent that is being concluded, with everything at hand.
struct Flow<'a> {
    consent: &'a Consent,
    adapter: Arc<dyn Adapter>,
    app: App,
    now: Timestamp,
}

impl Services {
    /// Starts a first link.
    ///
    /// # Errors
    /// `NotSetUp` when no app is registered for the platform.
    pub async fn start_link(&self, caller: &Caller, platform: Platform) -> Answer<Started> {
        caller.may(Action::ManageAccounts)?;
        let (id, app) = self.newest_app(platform).await?.ok_or(ErrorCode::NotSetUp)?;
        // Who links once more wants other accounts than the last time; without asking, the platform repeats the old choice.
        let ask_again = self.store.count_grants(caller.workspace, platform).await? > 0;
        self.start(caller, platform, (id, app), None, (ask_again, false)).await
    }

    /// Starts the consent for exactly this login.
    ///
    /// # Errors
    /// `NotFound`; `TooEarly` where the platform permits a new sign-in only after the end, and it lives; `NotSetUp`.
    pub async fn start_refresh(&self, caller: &Caller, grant: GrantId, options: RefreshOptions) -> Answer<Started> {
        caller.may(Action::RefreshLogin)?;
        let grant = self.store.grant(caller.workspace, grant).await?.filter(|grant| grant.state != GrantState::Unlinked);
        let grant = grant.ok_or(ErrorCode::NotFound)?;
        if !self.may_sign_in_now(&grant).await? {
            return Err(ErrorCode::TooEarly.into());
        }
        let app = self.app_of(grant.app).await?.ok_or(ErrorCode::NotSetUp)?;
        self.start(caller, grant.platform, (grant.app, app), Some(grant.id), (true, options.switch_person)).await
    }

    /// Whether a person may sign in for this login now: always where the platform permits it early, else when something
    /// is wrong.
    pub(crate) async fn may_sign_in_now(&self, grant: &Grant) -> Answer<bool> {
        if domain::policy::of(grant.platform).early_sign_in || matches!(grant.state, GrantState::SignInNeeded { .. }) {
            return Ok(true);
        }
        let accounts = self.store.accounts_of(grant.workspace, grant.id).await?;
        Ok(accounts.iter().any(|account| account.blocked_since().is_some()))
    }

    async fn start(
        &self,
        caller: &Caller,
        platform: Platform,
        (app_id, app): (PlatformAppId, App),
        grant: Option<GrantId>,
        (ask_again, switch_person): (bool, bool),
    ) -> Answer<Started> {
        let random = || vault::random_token(&*self.chance);
        let (state, flow, verifier) = (random(), random(), random());
        let (id, wall) = (ConsentId(self.new_id()), self.clocks.wall.now());
        let key = self.data_key(caller.workspace).await?;
        let consent = Consent {
            id,
            workspace: caller.workspace,
            person: caller.person,
            platform,
            app: app_id,
            grant,
            flow_hash: vault::sha256(flow.as_bytes()).to_vec(),
            verifier: key.seal(&verifier_place(id), verifier.as_bytes())?.0,
            expires_at: wall + STATE_LASTS,
            used_at: None,
            tokens: None,
            result: None,
        };
        self.store.add_consent(&consent, vault::sha256(state.as_bytes()), wall).await?;
        let request = ConsentRequest { state, pkce_challenge: vault::pkce_challenge(&verifier), ask_again, switch_person };
        let url = self.adapters.get(platform).consent_url(&app, &request).to_string();
        Ok(Started { going_to: GoingTo { platform, url }, flow: SecretString::from(flow) })
    }

    /// Takes what a platform sent back; always ends in a result that can be shown (or `ConsentOver` when the state is
    /// unknown or belongs to another browser, person or platform). Returns the consent, its workspace's slug is in the result address.
    ///
    /// # Errors
    /// `ConsentOver`; `NotAllowed` when the role was lowered meanwhile.
    pub async fn finish_consent(&self, caller: &Caller, platform: Platform, callback: Callback) -> Answer<ConsentId> {
        let Some(state) = &callback.state else { return Err(ErrorCode::ConsentOver.into()) };
        let state_hash = vault::sha256(state.as_bytes());
        let flow_hash = vault::sha256(callback.flow.as_deref().unwrap_or_default().as_bytes());
        let found = self.store.consent_by_state(state_hash).await?;
        let found = found.filter(|consent| consent.person == caller.person && consent.platform == platform);
        let consent = found.ok_or(ErrorCode::ConsentOver)?;
        // Another browser: as if there were none, and it is not spent. The flow cookie ends with the flow, so a state
        // that was spent is told as such without it.
        if consent.used_at.is_none() && !vault::is_equal(&consent.flow_hash, &flow_hash) {
            return Err(ErrorCode::ConsentOver.into());
        }
        let role = self.role_in(caller.person, consent.workspace).await?.ok_or(ErrorCode::ConsentOver)?;
        if !role.may(action_of(&consent)) {
            return Err(NotAllowed { role }.into());
        }
        if caller.workspace != consent.workspace {
            self.use_workspace(caller.person, consent.workspace).await?;
        }
        let wall = self.clocks.wall.now();
        if consent.used_at.is_some() {
            return self.replayed(&consent).await;
        }
        if consent.expires_at <= wall {
            self.store.end_consent(consent.id, &ConsentOutcome::TooLate, false).await?;
            return Ok(consent.id);
        }
        if !self.store.spend_consent(state_hash, flow_hash, caller.person, platform, wall).await? {
            return self.replayed(&consent).await;
        }
        let outcome = self.conclude(&consent, callback).await?;
        tracing::info!(consent.id = %consent.id, %platform, outcome = outcome_name(&outcome), "consent concluded");
        self.wake.notify_one();
        Ok(consent.id)
    }

    /// A spent state once more: the first result stays, and this try gets a row of its own to be shown.
    async fn replayed(&self, consent: &Consent) -> Answer<ConsentId> {
        let (id, wall) = (ConsentId(self.new_id()), self.clocks.wall.now());
        let row = Consent { id, used_at: Some(wall), tokens: None, result: Some(ConsentOutcome::AlreadyUsed), ..consent.clone() };
        let never_sent = vault::random_token(&*self.chance);
        self.store.add_consent(&row, vault::sha256(never_sent.as_bytes()), wall).await?;
        Ok(id)
    }

    async fn conclude(&self, consent: &Consent, callback: Callback) -> Answer<ConsentOutcome> {
        let app = self.app_of(consent.app).await?.ok_or(ErrorCode::NotSetUp)?;
        let flow = Flow { consent, adapter: self.adapters.get(consent.platform).clone(), app, now: self.now() };
        if let Some(error) = &callback.error {
            let is_cancel = matches!(error.as_str(), "access_denied" | "user_denied" | "user_cancelled_login" | "user_cancelled_authorize");
            let words = callback.error_description.as_deref().unwrap_or(error);
            let failed = || ConsentOutcome::Failed { text: Some(Verdict::foreign_text(words)) };
            return self.end(&flow, if is_cancel { ConsentOutcome::Cancelled } else { failed() }).await;
        }
        if callback.iss.as_deref().is_some_and(|iss| !is_issuer(iss, &flow.app.endpoints.browser)) {
            return self.end(&flow, ConsentOutcome::Failed { text: None }).await;
        }
        let Some(code) = callback.code.filter(|code| !code.is_empty()) else {
            return self.end(&flow, ConsentOutcome::Failed { text: None }).await;
        };
        let key = self.data_key(consent.workspace).await?;
        let verifier = clear_text(&key.open(&verifier_place(consent.id), &Sealed(consent.verifier.clone()))?)?;
        let (code, verifier) = (AuthorizationCode::new(code), PkceVerifier::new(verifier));
        let tokens = match flow.adapter.exchange(&flow.app, &code, &verifier, flow.now).await {
            Ok(tokens) => tokens,
            Err(error) => return self.exchange_failed(&flow, &error).await,
        };
        // Saved before any other call uses them (reliability B7).
        let brought = Brought::new(&tokens, flow.now)?;
        self.keep(consent, &brought).await?;
        self.look_up(&flow, brought).await
    }

    /// Asks who signed in and goes on from there, with tokens that are kept already.
    async fn look_up(&self, flow: &Flow<'_>, mut brought: Brought) -> Answer<ConsentOutcome> {
        let access = AccessToken::new(brought.access.clone());
        match patiently!(flow.adapter.identify(&flow.app, &access, flow.now)) {
            Ok(identity) => brought.saw(identity),
            Err(error) => return self.end(flow, unanswered(&error)).await,
        }
        match flow.consent.grant {
            None => self.first_link(flow, brought).await,
            Some(grant) => self.refresh_login(flow, grant, brought).await,
        }
    }

    /// Asks the platform once more what it did not answer at the sign-in ([`ConsentOutcome::Unfinished`]); nobody signs
    /// in again for it. Also for a sign-in that was cut off by our own end.
    ///
    /// # Errors
    /// `NotFound`; `ConsentOver` when it was finished meanwhile or is kept no longer; `NotAllowed`.
    pub async fn resume_consent(&self, caller: &Caller, consent: ConsentId) -> Answer<ConsentResult> {
        let found = self.own_consent(caller, consent, Action::See).await?;
        let found = self.own_consent(caller, consent, action_of(&found)).await?;
        if !matches!(found.result, None | Some(ConsentOutcome::Unfinished { by_itself: false })) {
            return Err(ErrorCode::ConsentOver.into());
        }
        let brought = self.kept(&found).await?;
        let flow = self.flow(&found).await?;
        let outcome = self.look_up(&flow, brought).await?;
        tracing::info!(consent.id = %consent, platform = %found.platform, outcome = outcome_name(&outcome), "consent resumed");
        self.wake.notify_one();
        self.consent_result(caller, consent).await
    }

    async fn end(&self, flow: &Flow<'_>, outcome: ConsentOutcome) -> Answer<ConsentOutcome> {
        let mut tx = self.store.begin().await?;
        self.note(&mut tx, flow, &outcome).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Writes what came of a consent, and that it was.
    async fn note(&self, tx: &mut Tx, flow: &Flow<'_>, outcome: &ConsentOutcome) -> Answer<()> {
        let Consent { id, workspace, person, grant, .. } = flow.consent;
        let keeps_tokens = match outcome {
            ConsentOutcome::Choose { .. } | ConsentOutcome::Unfinished { by_itself: false } => true,
            ConsentOutcome::OtherPerson { could_take_over, .. } => !could_take_over.is_empty(),
            _ => false,
        };
        tx.end_consent(*id, outcome, keeps_tokens).await?;
        let object = grant.map_or_else(|| format!("consent:{id}"), login_object);
        tx.audit(self.new_id(), Some(*workspace), Some(*person), outcome_name(outcome), &object, flow.now).await?;
        Ok(())
    }

    async fn exchange_failed(&self, flow: &Flow<'_>, error: &CallError) -> Answer<ConsentOutcome> {
        let outcome = failed(error);
        let mut tx = self.store.begin().await?;
        if let CallError::Answered { verdict, .. } = error
            && matches!(verdict.class, Class::AppMisconfigured | Class::ApiVersionRetired)
        {
            tx.app_trouble(flow.consent.workspace, flow.consent.platform, verdict, ThreadId(self.new_id()), flow.now).await?;
        }
        self.note(&mut tx, flow, &outcome).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    async fn first_link(&self, flow: &Flow<'_>, mut brought: Brought) -> Answer<ConsentOutcome> {
        let policy = flow.adapter.policy();
        let scopes = missing_scopes(policy, &brought.person()?.granted);
        if !scopes.is_empty() {
            return self.end(flow, ConsentOutcome::PermissionMissing { scopes }).await;
        }
        let access = AccessToken::new(brought.access.clone());
        match patiently!(flow.adapter.accounts(&flow.app, &access, flow.now)) {
            Ok(accounts) => brought.found(accounts)?,
            Err(error) => return self.end(flow, unanswered(&error)).await,
        }
        if brought.accounts.is_empty() {
            return self.end(flow, ConsentOutcome::NothingToPostTo).await;
        }
        // Where the login is the account there is nothing to choose.
        if let [only] = brought.accounts.as_slice()
            && only.may_post
            && only.remote_id == brought.person()?.remote_id
        {
            let chosen = [only.remote_id.clone()];
            return self.link(flow, &brought, &chosen).await;
        }
        self.keep(flow.consent, &brought).await?;
        let workspace = flow.consent.workspace;
        let linked = self.store.accounts(workspace).await?;
        let is_linked =
            |remote_id: &str| linked.iter().any(|account| account.platform == flow.consent.platform && account.remote_id == remote_id);
        let choices = brought.accounts.iter().map(|account| Choice {
            remote_id: account.remote_id.clone(),
            name: account.name.clone(),
            may_post: account.may_post,
            is_linked: is_linked(&account.remote_id),
        });
        let outcome = ConsentOutcome::Choose { login_of: brought.person()?.name.clone(), choices: choices.collect() };
        self.end(flow, outcome).await
    }

    /// First link: links what was chosen (by the platform's ids).
    ///
    /// # Errors
    /// `NotFound`; `NoAccounts` when nothing is chosen; `Outdated` when something else than offered is; `ConsentOver` when
    /// the choice was made already or took too long.
    pub async fn link_chosen(&self, caller: &Caller, consent: ConsentId, remote_ids: Vec<String>) -> Answer<ConsentResult> {
        let found = self.own_consent(caller, consent, Action::ManageAccounts).await?;
        if !matches!(found.result, Some(ConsentOutcome::Choose { .. })) {
            return Err(ErrorCode::ConsentOver.into());
        }
        if remote_ids.is_empty() {
            return Err(ErrorCode::NoAccounts.into());
        }
        let brought = self.kept(&found).await?;
        if remote_ids.iter().any(|id| !brought.account(id).is_some_and(|account| account.may_post)) {
            return Err(ErrorCode::Outdated.into());
        }
        let flow = self.flow(&found).await?;
        self.link(&flow, &brought, &remote_ids).await?;
        self.wake.notify_one();
        self.consent_result(caller, consent).await
    }

    async fn flow<'a>(&self, consent: &'a Consent) -> Answer<Flow<'a>> {
        let app = self.app_of(consent.app).await?.ok_or(ErrorCode::NotSetUp)?;
        Ok(Flow { consent, adapter: self.adapters.get(consent.platform).clone(), app, now: self.now() })
    }

    async fn own_consent(&self, caller: &Caller, id: ConsentId, action: Action) -> Answer<Consent> {
        let consent = self.store.consent(caller.person, id).await?.ok_or(ErrorCode::NotFound)?;
        let role = self.role_in(caller.person, consent.workspace).await?.ok_or(ErrorCode::NotFound)?;
        if role.may(action) { Ok(consent) } else { Err(NotAllowed { role }.into()) }
    }

    /// Stores the login and links the chosen accounts, in one transaction.
    async fn link(&self, flow: &Flow<'_>, brought: &Brought, chosen: &[String]) -> Answer<ConsentOutcome> {
        let Consent { id, workspace, platform, .. } = *flow.consent;
        // Opened before the transaction: nothing inside it asks for another connection.
        self.data_key(workspace).await?;
        let mut tx = self.store.begin().await?;
        if !tx.take_consent_tokens(id).await? {
            return Err(ErrorCode::ConsentOver.into());
        }
        let (grant, lost_since) = self.store_login(&mut tx, flow, brought, None).await?;
        let accounts = self.settle(&mut tx, flow, &grant, brought, chosen).await?;
        self.login_is_back(&mut tx, flow, &grant, lost_since).await?;
        let outcome = ConsentOutcome::from(accounts);
        self.note(&mut tx, flow, &outcome).await?;
        tx.app_works(workspace, platform, flow.now).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    async fn refresh_login(&self, flow: &Flow<'_>, target: GrantId, mut brought: Brought) -> Answer<ConsentOutcome> {
        let workspace = flow.consent.workspace;
        let grant = self.store.grant(workspace, target).await?.filter(|grant| grant.state != GrantState::Unlinked);
        let Some(grant) = grant else { return self.end(flow, ConsentOutcome::Failed { text: None }).await };
        if brought.person()?.remote_id != grant.remote_person {
            return self.other_person(flow, &grant, brought).await;
        }
        self.data_key(workspace).await?;
        // The right person: the newer pair is kept from here on, whatever the calls below say.
        let mut tx = self.store.begin().await?;
        if !tx.take_consent_tokens(flow.consent.id).await? {
            return Err(ErrorCode::ConsentOver.into());
        }
        let (grant, lost_since) = self.store_login(&mut tx, flow, &brought, Some(target)).await?;
        tx.app_works(workspace, grant.platform, flow.now).await?;
        tx.commit().await?;

        let scopes = missing_scopes(flow.adapter.policy(), &brought.person()?.granted);
        if !scopes.is_empty() {
            return self.permission_missing(flow, target, scopes).await;
        }
        let access = AccessToken::new(brought.access.clone());
        match patiently!(flow.adapter.accounts(&flow.app, &access, flow.now)) {
            Ok(accounts) => brought.found(accounts)?,
            Err(error) => return self.accounts_unknown(flow, target, &error).await,
        }
        let mut tx = self.store.begin().await?;
        let mut grant = tx.lock_grant(workspace, grant.id).await?.ok_or(ErrorCode::NotFound)?;
        grant.state = grant.state.after_consent();
        grant.verdict = None;
        tx.save_grant(&grant).await?;
        let accounts = self.settle(&mut tx, flow, &grant, &brought, &[]).await?;
        self.login_is_back(&mut tx, flow, &grant, lost_since).await?;
        let outcome = ConsentOutcome::from(accounts);
        self.note(&mut tx, flow, &outcome).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// The right person signed in, and did not give a permission that posting needs: the login lives with its newer
    /// tokens, and nothing can be posted with it. What was disconnected stays so, and says which permission is missing.
    async fn permission_missing(&self, flow: &Flow<'_>, target: GrantId, scopes: Vec<String>) -> Answer<ConsentOutcome> {
        let (workspace, now) = (flow.consent.workspace, flow.now);
        let verdict = permission_verdict(&scopes, now);
        let mut tx = self.store.begin().await?;
        let mut grant = tx.lock_grant(workspace, target).await?.ok_or(ErrorCode::NotFound)?;
        if let GrantState::SignInNeeded { since, .. } = grant.state {
            let cause = verdict.cause;
            grant.state = GrantState::SignInNeeded { since, cause };
            grant.verdict = Some(verdict);
            tx.save_grant(&grant).await?;
            tx.tell(workspace, &Root::Login { grant: target }, &Stage::Lost { cause }, ThreadId(self.new_id()), now).await?;
            tx.event(workspace, EventKind::Accounts, now).await?;
        } else {
            tx.block_login(workspace, target, &verdict, ThreadId(self.new_id()), now).await?;
        }
        let outcome = ConsentOutcome::PermissionMissing { scopes };
        self.note(&mut tx, flow, &outcome).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// The right person signed in, and the accounts could not be listed: the login is trouble that may pass, and the
    /// keeper lists them as soon as the platform answers.
    async fn accounts_unknown(&self, flow: &Flow<'_>, target: GrantId, error: &CallError) -> Answer<ConsentOutcome> {
        let (workspace, now) = (flow.consent.workspace, flow.now);
        let mut tx = self.store.begin().await?;
        let mut grant = tx.lock_grant(workspace, target).await?.ok_or(ErrorCode::NotFound)?;
        let round = Round { now, wait: Duration::from_secs(5), answer_lost: false };
        let state = grant.state.after_consent().after_refresh(RefreshOutcome::NotDone, &round);
        grant.state = state.map_err(|_| ServiceError::Contradiction("a login cannot be tried again"))?;
        tx.save_grant(&grant).await?;
        tx.event(workspace, EventKind::Accounts, now).await?;
        let outcome = if may_pass(error) { ConsentOutcome::Unfinished { by_itself: true } } else { failed(error) };
        self.note(&mut tx, flow, &outcome).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Somebody else signed in: nothing changes. Where they manage the same accounts they could take the login over.
    async fn other_person(&self, flow: &Flow<'_>, grant: &Grant, mut brought: Brought) -> Answer<ConsentOutcome> {
        let policy = flow.adapter.policy();
        let mut could_take_over = Vec::new();
        if policy.take_over && missing_scopes(policy, &brought.person()?.granted).is_empty() {
            let access = AccessToken::new(brought.access.clone());
            // When they cannot be listed nothing is offered.
            if let Ok(accounts) = patiently!(flow.adapter.accounts(&flow.app, &access, flow.now)) {
                brought.found(accounts)?;
            }
            let linked = self.store.accounts_of(grant.workspace, grant.id).await?;
            let is_shared =
                |account: &&Account| !account.is_unlinked() && brought.account(&account.remote_id).is_some_and(|found| found.may_post);
            could_take_over = linked.iter().filter(is_shared).map(|account| account.name.clone()).collect();
        }
        if !could_take_over.is_empty() {
            self.keep(flow.consent, &brought).await?;
        }
        let outcome =
            ConsentOutcome::OtherPerson { signed_in: brought.person()?.name.clone(), belongs_to: grant.login_of.clone(), could_take_over };
        self.end(flow, outcome).await
    }

    /// Lets the other person's login take the shareable accounts over (after `OtherPerson`).
    ///
    /// # Errors
    /// `NotFound`; `ConsentOver` when it is not offered, was done already or took too long.
    pub async fn take_over(&self, caller: &Caller, consent: ConsentId) -> Answer<ConsentResult> {
        let found = self.own_consent(caller, consent, Action::ManageAccounts).await?;
        let is_offered = matches!(&found.result, Some(ConsentOutcome::OtherPerson { could_take_over, .. }) if !could_take_over.is_empty());
        let (true, Some(from)) = (is_offered, found.grant) else { return Err(ErrorCode::ConsentOver.into()) };
        let brought = self.kept(&found).await?;
        let flow = self.flow(&found).await?;
        let (workspace, now) = (found.workspace, flow.now);
        self.data_key(workspace).await?;
        let mut tx = self.store.begin().await?;
        if !tx.take_consent_tokens(found.id).await? {
            return Err(ErrorCode::ConsentOver.into());
        }
        let old = tx.linked_accounts(workspace, from).await?;
        let is_shared = |account: &&Account| brought.account(&account.remote_id).is_some_and(|found| found.may_post);
        let chosen: Vec<String> = old.iter().filter(is_shared).map(|account| account.remote_id.clone()).collect();
        if chosen.is_empty() {
            return Err(ErrorCode::ConsentOver.into());
        }
        let old_since = match tx.lock_grant(workspace, from).await?.map(|grant| grant.state) {
            Some(GrantState::SignInNeeded { since, .. }) => Some(since),
            _ => None,
        };
        let (grant, lost_since) = self.store_login(&mut tx, &flow, &brought, None).await?;
        let mut accounts = self.settle(&mut tx, &flow, &grant, &brought, &chosen).await?;
        self.login_is_back(&mut tx, &flow, &grant, old_since.or(lost_since)).await?;
        for account in tx.linked_accounts(workspace, from).await? {
            accounts.missing.push(Missing { account: account.id, name: account.name, why: MissingWhy::NotTicked });
        }
        let outcome = ConsentOutcome::from(accounts);
        self.note(&mut tx, &flow, &outcome).await?;
        tx.audit(self.new_id(), Some(workspace), Some(caller.person), "login.taken_over", &login_object(from), now).await?;
        tx.commit().await?;
        self.wake.notify_one();
        self.consent_result(caller, consent).await
    }

    /// The result page of a consent.
    ///
    /// # Errors
    /// `NotFound` when there is none of this person.
    pub async fn consent_result(&self, caller: &Caller, consent: ConsentId) -> Answer<ConsentResult> {
        let found = self.own_consent(caller, consent, Action::See).await?;
        let is_back = matches!(found.result, Some(ConsentOutcome::AllBack { .. } | ConsentOutcome::SomeBack { .. }));
        let mut drafts = 0;
        if is_back {
            for account in self.store.accounts(found.workspace).await?.iter().filter(|account| account.platform == found.platform) {
                drafts += self.store.drafts_of_account(found.workspace, account.id).await?;
            }
        }
        Ok(ConsentResult {
            consent,
            platform: found.platform,
            grant: found.grant,
            outcome: found.result.unwrap_or(match found.tokens {
                // Cut off while it was concluded: what the sign-in brought is still here.
                Some(_) => ConsentOutcome::Unfinished { by_itself: false },
                None => ConsentOutcome::Failed { text: None },
            }),
            missed: self.store.missed_posts(found.workspace).await?,
            drafts,
        })
    }
}

/// How the audit log and the log name an outcome.
const fn outcome_name(outcome: &ConsentOutcome) -> &'static str {
    match outcome {
        ConsentOutcome::Choose { .. } => "consent.choose",
        ConsentOutcome::AllBack { .. } => "consent.all_back",
        ConsentOutcome::SomeBack { .. } => "consent.some_back",
        ConsentOutcome::OtherPerson { .. } => "consent.other_person",
        ConsentOutcome::PermissionMissing { .. } => "consent.permission_missing",
        ConsentOutcome::NothingToPostTo => "consent.nothing_to_post_to",
        ConsentOutcome::Cancelled => "consent.cancelled",
        ConsentOutcome::TooLate => "consent.too_late",
        ConsentOutcome::AlreadyUsed => "consent.already_used",
        ConsentOutcome::Unfinished { .. } => "consent.unfinished",
        ConsentOutcome::Failed { .. } => "consent.failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platform_that_was_asked_is_the_issuer() {
        let browser = Url::parse("https://www.facebook.com").unwrap();
        assert!(is_issuer("https://www.facebook.com", &browser));
        for iss in ["https://www.facebook.com.evil.example", "http://www.facebook.com", "https://pinterest.com", "", "facebook"] {
            assert!(!is_issuer(iss, &browser), "{iss}");
        }
    }
}
