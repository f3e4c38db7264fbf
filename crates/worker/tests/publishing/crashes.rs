//! A worker that dies, sleeps or meets another one: never twice, never lost.

use std::time::Duration;

use domain::delivery::{DeliveryState, KnownBy};
use domain::time::{hours, minutes};
use testkit::FakeClock;

use crate::fake::Next;
use crate::world::World;

/// Ticks once and waits until the platform has been asked.
async fn begin(world: &World, publisher: &mut worker::publisher::Publisher, delivery: domain::id::DeliveryId) {
    publisher.tick().await.expect("a round");
    for _ in 0..2000 {
        if world.commits(delivery) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the commit never left");
}

#[tokio::test]
async fn a_worker_killed_while_committing_leads_to_looking_and_never_to_a_second_commit() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let due = FakeClock::START + minutes(5);
        let online = world.schedule("Online", &[account], due).await;
        let offline = world.schedule("Offline", &[account], due).await;
        world.fake.next([Next::HangAfter, Next::HangBefore]);
        world.advance(minutes(5));
        let mut publisher = world.publisher();
        publisher.tick().await.expect("a round");
        let (a, b) = (world.delivery(online).await.id, world.delivery(offline).await.id);
        begin(&world, &mut publisher, a).await;
        begin(&world, &mut publisher, b).await;
        drop(publisher);
        for post in [online, offline] {
            assert!(matches!(world.state(post).await, DeliveryState::Committing { .. }), "{}", world.kind);
        }
        // The same node starts again: it takes its own leases back at once.
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + hours(25)).await;
        let states = [world.state(online).await, world.state(offline).await];
        // Which of the two met which fault is not fixed, so only the sums are.
        let found = states.iter().filter(|state| matches!(state, DeliveryState::Published { known_by: KnownBy::Found, .. })).count();
        let asked = states.iter().filter(|state| matches!(state, DeliveryState::Unconfirmed { .. })).count();
        assert_eq!((found, asked), (1, 1), "{}: {states:?}", world.kind);
        assert_eq!((world.commits(a), world.commits(b)), (1, 1));
    }
}

#[tokio::test]
async fn another_node_takes_over_half_a_minute_after_a_death_and_not_before() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Taken", &[account], due).await;
    world.fake.next([Next::HangAfter]);
    world.advance(minutes(5));
    let mut first = world.publisher_as(1);
    begin(&world, &mut first, world.delivery(post).await.id).await;
    let mut second = world.publisher_as(2);
    world.advance(Duration::from_secs(29));
    assert_eq!(second.tick().await.expect("a round"), 0, "the lease holds");
    world.advance(Duration::from_secs(2));
    world.settle(&mut second).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { known_by: KnownBy::Found, .. }));
    assert_eq!(world.commits(world.delivery(post).await.id), 1);
    drop(first);
}

#[tokio::test]
async fn a_worker_killed_between_steps_resumes_after_the_last_remembered_one() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Resume", &[account], due).await;
    world.fake.set_steps(2);
    world.fake.next([Next::NotSent]);
    world.advance(minutes(5));
    let mut publisher = world.publisher();
    world.settle(&mut publisher).await;
    assert!(matches!(world.state(post).await, DeliveryState::Waiting { .. }));
    drop(publisher);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + minutes(5)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { .. }));
    assert_eq!(world.fake.step_calls(), 2);
}

#[tokio::test]
async fn two_nodes_on_the_same_rows_publish_each_post_once() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let mut posts = Vec::new();
        for number in 0..8 {
            let (_, account) = world.account(&format!("page{number}")).await;
            for round in 0..5 {
                posts.push(world.schedule(&format!("Post {number} {round}"), &[account], FakeClock::START + minutes(5)).await);
            }
        }
        world.advance(minutes(5));
        let (mut one, mut two) = (world.publisher_as(1), world.publisher_as(2));
        for _ in 0..60 {
            let (a, b) = tokio::join!(one.tick(), two.tick());
            a.expect("a round");
            b.expect("a round");
            tokio::join!(one.idle(), two.idle());
        }
        let accepted = world.fake.accepted();
        assert_eq!(accepted.len(), posts.len(), "{}", world.kind);
        for post in posts {
            let delivery = world.delivery(post).await;
            assert!(matches!(delivery.state, DeliveryState::Published { .. }), "{}: {:?}", world.kind, delivery.state);
            assert_eq!(world.commits(delivery.id), 1);
        }
    }
}

#[tokio::test]
async fn a_worker_that_slept_past_its_lease_sends_nothing_when_it_wakes() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let post = world.schedule("Zombie", &[account], FakeClock::START + minutes(5)).await;
        world.advance(minutes(5));
        let gate = world.fake.hold_prepare();
        let (mut sleeper, mut other) = (world.publisher_as(1), world.publisher_as(2));
        assert_eq!(sleeper.tick().await.expect("a round"), 1);
        // It is in the middle of preparing when the machine is stopped for longer than the lease.
        while world.fake.is_gate_waiting() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.advance(Duration::from_secs(31));
        world.settle(&mut other).await;
        assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}", world.kind);
        gate.notify_one();
        sleeper.idle().await;
        assert_eq!((world.fake.accepted().len(), world.commits(world.delivery(post).await.id)), (1, 1));
        assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}", world.kind);
    }
}
