//! What is due and who works, seen from outside: for the rehearsal's clock, and for looking after an installation.

use domain::delivery::ORDER_WAIT;
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
        let wait = i64::try_from(ORDER_WAIT.as_micros()).unwrap_or(i64::MAX);
        let grants: Option<(Option<i64>,)> = self.row("select min(work_at) from grants where work_at is not null", args![]).await?;
        // A post that waits for an earlier one of its account is not due before that ends, or ten minutes have passed.
        let deliveries: Option<(Option<i64>,)> = self
            .row(
                "select min(case when d.state in ('scheduled', 'waiting') and d.work_at >= d.due_at and d.work_at < d.due_at + $1 and exists ( \
                   select 1 from deliveries e where e.account_id = d.account_id and e.work_at is not null and e.due_at < d.due_at \
                   and e.state in ('scheduled', 'preparing', 'committing', 'confirming', 'waiting')) \
                 then d.due_at + $1 else d.work_at end) from deliveries d where d.work_at is not null",
                args![wait],
            )
            .await?;
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
