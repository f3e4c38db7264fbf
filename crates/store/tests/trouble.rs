//! Trouble of the database itself.

use store::args;

/// The server of the tests answers commits before they are on disk. An intent that it forgets in a crash would be sent twice.
#[tokio::test]
async fn a_commit_is_on_disk_when_it_returns_whatever_the_server_was_told() {
    for fresh in testkit::db::each().await {
        if fresh.store.is_shared() {
            let setting: Option<(String,)> = fresh.store.row("select current_setting('synchronous_commit')", args![]).await.unwrap();
            assert_eq!(setting.unwrap().0, "on");
        }
    }
}

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
