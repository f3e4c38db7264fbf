//! The plain way, and the ways on which a post certainly was not sent.

use std::time::Duration;

use domain::cause::Class;
use domain::delivery::{DeliveryState, FailedWhy, KnownBy, MissedWhy};
use domain::inbox::Stage;
use domain::summary::posts::ProofWhat;
use domain::time::{hours, minutes};
use testkit::FakeClock;

use crate::fake::Next;
use crate::world::World;

#[tokio::test]
async fn a_due_post_is_published_once_and_read_back_and_its_proof_tells_the_story() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let post = world.schedule("Wreaths", &[account], FakeClock::START + hours(2)).await;
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, FakeClock::START + hours(2) + minutes(1)).await;
        let DeliveryState::Published { remote_id, known_by, seen_at, at, .. } = world.state(post).await else {
            panic!("{}: {:?}", world.kind, world.state(post).await)
        };
        assert_eq!((remote_id.as_deref(), known_by, at), (Some("r1"), KnownBy::Answer, FakeClock::START + hours(2)));
        assert!(seen_at.is_some());
        assert_eq!(world.fake.accepted().len(), 1);
        let page = world.services.post_page(&world.caller, post).await.expect("the page");
        let story: Vec<ProofWhat> = page.proofs[0].steps.iter().map(|step| step.what.clone()).collect();
        use ProofWhat as W;
        assert_eq!(story, [W::Planned, W::Checked, W::Sent, W::Accepted, W::SeenOnline], "{}", world.kind);
        assert_eq!(publisher.next_due().await.expect("nothing"), None);
    }
}

#[tokio::test]
async fn nothing_is_sent_before_its_time() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + hours(5);
    let post = world.schedule("Later", &[account], due).await;
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due - Duration::from_secs(1)).await;
    assert_eq!(world.state(post).await, DeliveryState::Scheduled);
    assert!(world.fake.accepted().is_empty());
    assert_eq!(publisher.next_due().await.expect("a moment"), Some(due));
}

#[tokio::test]
async fn what_never_left_is_tried_again_until_it_gets_through() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let post = world.schedule("Again", &[account], FakeClock::START + minutes(5)).await;
        world.fake.next([Next::NotSent, Next::NotSent, Next::Refuse(Class::Transient, None)]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, FakeClock::START + hours(1)).await;
        assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}", world.kind);
        assert_eq!(world.fake.accepted().len(), 1);
    }
}

#[tokio::test]
async fn a_platform_that_stays_down_makes_it_missed_after_three_hours_and_says_so() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let post = world.schedule("Down", &[account], FakeClock::START + minutes(5)).await;
    world.fake.next(std::iter::repeat_n(Next::NotSent, 200));
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, FakeClock::START + hours(4)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Missed { why: MissedWhy::PlatformDown, .. }));
    assert!(world.fake.accepted().is_empty());
    assert!(world.open_stages().await.contains(&Stage::Missed { posts: 1 }));
}

#[tokio::test]
async fn trouble_of_several_posts_is_one_thread_that_ends_when_the_platform_answers() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, a) = world.account("a").await;
    let (_, b) = world.account("b").await;
    let due = FakeClock::START + minutes(5);
    world.schedule("One", &[a], due).await;
    world.schedule("Two", &[b], due).await;
    world.fake.next([Next::NotSent, Next::NotSent]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + Duration::from_secs(2)).await;
    assert_eq!(world.open_stages().await, [Stage::Trouble]);
    world.run_until(&mut publisher, due + minutes(10)).await;
    assert_eq!(world.open_stages().await, []);
    assert_eq!(world.fake.accepted().len(), 2);
}

#[tokio::test]
async fn a_refused_post_fails_once_with_a_thread_and_is_not_sent_again() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let post = world.schedule("Spam", &[account], FakeClock::START + minutes(5)).await;
        world.fake.next([Next::Refuse(Class::BadContent, None)]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, FakeClock::START + hours(5)).await;
        assert!(matches!(world.state(post).await, DeliveryState::Failed { why: FailedWhy::Refused(_), .. }), "{}", world.kind);
        assert_eq!(world.commits(world.delivery(post).await.id), 1);
        assert_eq!(world.open_stages().await, [Stage::Refused]);
    }
}

#[tokio::test]
async fn a_refused_login_makes_its_posts_missed_and_opens_one_thread() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let due = FakeClock::START + minutes(5);
        let first = world.schedule("One", &[account], due).await;
        let second = world.schedule("Two", &[account], due + minutes(30)).await;
        world.fake.next([Next::Refuse(Class::Revoked, None)]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + hours(1)).await;
        for post in [first, second] {
            assert!(matches!(world.state(post).await, DeliveryState::Missed { why: MissedWhy::Disconnected, .. }), "{}", world.kind);
        }
        assert_eq!(world.open_stages().await, [Stage::Missed { posts: 2 }], "{}", world.kind);
        assert!(world.fake.accepted().is_empty());
    }
}

#[tokio::test]
async fn a_lost_role_blocks_the_account_alone() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, a) = world.account("a").await;
    let (_, b) = world.account("b").await;
    let due = FakeClock::START + minutes(5);
    let blocked = world.schedule("One", &[a], due).await;
    let fine = world.schedule("Two", &[b], due + minutes(1)).await;
    world.fake.next([Next::Refuse(Class::PermissionLost, None)]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + hours(1)).await;
    assert!(matches!(world.state(blocked).await, DeliveryState::Missed { why: MissedWhy::AccountBlocked, .. }));
    assert!(matches!(world.state(fine).await, DeliveryState::Published { .. }));
}

#[tokio::test]
async fn a_rate_limit_is_obeyed_and_remembered_for_the_account() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let (_, other) = world.account("other").await;
        let due = FakeClock::START + minutes(5);
        let first = world.schedule("One", &[account], due).await;
        world.fake.next([Next::Refuse(Class::RateLimited, Some(minutes(20)))]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + minutes(1)).await;
        let second = world.schedule("Two", &[account], due + minutes(15)).await;
        let free = world.schedule("Free", &[other], due + minutes(15)).await;
        world.run_until(&mut publisher, due + minutes(18)).await;
        assert!(matches!(world.state(free).await, DeliveryState::Published { .. }));
        assert!(world.fake.accepted().iter().all(|post| post.account == "other"), "{}", world.kind);
        world.run_until(&mut publisher, due + minutes(40)).await;
        for post in [first, second] {
            assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}", world.kind);
        }
        let asked = world.fake.accepted().iter().find(|post| post.text == "One").expect("accepted").at;
        assert!(asked >= due + minutes(20));
    }
}

#[tokio::test]
async fn what_is_processed_is_followed_until_it_is_online() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Video", &[account], due).await;
    world.fake.next([Next::Process]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + Duration::from_secs(5)).await;
    assert_eq!(world.state(post).await, DeliveryState::Processing { handle: "r1".to_owned() });
    world.run_until(&mut publisher, due + minutes(1)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { seen_at: Some(_), .. }));
}

#[tokio::test]
async fn an_operators_trouble_waits_and_asks_nobody_to_sign_in() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("App", &[account], due).await;
    world.fake.next([Next::Refuse(Class::AppMisconfigured, None)]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + Duration::from_secs(1)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Waiting { .. }));
    world.run_until(&mut publisher, due + minutes(5)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { .. }));
}
