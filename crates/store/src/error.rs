//! How a database call fails.

/// Why a database call did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database cannot be used.
    #[error("the database address is not usable: {0}")]
    BadAddress(String),
    /// The database failed or cannot be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another worker holds the row now.
    #[error("another worker holds the row now")]
    LeaseLost,
    /// The row is not in the state that the write expected.
    #[error("the row has changed meanwhile")]
    Changed,
    /// A row that must be unique exists already.
    #[error("it exists already")]
    Exists,
    /// Columns of a row contradict one another.
    #[error("a row of {table} contradicts itself: {what}")]
    Contradiction {
        /// The table.
        table: &'static str,
        /// What cannot be read.
        what: String,
    },
}

impl StoreError {
    /// Whether a unique index refused the write.
    pub fn is_duplicate(&self) -> bool {
        match self {
            Self::Exists => true,
            Self::Database(sqlx::Error::Database(error)) => error.is_unique_violation(),
            _ => false,
        }
    }
}

/// A stored text that does not parse.
pub fn contradiction(table: &'static str, what: impl std::fmt::Display) -> StoreError {
    StoreError::Contradiction { table, what: what.to_string() }
}
