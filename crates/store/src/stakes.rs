//! What is at stake: posts planned and missed, per account and per login.

use domain::delivery::MissedWhy;
use domain::id::{AccountId, GrantId, PostId, WorkspaceId};
use domain::platform::Platform;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::Store;
use crate::error::StoreError;
use crate::records::{at, count, id_bytes, json};

/// Posts, and the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stake {
    /// How many.
    pub posts: u32,
    /// When the first is due.
    pub first: Option<Timestamp>,
}

/// What one account has planned and missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountStake {
    /// Planned posts.
    pub planned: Stake,
    /// Missed posts that wait for a decision.
    pub missed: u32,
}

#[derive(FromRow)]
struct StakeRow {
    posts: i64,
    first: Option<i64>,
}

impl From<StakeRow> for Stake {
    fn from(row: StakeRow) -> Self {
        Self { posts: count(row.posts), first: at(row.first) }
    }
}

fn one(row: Option<StakeRow>) -> Stake {
    row.map(Stake::from).unwrap_or_default()
}

macro_rules! planned {
    () => {
        "('awaiting_approval', 'scheduled', 'preparing', 'waiting')"
    };
}

impl Store {
    /// What every account of a workspace has planned and missed; accounts with neither are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_stakes(&self, workspace: WorkspaceId) -> Result<Vec<(AccountId, AccountStake)>, StoreError> {
        const SQL: &str = concat!(
            "select account_id, cast(sum(case when state = 'missed' then 0 else 1 end) as bigint) as planned, ",
            "min(case when state = 'missed' then null else due_at end) as first, ",
            "cast(sum(case when state = 'missed' then 1 else 0 end) as bigint) as missed ",
            "from deliveries where workspace_id = $1 and (state in ",
            planned!(),
            " or state = 'missed') group by account_id"
        );
        let rows: Vec<(Vec<u8>, i64, Option<i64>, i64)> = self.rows(SQL, args![workspace]).await?;
        rows.into_iter()
            .map(|(account, planned, first, missed)| {
                let stake = AccountStake { planned: Stake { posts: count(planned), first: at(first) }, missed: count(missed) };
                Ok((AccountId(id_bytes("deliveries", &account)?), stake))
            })
            .collect()
    }

    /// Posts planned for an account at or after `from`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stake_of_account(&self, workspace: WorkspaceId, account: AccountId, from: Timestamp) -> Result<Stake, StoreError> {
        const SQL: &str = concat!(
            "select count(*) as posts, min(due_at) as first from deliveries where workspace_id = $1 and account_id = $2 and due_at >= $3 ",
            "and state in ",
            planned!()
        );
        Ok(one(self.row(SQL, args![workspace, account, from]).await?))
    }

    /// The posts planned for an account at or after `from`, next first, at most `most`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn planned_posts_of_account(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        from: Timestamp,
        most: i64,
    ) -> Result<Vec<(PostId, Timestamp)>, StoreError> {
        const SQL: &str = concat!(
            "select post_id, due_at from deliveries where workspace_id = $1 and account_id = $2 and due_at >= $3 and state in ",
            planned!(),
            " order by due_at, id limit $4"
        );
        let rows: Vec<(Vec<u8>, i64)> = self.rows(SQL, args![workspace, account, from, most]).await?;
        rows.into_iter().map(|(post, due)| Ok((PostId(id_bytes("deliveries", &post)?), Timestamp(due)))).collect()
    }

    /// Posts, each once, planned at or after `from` for accounts behind a login.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stake_of_login(&self, workspace: WorkspaceId, grant: GrantId, from: Timestamp) -> Result<Stake, StoreError> {
        const SQL: &str = concat!(
            "select count(distinct d.post_id) as posts, min(d.due_at) as first from deliveries d join accounts a on a.id = d.account_id ",
            "where d.workspace_id = $1 and a.grant_id = $2 and d.due_at >= $3 and d.state in ",
            planned!()
        );
        Ok(one(self.row(SQL, args![workspace, grant, from]).await?))
    }

    /// Posts, each once, that were missed on accounts behind a login and wait for a decision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_of_login(&self, workspace: WorkspaceId, grant: GrantId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(distinct d.post_id) from deliveries d join accounts a on a.id = d.account_id \
                 where d.workspace_id = $1 and a.grant_id = $2 and d.state = 'missed'",
                args![workspace, grant],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }

    /// Posts that were missed on an account and wait for a decision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_of_account(&self, workspace: WorkspaceId, account: AccountId) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select count(*) from deliveries where workspace_id = $1 and account_id = $2 and state = 'missed'",
                args![workspace, account],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }

    /// Posts, each once, that wait for a platform, and missed ones of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held_up(&self, workspace: WorkspaceId, platform: Platform) -> Result<(u32, u32), StoreError> {
        let why = json("deliveries", &MissedWhy::PlatformDown)?;
        let waiting: Option<(i64,)> = self
            .row(
                "select count(distinct post_id) from deliveries where workspace_id = $1 and platform = $2 and state = 'waiting'",
                args![workspace, platform.code()],
            )
            .await?;
        let missed: Option<(i64,)> = self
            .row(
                "select count(distinct post_id) from deliveries where workspace_id = $1 and platform = $2 and state = 'missed' \
                 and detail like '%' || $3 || '%'",
                args![workspace, platform.code(), why],
            )
            .await?;
        Ok((waiting.map_or(0, |row| count(row.0)), missed.map_or(0, |row| count(row.0))))
    }

    /// Posts, each once, that came due between two moments, and how many of them were missed and wait for a decision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_between(&self, workspace: WorkspaceId, from: Timestamp, until: Timestamp) -> Result<(u32, u32), StoreError> {
        let due: Option<(i64,)> = self
            .row(
                "select count(distinct post_id) from deliveries where workspace_id = $1 and due_at >= $2 and due_at <= $3 \
                 and state <> 'canceled'",
                args![workspace, from, until],
            )
            .await?;
        let missed: Option<(i64,)> = self
            .row(
                "select count(distinct post_id) from deliveries where workspace_id = $1 and due_at >= $2 and due_at <= $3 \
                 and state = 'missed'",
                args![workspace, from, until],
            )
            .await?;
        Ok((due.map_or(0, |row| count(row.0)), missed.map_or(0, |row| count(row.0))))
    }

    /// When posts are planned, per account, between two moments: the ticks of the login lines.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn planned_moments(
        &self,
        workspace: WorkspaceId,
        from: Timestamp,
        until: Timestamp,
        most: i64,
    ) -> Result<Vec<(AccountId, Timestamp)>, StoreError> {
        const SQL: &str = concat!(
            "select account_id, due_at from deliveries where workspace_id = $1 and due_at >= $2 and due_at <= $3 and state in ",
            planned!(),
            " order by due_at limit $4"
        );
        let rows: Vec<(Vec<u8>, i64)> = self.rows(SQL, args![workspace, from, until, most]).await?;
        rows.into_iter().map(|(account, due)| Ok((AccountId(id_bytes("deliveries", &account)?), Timestamp(due)))).collect()
    }
}
