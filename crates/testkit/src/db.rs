//! A fresh database of each kind. SQLite always; PostgreSQL when `STAYPOSTED_TEST_POSTGRES_URL` names a server on which
//! databases may be made (`cargo xtask test` starts one).

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::Store;

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A fresh database, gone with the process's temporary folder (SQLite) or with the temporary server (PostgreSQL).
#[derive(Debug)]
pub struct Fresh {
    /// The open database.
    pub store: Store,
    /// "sqlite" or "postgres", for messages.
    pub kind: &'static str,
    folder: Option<PathBuf>,
    /// The address of the PostgreSQL database.
    url: Option<String>,
}

impl Fresh {
    /// The same database as another process opens it: with connections and announcements of its own.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn elsewhere(&self) -> Store {
        open(&self.address()).await
    }

    /// Where another process finds it ([`open`]).
    ///
    /// # Panics
    /// When it has no place.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
    pub fn address(&self) -> String {
        let file = || self.folder.as_deref().map(|folder| folder.join("test.db").to_string_lossy().into_owned());
        self.url.clone().or_else(file).expect("a database is a file or has an address")
    }

    /// The folder that holds the SQLite file, for tests that look into it.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_deref()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Opens the database of another process, by its [`Fresh::address`].
///
/// # Panics
/// When it cannot be opened.
#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
pub async fn open(address: &str) -> Store {
    let opened = match address.contains("://") {
        true => Store::open_postgres(address).await,
        false => Store::open_sqlite(std::path::Path::new(address)).await,
    };
    opened.expect("the database opens once more")
}

fn unique() -> String {
    format!("t{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::SeqCst))
}

/// A new folder that a test may fill.
///
/// # Panics
/// When the folder cannot be made.
#[expect(clippy::expect_used, reason = "a test cannot go on without its folder")]
pub fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("stayposted-{}", unique()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// A fresh SQLite database.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
pub async fn sqlite() -> Fresh {
    let folder = folder();
    let store = Store::open_sqlite(&folder.join("test.db")).await.expect("a fresh sqlite file");
    Fresh { store, kind: "sqlite", folder: Some(folder), url: None }
}

/// A fresh PostgreSQL database, if a server was named.
///
/// # Panics
/// When a server was named and cannot be used.
#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
pub async fn postgres() -> Option<Fresh> {
    let server = std::env::var("STAYPOSTED_TEST_POSTGRES_URL").ok()?;
    let name = unique();
    let mut admin = PgConnection::connect(&server).await.expect("the test server");
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.expect("a fresh database");
    admin.close().await.expect("the connection closes");
    let mut url = url::Url::parse(&server).expect("the server's address");
    url.set_path(&name);
    let store = Store::open_postgres(url.as_str()).await.expect("the fresh database opens");
    Some(Fresh { store, kind: "postgres", folder: None, url: Some(url.into()) })
}

/// One fresh database of each kind that is there.
pub async fn each() -> Vec<Fresh> {
    let mut all = vec![sqlite().await];
    all.extend(postgres().await);
    all
}
