//! One thin layer over the two databases: typed pools, one argument enum, one SQL text.

use std::panic::Location;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use cuts::{Cut, cut};
use domain::id::WorkspaceId;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgArguments, PgListener, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Connection, FromRow, Postgres, SqlStr, Sqlite, Transaction};
use tokio::sync::broadcast;

use crate::error::StoreError;

/// An argument of a statement. `NULL` is the `None` of its type.
#[derive(Debug, Clone)]
pub enum Arg {
    /// Text.
    Text(Option<String>),
    /// A 64-bit number.
    Int(Option<i64>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// Yes or no.
    Bool(Option<bool>),
}

macro_rules! arg_from {
    ($($variant:ident: $($from:ty => |$value:ident| $to:expr),+;)+) => {$($(
        impl From<$from> for Arg {
            fn from($value: $from) -> Self {
                Self::$variant(Some($to))
            }
        }
        impl From<Option<$from>> for Arg {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$value| $to))
            }
        }
    )+)+};
}

arg_from! {
    Text: String => |v| v, &str => |v| v.to_owned(), &String => |v| v.clone();
    Int: i64 => |v| v, u32 => |v| i64::from(v), i32 => |v| i64::from(v), Timestamp => |v| v.0;
    Bytes: Vec<u8> => |v| v, &[u8] => |v| v.to_vec(), [u8; 16] => |v| v.to_vec(), [u8; 32] => |v| v.to_vec();
    Bool: bool => |v| v;
}

macro_rules! arg_from_ids {
    ($($id:ident),+ $(,)?) => {$(
        impl From<domain::id::$id> for Arg {
            fn from(id: domain::id::$id) -> Self {
                Self::Bytes(Some(id.bytes().to_vec()))
            }
        }
        impl From<Option<domain::id::$id>> for Arg {
            fn from(id: Option<domain::id::$id>) -> Self {
                Self::Bytes(id.map(|id| id.bytes().to_vec()))
            }
        }
    )+};
}

arg_from_ids!(
    WorkspaceId,
    PersonId,
    SessionId,
    PlatformAppId,
    GrantId,
    ConsentId,
    AccountId,
    PostId,
    RevisionId,
    DeliveryId,
    AttemptId,
    LeaseId,
    MediaId,
    ThreadId,
    EntryId,
    OutboxId,
    CatchUpId,
    NodeId,
);

/// The arguments of a statement: `args![id, now, "text"]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Arg::from($value)),*][..] };
}

/// A row that can be read from both databases: anything that derives `sqlx::FromRow` over text, `i64`, bytes and `bool`.
pub trait DbRow: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> DbRow for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// The address of the database that changed: a workspace and the number of its newest event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Number of its newest event.
    pub seq: i64,
}

#[derive(Debug, Clone)]
enum Pools {
    /// One writer, several readers.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    announce: broadcast::Sender<Announced>,
}

/// Number, name and text of each migration. The two lists have the same numbers; a published one never changes.
type Migrations = &'static [(i64, &'static str, &'static str)];
const SQLITE_MIGRATIONS: Migrations = &[(1, "start", include_str!("../migrations/sqlite/0001_start.sql"))];
const POSTGRES_MIGRATIONS: Migrations = &[(1, "start", include_str!("../migrations/postgres/0001_start.sql"))];

/// Made at run time because `sqlx::migrate!` would compile both drivers a second time for the macro.
fn migrations(list: Migrations) -> Migrator {
    let each = |&(number, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(number, name.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(list.iter().map(each).collect())
}

/// A server may be told to answer a commit before it is on disk. After a crash of that server an intent to send would be
/// gone while its request has left: our commits wait.
const DURABLE: &str = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

/// PostgreSQL's channel for announcements between processes.
const CHANNEL: &str = "stayposted";

fn sqlite_query<'q>(sql: &'static str, args: &[Arg]) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    args.iter().cloned().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Text(value) => query.bind(value),
        Arg::Int(value) => query.bind(value),
        Arg::Bytes(value) => query.bind(value),
        Arg::Bool(value) => query.bind(value),
    })
}

fn pg_query<'q>(sql: &'static str, args: &[Arg]) -> sqlx::query::Query<'q, Postgres, PgArguments> {
    args.iter().cloned().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Text(value) => query.bind(value),
        Arg::Int(value) => query.bind(value),
        Arg::Bytes(value) => query.bind(value),
        Arg::Bool(value) => query.bind(value),
    })
}

fn read_all<R, T>(rows: &[R]) -> Result<Vec<T>, StoreError>
where
    R: sqlx::Row,
    T: for<'r> FromRow<'r, R>,
{
    Ok(rows.iter().map(T::from_row).collect::<Result<_, _>>()?)
}

impl Store {
    /// Opens the SQLite file, makes it if needed, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated.
    pub async fn open_sqlite(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A lost "published" row would mean posting twice: a commit is on disk when it returns.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // When the disk is full SQLite ends a transaction by itself; the driver does not notice and believes for ever
            // that it runs. Such a connection makes room for a new one.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        migrations(SQLITE_MIGRATIONS).run(&writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        Ok(Self::with(Pools::Sqlite { writer, readers }))
    }

    /// Connects to PostgreSQL and brings its schema up to date.
    ///
    /// # Errors
    /// When the address is wrong, the server cannot be reached, or the schema cannot be migrated.
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options =
            sqlx::postgres::PgConnectOptions::from_str(url).map_err(|_| StoreError::BadAddress("not a postgres:// address".to_owned()))?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(|connection, _| Box::pin(async move { sqlx::query(DURABLE).execute(connection).await.map(drop) }))
            .connect_with(options)
            .await?;
        migrations(POSTGRES_MIGRATIONS).run(&pool).await?;
        Ok(Self::with(Pools::Postgres(pool)))
    }

    fn with(pools: Pools) -> Self {
        Self { pools, announce: broadcast::channel(1024).0 }
    }

    /// The database's own time; none on SQLite, which has no other than this machine's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let row: Option<(i64,)> = self.row("select (extract(epoch from clock_timestamp()) * 1000000)::bigint", &[]).await?;
        Ok(row.map(|row| Timestamp(row.0)))
    }

    /// Whether this is PostgreSQL, where several processes may share the work.
    pub fn is_shared(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Announcements of committed events, from this process and, on PostgreSQL, from the others (see [`Store::relay`]).
    pub fn announcements(&self) -> broadcast::Receiver<Announced> {
        self.announce.subscribe()
    }

    /// Passes on what other processes announce, until the connection breaks. SQLite has no other processes: returns at once.
    ///
    /// # Errors
    /// When the connection cannot be made or breaks; the caller waits and calls again. Polling covers the gap.
    pub async fn relay(&self) -> Result<(), StoreError> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(()) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            let notice = listener.recv().await?;
            let parsed = notice
                .payload()
                .split_once(' ')
                .and_then(|(workspace, seq)| Some(Announced { workspace: workspace.parse().ok()?, seq: seq.parse().ok()? }));
            if let Some(announced) = parsed {
                let _ = self.announce.send(announced);
            }
        }
    }

    /// Starts a write transaction. On SQLite it holds the one writer (`BEGIN IMMEDIATE`): never await the network inside.
    ///
    /// # Errors
    /// When no connection can be had.
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Tx, StoreError>> + Send {
        self.begin_for(Location::caller())
    }

    async fn begin_for(&self, place: &'static Location<'static>) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.begin_with("begin immediate").await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner, announce: self.announce.clone(), announced: Vec::new(), place })
    }

    /// Reads rows outside a transaction.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn rows<T: DbRow>(&self, sql: &'static str, args: &[Arg]) -> Result<Vec<T>, StoreError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => read_all(&sqlite_query(sql, args).fetch_all(readers).await?),
            Pools::Postgres(pool) => read_all(&pg_query(sql, args).fetch_all(pool).await?),
        }
    }

    /// Reads at most one row outside a transaction.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub async fn row<T: DbRow>(&self, sql: &'static str, args: &[Arg]) -> Result<Option<T>, StoreError> {
        Ok(self.rows(sql, args).await?.pop())
    }

    /// One write in a transaction of its own; returns how many rows it changed.
    ///
    /// # Errors
    /// When the database fails.
    #[track_caller]
    pub fn run(&self, sql: &'static str, args: &[Arg]) -> impl Future<Output = Result<u64, StoreError>> + Send {
        let place = Location::caller();
        async move {
            let mut tx = self.begin_for(place).await?;
            let changed = tx.run(sql, args).await?;
            tx.commit().await?;
            Ok(changed)
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A write transaction; rolled back when dropped.
pub struct Tx {
    inner: Inner,
    announce: broadcast::Sender<Announced>,
    announced: Vec<Announced>,
    /// Who began it: the name of its cuts.
    place: &'static Location<'static>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    /// Whether rows must be locked by hand (`for update`): SQLite has one writer anyway.
    pub fn is_shared(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// Reads rows, also those of a `returning`.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn rows<T: DbRow>(&mut self, sql: &'static str, args: &[Arg]) -> Result<Vec<T>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(tx) => read_all(&sqlite_query(sql, args).fetch_all(&mut **tx).await?),
            Inner::Postgres(tx) => read_all(&pg_query(sql, args).fetch_all(&mut **tx).await?),
        }
    }

    /// Reads at most one row.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn row<T: DbRow>(&mut self, sql: &'static str, args: &[Arg]) -> Result<Option<T>, StoreError> {
        Ok(self.rows(sql, args).await?.pop())
    }

    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run(&mut self, sql: &'static str, args: &[Arg]) -> Result<u64, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => sqlite_query(sql, args).execute(&mut **tx).await?.rows_affected(),
            Inner::Postgres(tx) => pg_query(sql, args).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Numbers an event inside this transaction; open pages hear of it when it has committed.
    /// The update of the workspace's counter makes numbers appear in the order of commits.
    ///
    /// # Errors
    /// When the database fails, or there is no such workspace.
    pub async fn event(&mut self, workspace: WorkspaceId, kind: EventKind, now: Timestamp) -> Result<i64, StoreError> {
        let counted: Option<(i64,)> =
            self.row("update workspaces set event_seq = event_seq + 1 where id = $1 returning event_seq", args![workspace]).await?;
        let (seq,) = counted.ok_or(StoreError::Changed)?;
        self.run("insert into events (workspace_id, seq, kind, at) values ($1, $2, $3, $4)", args![workspace, seq, kind.code(), now])
            .await?;
        self.announced.push(Announced { workspace, seq });
        Ok(seq)
    }

    /// Commits; then tells open pages of the events.
    ///
    /// # Errors
    /// When the commit fails. Its outcome is then unknown: read before writing again.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.is_shared() {
            for announced in std::mem::take(&mut self.announced) {
                // Delivered to every listener, this process included, when the transaction has committed.
                let payload = format!("{} {}", announced.workspace, announced.seq);
                self.run("select pg_notify($1, $2)", args![CHANNEL, payload]).await?;
                self.announced.push(announced);
            }
        }
        cut(Cut::BeforeCommit, self.place);
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        cut(Cut::AfterCommit, self.place);
        for announced in self.announced {
            // Nobody listening is fine.
            let _ = self.announce.send(announced);
        }
        Ok(())
    }
}
