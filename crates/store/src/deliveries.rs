//! Deliveries: one revision to one account, with the story of each.

use domain::account::AccountState;
use domain::cause::Cause;
use domain::delivery::{DeliveryState, PRE_FLIGHT};
use domain::forecast::blocked_from;
use domain::grant::{GrantState, RenewedBy};
use domain::id::{AccountId, AttemptId, DeliveryId, GrantId, PostId, RevisionId, WorkspaceId};
use domain::platform::Platform;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::{StoreError, contradiction};
use crate::threads::{id_bytes, json, parsed};

macro_rules! columns {
    ($($rest:expr),+) => {
        concat!("select id, post_id, revision_id, account_id, platform, due_at, detail, work_at from deliveries ", $($rest),+)
    };
}
pub(crate) use columns;

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Id.
    pub id: DeliveryId,
    /// Its post.
    pub post: PostId,
    /// The revision it sends.
    pub revision: RevisionId,
    /// Where it goes.
    pub account: AccountId,
    /// The platform of the account.
    pub platform: Platform,
    /// When it is or was due.
    pub due_at: Timestamp,
    /// How it is.
    pub state: DeliveryState,
    /// When a worker has something to do with it.
    pub work_at: Option<Timestamp>,
}

#[derive(FromRow)]
pub(crate) struct DeliveryRow {
    id: Vec<u8>,
    post_id: Vec<u8>,
    revision_id: Vec<u8>,
    account_id: Vec<u8>,
    platform: String,
    due_at: i64,
    detail: String,
    work_at: Option<i64>,
}

impl DeliveryRow {
    pub(crate) fn read(self) -> Result<Delivery, StoreError> {
        Ok(Delivery {
            id: DeliveryId(id_bytes("deliveries", &self.id)?),
            post: PostId(id_bytes("deliveries", &self.post_id)?),
            revision: RevisionId(id_bytes("deliveries", &self.revision_id)?),
            account: AccountId(id_bytes("deliveries", &self.account_id)?),
            platform: platform("deliveries", &self.platform)?,
            due_at: Timestamp(self.due_at),
            state: parsed("deliveries", &self.detail)?,
            work_at: self.work_at.map(Timestamp),
        })
    }
}

pub(crate) fn platform(table: &'static str, code: &str) -> Result<Platform, StoreError> {
    code.parse().map_err(|_| contradiction(table, code))
}

/// A delivery to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The post.
    pub post: PostId,
    /// The revision.
    pub revision: RevisionId,
    /// The account.
    pub account: AccountId,
    /// Its platform.
    pub platform: Platform,
    /// When.
    pub due_at: Timestamp,
}

/// One line of a delivery's story: a try, a look, or what a person did.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its id.
    pub id: AttemptId,
    /// What: planned, check, prepare, commit, look, `read_back`, ask, answer, miss, reschedule, cancel.
    pub kind: &'static str,
    /// When it began.
    pub at: Timestamp,
    /// When it ended; none while under way.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<&'static str>,
    /// JSON of a verdict, or other facts. Never a secret, never the post's text.
    pub detail: Option<String>,
}

impl Record {
    /// A line that begins and ends at once.
    pub fn moment(id: AttemptId, kind: &'static str, outcome: &'static str, at: Timestamp) -> Self {
        Self { id, kind, at, ended_at: Some(at), outcome: Some(outcome), detail: None }
    }

    /// The same with facts.
    #[must_use]
    pub fn with(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }
}

/// A line of a story as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The delivery.
    pub delivery: DeliveryId,
    /// What.
    pub kind: String,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How.
    pub outcome: Option<String>,
    /// Facts.
    pub detail: Option<String>,
}

/// How an account stands: what decides whether its deliveries will go out.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The account.
    pub account: AccountId,
    /// Its login.
    pub grant: GrantId,
    /// Its platform.
    pub platform: Platform,
    /// Its name.
    pub name: String,
    /// Whose login it is.
    pub login_of: String,
    /// The account's state; a pause counts when nothing worse does.
    pub state: AccountState,
    /// The login's state.
    pub login: GrantState,
    /// Who renews the login.
    pub renewed_by: RenewedBy,
    /// When a person must act.
    pub act_by: Option<Timestamp>,
    /// Whether the platform stated that.
    pub act_by_is_stated: bool,
    /// When the access token ends, if stated.
    pub access_expires_at: Option<Timestamp>,
    /// JSON list of places inside it.
    pub boards: String,
}

impl Standing {
    /// From when on posts to it will not go out, if nobody acts.
    pub fn blocked_from(&self) -> Option<Timestamp> {
        let account = match self.state {
            AccountState::Blocked { since, .. } | AccountState::Gone { since } | AccountState::Paused { since } => Some(since),
            AccountState::Ok | AccountState::Unlinked => None,
        };
        blocked_from(self.login, self.renewed_by, self.act_by, account)
    }

    /// Whether something due at `due` will not go out unless somebody acts.
    pub fn is_at_risk(&self, due: Timestamp) -> bool {
        self.blocked_from().is_some_and(|from| due >= from)
    }

    /// Whether it is linked.
    pub const fn is_linked(&self) -> bool {
        !matches!(self.state, AccountState::Unlinked) && !matches!(self.login, GrantState::Unlinked)
    }

    /// Whether it can post at `now`.
    pub fn can_post(&self, now: Timestamp) -> bool {
        domain::account::can_post(self.state, self.login, self.access_expires_at, now)
    }
}

/// The states of account and login, as their columns tell them.
pub(crate) struct StateColumns<'a> {
    pub(crate) account: &'a str,
    pub(crate) account_since: Option<i64>,
    pub(crate) account_cause: Option<&'a str>,
    pub(crate) is_paused: bool,
    pub(crate) login: &'a str,
    pub(crate) login_since: Option<i64>,
    pub(crate) login_cause: Option<&'a str>,
    pub(crate) attempt: i64,
    pub(crate) retry_at: Option<i64>,
}

impl StateColumns<'_> {
    pub(crate) fn read(&self) -> Result<(AccountState, GrantState), StoreError> {
        let since = Timestamp(self.account_since.unwrap_or_default());
        let account = match self.account {
            "blocked" => AccountState::Blocked { since, cause: cause("accounts", self.account_cause)? },
            "gone" => AccountState::Gone { since },
            "unlinked" => AccountState::Unlinked,
            "paused" => AccountState::Paused { since },
            "ok" if self.is_paused => AccountState::Paused { since },
            "ok" => AccountState::Ok,
            other => return Err(contradiction("accounts", other)),
        };
        let since = Timestamp(self.login_since.unwrap_or_default());
        let login = match self.login {
            "live" => GrantState::Live,
            "retrying" => GrantState::Retrying {
                since,
                attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
                retry_at: Timestamp(self.retry_at.unwrap_or_default()),
            },
            "sign_in_needed" => GrantState::SignInNeeded { since, cause: cause("grants", self.login_cause)? },
            "unlinked" => GrantState::Unlinked,
            other => return Err(contradiction("grants", other)),
        };
        Ok((account, login))
    }
}

fn cause(table: &'static str, text: Option<&str>) -> Result<Cause, StoreError> {
    text.map_or(Ok(Cause::Unknown), |text| parsed(table, text))
}

fn renewed_by(code: &str) -> Result<RenewedBy, StoreError> {
    Ok(match code {
        "us" => RenewedBy::Us,
        "person" => RenewedBy::Person,
        "nobody" => RenewedBy::Nobody,
        other => return Err(contradiction("grants", other)),
    })
}

#[derive(FromRow)]
struct StandingRow {
    id: Vec<u8>,
    grant_id: Vec<u8>,
    platform: String,
    name: String,
    login_of: String,
    boards: String,
    state: String,
    since: Option<i64>,
    cause: Option<String>,
    is_paused: bool,
    login: String,
    login_since: Option<i64>,
    login_cause: Option<String>,
    attempt: i64,
    retry_at: Option<i64>,
    renewed_by: String,
    act_by: Option<i64>,
    act_by_is_stated: bool,
    access_expires_at: Option<i64>,
}

impl StandingRow {
    fn read(self) -> Result<Standing, StoreError> {
        let (state, login) = StateColumns {
            account: &self.state,
            account_since: self.since,
            account_cause: self.cause.as_deref(),
            is_paused: self.is_paused,
            login: &self.login,
            login_since: self.login_since,
            login_cause: self.login_cause.as_deref(),
            attempt: self.attempt,
            retry_at: self.retry_at,
        }
        .read()?;
        Ok(Standing {
            account: AccountId(id_bytes("accounts", &self.id)?),
            grant: GrantId(id_bytes("accounts", &self.grant_id)?),
            platform: platform("accounts", &self.platform)?,
            name: self.name,
            login_of: self.login_of,
            state,
            login,
            renewed_by: renewed_by(&self.renewed_by)?,
            act_by: self.act_by.map(Timestamp),
            act_by_is_stated: self.act_by_is_stated,
            access_expires_at: self.access_expires_at.map(Timestamp),
            boards: self.boards,
        })
    }
}

macro_rules! standings {
    ($rest:literal) => {
        concat!(
            "select a.id, a.grant_id, a.platform, a.name, g.login_of, a.boards, a.state, a.since, a.cause, a.is_paused, \
             g.state as login, g.since as login_since, g.cause as login_cause, g.attempt, g.retry_at, g.renewed_by, g.act_by, \
             g.act_by_is_stated, g.access_expires_at \
             from accounts a join grants g on g.id = a.grant_id ",
            $rest
        )
    };
}

/// When a worker first looks at something due at `due`: at its pre-flight, or at once when that has passed.
pub fn first_work(due: Timestamp, now: Timestamp) -> Timestamp {
    let check = due - PRE_FLIGHT;
    if check > now { check } else { due }
}

impl Store {
    /// The deliveries of a post, in the order of their making.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn deliveries_of_post(&self, workspace: WorkspaceId, post: PostId) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> =
            self.rows(columns!("where workspace_id = $1 and post_id = $2 order by created_at, id"), args![workspace, post]).await?;
        rows.into_iter().map(DeliveryRow::read).collect()
    }

    /// One delivery.
    ///
    /// # Errors
    /// As [`Store::deliveries_of_post`].
    pub async fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let row: Option<DeliveryRow> = self.row(columns!("where workspace_id = $1 and id = $2"), args![workspace, id]).await?;
        row.map(DeliveryRow::read).transpose()
    }

    /// Everything planned, under way or waiting in a workspace and due before `until`, next first.
    ///
    /// # Errors
    /// As [`Store::deliveries_of_post`].
    pub async fn planned_deliveries(&self, workspace: WorkspaceId, until: Timestamp) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = self
            .rows(
                columns!(
                    "where workspace_id = $1 and due_at < $2 and state in ('awaiting_approval', 'scheduled', 'preparing', 'waiting') \
                     order by due_at, id"
                ),
                args![workspace, until],
            )
            .await?;
        rows.into_iter().map(DeliveryRow::read).collect()
    }

    /// What is due next in a workspace from `from` on, at most `most`.
    ///
    /// # Errors
    /// As [`Store::deliveries_of_post`].
    pub async fn next_deliveries(&self, workspace: WorkspaceId, from: Timestamp, most: i64) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = self
            .rows(
                columns!(
                    "where workspace_id = $1 and due_at >= $2 and state in ('awaiting_approval', 'scheduled', 'preparing', 'waiting') \
                     order by due_at, id limit $3"
                ),
                args![workspace, from, most],
            )
            .await?;
        rows.into_iter().map(DeliveryRow::read).collect()
    }

    /// How many posts are planned for the accounts of a login from `from` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posts_behind(&self, workspace: WorkspaceId, grant: GrantId, from: Timestamp) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(distinct d.post_id) from deliveries d join accounts a on a.id = d.account_id \
                 where d.workspace_id = $1 and a.grant_id = $2 and d.due_at >= $3 \
                 and d.state in ('awaiting_approval', 'scheduled', 'preparing', 'waiting')",
                args![workspace, grant, from],
            )
            .await?;
        Ok(row.map_or(0, |row| u32::try_from(row.0).unwrap_or(u32::MAX)))
    }

    /// When an account's last posts were due that are online, newest first, at most 30.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_posting_times(&self, workspace: WorkspaceId, account: AccountId) -> Result<Vec<Timestamp>, StoreError> {
        let rows: Vec<(i64,)> = self
            .rows(
                "select due_at from deliveries where workspace_id = $1 and account_id = $2 and state = 'published' order by due_at desc limit 30",
                args![workspace, account],
            )
            .await?;
        Ok(rows.into_iter().map(|row| Timestamp(row.0)).collect())
    }

    /// How the linked accounts of a workspace stand, by name.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn standings(&self, workspace: WorkspaceId) -> Result<Vec<Standing>, StoreError> {
        let rows: Vec<StandingRow> =
            self.rows(standings!("where a.workspace_id = $1 and a.state <> 'unlinked' order by a.name, a.id"), args![workspace]).await?;
        rows.into_iter().map(StandingRow::read).collect()
    }

    /// How all accounts of a workspace stand, unlinked ones too.
    ///
    /// # Errors
    /// As [`Store::standings`].
    pub async fn all_standings(&self, workspace: WorkspaceId) -> Result<Vec<Standing>, StoreError> {
        let rows: Vec<StandingRow> = self.rows(standings!("where a.workspace_id = $1 order by a.name, a.id"), args![workspace]).await?;
        rows.into_iter().map(StandingRow::read).collect()
    }

    /// The story of a post's deliveries, oldest first.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn story_of_post(&self, workspace: WorkspaceId, post: PostId) -> Result<Vec<Told>, StoreError> {
        type Row = (Vec<u8>, String, i64, Option<i64>, Option<String>, Option<String>);
        let rows: Vec<Row> = self
            .rows(
                "select t.delivery_id, t.kind, t.sent_at, t.ended_at, t.outcome, t.detail \
                 from publish_attempts t join deliveries d on d.id = t.delivery_id \
                 where d.workspace_id = $1 and d.post_id = $2 order by t.sent_at, t.id",
                args![workspace, post],
            )
            .await?;
        let read = |(delivery, kind, at, ended_at, outcome, detail): Row| {
            Ok(Told {
                delivery: DeliveryId(id_bytes("publish_attempts", &delivery)?),
                kind,
                at: Timestamp(at),
                ended_at: ended_at.map(Timestamp),
                outcome,
                detail,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// When the newest commit of a delivery was written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_commit(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(Option<i64>,)> = self
            .row(
                "select max(sent_at) from publish_attempts where workspace_id = $1 and delivery_id = $2 and kind = 'commit'",
                args![workspace, delivery],
            )
            .await?;
        Ok(row.and_then(|row| row.0).map(Timestamp))
    }

    /// Number of drafts that came from unlinking this account and have not been touched since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drafts_of_account(&self, workspace: WorkspaceId, account: AccountId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from posts where workspace_id = $1 and came_from = $2 and is_draft and not is_deleted",
                args![workspace, account],
            )
            .await?;
        Ok(row.map_or(0, |row| u32::try_from(row.0).unwrap_or(u32::MAX)))
    }

    /// Number of posts with a missed delivery.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_posts(&self, workspace: WorkspaceId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row("select count(distinct post_id) from deliveries where workspace_id = $1 and state = 'missed'", args![workspace])
            .await?;
        Ok(row.map_or(0, |row| u32::try_from(row.0).unwrap_or(u32::MAX)))
    }
}

impl Tx {
    /// The deliveries of a post, held until this transaction ends.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn deliveries_of_post(&mut self, workspace: WorkspaceId, post: PostId) -> Result<Vec<Delivery>, StoreError> {
        let sql = if self.is_shared() {
            columns!("where workspace_id = $1 and post_id = $2 order by created_at, id for update")
        } else {
            columns!("where workspace_id = $1 and post_id = $2 order by created_at, id")
        };
        let rows: Vec<DeliveryRow> = self.rows(sql, args![workspace, post]).await?;
        rows.into_iter().map(DeliveryRow::read).collect()
    }

    /// One delivery, held until this transaction ends.
    ///
    /// # Errors
    /// As [`Tx::deliveries_of_post`].
    pub async fn delivery(&mut self, workspace: WorkspaceId, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let sql = if self.is_shared() {
            columns!("where workspace_id = $1 and id = $2 for update")
        } else {
            columns!("where workspace_id = $1 and id = $2")
        };
        let row: Option<DeliveryRow> = self.row(sql, args![workspace, id]).await?;
        row.map(DeliveryRow::read).transpose()
    }

    /// Makes a delivery that waits for its time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_delivery(&mut self, workspace: WorkspaceId, new: &NewDelivery, now: Timestamp) -> Result<(), StoreError> {
        let state = DeliveryState::Scheduled;
        self.run(
            "insert into deliveries (id, workspace_id, post_id, revision_id, account_id, platform, due_at, state, detail, work_at, \
             created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
            args![
                new.id,
                workspace,
                new.post,
                new.revision,
                new.account,
                new.platform.code(),
                new.due_at,
                state.code(),
                json("deliveries", &state)?,
                first_work(new.due_at, now),
                now
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes what a person decided about a delivery: `changed` replaces `before`, if that is still how it is. A lease
    /// that only served a check ahead of time is taken away; one that serves a sending is not in such a state.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when it is another state by now.
    pub async fn change_delivery(
        &mut self,
        workspace: WorkspaceId,
        before: &Delivery,
        changed: &Delivery,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (remote_id, published_at) = match &changed.state {
            DeliveryState::Published { remote_id, at, .. } => (remote_id.clone(), Some(*at)),
            _ => (None, None),
        };
        let is_new_plan = changed.state == DeliveryState::Scheduled && before.state != DeliveryState::Scheduled;
        let count = self
            .run(
                "update deliveries set revision_id = $4, due_at = $5, state = $6, detail = $7, work_at = $8, remote_id = $9, \
                 published_at = $10, updated_at = $11, checked_at = case when due_at = $5 then checked_at else null end, \
                 attempts = case when $12 then 0 else attempts end, first_tried_at = case when $12 then null else first_tried_at end, \
                 lease_id = null, lease_until = null, lease_holder = null \
                 where workspace_id = $1 and id = $2 and state = $3",
                args![
                    workspace,
                    before.id,
                    before.state.code(),
                    changed.revision,
                    changed.due_at,
                    changed.state.code(),
                    json("deliveries", &changed.state)?,
                    changed.work_at,
                    remote_id,
                    published_at,
                    now,
                    is_new_plan
                ],
            )
            .await?;
        if count == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Forgets the steps done for a delivery: its content is another one now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_steps(&mut self, delivery: DeliveryId) -> Result<(), StoreError> {
        self.run("delete from delivery_steps where delivery_id = $1", args![delivery]).await?;
        Ok(())
    }

    /// Adds a line to a delivery's story.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&mut self, workspace: WorkspaceId, delivery: DeliveryId, fence: i64, line: &Record) -> Result<(), StoreError> {
        self.run(
            "insert into publish_attempts (id, workspace_id, delivery_id, kind, fence, sent_at, ended_at, outcome, detail) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![line.id, workspace, delivery, line.kind, fence, line.at, line.ended_at, line.outcome, line.detail.clone()],
        )
        .await?;
        Ok(())
    }

    /// How an account stands.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn standing(&mut self, workspace: WorkspaceId, account: AccountId) -> Result<Option<Standing>, StoreError> {
        let row: Option<StandingRow> = self.row(standings!("where a.workspace_id = $1 and a.id = $2"), args![workspace, account]).await?;
        row.map(StandingRow::read).transpose()
    }
}
