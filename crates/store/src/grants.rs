//! Logins: their state, their tokens by generation, their leases and the tries to renew them.

use domain::cause::Verdict;
use domain::grant::{GrantState, RenewedBy, Schedule, TokenTimes, speaks_of};
use domain::id::{AttemptId, GrantId, LeaseId, NodeId, PlatformAppId, WorkspaceId};
use domain::platform::Platform;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Arg, Store, Tx};
use crate::error::{StoreError, contradiction};
use crate::records::{at, count, id_bytes, json, parsed, platform};

/// What a login is once and for all; these find it again when it is written back.
macro_rules! fixed {
    () => {
        "id, workspace_id, app_id, platform, remote_person, spread"
    };
}

/// What becomes of it, in the order of [`Grant::written`]. The fence is moved by leases alone.
macro_rules! changing {
    () => {
        "login_of, scopes, state, since, cause, attempt, retry_at, generation, issued_at, access_expires_at, refresh_expires_at, \
         has_refresh, expires_at, act_by, act_by_is_stated, renewed_by, refresh_at, probe_at, warn_at, last_good_at, verdict, \
         linked_at, signed_in_at"
    };
}

macro_rules! columns {
    () => {
        concat!(fixed!(), ", ", changing!(), ", fence")
    };
}

/// The places of [`changing`] and `work_at` among the arguments.
macro_rules! places {
    () => {
        "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30"
    };
}

/// A login.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// Id.
    pub id: GrantId,
    /// Whose.
    pub workspace: WorkspaceId,
    /// The registration it was given to.
    pub app: PlatformAppId,
    /// Where.
    pub platform: Platform,
    /// The platform's id of who signed in.
    pub remote_person: String,
    /// Their name.
    pub login_of: String,
    /// What they granted.
    pub scopes: Vec<String>,
    /// How it is.
    pub state: GrantState,
    /// Which pair of tokens is the newest.
    pub generation: i64,
    /// What the platform said about that pair.
    pub tokens: TokenTimes,
    /// When it acts.
    pub schedule: Schedule,
    /// When the platform is next asked how it is.
    pub probe_at: Option<Timestamp>,
    /// When a person is next warned.
    pub warn_at: Option<Timestamp>,
    /// When a call last worked.
    pub last_good_at: Option<Timestamp>,
    /// The last verdict that mattered.
    pub verdict: Option<Verdict>,
    /// Its own jitter, 0 to 999999.
    pub spread: i64,
    /// Grows with each lease.
    pub fence: i64,
    /// The first consent.
    pub linked_at: Timestamp,
    /// The last consent.
    pub signed_in_at: Timestamp,
}

impl Grant {
    /// Its own jitter in `0.0..1.0`.
    #[expect(clippy::cast_precision_loss, reason = "at most 999999")]
    pub fn spread_fraction(&self) -> f64 {
        self.spread.clamp(0, 999_999) as f64 / 1_000_000.0
    }

    /// When the keeper next has something to do with it: the earliest of the moments that count in its state.
    pub fn work_at(&self) -> Option<Timestamp> {
        let moments = match self.state {
            GrantState::Live => [self.schedule.refresh_at, self.probe_at, self.warn_at],
            // Trying again tells how it is; a probe beside it would only add load to a platform in trouble.
            GrantState::Retrying { retry_at, .. } => [Some(retry_at), None, self.warn_at],
            GrantState::SignInNeeded { .. } | GrantState::Unlinked => [None, None, None],
        };
        moments.into_iter().flatten().min()
    }

    /// Whether its renewal is what fails, or is due.
    pub fn is_renewal_due(&self, now: Timestamp) -> bool {
        self.tokens.has_refresh && self.schedule.refresh_at.is_some_and(|due| due <= now)
    }
}

#[derive(FromRow)]
struct GrantRow {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    app_id: Vec<u8>,
    platform: String,
    remote_person: String,
    login_of: String,
    scopes: String,
    state: String,
    since: Option<i64>,
    cause: Option<String>,
    attempt: i64,
    retry_at: Option<i64>,
    generation: i64,
    issued_at: i64,
    access_expires_at: Option<i64>,
    refresh_expires_at: Option<i64>,
    has_refresh: bool,
    expires_at: Option<i64>,
    act_by: Option<i64>,
    act_by_is_stated: bool,
    renewed_by: String,
    refresh_at: Option<i64>,
    probe_at: Option<i64>,
    warn_at: Option<i64>,
    last_good_at: Option<i64>,
    verdict: Option<String>,
    spread: i64,
    fence: i64,
    linked_at: i64,
    signed_in_at: i64,
}

const TABLE: &str = "grants";

fn renewed_by_code(renewed_by: RenewedBy) -> &'static str {
    match renewed_by {
        RenewedBy::Us => "us",
        RenewedBy::Person => "person",
        RenewedBy::Nobody => "nobody",
    }
}

fn renewed_by(code: &str) -> Result<RenewedBy, StoreError> {
    match code {
        "us" => Ok(RenewedBy::Us),
        "person" => Ok(RenewedBy::Person),
        "nobody" => Ok(RenewedBy::Nobody),
        _ => Err(contradiction(TABLE, code)),
    }
}

fn state_of(row: &GrantRow) -> Result<GrantState, StoreError> {
    let missing = || contradiction(TABLE, format!("{} without its columns", row.state));
    match row.state.as_str() {
        "live" => Ok(GrantState::Live),
        "retrying" => Ok(GrantState::Retrying {
            since: at(row.since).ok_or_else(missing)?,
            attempt: count(row.attempt),
            retry_at: at(row.retry_at).ok_or_else(missing)?,
        }),
        "sign_in_needed" => Ok(GrantState::SignInNeeded {
            since: at(row.since).ok_or_else(missing)?,
            cause: parsed(TABLE, row.cause.as_deref().ok_or_else(missing)?)?,
        }),
        "unlinked" => Ok(GrantState::Unlinked),
        other => Err(contradiction(TABLE, other)),
    }
}

impl Grant {
    /// Everything of a login that is written, in the order of `fixed`, `changing` and `work_at`.
    fn written(&self) -> Result<Vec<Arg>, StoreError> {
        let StateColumns { state, since, cause, attempt, retry_at } = StateColumns::of(self.state)?;
        let verdict = self.verdict.as_ref().map(|verdict| json(TABLE, verdict)).transpose()?;
        Ok(args![
            self.id,
            self.workspace,
            self.app,
            self.platform.code(),
            &self.remote_person,
            self.spread,
            &self.login_of,
            json(TABLE, &self.scopes)?,
            state,
            since,
            cause,
            attempt,
            retry_at,
            self.generation,
            self.tokens.issued_at,
            self.tokens.access_expires_at,
            self.tokens.refresh_expires_at,
            self.tokens.has_refresh,
            self.schedule.expires_at,
            self.schedule.act_by,
            self.schedule.act_by_is_stated,
            renewed_by_code(self.schedule.renewed_by),
            self.schedule.refresh_at,
            self.probe_at,
            self.warn_at,
            self.last_good_at,
            verdict,
            self.linked_at,
            self.signed_in_at,
            self.work_at(),
        ]
        .to_vec())
    }
}

impl TryFrom<GrantRow> for Grant {
    type Error = StoreError;
    fn try_from(row: GrantRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: GrantId(id_bytes(TABLE, &row.id)?),
            workspace: WorkspaceId(id_bytes(TABLE, &row.workspace_id)?),
            app: PlatformAppId(id_bytes(TABLE, &row.app_id)?),
            platform: platform(TABLE, &row.platform)?,
            scopes: parsed(TABLE, &row.scopes)?,
            state: state_of(&row)?,
            generation: row.generation,
            tokens: TokenTimes {
                issued_at: Timestamp(row.issued_at),
                access_expires_at: at(row.access_expires_at),
                refresh_expires_at: at(row.refresh_expires_at),
                has_refresh: row.has_refresh,
            },
            schedule: Schedule {
                expires_at: at(row.expires_at),
                act_by: at(row.act_by),
                act_by_is_stated: row.act_by_is_stated,
                renewed_by: renewed_by(&row.renewed_by)?,
                refresh_at: at(row.refresh_at),
            },
            probe_at: at(row.probe_at),
            warn_at: at(row.warn_at),
            last_good_at: at(row.last_good_at),
            verdict: row.verdict.as_deref().map(|text| parsed(TABLE, text)).transpose()?,
            spread: row.spread,
            fence: row.fence,
            linked_at: Timestamp(row.linked_at),
            signed_in_at: Timestamp(row.signed_in_at),
            remote_person: row.remote_person,
            login_of: row.login_of,
        })
    }
}

/// A state as its columns.
struct StateColumns {
    state: &'static str,
    since: Option<Timestamp>,
    cause: Option<String>,
    attempt: u32,
    retry_at: Option<Timestamp>,
}

impl StateColumns {
    fn of(state: GrantState) -> Result<Self, StoreError> {
        let plain = Self { state: state.code(), since: None, cause: None, attempt: 0, retry_at: None };
        Ok(match state {
            GrantState::Live | GrantState::Unlinked => plain,
            GrantState::Retrying { since, attempt, retry_at } => Self { since: Some(since), attempt, retry_at: Some(retry_at), ..plain },
            GrantState::SignInNeeded { since, cause } => Self { since: Some(since), cause: Some(json(TABLE, &cause)?), ..plain },
        })
    }
}

/// The right to work on one login until a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct LeasedGrant {
    /// The login as it was when the lease began.
    pub grant: Grant,
    /// The lease.
    pub lease: LeaseId,
}

/// A pair of tokens as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Which.
    pub generation: i64,
    /// The access token, sealed.
    pub access: Vec<u8>,
    /// The refresh token, sealed.
    pub refresh: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct GenerationRow {
    generation: i64,
    access: Vec<u8>,
    refresh: Option<Vec<u8>>,
}

/// How a try to renew ended, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// New tokens came.
    Renewed,
    /// Certainly nothing happened.
    NotDone,
    /// Nobody knows.
    Unknown,
    /// A classified refusal.
    Refused,
}

impl AttemptOutcome {
    const ALL: [Self; 4] = [Self::Renewed, Self::NotDone, Self::Unknown, Self::Refused];

    const fn code(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::NotDone => "not_done",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }
}

/// One try to renew a login, for its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshAttempt {
    /// When the request was about to leave.
    pub sent_at: Timestamp,
    /// How it ended; none while under way, or when we were cut off: nobody knows.
    pub outcome: Option<AttemptOutcome>,
}

impl Store {
    /// A login of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant(&self, workspace: WorkspaceId, id: GrantId) -> Result<Option<Grant>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from grants where id = $1 and workspace_id = $2");
        let row: Option<GrantRow> = self.row(SQL, args![id, workspace]).await?;
        row.map(Grant::try_from).transpose()
    }

    /// All logins of a workspace that are not taken out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants(&self, workspace: WorkspaceId) -> Result<Vec<Grant>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from grants where workspace_id = $1 and state <> 'unlinked'");
        let rows: Vec<GrantRow> = self.rows(SQL, args![workspace]).await?;
        rows.into_iter().map(Grant::try_from).collect()
    }

    /// The newest pair of tokens of a login.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest_generation(&self, workspace: WorkspaceId, grant: GrantId) -> Result<Option<Generation>, StoreError> {
        let row: Option<GenerationRow> = self
            .row(
                "select generation, access, refresh from token_generations where grant_id = $1 and workspace_id = $2 \
                 order by generation desc limit 1",
                args![grant, workspace],
            )
            .await?;
        Ok(row.map(|row| Generation { generation: row.generation, access: row.access, refresh: row.refresh }))
    }

    /// Whether another login of the same person at the same registration lives, here or in another workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_sibling(&self, app: PlatformAppId, remote_person: &str, other_than: GrantId) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select cast(1 as bigint) from grants where app_id = $1 and remote_person = $2 and id <> $3 and state <> 'unlinked' limit 1",
                args![app, remote_person, other_than],
            )
            .await?;
        Ok(row.is_some())
    }

    /// How many logins of a platform a workspace has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_grants(&self, workspace: WorkspaceId, platform: Platform) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from grants where workspace_id = $1 and platform = $2 and state <> 'unlinked'",
                args![workspace, platform.code()],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }

    /// The next moment at which a login that nobody holds has something to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_grant_work(&self, wall: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select work_at from grants where work_at is not null and (lease_until is null or lease_until <= $1) \
                 order by work_at limit 1",
                args![wall],
            )
            .await?;
        Ok(row.map(|row| Timestamp(row.0)))
    }

    /// When the first lease of a login that is due at `now` runs out, by the wall clock: until then its holder works on it
    /// or has died.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_grant_lease_end(&self, now: Timestamp, wall: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(Option<i64>,)> = self
            .row("select min(lease_until) from grants where work_at is not null and work_at <= $1 and lease_until > $2", args![now, wall])
            .await?;
        Ok(row.and_then(|row| row.0).map(Timestamp))
    }

    /// Leases up to `most` logins of a platform that are due at `now` and that nobody holds. `wall` decides which leases
    /// have run out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_grants(
        &self,
        platform: Platform,
        most: usize,
        now: Timestamp,
        lease: &NewLease,
    ) -> Result<Vec<LeasedGrant>, StoreError> {
        const SQLITE: &str = concat!(
            "update grants set fence = fence + 1, lease_id = $1, lease_until = $2, lease_holder = $3 where id in (",
            "select id from grants where work_at is not null and work_at <= $4 and platform = $5 ",
            "and (lease_until is null or lease_until <= $6) order by work_at limit $7) returning ",
            columns!()
        );
        const POSTGRES: &str = concat!(
            "update grants set fence = fence + 1, lease_id = $1, lease_until = $2, lease_holder = $3 where id in (",
            "select id from grants where work_at is not null and work_at <= $4 and platform = $5 ",
            "and (lease_until is null or lease_until <= $6) order by work_at limit $7 for update skip locked) returning ",
            columns!()
        );
        let mut tx = self.begin().await?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows: Vec<GrantRow> = tx
            .rows(
                if self.is_shared() { POSTGRES } else { SQLITE },
                args![lease.id, lease.until, lease.holder, now, platform.code(), lease.wall, most],
            )
            .await?;
        tx.commit().await?;
        rows.into_iter().map(|row| Ok(LeasedGrant { grant: row.try_into()?, lease: lease.id })).collect()
    }

    /// Holds a lease for longer.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else holds the login now.
    pub async fn keep_grant(&self, grant: GrantId, lease: LeaseId, until: Timestamp) -> Result<(), StoreError> {
        match self.run("update grants set lease_until = $3 where id = $1 and lease_id = $2", args![grant, lease, until]).await? {
            0 => Err(StoreError::LeaseLost),
            _ => Ok(()),
        }
    }

    /// Gives back everything that a node held before it was restarted. Only the node itself may ask for this.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_grants_of(&self, holder: NodeId) -> Result<u64, StoreError> {
        self.run("update grants set lease_id = null, lease_until = null, lease_holder = null where lease_holder = $1", args![holder]).await
    }

    /// The tries to renew a login, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_attempts(&self, workspace: WorkspaceId, grant: GrantId, most: i64) -> Result<Vec<RefreshAttempt>, StoreError> {
        let rows: Vec<(i64, Option<String>)> = self
            .rows(
                "select sent_at, outcome from refresh_attempts where grant_id = $1 and workspace_id = $2 order by sent_at desc, fence desc, id desc limit $3",
                args![grant, workspace, most],
            )
            .await?;
        rows.into_iter()
            .map(|(sent_at, outcome)| Ok(RefreshAttempt { sent_at: Timestamp(sent_at), outcome: read_outcome(outcome)? }))
            .collect()
    }

    /// The moments since `from` at which we renewed logins of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renewals(&self, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<(GrantId, Timestamp)>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = self
            .rows(
                "select a.grant_id, a.sent_at from refresh_attempts a join grants g on g.id = a.grant_id \
                 where g.workspace_id = $1 and a.sent_at >= $2 and a.outcome = 'renewed' order by a.sent_at",
                args![workspace, from],
            )
            .await?;
        rows.into_iter().map(|(grant, sent)| Ok((GrantId(id_bytes("refresh_attempts", &grant)?), Timestamp(sent)))).collect()
    }
}

fn read_outcome(code: Option<String>) -> Result<Option<AttemptOutcome>, StoreError> {
    code.map(|code| {
        AttemptOutcome::ALL.into_iter().find(|outcome| outcome.code() == code).ok_or_else(|| contradiction("refresh_attempts", code))
    })
    .transpose()
}

/// A lease to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewLease {
    /// Its id.
    pub id: LeaseId,
    /// Who takes it.
    pub holder: NodeId,
    /// Wall time now: leases that ended before it have run out.
    pub wall: Timestamp,
    /// Wall time at which this one runs out.
    pub until: Timestamp,
}

impl Tx {
    /// Reads a login and holds its row until the end of this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_grant(&mut self, workspace: WorkspaceId, id: GrantId) -> Result<Option<Grant>, StoreError> {
        // An update that changes nothing locks the row on both databases.
        const SQL: &str = concat!("update grants set fence = fence where id = $1 and workspace_id = $2 returning ", columns!());
        let row: Option<GrantRow> = self.row(SQL, args![id, workspace]).await?;
        row.map(Grant::try_from).transpose()
    }

    /// As [`Tx::lock_grant`], and only while `lease` holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_leased(&mut self, id: GrantId, lease: LeaseId) -> Result<Option<Grant>, StoreError> {
        const SQL: &str = concat!("update grants set fence = fence where id = $1 and lease_id = $2 returning ", columns!());
        let row: Option<GrantRow> = self.row(SQL, args![id, lease]).await?;
        row.map(Grant::try_from).transpose()
    }

    /// The login of the same person at the same registration in a workspace, taken out or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_grant_of_person(
        &mut self,
        workspace: WorkspaceId,
        app: PlatformAppId,
        remote_person: &str,
    ) -> Result<Option<Grant>, StoreError> {
        const SQL: &str = concat!(
            "update grants set fence = fence where workspace_id = $1 and app_id = $2 and remote_person = $3 returning ",
            columns!()
        );
        let row: Option<GrantRow> = self.row(SQL, args![workspace, app, remote_person]).await?;
        row.map(Grant::try_from).transpose()
    }

    /// Adds a login.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        const SQL: &str = concat!(
            "insert into grants (",
            fixed!(),
            ", ",
            changing!(),
            ", work_at, fence) values ($1, $2, $3, $4, $5, $6, ",
            places!(),
            ", 0)"
        );
        self.run(SQL, &grant.written()?).await?;
        Ok(())
    }

    /// Writes a login back that this transaction holds (see [`Tx::lock_grant`]).
    ///
    /// # Errors
    /// [`StoreError::Changed`] when it is no longer there.
    pub async fn save_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        const SQL: &str = concat!(
            "update grants set (",
            changing!(),
            ", work_at) = (",
            places!(),
            ") where id = $1 and workspace_id = $2 and app_id = $3 and platform = $4 and remote_person = $5 and spread = $6"
        );
        let changed = self.run(SQL, &grant.written()?).await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Ends a lease, if it is still ours. Returns whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_grant(&mut self, grant: GrantId, lease: LeaseId) -> Result<bool, StoreError> {
        let changed = self
            .run(
                "update grants set lease_id = null, lease_until = null, lease_holder = null where id = $1 and lease_id = $2",
                args![grant, lease],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Keeps a pair of tokens. `false`: a pair of this generation is there already and stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_generation(
        &mut self,
        workspace: WorkspaceId,
        grant: GrantId,
        pair: &Generation,
        times: &TokenTimes,
    ) -> Result<bool, StoreError> {
        let changed = self
            .run(
                "insert into token_generations (grant_id, generation, workspace_id, access, refresh, issued_at, access_expires_at, \
                 refresh_expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (grant_id, generation) do nothing",
                args![
                    grant,
                    pair.generation,
                    workspace,
                    pair.access.clone(),
                    pair.refresh.clone(),
                    times.issued_at,
                    times.access_expires_at,
                    times.refresh_expires_at
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Notes that the access token of a generation has worked; only then the generations before it go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prove_generation(&mut self, grant: GrantId, generation: i64, now: Timestamp) -> Result<(), StoreError> {
        let proven = self
            .run(
                "update token_generations set proven_at = $3 where grant_id = $1 and generation = $2 and proven_at is null",
                args![grant, generation, now],
            )
            .await?;
        if proven == 1 {
            self.run("delete from token_generations where grant_id = $1 and generation < $2", args![grant, generation]).await?;
        }
        Ok(())
    }

    /// Drops all tokens of a login that was taken out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_tokens(&mut self, grant: GrantId) -> Result<(), StoreError> {
        self.run("delete from token_generations where grant_id = $1", args![grant]).await?;
        self.run("update accounts set access = null where grant_id = $1", args![grant]).await?;
        Ok(())
    }

    /// Writes that a request to renew is about to leave (write-ahead). Returns whether an earlier one with this same pair
    /// ended unknown, be it by a lost answer or because we were cut off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_attempt(&mut self, id: AttemptId, grant: &Grant, now: Timestamp) -> Result<bool, StoreError> {
        let lost: Option<(i64,)> = self
            .row(
                "select cast(1 as bigint) from refresh_attempts where grant_id = $1 and generation = $2 and (outcome is null or outcome = 'unknown') limit 1",
                args![grant.id, grant.generation],
            )
            .await?;
        self.run(
            "insert into refresh_attempts (id, workspace_id, grant_id, generation, fence, sent_at) values ($1, $2, $3, $4, $5, $6)",
            args![id, grant.workspace, grant.id, grant.generation, grant.fence, now],
        )
        .await?;
        Ok(lost.is_some())
    }

    /// Writes how a try to renew ended; done whether or not the lease is still ours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_attempt(
        &mut self,
        id: AttemptId,
        outcome: AttemptOutcome,
        verdict: Option<&Verdict>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let verdict = verdict.map(|verdict| json("refresh_attempts", verdict)).transpose()?;
        self.run(
            "update refresh_attempts set ended_at = $2, outcome = $3, verdict = $4 where id = $1",
            args![id, now, outcome.code(), verdict],
        )
        .await?;
        Ok(())
    }

    /// Has the keeper look at a login now: at its accounts, and whether it still works.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn probe_soon(&mut self, workspace: WorkspaceId, grant: GrantId, now: Timestamp) -> Result<(), StoreError> {
        let Some(mut grant) = self.lock_grant(workspace, grant).await? else { return Ok(()) };
        grant.probe_at = Some(now);
        if let GrantState::Retrying { since, attempt, .. } = grant.state {
            grant.state = GrantState::Retrying { since, attempt, retry_at: now };
        }
        self.save_grant(&grant).await
    }

    /// Has the keeper renew a login now whose tokens of generation `used` no longer serve, where that can be done without a
    /// person and has not been done since. Returns whether it will be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_now(&mut self, workspace: WorkspaceId, grant: GrantId, used: i64, now: Timestamp) -> Result<bool, StoreError> {
        let Some(mut grant) = self.lock_grant(workspace, grant).await? else { return Ok(false) };
        if !speaks_of(used, grant.generation) {
            return Ok(false);
        }
        if !grant.tokens.has_refresh || !matches!(grant.state, GrantState::Live | GrantState::Retrying { .. }) {
            return Ok(false);
        }
        grant.schedule.refresh_at = Some(grant.schedule.refresh_at.map_or(now, |due| due.min(now)));
        self.save_grant(&grant).await?;
        Ok(true)
    }

    /// Has the keeper look at every other living login of the same person at the same registration, also in other
    /// workspaces: they share their fate.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn probe_siblings(&mut self, of: &Grant, now: Timestamp) -> Result<u64, StoreError> {
        self.run(
            "update grants set probe_at = $4, work_at = $4 where app_id = $1 and remote_person = $2 and id <> $3 and state = 'live'",
            args![of.app, &of.remote_person, of.id, now],
        )
        .await
    }

    /// How many logins of a platform in a workspace are in trouble that may pass.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_retrying(&mut self, workspace: WorkspaceId, platform: Platform) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from grants where workspace_id = $1 and platform = $2 and state = 'retrying'",
                args![workspace, platform.code()],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }
}
