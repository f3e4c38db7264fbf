//! People, and the limits on their tries to sign in.

use domain::id::{PersonId, WorkspaceId};
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::records::{count, id_bytes};

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Id.
    pub id: PersonId,
    /// E-mail address, lower case.
    pub email: String,
    /// Name.
    pub name: String,
    /// Whether they run this installation.
    pub is_operator: bool,
    /// The workspace they last used.
    pub last_workspace: Option<WorkspaceId>,
}

/// A person to be made.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Id.
    pub id: PersonId,
    /// E-mail address, lower case.
    pub email: String,
    /// Name.
    pub name: String,
    /// Argon2 hash of the password in PHC form.
    pub password_hash: String,
    /// Whether they run this installation.
    pub is_operator: bool,
}

#[derive(FromRow)]
struct PersonRow {
    id: Vec<u8>,
    email: String,
    name: String,
    is_operator: bool,
    last_workspace: Option<Vec<u8>>,
}

impl TryFrom<PersonRow> for Person {
    type Error = StoreError;
    fn try_from(row: PersonRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: PersonId(id_bytes("people", &row.id)?),
            email: row.email,
            name: row.name,
            is_operator: row.is_operator,
            last_workspace: row.last_workspace.map(|id| id_bytes("people", &id).map(WorkspaceId)).transpose()?,
        })
    }
}

impl Store {
    /// A person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        let row: Option<PersonRow> =
            self.row("select id, email, name, is_operator, last_workspace from people where id = $1", args![id]).await?;
        row.map(Person::try_from).transpose()
    }

    /// Who has this e-mail address (lower case).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        let row: Option<PersonRow> =
            self.row("select id, email, name, is_operator, last_workspace from people where email = $1", args![email]).await?;
        row.map(Person::try_from).transpose()
    }

    /// Who has this e-mail address (lower case), with the hash of their password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_of(&self, email: &str) -> Result<Option<(PersonId, String)>, StoreError> {
        let row: Option<(Vec<u8>, String)> =
            self.row("select id, password_hash from people where email = $1 and password_hash is not null", args![email]).await?;
        row.map(|(id, hash)| Ok((PersonId(id_bytes("people", &id)?), hash))).transpose()
    }

    /// Counts a try to sign in by `subject` and returns how many there were since the window began. A window that began
    /// before `window_from` is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_try(&self, subject: &str, window_from: Timestamp, now: Timestamp) -> Result<u32, StoreError> {
        let mut tx = self.begin().await?;
        let row: Option<(i64,)> = tx
            .row(
                "insert into sign_in_tries (subject, window_from, tries) values ($1, $3, 1) \
                 on conflict (subject) do update set \
                 tries = case when sign_in_tries.window_from < $2 then 1 else sign_in_tries.tries + 1 end, \
                 window_from = case when sign_in_tries.window_from < $2 then excluded.window_from else sign_in_tries.window_from end \
                 returning tries",
                args![subject, window_from, now],
            )
            .await?;
        tx.commit().await?;
        Ok(row.map_or(1, |row| count(row.0)))
    }

    /// Forgets the tries of `subject`, after one that was right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_tries(&self, subject: &str) -> Result<(), StoreError> {
        self.run("delete from sign_in_tries where subject = $1", args![subject]).await?;
        Ok(())
    }

    /// Drops tries whose window is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_tries(&self, window_from: Timestamp) -> Result<u64, StoreError> {
        self.run("delete from sign_in_tries where window_from < $1", args![window_from]).await
    }
}

impl Tx {
    /// Makes a person.
    ///
    /// # Errors
    /// [`StoreError::is_duplicate`] when the e-mail address is taken.
    pub async fn add_person(&mut self, person: &NewPerson, now: Timestamp) -> Result<(), StoreError> {
        self.run(
            "insert into people (id, email, name, password_hash, is_operator, created_at) values ($1, $2, $3, $4, $5, $6)",
            args![person.id, &person.email, &person.name, &person.password_hash, person.is_operator, now],
        )
        .await?;
        Ok(())
    }

    /// Remembers the workspace that a person used last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_last_workspace(&mut self, person: PersonId, workspace: WorkspaceId) -> Result<(), StoreError> {
        self.run("update people set last_workspace = $2 where id = $1", args![person, workspace]).await?;
        Ok(())
    }
}
