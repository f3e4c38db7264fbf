//! What is due and who works, seen from outside: for the rehearsal's clock, and for looking after an installation.

use domain::time::Timestamp;

use crate::args;
use crate::db::Store;
use crate::error::StoreError;
use crate::records::count;

impl Store {
    /// The next world moment at which a worker has something to do, be it held by one or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_work(&self) -> Result<Option<Timestamp>, StoreError> {
        let grants: Option<(Option<i64>,)> = self.row("select min(work_at) from grants where work_at is not null", args![]).await?;
        let deliveries: Option<(Option<i64>,)> = self.row("select min(work_at) from deliveries where work_at is not null", args![]).await?;
        Ok([grants, deliveries].into_iter().filter_map(|row| row.and_then(|row| row.0)).min().map(Timestamp))
    }

    /// How many rows workers hold at `wall`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leases_held(&self, wall: Timestamp) -> Result<u32, StoreError> {
        let row: Option<(i64,)> = self
            .row(
                "select (select count(*) from grants where lease_until > $1) + (select count(*) from deliveries where lease_until > $1)",
                args![wall],
            )
            .await?;
        Ok(row.map_or(0, |row| count(row.0)))
    }
}
