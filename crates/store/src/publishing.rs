//! What the publisher reads and writes: the claim, fenced moves from state to state, and when it is needed next.

use std::collections::{BTreeSet, HashSet};

use domain::account::AccountState;
use domain::cause::Verdict;
use domain::delivery::{DeliveryState, LATE_AT_MOST, MissedWhy, ORDER_WAIT};
use domain::grant::{GrantState, speaks_of};
use domain::id::{AccountId, AttemptId, DeliveryId, GrantId, LeaseId, NodeId, PlatformAppId, PostId, RevisionId, ThreadId, WorkspaceId};
use domain::inbox::{Root, Stage};
use domain::platform::Platform;
use domain::post::Content;
use domain::summary::accounts::Health;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::deliveries::{Record, StateColumns, platform};
use crate::error::{StoreError, contradiction};
use crate::threads::{id_bytes, json, parsed};

/// A claimed delivery with all that decides what happens to it.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Id.
    pub id: DeliveryId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its post.
    pub post: PostId,
    /// The revision that is sent.
    pub revision: RevisionId,
    /// What is sent.
    pub content: Content,
    /// Where to.
    pub account: AccountId,
    /// The account's name at the platform.
    pub platform: Platform,
    /// Its login.
    pub grant: GrantId,
    /// The platform app of the login.
    pub app: PlatformAppId,
    /// How the account stands.
    pub account_state: AccountState,
    /// How the login stands.
    pub login: GrantState,
    /// When the access token ends, if stated.
    pub access_expires_at: Option<Timestamp>,
    /// Whether the login can be renewed without a person.
    pub has_refresh: bool,
    /// Which tokens of the login are the newest; grows with each renewal and each consent.
    pub generation: i64,
    /// When it was due.
    pub due_at: Timestamp,
    /// Until when it may go out.
    pub late_until: Timestamp,
    /// "Do not send after".
    pub not_after: Option<Timestamp>,
    /// How it is.
    pub state: DeliveryState,
    /// When a worker had something to do with it.
    pub work_at: Timestamp,
    /// Tries so far, this one included once it begins.
    pub attempts: u32,
    /// Whether it was checked ahead of time.
    pub is_checked: bool,
    /// Grows with each lease.
    pub fence: i64,
    /// The lease.
    pub lease: LeaseId,
}

#[derive(FromRow)]
struct ClaimedRow {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    post_id: Vec<u8>,
    revision_id: Vec<u8>,
    account_id: Vec<u8>,
    platform: String,
    due_at: i64,
    detail: String,
    work_at: i64,
    attempts: i64,
    checked_at: Option<i64>,
    fence: i64,
    not_after: Option<i64>,
    content: String,
    account_state: String,
    account_since: Option<i64>,
    account_cause: Option<String>,
    is_paused: bool,
    late_at_most: i64,
    grant_id: Vec<u8>,
    app_id: Vec<u8>,
    login: String,
    login_since: Option<i64>,
    login_cause: Option<String>,
    login_attempt: i64,
    login_retry_at: Option<i64>,
    access_expires_at: Option<i64>,
    has_refresh: bool,
    generation: i64,
}

impl ClaimedRow {
    fn read(self, lease: LeaseId) -> Result<Claimed, StoreError> {
        let (account_state, login) = StateColumns {
            account: &self.account_state,
            account_since: self.account_since,
            account_cause: self.account_cause.as_deref(),
            is_paused: self.is_paused,
            login: &self.login,
            login_since: self.login_since,
            login_cause: self.login_cause.as_deref(),
            attempt: self.login_attempt,
            retry_at: self.login_retry_at,
        }
        .read()?;
        let due_at = Timestamp(self.due_at);
        let late = u64::try_from(self.late_at_most).map_or(LATE_AT_MOST, std::time::Duration::from_secs);
        Ok(Claimed {
            id: DeliveryId(id_bytes("deliveries", &self.id)?),
            workspace: WorkspaceId(id_bytes("deliveries", &self.workspace_id)?),
            post: PostId(id_bytes("deliveries", &self.post_id)?),
            revision: RevisionId(id_bytes("deliveries", &self.revision_id)?),
            content: crate::posts::content(&self.content)?,
            account: AccountId(id_bytes("deliveries", &self.account_id)?),
            platform: platform("deliveries", &self.platform)?,
            grant: GrantId(id_bytes("accounts", &self.grant_id)?),
            app: PlatformAppId(id_bytes("grants", &self.app_id)?),
            account_state,
            login,
            access_expires_at: self.access_expires_at.map(Timestamp),
            has_refresh: self.has_refresh,
            generation: self.generation,
            due_at,
            late_until: due_at + late,
            not_after: self.not_after.map(Timestamp),
            state: parsed("deliveries", &self.detail)?,
            work_at: Timestamp(self.work_at),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            is_checked: self.checked_at.is_some(),
            fence: self.fence,
            lease,
        })
    }
}

/// Who claims, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The platform.
    pub platform: Platform,
    /// Those whose outcome is unknown, or all others.
    pub unclear: bool,
    /// At most so many.
    pub most: usize,
    /// The one lease of all that is claimed together; each row is fenced by it.
    pub lease: LeaseId,
    /// The process.
    pub holder: NodeId,
    /// World time: decides what is due.
    pub now: Timestamp,
    /// Wall time: decides which leases have run out.
    pub wall: Timestamp,
    /// Wall time until which the leases hold.
    pub until: Timestamp,
}

// Only what is still to be sent holds or is held. What came due at the same moment goes together: an account with a
// thousand posts at nine is not a queue of a thousand.
macro_rules! claim {
    ($which:literal, $lock:literal) => {
        concat!(
            "update deliveries set lease_id = $1, lease_until = $2, lease_holder = $3, fence = fence + 1 where id in ( \
               select d.id from deliveries d \
               where d.platform = $4 and d.work_at is not null and d.work_at <= $5 and (d.lease_id is null or d.lease_until <= $6) ",
            $which,
            " \
               and (d.state not in ('scheduled', 'waiting') or d.due_at > $5 or d.due_at <= $7 or not exists ( \
                 select 1 from deliveries e where e.account_id = d.account_id and e.work_at is not null and e.due_at < d.due_at \
                 and e.state in ('scheduled', 'preparing', 'committing', 'confirming', 'waiting'))) \
               order by d.work_at, d.due_at, d.id limit $8",
            $lock,
            ")"
        )
    };
}

const CLAIMED: &str = "select d.id, d.workspace_id, d.post_id, d.revision_id, d.account_id, d.platform, d.due_at, d.detail, d.work_at, \
    d.attempts, d.checked_at, d.fence, p.not_after, r.content, a.state as account_state, a.since as account_since, \
    a.cause as account_cause, a.is_paused, a.late_at_most, a.grant_id, g.app_id, g.state as login, g.since as login_since, \
    g.cause as login_cause, g.attempt as login_attempt, g.retry_at as login_retry_at, g.access_expires_at, g.has_refresh, g.generation \
    from deliveries d join posts p on p.id = d.post_id join post_revisions r on r.id = d.revision_id \
    join accounts a on a.id = d.account_id join grants g on g.id = a.grant_id \
    where d.lease_id = $1 order by d.work_at, d.due_at, d.id";

/// A move of one delivery from one state to the next, with all that belongs in the same transaction.
#[derive(Debug, Clone)]
pub struct Move {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Which.
    pub delivery: DeliveryId,
    /// The lease under which it is written.
    pub lease: LeaseId,
    /// Its fence.
    pub fence: i64,
    /// The state after the move.
    pub state: DeliveryState,
    /// When a worker has something to do with it next.
    pub work_at: Option<Timestamp>,
    /// The lease goes on until then (wall time); none gives it back.
    pub keep_until: Option<Timestamp>,
    /// Whether it was checked ahead of time with this move.
    pub is_checked: bool,
    /// A step to be remembered: its number, kind and result.
    pub step: Option<(i64, String, String)>,
    /// Lines that are new in its story.
    pub records: Vec<Record>,
    /// The end of a line begun earlier.
    pub ended: Option<Ended>,
    /// What else follows from it.
    pub also: Vec<Also>,
    /// World time.
    pub now: Timestamp,
}

/// The end of a line of a story.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Which line.
    pub id: AttemptId,
    /// How it ended.
    pub outcome: &'static str,
    /// Facts.
    pub detail: Option<String>,
}

/// What follows from a move, beside the delivery.
#[derive(Debug, Clone)]
pub enum Also {
    /// The story of a root goes on.
    Tell(Root, Stage, ThreadId),
    /// The posts missed behind a root are counted and told.
    TellMissed(Root, Behind, ThreadId),
    /// A root is back to normal.
    Back(Root),
    /// The platform refused the login when it was shown the tokens of this generation.
    RefuseLogin(GrantId, i64, Box<Verdict>, ThreadId),
    /// The account can no longer be posted to.
    BlockAccount(AccountId, Box<Verdict>, ThreadId),
    /// The account's own token is this one from here on, sealed; none: the login's.
    AccountToken(AccountId, Option<Vec<u8>>),
    /// The app's registration is refused.
    AppTrouble(Platform, Box<Verdict>, ThreadId),
    /// A call with the account's login worked.
    GoodCall(GrantId, AccountId),
    /// The login's tokens are needed now: those of this generation are not, or not much longer, taken.
    RenewNow(GrantId, i64),
    /// Whether the login or account is blocked beyond this post is worth asking now.
    ProbeSoon(GrantId),
    /// How the account's day was.
    Health(AccountId, Health),
    /// An app or account must not be called for a while.
    Limit {
        /// "app:{id}" or "account:{id}".
        subject: String,
        /// Until then.
        until: Timestamp,
        /// The platform's code.
        code: Option<String>,
    },
    /// Several deliveries of this platform wait: say so once.
    PlatformTrouble(Platform, ThreadId),
}

/// Whose missed posts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Those of all accounts of a login.
    Login(GrantId),
    /// Those of an account.
    Account(AccountId),
    /// Those of a platform that were missed because it was down.
    Platform(Platform),
}

/// So many deliveries of one platform waiting at once are trouble of the platform.
const TROUBLE_FROM: i64 = 2;

/// Several moves in one transaction, with what is folded over all of them.
#[derive(Debug, Default)]
pub struct Together {
    changed: BTreeSet<WorkspaceId>,
    done: HashSet<String>,
    missed: Vec<(WorkspaceId, Root, Behind, ThreadId)>,
    trouble: Vec<(WorkspaceId, Platform, ThreadId)>,
}

impl Together {
    /// Something of this workspace changed.
    pub fn changed(&mut self, workspace: WorkspaceId) {
        self.changed.insert(workspace);
    }

    /// Whether this was not done yet in this transaction; it then counts as done.
    fn first(&mut self, what: String) -> bool {
        self.done.insert(what)
    }
}

impl Tx {
    /// Claims what is due, oldest first. All rows get the same lease and a fence of their own.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn claim_deliveries(&mut self, claim: &Claim) -> Result<Vec<Claimed>, StoreError> {
        let sql = match (claim.unclear, self.is_shared()) {
            (true, true) => claim!("and d.state in ('committing', 'confirming')", " for update of d skip locked"),
            (true, false) => claim!("and d.state in ('committing', 'confirming')", ""),
            (false, true) => claim!("and d.state not in ('committing', 'confirming')", " for update of d skip locked"),
            (false, false) => claim!("and d.state not in ('committing', 'confirming')", ""),
        };
        let most = i64::try_from(claim.most).unwrap_or(i64::MAX);
        let args =
            args![claim.lease, claim.until, claim.holder, claim.platform.code(), claim.now, claim.wall, claim.now - ORDER_WAIT, most];
        if self.run(sql, args).await? == 0 {
            return Ok(Vec::new());
        }
        let rows: Vec<ClaimedRow> = self.rows(CLAIMED, args![claim.lease]).await?;
        rows.into_iter().map(|row| row.read(claim.lease)).collect()
    }

    /// Begins all that is left of a claim and is due: scheduled and waiting deliveries become `begun`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_claimed(&mut self, lease: LeaseId, begun: &DeliveryState, now: Timestamp) -> Result<u64, StoreError> {
        self.run(
            "update deliveries set state = $2, detail = $3, attempts = attempts + 1, first_tried_at = coalesce(first_tried_at, $4), \
             updated_at = $4 where lease_id = $1 and (state = 'waiting' or (state = 'scheduled' and due_at <= $4))",
            args![lease, begun.code(), json("deliveries", begun)?, now],
        )
        .await
    }

    /// Counts a try that was given up before it began.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_try(&mut self, delivery: DeliveryId) -> Result<(), StoreError> {
        self.run("update deliveries set attempts = attempts + 1 where id = $1", args![delivery]).await?;
        Ok(())
    }

    /// Gives a claimed delivery back without a move, to be looked at again at `work_at`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_back(&mut self, delivery: DeliveryId, lease: LeaseId, work_at: Timestamp) -> Result<(), StoreError> {
        self.run(
            "update deliveries set work_at = $3, lease_id = null, lease_until = null, lease_holder = null where id = $1 and lease_id = $2",
            args![delivery, lease, work_at],
        )
        .await?;
        Ok(())
    }

    /// The line of the newest commit of a delivery that has no end yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_commit(&mut self, delivery: DeliveryId) -> Result<Option<AttemptId>, StoreError> {
        let row: Option<(Vec<u8>,)> = self
            .row(
                "select id from publish_attempts where delivery_id = $1 and kind = 'commit' and ended_at is null order by sent_at desc limit 1",
                args![delivery],
            )
            .await?;
        row.map(|row| id_bytes("publish_attempts", &row.0).map(AttemptId)).transpose()
    }

    /// Writes one move, if its lease still holds the row.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when another worker or a person has the row; a duplicate (see
    /// [`StoreError::is_duplicate`]) when the platform's id is bound to another delivery; [`StoreError::Changed`] when it
    /// tells of a refused login that has newer tokens by now.
    pub async fn move_delivery(&mut self, to: &Move, together: &mut Together) -> Result<(), StoreError> {
        let (remote_id, published_at) = match &to.state {
            DeliveryState::Published { remote_id, at, .. } => (remote_id.clone(), Some(*at)),
            _ => (None, None),
        };
        let detail = json("deliveries", &to.state)?;
        let args = args![
            to.delivery,
            to.lease,
            to.state.code(),
            detail,
            to.work_at,
            remote_id,
            published_at,
            to.now,
            to.keep_until.map(|_| to.lease),
            to.keep_until,
            to.is_checked
        ];
        let count = self
            .run(
                "update deliveries set state = $3, detail = $4, work_at = $5, remote_id = $6, published_at = $7, updated_at = $8, \
                 lease_id = $9, lease_until = $10, lease_holder = case when $10 is null then null else lease_holder end, \
                 checked_at = case when $11 then $8 else checked_at end \
                 where id = $1 and lease_id = $2",
                args,
            )
            .await?;
        if count != 1 {
            return Err(StoreError::LeaseLost);
        }
        if let Some((number, kind, result)) = &to.step {
            self.run(
                "insert into delivery_steps (delivery_id, number, kind, result, at) values ($1, $2, $3, $4, $5)",
                args![to.delivery, *number, kind, result, to.now],
            )
            .await?;
        }
        if let Some(ended) = &to.ended {
            self.run(
                "update publish_attempts set ended_at = $2, outcome = $3, detail = coalesce($4, detail) where id = $1",
                args![ended.id, to.now, ended.outcome, ended.detail.clone()],
            )
            .await?;
        }
        for line in &to.records {
            self.record(to.workspace, to.delivery, to.fence, line).await?;
        }
        for also in &to.also {
            self.follow(to, also, together).await?;
        }
        together.changed.insert(to.workspace);
        Ok(())
    }

    async fn follow(&mut self, to: &Move, also: &Also, together: &mut Together) -> Result<(), StoreError> {
        let (workspace, now) = (to.workspace, to.now);
        match also {
            Also::Tell(root, stage, fresh) => {
                self.tell(workspace, root, stage, *fresh, now).await?;
            }
            // Counted once for all moves, after the last of them.
            Also::TellMissed(root, behind, fresh) => {
                if together.first(format!("missed {workspace} {}", root.key())) {
                    together.missed.push((workspace, *root, *behind, *fresh));
                }
            }
            Also::Back(root) => {
                if together.first(format!("back {workspace} {}", root.key())) {
                    self.back_to_normal(workspace, root, now).await?;
                }
            }
            Also::RefuseLogin(grant, used, verdict, fresh) => {
                let is_current = match self.lock_grant(workspace, *grant).await? {
                    Some(grant) => speaks_of(*used, grant.generation),
                    None => true,
                };
                // What the move says of the delivery would be wrong, too.
                if !is_current {
                    return Err(StoreError::Changed);
                }
                if together.first(format!("refuse {grant}")) {
                    self.refuse_login(workspace, *grant, *used, verdict, *fresh, now).await?;
                }
            }
            Also::BlockAccount(account, verdict, fresh) => {
                if together.first(format!("block {account}")) {
                    self.block_account(workspace, *account, verdict, *fresh, now).await?;
                }
            }
            Also::AccountToken(account, sealed) => {
                // Taken out meanwhile, it has none.
                if self.account(workspace, *account).await?.is_some_and(|found| !found.is_unlinked()) {
                    self.set_account_token(*account, sealed.clone()).await?;
                }
            }
            Also::AppTrouble(platform, verdict, fresh) => {
                if together.first(format!("app {workspace} {platform}")) {
                    self.app_trouble(workspace, *platform, verdict, *fresh, now).await?;
                }
            }
            Also::GoodCall(grant, account) => {
                if together.first(format!("good {account}")) {
                    self.good_call(workspace, *grant, Some(*account), now).await?;
                }
            }
            Also::ProbeSoon(grant) => {
                if together.first(format!("probe {grant}")) {
                    self.probe_soon(workspace, *grant, now).await?;
                }
            }
            Also::RenewNow(grant, used) => {
                if together.first(format!("renew {grant} {used}")) {
                    self.renew_now(workspace, *grant, *used, now).await?;
                }
            }
            Also::Health(account, health) => {
                if together.first(format!("health {account} {health:?}")) {
                    self.note_health(*account, now.as_seconds().div_euclid(86_400), *health).await?;
                }
            }
            Also::Limit { subject, until, code } => {
                self.run(
                    "insert into limits (subject, until, code) values ($1, $2, $3) \
                     on conflict (subject) do update set until = excluded.until, code = excluded.code \
                     where limits.until < excluded.until",
                    args![subject, *until, code.clone()],
                )
                .await?;
            }
            // Counted after the last move: those that fail together are trouble together.
            Also::PlatformTrouble(platform, fresh) => {
                if together.first(format!("trouble {workspace} {platform}")) {
                    together.trouble.push((workspace, *platform, *fresh));
                }
            }
        }
        Ok(())
    }

    /// Ends several moves: tells what was folded, and returns the workspaces that changed. Open pages are to hear of
    /// them right after the commit (see [`Store::announce_posts`]), not inside: the counter of a workspace's events is one
    /// row, and a burst of moves would queue for it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_together(&mut self, together: Together, now: Timestamp) -> Result<BTreeSet<WorkspaceId>, StoreError> {
        for (workspace, root, behind, fresh) in together.missed {
            let (root, behind) = self.widest(workspace, root, behind).await?;
            let stage = Stage::Missed { posts: self.missed_behind(workspace, behind).await? };
            self.tell(workspace, &root, &stage, fresh, now).await?;
        }
        for (workspace, platform, fresh) in together.trouble {
            let row: Option<(i64,)> = self
                .row(
                    "select count(*) from deliveries where workspace_id = $1 and state = 'waiting' and platform = $2",
                    args![workspace, platform.code()],
                )
                .await?;
            if row.is_some_and(|row| row.0 >= TROUBLE_FROM) {
                self.tell(workspace, &Root::Platform { platform }, &Stage::Trouble, fresh, now).await?;
            }
        }
        Ok(together.changed)
    }

    /// The story that tells of what was missed: while the whole login is blocked, it is that of the login and not one per
    /// account.
    async fn widest(&mut self, workspace: WorkspaceId, root: Root, behind: Behind) -> Result<(Root, Behind), StoreError> {
        let Behind::Account(account) = behind else { return Ok((root, behind)) };
        let Some(account) = self.account(workspace, account).await? else { return Ok((root, behind)) };
        let login = Root::Login { grant: account.grant };
        Ok(match self.open_stage(workspace, &login).await? {
            Some(Stage::Lost { .. } | Stage::Missed { .. }) => (login, Behind::Login(account.grant)),
            _ => (root, behind),
        })
    }

    async fn missed_behind(&mut self, workspace: WorkspaceId, behind: Behind) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = match behind {
            Behind::Login(grant) => {
                self.row(
                    "select count(distinct d.post_id) from deliveries d join accounts a on a.id = d.account_id \
                     where d.workspace_id = $1 and d.state = 'missed' and a.grant_id = $2",
                    args![workspace, grant],
                )
                .await?
            }
            Behind::Account(account) => {
                self.row(
                    "select count(distinct post_id) from deliveries where workspace_id = $1 and state = 'missed' and account_id = $2",
                    args![workspace, account],
                )
                .await?
            }
            Behind::Platform(platform) => {
                let why = json("deliveries", &MissedWhy::PlatformDown)?;
                self.row(
                    "select count(distinct post_id) from deliveries where workspace_id = $1 and state = 'missed' and platform = $2 \
                     and detail like '%' || $3 || '%'",
                    args![workspace, platform.code(), why],
                )
                .await?
            }
        };
        Ok(row.map_or(0, |row| u32::try_from(row.0).unwrap_or(u32::MAX)))
    }

    /// When something was last sent to an account within the day before `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_sent(&mut self, account: AccountId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(Option<i64>,)> = self
            .row(
                "select max(t.sent_at) from deliveries d join publish_attempts t on t.delivery_id = d.id \
                 where d.account_id = $1 and d.due_at > $2 and d.due_at <= $3 and t.kind = 'commit'",
                args![account, now - domain::time::days(1), now],
            )
            .await?;
        Ok(row.and_then(|row| row.0).map(Timestamp))
    }

    /// Limits that hold at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn limits(&mut self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let rows: Vec<(String, i64)> = self.rows("select subject, until from limits where until > $1", args![now]).await?;
        Ok(rows.into_iter().map(|(subject, until)| (subject, Timestamp(until))).collect())
    }
}

impl Store {
    /// Ends the leases of this process's own earlier life at once. Its id is locked, so nobody else holds them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reclaim_deliveries(&self, holder: NodeId) -> Result<u64, StoreError> {
        self.run("update deliveries set lease_until = $2 where lease_id is not null and lease_holder = $1", args![holder, Timestamp(0)])
            .await
    }

    /// Holds a lease for longer.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else holds the delivery now.
    pub async fn keep_delivery(&self, delivery: DeliveryId, lease: LeaseId, until: Timestamp) -> Result<(), StoreError> {
        match self.run("update deliveries set lease_until = $3 where id = $1 and lease_id = $2", args![delivery, lease, until]).await? {
            0 => Err(StoreError::LeaseLost),
            _ => Ok(()),
        }
    }

    /// Numbers an event for each workspace in which posts have changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce_posts(&self, workspaces: &BTreeSet<WorkspaceId>, now: Timestamp) -> Result<(), StoreError> {
        if workspaces.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for workspace in workspaces {
            tx.event(*workspace, EventKind::Posts, now).await?;
        }
        tx.commit().await
    }

    /// The workspaces in which a delivery moved since `from`.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn changed_since(&self, from: Timestamp) -> Result<BTreeSet<WorkspaceId>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = self.rows("select distinct workspace_id from deliveries where updated_at >= $1", args![from]).await?;
        rows.into_iter().map(|row| id_bytes("deliveries", &row.0).map(WorkspaceId)).collect()
    }

    /// Whether there is something to claim; an idle process asks no more than this.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_due(&self, platform: Platform, unclear: bool, now: Timestamp, wall: Timestamp) -> Result<bool, StoreError> {
        let sql = if unclear {
            "select 1 as one from deliveries where platform = $1 and work_at is not null and work_at <= $2 \
             and state in ('committing', 'confirming') and (lease_id is null or lease_until <= $3) limit 1"
        } else {
            "select 1 as one from deliveries where platform = $1 and work_at is not null and work_at <= $2 \
             and state not in ('committing', 'confirming') and (lease_id is null or lease_until <= $3) limit 1"
        };
        let row: Option<(i32,)> = self.row(sql, args![platform.code(), now, wall]).await?;
        Ok(row.is_some())
    }

    /// The results of steps done for a delivery, in order: number, kind, result.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn steps(&self, delivery: DeliveryId) -> Result<Vec<(i64, String, String)>, StoreError> {
        self.rows("select number, kind, result from delivery_steps where delivery_id = $1 order by number", args![delivery]).await
    }

    /// Which of an account's remote ids are bound to other deliveries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_bound(&self, account: AccountId, remote_id: &str, except: DeliveryId) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self
            .row("select count(*) from deliveries where account_id = $1 and remote_id = $2 and id <> $3", args![account, remote_id, except])
            .await?;
        Ok(row.is_some_and(|row| row.0 > 0))
    }

    /// Whether another delivery to the same account may have made a post with the same words (but for white space) that is
    /// bound to none: one of unknown outcome, or one that is there by a person's word `since` a moment.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn has_twin(&self, account: AccountId, text: &str, since: Timestamp, except: DeliveryId) -> Result<bool, StoreError> {
        let rows: Vec<(String,)> = self
            .rows(
                "select r.content from deliveries d join post_revisions r on r.id = d.revision_id \
                 where d.account_id = $1 and d.id <> $2 and (d.state in ('committing', 'confirming', 'unconfirmed', 'processing') \
                   or (d.state = 'published' and d.remote_id is null and d.published_at >= $3))",
                args![account, except, since],
            )
            .await?;
        for (content,) in rows {
            if crate::posts::content(&content)?.text.split_whitespace().eq(text.split_whitespace()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How a delivery is now, and under which lease.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn delivery_state(&self, delivery: DeliveryId) -> Result<Option<(DeliveryState, Option<LeaseId>)>, StoreError> {
        let row: Option<(String, Option<Vec<u8>>)> =
            self.row("select detail, lease_id from deliveries where id = $1", args![delivery]).await?;
        let Some((detail, lease)) = row else { return Ok(None) };
        let lease = lease.map(|lease| id_bytes("deliveries", &lease)).transpose()?.map(LeaseId);
        Ok(Some((parsed("deliveries", &detail)?, lease)))
    }

    /// When the publisher is needed next (world time). What is held by an earlier post or another's lease is looked at
    /// again when that can have ended, not before: an idle process stays idle.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_delivery(&self, now: Timestamp, wall: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut next: Option<Timestamp> = None;
        for platform in Platform::ALL {
            let row: Option<(Option<i64>,)> = self
                .row(
                    "select min(work_at) from deliveries where platform = $1 and work_at is not null and work_at > $2",
                    args![platform.code(), now],
                )
                .await?;
            next = earlier(next, row.and_then(|row| row.0).map(Timestamp));
            let due: Vec<(i64, Option<i64>, bool)> = self
                .rows(
                    "select d.due_at, d.lease_until, (d.state in ('scheduled', 'waiting') and d.due_at <= $2 and d.due_at > $3 and exists ( \
                       select 1 from deliveries e where e.account_id = d.account_id and e.work_at is not null and e.due_at < d.due_at \
                       and e.state in ('scheduled', 'preparing', 'committing', 'confirming', 'waiting'))) as held \
                     from deliveries d where d.platform = $1 and d.work_at is not null and d.work_at <= $2 \
                     order by d.work_at, d.due_at, d.id limit 100",
                    args![platform.code(), now, now - ORDER_WAIT],
                )
                .await?;
            for (due_at, lease_until, is_held) in due {
                let at = match lease_until {
                    Some(until) if until > wall.0 => now + std::time::Duration::from_secs(1),
                    _ if is_held => Timestamp(due_at) + ORDER_WAIT,
                    _ => now,
                };
                next = earlier(next, Some(at));
            }
        }
        Ok(next)
    }

    /// Drops limits that have passed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_limits(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.run("delete from limits where until < $1", args![now]).await
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// What came due while we were off, for one delivery.
#[derive(Debug, Clone)]
pub struct CameDue {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Which.
    pub delivery: DeliveryId,
    /// How it is.
    pub state: DeliveryState,
    /// Whether it is too late to go out by itself.
    pub is_too_late: bool,
}

impl Tx {
    /// What was to be sent between two moments and was not.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn came_due(&mut self, from: Timestamp, until: Timestamp) -> Result<Vec<CameDue>, StoreError> {
        type Row = (Vec<u8>, Vec<u8>, String, i64, i64);
        let rows: Vec<Row> = self
            .rows(
                "select d.workspace_id, d.id, d.detail, d.due_at, a.late_at_most from deliveries d join accounts a on a.id = d.account_id \
                 where d.work_at is not null and d.due_at > $1 and d.due_at <= $2 and d.state in ('scheduled', 'awaiting_approval', 'waiting') \
                 order by d.workspace_id, d.due_at",
                args![from, until],
            )
            .await?;
        rows.into_iter()
            .map(|(workspace, delivery, detail, due_at, late)| {
                let late = u64::try_from(late).map_or(LATE_AT_MOST, std::time::Duration::from_secs);
                Ok(CameDue {
                    workspace: WorkspaceId(id_bytes("deliveries", &workspace)?),
                    delivery: DeliveryId(id_bytes("deliveries", &delivery)?),
                    state: parsed("deliveries", &detail)?,
                    is_too_late: Timestamp(due_at) + late < until,
                })
            })
            .collect()
    }

    /// Marks what is too late after our absence as missed.
    ///
    /// # Errors
    /// When the database fails, or the delivery is another state by now.
    pub async fn miss_after_absence(
        &mut self,
        late: &CameDue,
        missed: &DeliveryState,
        line: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let count = self
            .run(
                "update deliveries set state = $2, detail = $3, work_at = null, updated_at = $4, lease_id = null, lease_until = null, \
                 lease_holder = null where id = $1 and state = $5",
                args![late.delivery, missed.code(), json("deliveries", missed)?, now, late.state.code()],
            )
            .await?;
        if count != 1 {
            return Err(StoreError::Changed);
        }
        self.record(late.workspace, late.delivery, 0, line).await
    }

    /// Whether missed posts of this reason still wait for a decision in a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_missed(&mut self, workspace: WorkspaceId, why: MissedWhy) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from deliveries where workspace_id = $1 and state = 'missed' and detail like '%' || $2 || '%'",
                args![workspace, json("deliveries", &why)?],
            )
            .await?;
        Ok(row.ok_or_else(|| contradiction("deliveries", "no count"))?.0 > 0)
    }
}
