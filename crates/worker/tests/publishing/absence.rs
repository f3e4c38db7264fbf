//! Our own absence.

use domain::delivery::{DeliveryState, MissedWhy};
use domain::inbox::Stage;
use domain::time::{hours, minutes};
use testkit::FakeClock;

use crate::world::World;

#[tokio::test]
async fn after_an_absence_a_little_late_goes_out_and_far_too_late_is_missed_and_told() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let early = world.schedule("Early", &[account], FakeClock::START + hours(2)).await;
        let late = world.schedule("Late", &[account], FakeClock::START + hours(6)).await;
        let after = world.schedule("After", &[account], FakeClock::START + hours(9)).await;
        let mut publisher = world.publisher();
        publisher.tick().await.expect("a first beat");
        drop(publisher);

        world.advance(hours(8));
        let mut publisher = world.publisher();
        world.settle(&mut publisher).await;
        assert!(matches!(world.state(early).await, DeliveryState::Missed { why: MissedWhy::WeWereOff, .. }), "{}", world.kind);
        assert!(matches!(world.state(late).await, DeliveryState::Published { .. }), "{}: two hours late", world.kind);
        assert_eq!(world.state(after).await, DeliveryState::Scheduled);
        let expected = Stage::WasOff { from: FakeClock::START, until: FakeClock::START + hours(8) };
        assert_eq!(world.open_stages().await, [expected], "{}", world.kind);

        world.services.drop_missed(&world.caller, vec![early]).await.expect("dismissed");
        assert_eq!(world.open_stages().await, [], "nothing is left to decide");
    }
}

#[tokio::test]
async fn an_absence_in_which_nothing_came_due_is_no_story_and_a_short_one_is_none() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    world.schedule("Far", &[account], FakeClock::START + hours(20)).await;
    let mut publisher = world.publisher();
    publisher.tick().await.expect("a first beat");
    drop(publisher);
    world.advance(hours(8));
    let mut publisher = world.publisher();
    world.settle(&mut publisher).await;
    let page = world.services.inbox(&world.caller, true).await.expect("the inbox");
    assert!(page.rows.is_empty());
}

#[tokio::test]
async fn when_all_that_came_due_still_goes_out_the_story_needs_nobody() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let post = world.schedule("Soon", &[account], FakeClock::START + minutes(30)).await;
    let mut publisher = world.publisher();
    publisher.tick().await.expect("a first beat");
    drop(publisher);
    world.advance(hours(1));
    let mut publisher = world.publisher();
    world.settle(&mut publisher).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { .. }));
    let page = world.services.inbox(&world.caller, true).await.expect("the inbox");
    assert_eq!(page.rows.len(), 1);
    assert!(page.rows[0].is_resolved && !page.rows[0].needs_somebody);
}
