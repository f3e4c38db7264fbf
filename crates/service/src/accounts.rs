//! Linked Accounts: what they are and how they are.

use std::collections::HashMap;

use domain::account::AccountState;
use domain::forecast::blocked_from;
use domain::grant::{GrantState, RenewedBy};
use domain::id::{AccountId, GrantId};
use domain::platform::Platform;
use domain::policy::Renewal;
use domain::role::{Action, Caller};
use domain::summary::End;
use domain::summary::accounts::{
    AccountPage, AccountRow, AccountStatus, AccountsPage, Cost, Health, HealthDay, HistoryLine, HistoryWhat, LinkablePlatform, LoginLine,
    VerdictSummary,
};
use domain::summary::posts::PostLine;
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use domain::time::{Timestamp, days};
use store::accounts::{Account, day_of};
use store::grants::{AttemptOutcome, Grant};
use store::stakes::AccountStake;
use store::verdicts::{account_object, login_object};

use crate::access::WARN_AHEAD;
use crate::moments::Zone;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// The axis of the list: this far back, this far ahead.
const LIST_BACK: std::time::Duration = days(15);
/// The axis of the account page goes this far back.
const PAGE_BACK: std::time::Duration = days(90);
const AHEAD: std::time::Duration = days(60);
/// The most ticks that lines are drawn with.
const TICKS: i64 = 5000;
/// Days of the health strip.
const STRIP: i64 = 90;
/// Posts at risk that the account page names.
const AT_RISK: i64 = 20;
/// Lines of an account's history.
const HISTORY: usize = 20;

/// How an account is, worked out from its own state and that of its login.
pub(crate) fn status_of(account: &Account, grant: &Grant, now: Timestamp) -> AccountStatus {
    if let GrantState::SignInNeeded { since, cause } = grant.state {
        return AccountStatus::Disconnected { since, cause };
    }
    match account.state {
        AccountState::Blocked { since, cause } => return AccountStatus::Blocked { since, cause },
        AccountState::Gone { since } => return AccountStatus::Gone { since },
        AccountState::Ok | AccountState::Paused { .. } | AccountState::Unlinked => {}
    }
    if ends_soon(grant, now) {
        return AccountStatus::EndsSoon;
    }
    if let GrantState::Retrying { retry_at, .. } = grant.state {
        return AccountStatus::Trouble { retry_at };
    }
    if account.is_paused { AccountStatus::Paused } else { AccountStatus::Connected }
}

fn ends_soon(grant: &Grant, now: Timestamp) -> bool {
    grant.schedule.renewed_by == RenewedBy::Person && grant.schedule.act_by.is_some_and(|act_by| act_by <= now + WARN_AHEAD)
}

/// From when on posts to an account will not go out, if nobody acts.
pub(crate) fn blocked_from_of(account: &Account, grant: &Grant) -> Option<Timestamp> {
    // What comes due while a person has paused the account is missed too.
    let paused_since = match account.state {
        AccountState::Paused { since } => Some(since),
        _ => None,
    };
    blocked_from(grant.state, grant.schedule.renewed_by, grant.schedule.act_by, account.blocked_since().or(paused_since))
}

/// When a person must act for a login; none where nobody has to.
pub(crate) fn end_of(grant: &Grant, zone: &Zone, now: Timestamp) -> Option<End> {
    let act_by = grant.schedule.act_by.filter(|_| grant.schedule.renewed_by == RenewedBy::Person)?;
    Some(End { moment: zone.moment(act_by, now), is_stated: grant.schedule.act_by_is_stated, is_past: act_by <= now })
}

/// How many days a login of a platform lasts by our table.
pub(crate) fn lasts_days(platform: Platform) -> Option<u32> {
    domain::policy::of(platform).login_lasts.and_then(|life| u32::try_from(life.as_secs() / 86_400).ok())
}

fn is_refresh_offered(status: AccountStatus, grant: &Grant) -> bool {
    match status {
        AccountStatus::Disconnected { .. } | AccountStatus::Blocked { .. } => true,
        AccountStatus::EndsSoon => domain::policy::of(grant.platform).early_sign_in,
        _ => false,
    }
}

/// Facts of a whole workspace that rows are made from.
struct Facts {
    zone: Zone,
    now: Timestamp,
    grants: HashMap<GrantId, Grant>,
    accounts: Vec<Account>,
    stakes: HashMap<AccountId, AccountStake>,
    renewals: Vec<(GrantId, Timestamp)>,
    ticks: Vec<(AccountId, Timestamp)>,
    from: Timestamp,
}

impl Services {
    /// Everything the page Linked Accounts shows.
    ///
    /// # Errors
    /// When the database fails or the role does not allow it.
    pub async fn accounts_page(&self, caller: &Caller) -> Answer<AccountsPage> {
        caller.may(Action::See)?;
        let facts = self.facts(caller, LIST_BACK).await?;
        let mut rows = Vec::with_capacity(facts.accounts.len());
        for account in &facts.accounts {
            rows.extend(self.row(caller, &facts, account).await?);
        }
        rows.sort_by(|a, b| {
            let key = |row: &AccountRow| (row.status.rank(), row.name.to_lowercase(), row.id);
            key(a).cmp(&key(b))
        });
        let set_up = self.store.platform_app_platforms().await?;
        let linkable = |&platform: &Platform| LinkablePlatform {
            platform,
            is_set_up: set_up.contains(&platform),
            lasts_days: lasts_days(platform),
            renewed_by: match domain::policy::of(platform) {
                policy if policy.login_lasts.is_none() => RenewedBy::Nobody,
                policy if policy.renewal == Renewal::None => RenewedBy::Person,
                _ => RenewedBy::Us,
            },
        };
        let Facts { zone, now, .. } = &facts;
        Ok(AccountsPage {
            now: zone.moment(*now, *now),
            rows,
            axis: [-15, 0, 15, 30, 45, 60].into_iter().map(|day| zone.moment(offset(*now, day), *now)).collect(),
            platforms: Platform::ALL.iter().map(linkable).collect(),
            may_manage: caller.role.may(Action::ManageAccounts),
            may_refresh: caller.role.may(Action::RefreshLogin),
        })
    }

    async fn facts(&self, caller: &Caller, back: std::time::Duration) -> Answer<Facts> {
        let (workspace, now) = (caller.workspace, self.now());
        let from = now - back;
        let accounts = self.store.accounts(workspace).await?;
        let stakes = self.store.account_stakes(workspace).await?;
        let ticks = self.store.planned_moments(workspace, from, now + AHEAD, TICKS).await?;
        Ok(Facts {
            zone: self.zone(workspace).await?,
            now,
            grants: self.store.grants(workspace).await?.into_iter().map(|grant| (grant.id, grant)).collect(),
            accounts,
            stakes: stakes.into_iter().collect(),
            renewals: self.store.renewals(workspace, from).await?,
            ticks,
            from,
        })
    }

    async fn row(&self, caller: &Caller, facts: &Facts, account: &Account) -> Answer<Option<AccountRow>> {
        let Some(grant) = facts.grants.get(&account.grant) else { return Ok(None) };
        let Facts { zone, now, .. } = facts;
        let moment = |at: Timestamp| zone.moment(at, *now);
        let status = status_of(account, grant, *now);
        let end = blocked_from_of(account, grant);
        let stake = facts.stakes.get(&account.id).copied().unwrap_or_default();
        let lost = match end {
            Some(from) if stake.planned.posts > 0 => self.store.stake_of_account(caller.workspace, account.id, from).await?,
            _ => store::stakes::Stake::default(),
        };
        let siblings = facts.accounts.iter().filter(|other| other.grant == account.grant && other.id != account.id);
        let renews_next = match grant.state {
            GrantState::Live if grant.schedule.renewed_by == RenewedBy::Us => grant.schedule.refresh_at,
            GrantState::Retrying { retry_at, .. } if grant.schedule.renewed_by == RenewedBy::Us => {
                Some(grant.schedule.refresh_at.map_or(retry_at, |due| due.max(retry_at)))
            }
            _ => None,
        };
        Ok(Some(AccountRow {
            id: account.id,
            grant: grant.id,
            platform: account.platform,
            name: account.name.clone(),
            handle: account.handle.clone(),
            status,
            login_of: grant.login_of.clone(),
            siblings: siblings.map(|other| other.name.clone()).collect(),
            renewed_by: grant.schedule.renewed_by,
            act_by: end_of(grant, zone, *now),
            renews_next: renews_next.map(moment),
            cost: Cost {
                will_not_go_out: lost.posts,
                next: lost.first.map(moment),
                missed: stake.missed,
                planned: stake.planned.posts,
                next_planned: stake.planned.first.map(moment),
            },
            line: LoginLine {
                from: facts.from,
                now: *now,
                to: *now + AHEAD,
                began: grant.signed_in_at,
                end,
                renewals: facts.renewals.iter().filter(|(of, _)| *of == grant.id).map(|(_, at)| *at).collect(),
                next_renewal: renews_next,
                posts: facts.ticks.iter().filter(|(of, _)| *of == account.id).map(|(_, at)| *at).collect(),
            },
            can_refresh: is_refresh_offered(status, grant),
            is_paused: account.is_paused,
        }))
    }

    /// Everything the page of one account shows.
    ///
    /// # Errors
    /// `NotFound`; when the database fails or the role does not allow it.
    pub async fn account_page(&self, caller: &Caller, account: AccountId) -> Answer<AccountPage> {
        caller.may(Action::See)?;
        let facts = self.facts(caller, PAGE_BACK).await?;
        let found = facts.accounts.iter().find(|found| found.id == account).ok_or(ErrorCode::NotFound)?;
        let row = self.row(caller, &facts, found).await?.ok_or(ErrorCode::NotFound)?;
        let grant = facts.grants.get(&found.grant).ok_or(ErrorCode::NotFound)?;
        let Facts { zone, now, .. } = &facts;
        let verdict = match row.status {
            AccountStatus::Blocked { .. } | AccountStatus::Gone { .. } => found.verdict.clone(),
            AccountStatus::Disconnected { .. } | AccountStatus::Trouble { .. } => grant.verdict.clone(),
            _ => None,
        };
        let last_good = found.last_good_at.max(grant.last_good_at.filter(|_| found.blocked_since().is_none()));
        Ok(AccountPage {
            now: zone.moment(*now, *now),
            verdict: verdict.map(|verdict| VerdictSummary {
                at: zone.moment(verdict.at, *now),
                last_good: verdict.last_good_at.map(|at| zone.moment(at, *now)),
                verdict,
            }),
            at_risk: self.at_risk(caller, found.id, row.line.end).await?,
            health: self.health(found, row.status, zone, *now).await?,
            history: self.history(caller, grant, zone, *now).await?,
            may_manage: caller.role.may(Action::ManageAccounts),
            may_refresh: caller.role.may(Action::RefreshLogin),
            linked_at: zone.moment(found.linked_at, *now),
            last_good: last_good.map(|at| zone.moment(at, *now)),
            planned_posts: row.cost.planned,
            row,
        })
    }

    async fn at_risk(&self, caller: &Caller, account: AccountId, from: Option<Timestamp>) -> Answer<Vec<PostLine>> {
        let Some(from) = from else { return Ok(Vec::new()) };
        let view = self.posts_view(caller.workspace).await?;
        let mut lines = Vec::new();
        for (id, due) in self.store.planned_posts_of_account(caller.workspace, account, from, AT_RISK).await? {
            let Some(post) = self.store.post(caller.workspace, id).await? else { continue };
            let deliveries = self.store.deliveries_of_post(caller.workspace, id).await?;
            lines.push(view.line(&post, &deliveries, Some(due)));
        }
        Ok(lines)
    }

    async fn health(&self, account: &Account, status: AccountStatus, zone: &Zone, now: Timestamp) -> Answer<Vec<HealthDay>> {
        let (today, linked) = (day_of(now), day_of(account.linked_at));
        let noted: HashMap<i64, Health> = self.store.account_days(account.id, today - STRIP).await?.into_iter().collect();
        let since = match status {
            AccountStatus::Disconnected { since, .. } | AccountStatus::Blocked { since, .. } | AccountStatus::Gone { since } => {
                Some(day_of(since))
            }
            _ => None,
        };
        let of = |day: i64| match noted.get(&day) {
            _ if since.is_some_and(|since| day >= since) => Health::CouldNotPost,
            Some(health) => *health,
            None if day < linked => Health::NoData,
            None => Health::Fine,
        };
        let label = |day: i64| zone.moment(offset(now, day - today), now).day;
        Ok((today - STRIP + 1..=today).map(|day| HealthDay { day: label(day), health: of(day) }).collect())
    }

    async fn history(&self, caller: &Caller, grant: &Grant, zone: &Zone, now: Timestamp) -> Answer<Vec<HistoryLine>> {
        let most = i64::try_from(HISTORY).unwrap_or(i64::MAX);
        let attempts = self.store.refresh_attempts(caller.workspace, grant.id, most).await?;
        let told = self.store.audit_of(caller.workspace, &login_object(grant.id), most * 4).await?;
        let tried = attempts.into_iter().map(|attempt| {
            let what = match attempt.outcome {
                Some(AttemptOutcome::Renewed) => HistoryWhat::Renewed,
                Some(AttemptOutcome::NotDone) => HistoryWhat::RenewalFailed,
                Some(AttemptOutcome::Refused) => HistoryWhat::Refused,
                Some(AttemptOutcome::Unknown) | None => HistoryWhat::RenewalAnswerLost,
            };
            (attempt.sent_at, what)
        });
        let mut lines: Vec<(Timestamp, HistoryWhat)> = tried.collect();
        for line in told {
            match line.action.as_str() {
                "login.signed_in" => lines.push((line.at, HistoryWhat::SignedIn)),
                // A refused renewal is an attempt already.
                "login.lost" if !lines.iter().any(|(at, what)| *at == line.at && *what == HistoryWhat::Refused) => {
                    lines.push((line.at, HistoryWhat::Refused));
                }
                _ => {}
            }
        }
        lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        lines.truncate(HISTORY);
        Ok(lines.into_iter().map(|(at, what)| HistoryLine { at: zone.moment(at, now), what }).collect())
    }

    /// Pauses posting to an account, or goes on.
    ///
    /// # Errors
    /// `NotFound`; when the role does not allow it.
    pub async fn pause_account(&self, caller: &Caller, account: AccountId, paused: bool) -> Answer<()> {
        caller.may(Action::ManageAccounts)?;
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let found = tx.account(caller.workspace, account).await?.filter(|found| !found.is_unlinked()).ok_or(ErrorCode::NotFound)?;
        tx.lock_grant(caller.workspace, found.grant).await?;
        let mut found = tx.account(caller.workspace, account).await?.ok_or(ErrorCode::NotFound)?;
        if found.is_paused == paused {
            return Ok(());
        }
        found.is_paused = paused;
        found.state = match found.state {
            AccountState::Ok if paused => AccountState::Paused { since: now },
            AccountState::Paused { .. } if !paused => AccountState::Ok,
            state => state,
        };
        tx.save_account(&found).await?;
        let action = if paused { "account.paused" } else { "account.resumed" };
        tx.audit(self.new_id(), Some(caller.workspace), Some(caller.person), action, &account_object(account), now).await?;
        tx.event(caller.workspace, EventKind::Accounts, now).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Takes an account out: planned posts to it become drafts; the login is revoked at the platform when no account and no sibling is left. Returns how many posts became drafts.
    ///
    /// # Errors
    /// `NotFound`; when the role does not allow it.
    pub async fn unlink_account(&self, caller: &Caller, account: AccountId) -> Answer<u32> {
        caller.may(Action::ManageAccounts)?;
        let (workspace, now) = (caller.workspace, self.now());
        let found = self.store.account(workspace, account).await?.filter(|found| !found.is_unlinked()).ok_or(ErrorCode::NotFound)?;
        // Opened while the tokens are still there; used only when the login goes too.
        let pair = self.pair(workspace, found.grant).await.unwrap_or_else(|error| {
            tracing::warn!(grant.id = %found.grant, %error, "the tokens of a login that is taken out cannot be opened");
            None
        });
        let mut tx = self.store.begin().await?;
        let grant = tx.lock_grant(workspace, found.grant).await?.ok_or(ErrorCode::NotFound)?;
        let mut found = tx.account(workspace, account).await?.filter(|found| !found.is_unlinked()).ok_or(ErrorCode::NotFound)?;
        found.state = AccountState::Unlinked;
        found.is_paused = false;
        found.verdict = None;
        tx.save_account(&found).await?;
        tx.set_account_token(account, None).await?;
        let drafts = tx.unlink_deliveries(workspace, account, caller.person, &mut || self.new_id(), now).await?;
        tx.close_quietly(workspace, &domain::inbox::Root::Account { account }, now).await?;
        let is_retired = tx.retire_login(workspace, grant.id, now).await?;
        if !is_retired {
            // The blocked one may have been the last thing wrong with this login.
            let grant = tx.lock_grant(workspace, grant.id).await?.ok_or(ErrorCode::NotFound)?;
            tx.end_trouble(&grant, now).await?;
        }
        tx.audit(self.new_id(), Some(workspace), Some(caller.person), "account.unlinked", &account_object(account), now).await?;
        tx.event(workspace, EventKind::Accounts, now).await?;
        tx.commit().await?;
        if let (true, Some(pair)) = (is_retired, pair)
            && !self.store.has_sibling(grant.app, &grant.remote_person, grant.id).await?
            && let Err(error) = pair.adapter.revoke(&pair.app, &pair.access, &grant.remote_person, now).await
        {
            tracing::warn!(grant.id = %grant.id, %error, "the platform could not be told that a login is no longer wanted");
        }
        self.wake.notify_one();
        Ok(drafts)
    }

    /// Asks the platform now how this account is ("test this login now").
    ///
    /// # Errors
    /// `NotFound`; when the role does not allow it.
    pub async fn check_account(&self, caller: &Caller, account: AccountId) -> Answer<()> {
        caller.may(Action::RefreshLogin)?;
        let found = self.store.account(caller.workspace, account).await?.filter(|found| !found.is_unlinked()).ok_or(ErrorCode::NotFound)?;
        let mut tx = self.store.begin().await?;
        let now = self.now();
        tx.probe_soon(caller.workspace, found.grant, now).await?;
        // Its announcement wakes the workers of other processes.
        tx.event(caller.workspace, EventKind::Accounts, now).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }
}

fn offset(now: Timestamp, by_days: i64) -> Timestamp {
    let length = days(by_days.unsigned_abs());
    if by_days < 0 { now - length } else { now + length }
}
