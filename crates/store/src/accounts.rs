//! What we post to.

use domain::account::AccountState;
use domain::cause::Verdict;
use domain::id::{AccountId, GrantId, WorkspaceId};
use domain::platform::Platform;
use domain::summary::accounts::Health;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Arg, Store, Tx};
use crate::error::{StoreError, contradiction};
use crate::records::{at, id_bytes, json, parsed, platform};

/// What an account is once and for all; these find it again when it is written back.
macro_rules! fixed {
    () => {
        "id, workspace_id, platform, remote_id"
    };
}

/// What becomes of it, in the order of [`Account::written`].
macro_rules! changing {
    () => {
        "grant_id, name, handle, picture, boards, state, since, cause, verdict, is_paused, last_good_at, late_at_most, linked_at"
    };
}

macro_rules! columns {
    () => {
        concat!(fixed!(), ", ", changing!())
    };
}

/// The places of [`changing`] among the arguments.
macro_rules! places {
    () => {
        "$5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17"
    };
}

const TABLE: &str = "accounts";

/// An account. Its own token, where it has one, is read by [`Store::account_token`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Id.
    pub id: AccountId,
    /// Whose.
    pub workspace: WorkspaceId,
    /// The login it stands on.
    pub grant: GrantId,
    /// Where.
    pub platform: Platform,
    /// The platform's id of it.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// Its handle without `@`.
    pub handle: Option<String>,
    /// Address of its picture.
    pub picture: Option<String>,
    /// JSON list of the places inside it.
    pub boards: String,
    /// How it is. A pause shows only where nothing worse stands in the way; `is_paused` tells in any case.
    pub state: AccountState,
    /// What the platform said when it was blocked.
    pub verdict: Option<Verdict>,
    /// Whether a person paused posting.
    pub is_paused: bool,
    /// When a call last worked.
    pub last_good_at: Option<Timestamp>,
    /// How late a delivery may go out, in seconds.
    pub late_at_most: i64,
    /// When it was linked.
    pub linked_at: Timestamp,
}

impl Account {
    /// Whether it was taken out.
    pub fn is_unlinked(&self) -> bool {
        self.state == AccountState::Unlinked
    }

    /// Since when posting to it is blocked by the platform.
    pub const fn blocked_since(&self) -> Option<Timestamp> {
        match self.state {
            AccountState::Blocked { since, .. } | AccountState::Gone { since } => Some(since),
            _ => None,
        }
    }
}

#[derive(FromRow)]
struct AccountRow {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    grant_id: Vec<u8>,
    platform: String,
    remote_id: String,
    name: String,
    handle: Option<String>,
    picture: Option<String>,
    boards: String,
    state: String,
    since: Option<i64>,
    cause: Option<String>,
    verdict: Option<String>,
    is_paused: bool,
    last_good_at: Option<i64>,
    late_at_most: i64,
    linked_at: i64,
}

fn state_of(row: &AccountRow) -> Result<AccountState, StoreError> {
    let missing = || contradiction(TABLE, format!("{} without its columns", row.state));
    Ok(match row.state.as_str() {
        "ok" if row.is_paused => AccountState::Paused { since: at(row.since).unwrap_or(Timestamp(row.linked_at)) },
        "ok" => AccountState::Ok,
        "blocked" => AccountState::Blocked {
            since: at(row.since).ok_or_else(missing)?,
            cause: parsed(TABLE, row.cause.as_deref().ok_or_else(missing)?)?,
        },
        "gone" => AccountState::Gone { since: at(row.since).ok_or_else(missing)? },
        "unlinked" => AccountState::Unlinked,
        other => return Err(contradiction(TABLE, other)),
    })
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;
    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: AccountId(id_bytes(TABLE, &row.id)?),
            workspace: WorkspaceId(id_bytes(TABLE, &row.workspace_id)?),
            grant: GrantId(id_bytes(TABLE, &row.grant_id)?),
            platform: platform(TABLE, &row.platform)?,
            state: state_of(&row)?,
            verdict: row.verdict.as_deref().map(|text| parsed(TABLE, text)).transpose()?,
            is_paused: row.is_paused,
            last_good_at: at(row.last_good_at),
            late_at_most: row.late_at_most,
            linked_at: Timestamp(row.linked_at),
            remote_id: row.remote_id,
            name: row.name,
            handle: row.handle,
            picture: row.picture,
            boards: row.boards,
        })
    }
}

/// A state as its columns: name, since, cause. `Paused` is the flag beside `ok`.
fn state_columns(state: AccountState) -> Result<(&'static str, Option<Timestamp>, Option<String>), StoreError> {
    Ok(match state {
        AccountState::Ok => ("ok", None, None),
        AccountState::Paused { since } => ("ok", Some(since), None),
        AccountState::Blocked { since, cause } => ("blocked", Some(since), Some(json(TABLE, &cause)?)),
        AccountState::Gone { since } => ("gone", Some(since), None),
        AccountState::Unlinked => ("unlinked", None, None),
    })
}

impl Account {
    /// Everything of an account that is written, in the order of `fixed` and `changing`.
    fn written(&self) -> Result<Vec<Arg>, StoreError> {
        let (state, since, cause) = state_columns(self.state)?;
        let verdict = self.verdict.as_ref().map(|verdict| json(TABLE, verdict)).transpose()?;
        Ok(args![
            self.id,
            self.workspace,
            self.platform.code(),
            &self.remote_id,
            self.grant,
            &self.name,
            self.handle.clone(),
            self.picture.clone(),
            &self.boards,
            state,
            since,
            cause,
            verdict,
            self.is_paused,
            self.last_good_at,
            self.late_at_most,
            self.linked_at,
        ]
        .to_vec())
    }
}

const fn health_code(health: Health) -> &'static str {
    match health {
        Health::NoData => "no_data",
        Health::Fine => "fine",
        Health::Handled => "handled",
        Health::CouldNotPost => "could_not_post",
    }
}

/// The number of the day (UTC) of a moment, as `account_days` counts.
pub const fn day_of(moment: Timestamp) -> i64 {
    moment.0.div_euclid(86_400_000_000)
}

impl Store {
    /// An account of a workspace, taken out or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&self, workspace: WorkspaceId, id: AccountId) -> Result<Option<Account>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from accounts where id = $1 and workspace_id = $2");
        let row: Option<AccountRow> = self.row(SQL, args![id, workspace]).await?;
        row.map(Account::try_from).transpose()
    }

    /// All accounts of a workspace that are not taken out, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self, workspace: WorkspaceId) -> Result<Vec<Account>, StoreError> {
        const SQL: &str =
            concat!("select ", columns!(), " from accounts where workspace_id = $1 and state <> 'unlinked' order by name, id");
        let rows: Vec<AccountRow> = self.rows(SQL, args![workspace]).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// The accounts behind a login, by name; those taken out too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_of(&self, workspace: WorkspaceId, grant: GrantId) -> Result<Vec<Account>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from accounts where grant_id = $1 and workspace_id = $2 order by name, id");
        let rows: Vec<AccountRow> = self.rows(SQL, args![grant, workspace]).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// The sealed token of an account's own, if it has one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_token(&self, workspace: WorkspaceId, id: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.row("select access from accounts where id = $1 and workspace_id = $2", args![id, workspace]).await?;
        Ok(row.and_then(|row| row.0))
    }

    /// How the days of an account were from day number `from` on, where something was noted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_days(&self, account: AccountId, from: i64) -> Result<Vec<(i64, Health)>, StoreError> {
        let rows: Vec<(i64, String)> = self
            .rows("select day, health from account_days where account_id = $1 and day >= $2 order by day", args![account, from])
            .await?;
        rows.into_iter()
            .map(|(day, code)| {
                [Health::NoData, Health::Fine, Health::Handled, Health::CouldNotPost]
                    .into_iter()
                    .find(|health| health_code(*health) == code)
                    .map(|health| (day, health))
                    .ok_or_else(|| contradiction("account_days", code))
            })
            .collect()
    }
}

impl Tx {
    /// An account of a workspace, taken out or not. Whoever writes it back holds its login (see [`Tx::lock_grant`]).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&mut self, workspace: WorkspaceId, id: AccountId) -> Result<Option<Account>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from accounts where id = $1 and workspace_id = $2");
        let row: Option<AccountRow> = self.row(SQL, args![id, workspace]).await?;
        row.map(Account::try_from).transpose()
    }

    /// The account that stands for this place at the platform, taken out or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_remote(
        &mut self,
        workspace: WorkspaceId,
        platform: Platform,
        remote_id: &str,
    ) -> Result<Option<Account>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from accounts where workspace_id = $1 and platform = $2 and remote_id = $3");
        let row: Option<AccountRow> = self.row(SQL, args![workspace, platform.code(), remote_id]).await?;
        row.map(Account::try_from).transpose()
    }

    /// The accounts behind a login that are not taken out, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn linked_accounts(&mut self, workspace: WorkspaceId, grant: GrantId) -> Result<Vec<Account>, StoreError> {
        const SQL: &str = concat!(
            "select ",
            columns!(),
            " from accounts where grant_id = $1 and workspace_id = $2 and state <> 'unlinked' order by name, id"
        );
        let rows: Vec<AccountRow> = self.rows(SQL, args![grant, workspace]).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::is_duplicate`] when the place at the platform is an account of this workspace already.
    pub async fn add_account(&mut self, account: &Account) -> Result<(), StoreError> {
        const SQL: &str = concat!("insert into accounts (", columns!(), ") values ($1, $2, $3, $4, ", places!(), ")");
        self.run(SQL, &account.written()?).await?;
        Ok(())
    }

    /// Writes an account back.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when it is no longer there.
    pub async fn save_account(&mut self, account: &Account) -> Result<(), StoreError> {
        const SQL: &str = concat!(
            "update accounts set (",
            changing!(),
            ") = (",
            places!(),
            ") where id = $1 and workspace_id = $2 and platform = $3 and remote_id = $4"
        );
        let changed = self.run(SQL, &account.written()?).await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Stores the sealed token of an account's own, or that it has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_account_token(&mut self, account: AccountId, sealed: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.run("update accounts set access = $2 where id = $1", args![account, sealed]).await?;
        Ok(())
    }

    /// Notes how a day of an account was; the worst of a day stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_health(&mut self, account: AccountId, day: i64, health: Health) -> Result<(), StoreError> {
        self.run(
            "insert into account_days (account_id, day, health) values ($1, $2, $3) on conflict (account_id, day) do update \
             set health = case when account_days.health = 'could_not_post' then account_days.health else excluded.health end",
            args![account, day, health_code(health)],
        )
        .await?;
        Ok(())
    }

    /// Notes every day from `since` to `until` as one on which an account could not post, at most the last 120.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_outage(&mut self, account: AccountId, since: Timestamp, until: Timestamp) -> Result<(), StoreError> {
        let last = day_of(until);
        for day in day_of(since).max(last - 120)..=last {
            self.note_health(account, day, Health::CouldNotPost).await?;
        }
        Ok(())
    }
}
