//! The runner: woken, it works; told to stop, it finishes.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::time::Duration;

use domain::platform::Platform::Pinterest;
use domain::time::days;
use serde_json::json;
use testkit::backend::{Backend, MARA};
use tokio_util::sync::CancellationToken;
use worker::Worker;

#[tokio::test]
async fn it_is_woken_works_and_finishes_what_it_holds() {
    let backend = Backend::new().await;
    let caller = backend.owner().await;
    backend.link(&caller, Pinterest, MARA).await;
    let id = backend.account(&caller, "Mara Jung").await.1;
    let worker = Worker::new(backend.services.clone(), backend.node());
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    let generation = async || backend.services.store.grant(caller.workspace, id).await.unwrap().unwrap().generation;
    let reaches = async |wanted: i64| {
        let reached = async {
            while generation().await < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), reached).await.expect("the login is renewed");
    };
    backend.pass(days(22));
    backend.services.wake.notify_one();
    reaches(2).await;
    // The next renewal is under way when it is told to stop.
    backend.fault(Pinterest, json!({ "kind": "slow", "op": "token", "seconds": 1 })).await;
    backend.pass(days(22));
    backend.services.wake.notify_waiters();
    let store = &backend.services.store;
    while store.refresh_attempts(caller.workspace, id, 9).await.unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("it stops").unwrap();
    assert_eq!(generation().await, 3, "what it held is finished");
    assert_eq!(store.leases_held(backend.services.clocks.wall.now()).await.unwrap(), 0);
}
