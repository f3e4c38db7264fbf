//! Inbox and threads.

use domain::delivery::DeliveryState;
use domain::grant::{GrantState, RenewedBy};
use domain::id::{AccountId, DeliveryId, GrantId, PostId, ThreadId};
use domain::inbox::{Root, Stage};
use domain::platform::Platform;
use domain::role::{Action, Caller};
use domain::summary::accounts::VerdictSummary;
use domain::summary::inbox::{About, Entry, InboxPage, ThreadPage, ThreadRow};
use domain::summary::refusal::ErrorCode;
use domain::time::{Timestamp, days};
use store::inbox_reads::Thread;
use store::stakes::Stake;

use crate::accounts::{end_of, lasts_days};
use crate::moments::Zone;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// Rows of a tab.
const ROWS: i64 = 100;
/// Characters of a post's text in a title.
const TEXT: usize = 60;

/// So long after a login is back its story still counts what was missed.
const FRESH: std::time::Duration = days(14);

/// What a thread shows beside its stage.
struct Facts {
    about: About,
    lost: Stake,
    missed: u32,
    since: Timestamp,
}

struct View<'a> {
    caller: &'a Caller,
    zone: Zone,
    now: Timestamp,
}

impl View<'_> {
    fn moment(&self, at: Timestamp) -> domain::summary::Moment {
        self.zone.moment(at, self.now)
    }
}

/// The order in which trouble is shown on Overview: what is lost now, then what needs an answer, then what comes.
const fn weight(row: &ThreadRow) -> u8 {
    match (&row.stage, &row.about) {
        (Stage::Lost { .. } | Stage::Missed { .. }, About::Login { .. }) => 0,
        (Stage::Lost { .. } | Stage::Missed { .. }, About::Account { .. }) => 1,
        (Stage::NeedsAnswer, _) => 2,
        (Stage::Refused, _) => 3,
        (Stage::WasOff { .. }, _) => 4,
        (Stage::Lost { .. }, _) => 5,
        (Stage::EndsSoon { .. }, _) => 6,
        _ => 7,
    }
}

impl Services {
    /// The inbox: `all` false shows what needs somebody.
    ///
    /// # Errors
    /// When the database fails or the role does not allow it.
    pub async fn inbox(&self, caller: &Caller, all: bool) -> Answer<InboxPage> {
        caller.may(Action::See)?;
        let threads = self.store.threads(caller.workspace, caller.person, all, ROWS).await?;
        Ok(InboxPage { needs_you: self.store.count_needs(caller.workspace).await?, rows: self.rows(caller, &threads).await? })
    }

    /// One thread with its story. Does not mark it read: a GET changes nothing.
    ///
    /// # Errors
    /// `NotFound`; when the database fails or the role does not allow it.
    pub async fn thread(&self, caller: &Caller, thread: ThreadId) -> Answer<ThreadPage> {
        caller.may(Action::See)?;
        let found = self.store.thread(caller.workspace, caller.person, thread).await?.ok_or(ErrorCode::NotFound)?;
        let entries = self.store.thread_entries(caller.workspace, thread).await?;
        let view = self.view(caller).await?;
        let row = self.thread_row(&view, &found).await?.ok_or(ErrorCode::NotFound)?;
        Ok(ThreadPage {
            row,
            entries: entries.into_iter().rev().map(|(at, stage)| Entry { at: view.moment(at), stage }).collect(),
            verdict: self.verdict_of(&view, &found).await?,
            may_refresh: caller.role.may(Action::RefreshLogin),
        })
    }

    /// Marks a thread read for this person.
    ///
    /// # Errors
    /// `NotFound`; when the database fails or the role does not allow it.
    pub async fn mark_read(&self, caller: &Caller, thread: ThreadId) -> Answer<()> {
        caller.may(Action::See)?;
        self.store.thread(caller.workspace, caller.person, thread).await?.ok_or(ErrorCode::NotFound)?;
        let mut tx = self.store.begin().await?;
        tx.mark_read(caller.workspace, caller.person, thread, self.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Open threads that need somebody, worst first (for Overview).
    ///
    /// # Errors
    /// When the database fails or the role does not allow it.
    pub async fn needs(&self, caller: &Caller) -> Answer<Vec<ThreadRow>> {
        caller.may(Action::See)?;
        let threads = self.store.threads(caller.workspace, caller.person, false, ROWS).await?;
        let mut rows = self.rows(caller, &threads).await?;
        rows.sort_by_key(|row| {
            let next = row.next_lost.as_ref().map_or(i64::MAX, |moment| moment.at.0);
            (weight(row), next, std::cmp::Reverse(row.updated.at))
        });
        Ok(rows)
    }

    async fn view<'a>(&self, caller: &'a Caller) -> Answer<View<'a>> {
        Ok(View { caller, zone: self.zone(caller.workspace).await?, now: self.now() })
    }

    async fn rows(&self, caller: &Caller, threads: &[Thread]) -> Answer<Vec<ThreadRow>> {
        let view = self.view(caller).await?;
        let mut rows = Vec::with_capacity(threads.len());
        for thread in threads {
            rows.extend(self.thread_row(&view, thread).await?);
        }
        Ok(rows)
    }

    async fn thread_row(&self, view: &View<'_>, thread: &Thread) -> Answer<Option<ThreadRow>> {
        let facts = match thread.root {
            Root::Login { grant } => self.login_facts(view, thread, grant).await?,
            Root::Account { account } => self.account_facts(view, thread, account).await?,
            Root::Platform { platform } => Some(self.platform_facts(view, thread, platform).await?),
            Root::App { platform } => Some(self.app_facts(view, thread, platform).await?),
            Root::Absence => self.absence_facts(view, thread).await?,
            Root::Delivery { delivery, post } => self.delivery_facts(view, thread, delivery, post).await?,
        };
        Ok(facts.map(|facts| ThreadRow {
            id: thread.id,
            about: facts.about,
            stage: thread.stage.clone(),
            will_not_go_out: facts.lost.posts,
            next_lost: facts.lost.first.map(|at| view.moment(at)),
            missed: facts.missed,
            updated: view.moment(thread.updated_at),
            since: view.moment(facts.since),
            is_unread: thread.is_unread,
            is_resolved: thread.resolved_at.is_some(),
            needs_somebody: thread.needs && thread.resolved_at.is_none(),
        }))
    }

    async fn login_facts(&self, view: &View<'_>, thread: &Thread, id: GrantId) -> Answer<Option<Facts>> {
        let workspace = view.caller.workspace;
        let Some(grant) = self.store.grant(workspace, id).await? else { return Ok(None) };
        let mut accounts = self.store.accounts_of(workspace, id).await?;
        // Of a login that was taken out, show the accounts it had.
        if accounts.iter().any(|account| !account.is_unlinked()) {
            accounts.retain(|account| !account.is_unlinked());
        }
        let told = self.store.thread_entries(workspace, thread.id).await?;
        let lost = told.iter().rev().find_map(|(at, stage)| match stage {
            Stage::Lost { cause } => Some((*at, *cause)),
            _ => None,
        });
        let is_open = thread.resolved_at.is_none();
        let blocked_since = accounts.iter().filter_map(store::accounts::Account::blocked_since).min();
        let from = match grant.state {
            GrantState::SignInNeeded { since, .. } => Some(since),
            _ if blocked_since.is_some() => blocked_since,
            GrantState::Live | GrantState::Retrying { .. } if grant.schedule.renewed_by == RenewedBy::Person => grant.schedule.act_by,
            _ => None,
        };
        let stake = match from {
            Some(from) if is_open => self.store.stake_of_login(workspace, id, from).await?,
            _ => Stake::default(),
        };
        // "3 posts were missed": asked for while somebody may still want to decide about them.
        let is_fresh = thread.resolved_at.is_none_or(|over| view.now < over + FRESH);
        let has_missed = is_open || told.iter().any(|(_, stage)| matches!(stage, Stage::Missed { .. }));
        let missed = if is_fresh && has_missed { self.store.missed_of_login(workspace, id).await? } else { 0 };
        let since = match grant.state {
            GrantState::SignInNeeded { since, .. } if is_open => since,
            _ => lost.map_or(thread.opened_at, |(at, _)| at),
        };
        let about = About::Login {
            grant: id,
            platform: grant.platform,
            login_of: grant.login_of.clone(),
            act_by: end_of(&grant, &view.zone, view.now),
            cause: match grant.state {
                GrantState::SignInNeeded { cause, .. } => Some(cause),
                _ => lost.map(|(_, cause)| cause),
            },
            lasts_days: lasts_days(grant.platform),
            may_sign_in_now: grant.state != GrantState::Unlinked && self.may_sign_in_now(&grant).await?,
            accounts: accounts.into_iter().map(|account| (account.id, account.name)).collect(),
        };
        Ok(Some(Facts { about, lost: stake, missed, since }))
    }

    async fn account_facts(&self, view: &View<'_>, thread: &Thread, id: AccountId) -> Answer<Option<Facts>> {
        let workspace = view.caller.workspace;
        let Some(account) = self.store.account(workspace, id).await? else { return Ok(None) };
        let is_open = thread.resolved_at.is_none();
        let told = self.store.thread_entries(workspace, thread.id).await?;
        let cause = told.iter().rev().find_map(|(_, stage)| match stage {
            Stage::Lost { cause } => Some(*cause),
            _ => None,
        });
        let lost = match account.blocked_since() {
            Some(since) if is_open => self.store.stake_of_account(workspace, id, since).await?,
            _ => Stake::default(),
        };
        let missed = if is_open { self.store.missed_of_account(workspace, id).await? } else { 0 };
        let since = account.blocked_since().filter(|_| is_open).unwrap_or(thread.opened_at);
        let about = About::Account { account: id, grant: account.grant, name: account.name, platform: account.platform, cause };
        Ok(Some(Facts { about, lost, missed, since }))
    }

    async fn platform_facts(&self, view: &View<'_>, thread: &Thread, platform: Platform) -> Answer<Facts> {
        let (waiting, missed) = match thread.resolved_at {
            None => self.store.held_up(view.caller.workspace, platform).await?,
            Some(_) => (0, 0),
        };
        Ok(Facts { about: About::Platform { platform, waiting }, lost: Stake::default(), missed, since: thread.opened_at })
    }

    async fn app_facts(&self, view: &View<'_>, thread: &Thread, platform: Platform) -> Answer<Facts> {
        let logins = self.store.count_grants(view.caller.workspace, platform).await?;
        Ok(Facts { about: About::App { platform, logins }, lost: Stake::default(), missed: 0, since: thread.opened_at })
    }

    async fn absence_facts(&self, view: &View<'_>, thread: &Thread) -> Answer<Option<Facts>> {
        let workspace = view.caller.workspace;
        let told = self.store.thread_entries(workspace, thread.id).await?;
        let off = told.into_iter().rev().find_map(|(_, stage)| match stage {
            Stage::WasOff { from, until } => Some((from, until)),
            _ => None,
        });
        let Some((from, until)) = off else { return Ok(None) };
        let (due, waiting) = self.store.due_between(workspace, from, until).await?;
        let about = About::Absence { from: view.moment(from), until: view.moment(until), due, waiting };
        Ok(Some(Facts { about, lost: Stake::default(), missed: waiting, since: from }))
    }

    async fn delivery_facts(&self, view: &View<'_>, thread: &Thread, id: DeliveryId, post_id: PostId) -> Answer<Option<Facts>> {
        let workspace = view.caller.workspace;
        let Some(delivery) = self.store.delivery(workspace, id).await? else { return Ok(None) };
        let Some(account) = self.store.account(workspace, delivery.account).await? else { return Ok(None) };
        let content = self.store.revision(workspace, delivery.revision).await?.unwrap_or_default();
        let words = if content.text.trim().is_empty() { &content.title } else { &content.text };
        let text: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TEXT).collect();
        let told = self.store.thread_entries(workspace, thread.id).await?;
        let is_question = told.iter().rev().find_map(|(_, stage)| match stage {
            Stage::NeedsAnswer => Some(true),
            Stage::Refused => Some(false),
            _ => None,
        });
        let (platform, name) = (account.platform, account.name.clone());
        let about = if is_question == Some(true) {
            let sent = match &delivery.state {
                DeliveryState::Unconfirmed { since, .. } | DeliveryState::Confirming { since } => *since,
                _ => self.store.last_commit(workspace, id).await?.unwrap_or(thread.opened_at),
            };
            About::NeedsAnswer {
                delivery: id,
                post: post_id,
                text,
                platform,
                account: name,
                sent_clock: view.zone.clock(sent),
                look_url: self.look_url(&account),
            }
        } else {
            let others = self.store.deliveries_of_post(workspace, post_id).await?;
            let online = others.iter().filter(|other| other.id != id && matches!(other.state, DeliveryState::Published { .. }));
            About::Failed {
                delivery: id,
                post: post_id,
                text,
                platform,
                account: name,
                why: match &delivery.state {
                    DeliveryState::Failed { why, .. } => Some(why.clone()),
                    _ => None,
                },
                others_have_it: u32::try_from(online.count()).unwrap_or(u32::MAX),
            }
        };
        Ok(Some(Facts { about, lost: Stake::default(), missed: 0, since: thread.opened_at }))
    }

    /// Where a person sees the newest posts of an account.
    pub(crate) fn look_url(&self, account: &store::accounts::Account) -> Option<String> {
        let endpoints = self.settings.endpoints.get(&account.platform).cloned();
        let base = endpoints.unwrap_or_else(|| platforms::public_endpoints(account.platform)).browser;
        let place = match account.platform {
            Platform::Facebook => account.remote_id.clone(),
            Platform::Pinterest => account.handle.clone()?,
        };
        let mut url = base;
        url.path_segments_mut().ok()?.pop_if_empty().push(&place);
        Some(url.to_string())
    }

    async fn verdict_of(&self, view: &View<'_>, thread: &Thread) -> Answer<Option<VerdictSummary>> {
        let workspace = view.caller.workspace;
        let verdict = match thread.root {
            _ if thread.resolved_at.is_some() => None,
            Root::Login { grant } => self.store.grant(workspace, grant).await?.and_then(|grant| grant.verdict),
            Root::Account { account } => self.store.account(workspace, account).await?.and_then(|account| account.verdict),
            _ => None,
        };
        Ok(verdict.map(|verdict| VerdictSummary {
            at: view.moment(verdict.at),
            last_good: verdict.last_good_at.map(|at| view.moment(at)),
            verdict,
        }))
    }
}
