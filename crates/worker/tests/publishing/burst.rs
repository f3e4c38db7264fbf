//! A thousand posts due at one instant.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::delivery::DeliveryState;
use domain::time::{Clock, OffsetClock, minutes};
use testkit::FakeClock;

use crate::fake::Fake;
use crate::world::World;

/// Processor time of this process so far, in hundredths of a second (Linux).
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    rest.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum()
}

async fn burst(world: &World, accounts: usize, posts: usize) -> Duration {
    let mut ids = Vec::new();
    for number in 0..accounts {
        ids.push(world.account(&format!("page{number}")).await.1);
    }
    let mut all = Vec::new();
    for number in 0..posts {
        all.push(world.schedule(&format!("Post {number}"), &[ids[number % accounts]], FakeClock::START + minutes(5)).await);
    }
    world.advance(minutes(5));
    let mut publisher = world.publisher();
    let (begun, worked) = (Instant::now(), ticks());
    while world.fake.accepted().len() < posts {
        publisher.tick().await.expect("a round");
        world.services.wake.notified().await;
        assert!(begun.elapsed() < Duration::from_secs(120), "{} of {posts}", world.fake.accepted().len());
    }
    let took = begun.elapsed();
    eprintln!("{}: {posts} posts in {took:?} with {} ms of processor", world.kind, (ticks() - worked) * 10);
    publisher.idle().await;
    world.settle(&mut publisher).await;
    for post in all {
        let delivery = world.delivery(post).await;
        assert!(matches!(delivery.state, DeliveryState::Published { .. }), "{:?}", delivery.state);
        assert_eq!(world.commits(delivery.id), 1);
    }
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_posts_of_one_account_due_at_one_instant_go_out_once_each_and_quickly() {
    let world = World::with_latency(testkit::db::sqlite().await, Duration::from_millis(2)).await;
    let took = burst(&world, 1, 200).await;
    // One after the other with ten minutes between them it would take a day; a loaded machine may take its time.
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// The measure P1 in small. Run with `--release --ignored`; alone on two cores it takes well under two seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_thousand_posts_due_at_one_instant() {
    for fresh in testkit::db::each().await {
        let world = FakeClock::default();
        let fake = Fake::new(world.clone(), Duration::from_millis(1));
        let clock: Arc<dyn Clock> = Arc::new(OffsetClock::new(Arc::new(world.clone()), 0));
        let world = World::with_clocks(fresh, clock, world, fake).await;
        let took = burst(&world, 50, 1000).await;
        let most = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
        assert!(took < most, "{took:?}");
    }
}
