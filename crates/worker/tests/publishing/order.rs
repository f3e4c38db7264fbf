//! Order per account, lateness, and the spacing of what is late.

use std::time::Duration;

use domain::delivery::DeliveryState;
use domain::time::{Clock, hours, minutes};
use testkit::FakeClock;

use crate::fake::Next;
use crate::world::World;

#[tokio::test]
async fn a_post_waits_for_an_earlier_one_of_its_account_and_no_longer_than_ten_minutes() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let (_, other) = world.account("other").await;
        let due = FakeClock::START + minutes(5);
        let first = world.schedule("First", &[account], due).await;
        let second = world.schedule("Second", &[account], due + minutes(1)).await;
        let free = world.schedule("Free", &[other], due + minutes(1)).await;
        world.fake.next([Next::Refuse(domain::cause::Class::RateLimited, Some(hours(2)))]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + minutes(2)).await;
        assert_eq!(world.state(second).await, DeliveryState::Scheduled, "{}: it waits", world.kind);
        assert!(matches!(world.state(free).await, DeliveryState::Published { .. }));
        let next = publisher.next_due().await.expect("a moment").expect("something waits");
        assert_eq!(next, due + minutes(11), "{}: nobody spins while it is held", world.kind);
        assert_eq!(world.services.store.next_work().await.expect("a moment"), Some(due + minutes(11)));
        world.run_until(&mut publisher, due + hours(3) - minutes(1)).await;
        for post in [first, second] {
            assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}: {:?}", world.kind, world.state(post).await);
        }
    }
}

#[tokio::test]
async fn posts_due_at_one_moment_go_in_the_order_in_which_they_were_written() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let mut posts = Vec::new();
    for number in 0..40 {
        posts.push(world.schedule(&format!("{number:02}"), &[account], due).await);
        world.advance(Duration::from_secs(1));
    }
    world.advance(minutes(5));
    let mut publisher = world.publisher();
    world.settle(&mut publisher).await;
    assert_eq!(world.fake.accepted().len(), 40);
    let first_round: Vec<String> = world.fake.accepted().into_iter().take(16).map(|post| post.text).collect();
    let expected: Vec<String> = (0..16).map(|number| format!("{number:02}")).collect();
    let mut sorted = first_round.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "the first sixteen slots take the first sixteen posts");
}

#[tokio::test]
async fn what_waited_for_the_platform_goes_out_spaced_and_not_all_at_once() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    for number in 0..5 {
        world.schedule(&format!("Late {number}"), &[account], due).await;
    }
    world.fake.next(std::iter::repeat_n(Next::NotSent, 30));
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + hours(2)).await;
    let mut times: Vec<_> = world.fake.accepted().into_iter().map(|post| post.at).collect();
    times.sort();
    assert_eq!(times.len(), 5, "at {:?}", world.world.now());
    for pair in times.windows(2) {
        assert!(pair[1].since(pair[0]) >= Duration::from_secs(60), "{times:?}");
    }
}
