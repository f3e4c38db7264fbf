//! Faults, kills and two nodes by the dice, held against an oracle: never twice by our hand, never silently unsent.

use std::collections::HashMap;
use std::time::Duration;

use domain::cause::Class;
use domain::chance::Chance;
use domain::delivery::{ASK_WITHIN, DeliveryState};
use domain::inbox::Stage;
use domain::time::{Clock, hours, minutes};
use testkit::{FakeChance, FakeClock};

use crate::fake::Next;
use crate::world::World;

/// How many worlds are tried in each run, and in the long one.
const SEEDS: u64 = 3;
const MANY: u64 = 300;

fn dice(chance: &FakeChance, sides: u32) -> u32 {
    let mut bytes = [0; 4];
    chance.fill(&mut bytes);
    u32::from_le_bytes(bytes) % sides
}

/// One fault, or none. Whoever hangs is killed.
fn fault(chance: &FakeChance) -> Next {
    match dice(chance, 16) {
        0 => Next::DropBefore,
        1 => Next::DropAfter,
        2 => Next::DropAfterUnlisted,
        3 => Next::NotSent,
        4 => Next::Refuse(Class::Transient, None),
        5 => Next::Refuse(Class::RateLimited, Some(minutes(2))),
        6 => Next::Refuse(Class::BadContent, None),
        7 => Next::Process,
        8 => Next::HangAfter,
        9 => Next::HangBefore,
        _ => Next::Accept,
    }
}

#[tokio::test]
async fn whatever_happens_no_post_is_sent_twice_and_none_is_silently_unsent() {
    all(0..SEEDS).await;
}

#[tokio::test]
#[ignore = "takes half an hour"]
async fn whatever_happens_in_many_worlds_no_post_is_sent_twice() {
    all(SEEDS..MANY).await;
}

async fn all(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let fresh = if seed % 4 == 0 { testkit::db::each().await } else { vec![testkit::db::sqlite().await] };
        for fresh in fresh {
            one(seed, fresh).await;
        }
    }
}

async fn one(seed: u64, fresh: testkit::db::Fresh) {
    let chance = FakeChance::seeded(seed);
    let world = World::new(fresh).await;
    let mut posts = Vec::new();
    for account in 0..3 {
        let (_, id) = world.account(&format!("page{account}")).await;
        for number in 0..6 {
            let due = FakeClock::START + minutes(5 + u64::from(dice(&chance, 20)));
            posts.push(world.schedule(&format!("{account}/{number}"), &[id], due).await);
        }
    }
    world.fake.next((0..30).map(|_| fault(&chance)));
    world.fake.set_steps(usize::try_from(dice(&chance, 3)).unwrap_or(0));

    let end = FakeClock::START + hours(6);
    let mut nodes = [world.publisher_as(1), world.publisher_as(2)];
    for _ in 0..4000 {
        let number = dice(&chance, 2);
        let node = &mut nodes[usize::try_from(number).unwrap_or(0)];
        node.tick().await.expect("a round");
        // Hanging calls never end, so nobody waits for them longer than a moment.
        let _ = tokio::time::timeout(Duration::from_millis(15), node.idle()).await;
        if dice(&chance, 12) == 0 || node.in_flight() > 0 {
            *node = world.publisher_as(u8::try_from(number).unwrap_or(0) + 1);
        }
        let next = nodes[0].next_due().await.expect("a moment");
        match next {
            Some(next) if next > end => break,
            Some(next) => world.advance(next.since(world.world.now()).clamp(Duration::from_millis(1), Duration::from_secs(60))),
            None => break,
        }
    }
    drop(nodes);

    let mut sent: HashMap<String, u32> = HashMap::new();
    for accepted in world.fake.accepted() {
        *sent.entry(accepted.text).or_default() += 1;
    }
    assert!(sent.values().all(|count| *count == 1), "seed {seed}, {}: {sent:?}", world.kind);
    let mut asked = 0;
    for post in posts {
        let delivery = world.delivery(post).await;
        match delivery.state {
            DeliveryState::Published { .. } | DeliveryState::Missed { .. } | DeliveryState::Failed { .. } => {}
            DeliveryState::Unconfirmed { asked_at, since } => {
                asked += 1;
                assert!(asked_at.since(since) <= ASK_WITHIN, "seed {seed}, {}: asked late", world.kind);
            }
            state => panic!("seed {seed}, {}: {state:?} in the end", world.kind),
        }
    }
    let stages = world.open_stages().await;
    let questions = stages.iter().filter(|stage| **stage == Stage::NeedsAnswer).count();
    assert_eq!(questions, asked, "seed {seed}, {}: one question for each unknown", world.kind);
}
