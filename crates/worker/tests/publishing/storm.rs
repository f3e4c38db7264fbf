//! Very many answers lost at once (reliability R4).

use std::collections::HashMap;
use std::time::Duration;

use domain::delivery::{ASK_WITHIN, DeliveryState};
use domain::time::{Clock as _, Timestamp, hours, minutes};
use testkit::FakeClock;
use worker::publisher::Publisher;

use crate::fake::Next;
use crate::world::World;

/// Every second of the lost posts is in no list.
const UNLISTED: usize = 2;

/// Goes on from due moment to due moment; each may take very many rounds.
async fn run_until(world: &World, publisher: &mut Publisher, until: Timestamp) {
    while world.world.now() < until {
        while publisher.tick().await.expect("a round") > 0 {
            publisher.idle().await;
        }
        let next = publisher.next_due().await.expect("the next moment").unwrap_or(until).min(until);
        world.advance(next.since(world.world.now()).max(Duration::from_millis(100)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_lost_answers_doubles_nothing_and_each_is_found_or_asked_about_in_time() {
    let (accounts, posts) = if std::env::var_os("STAYPOSTED_TEST_LONG").is_some() { (100, 10_000) } else { (10, 100) };
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let mut ids = Vec::new();
        for number in 0..accounts {
            ids.push(world.account(&format!("page{number}")).await.1);
        }
        let mut all = Vec::new();
        for number in 0..posts {
            all.push(world.schedule(&format!("Post {number}"), &[ids[number % accounts]], FakeClock::START + minutes(5)).await);
        }
        world.fake.next((0..posts).map(|number| if number % UNLISTED == 0 { Next::DropAfterUnlisted } else { Next::DropAfter }));

        let mut publisher = world.publisher();
        run_until(&world, &mut publisher, FakeClock::START + minutes(30)).await;

        let mut sent: HashMap<String, u32> = HashMap::new();
        for accepted in world.fake.accepted() {
            *sent.entry(accepted.text).or_default() += 1;
        }
        assert_eq!((sent.len(), sent.values().max()), (posts, Some(&1)), "{}: each once", world.kind);
        let (mut found, mut asked) = (0, Vec::new());
        for post in all {
            match world.state(post).await {
                DeliveryState::Published { .. } => found += 1,
                DeliveryState::Unconfirmed { asked_at, since } => {
                    assert!(asked_at.since(since) <= ASK_WITHIN, "{}: asked late", world.kind);
                    asked.push(post);
                }
                state => panic!("{}: {state:?}", world.kind),
            }
        }
        assert_eq!((found, asked.len()), (posts - posts / UNLISTED, posts / UNLISTED), "{}", world.kind);

        // We keep looking: what the lists show in the end is found, and nobody needs to answer.
        world.fake.show_all();
        run_until(&world, &mut publisher, world.world.now() + hours(2)).await;
        for post in asked {
            assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}: found late", world.kind);
        }
        assert_eq!(world.open_stages().await, [], "{}: no question is left", world.kind);
    }
}
