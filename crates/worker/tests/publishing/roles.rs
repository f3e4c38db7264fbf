//! `--role web` and `--role worker` in processes of their own: they meet in the database alone.

use std::time::Duration;

use domain::id::NodeId;
use domain::summary::shell::EventKind;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use worker::Worker;

use crate::world::World;

/// The slow poll comes every 30 seconds: what is done within this time was not found by it.
const SOON: Duration = Duration::from_secs(8);

#[tokio::test]
async fn what_one_process_is_asked_another_does_without_waiting_for_its_poll() {
    // SQLite has one process.
    let Some(fresh) = testkit::db::postgres().await else { return };
    let web = World::new(fresh).await;
    let (_, account) = web.account("page").await;
    let elsewhere = web.elsewhere().await;
    let mut heard = elsewhere.store.announcements();
    let relay = tokio::spawn({
        let store = elsewhere.store.clone();
        async move { store.relay().await }
    });
    let stop = CancellationToken::new();
    let working = tokio::spawn(Worker::new(elsewhere.clone(), NodeId([2; 16])).run(stop.clone()));
    // From the first announcement that gets through, the other process listens.
    while timeout(Duration::from_millis(50), heard.recv()).await.is_err() {
        let mut tx = web.services.store.begin().await.unwrap();
        tx.event(web.caller.workspace, EventKind::Clock, web.services.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    // Several, one after the other: the worker may still be awake for the first of them.
    for number in 1..=4 {
        web.send_now(&format!("Post {number}"), &[account]).await;
        let is_out = async {
            while web.fake.accepted().len() < number {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, is_out).await.unwrap_or_else(|_| panic!("post {number} waits for the poll"));
    }
    stop.cancel();
    timeout(SOON, working).await.expect("it stops").unwrap();
    relay.abort();
    elsewhere.store.close().await;
}
