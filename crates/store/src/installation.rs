//! Named values of the whole installation: who owns it, the one-time code of the first start, the wrapped key.

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;

impl Store {
    /// A named value.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn installation(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self.row("select value from installation where name = $1", args![name]).await?;
        Ok(row.map(|row| row.0))
    }

    /// Sets a named value, whatever it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_installation(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.run(
            "insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value",
            args![name, value],
        )
        .await?;
        Ok(())
    }

    /// Sets a named value unless it is there already; returns what is there now. Of several at once one wins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_installation(&self, name: &str, value: &str) -> Result<String, StoreError> {
        self.run("insert into installation (name, value) values ($1, $2) on conflict (name) do nothing", args![name, value]).await?;
        Ok(self.installation(name).await?.unwrap_or_default())
    }
}

impl Tx {
    /// Claims a name that only one may have. `false`: somebody was first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_installation_value(&mut self, name: &str, value: &str) -> Result<bool, StoreError> {
        let changed =
            self.run("insert into installation (name, value) values ($1, $2) on conflict (name) do nothing", args![name, value]).await?;
        Ok(changed == 1)
    }

    /// Removes a named value.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_installation_value(&mut self, name: &str) -> Result<(), StoreError> {
        self.run("delete from installation where name = $1", args![name]).await?;
        Ok(())
    }
}
