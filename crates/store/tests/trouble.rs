//! Trouble of the database itself.

use store::args;

/// SQLite ends a transaction by itself when the disk is full or fails; `or rollback` makes it do the same on a healthy one.
/// The driver then believes that the transaction still runs, and gives nobody another: one full disk would stop everything
/// until the next restart.
#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_does_not_block_the_next_one() {
    let fresh = testkit::db::sqlite().await;
    fresh.store.set_installation("one", "first").await.unwrap();
    for _ in 0..3 {
        let mut tx = fresh.store.begin().await.unwrap();
        let sql = "insert or rollback into installation (name, value) values ('one', 'second')";
        assert!(tx.run(sql, args![]).await.is_err());
        drop(tx);
        let mut tx = fresh.store.begin().await.unwrap();
        assert_eq!(tx.run("update installation set value = 'third' where name = 'one'", args![]).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }
    assert_eq!(fresh.store.installation("one").await.unwrap().as_deref(), Some("third"));
}
