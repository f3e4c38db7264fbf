//! Lost answers: at most once by our hand, found again or shown to a person within 60 seconds.

use std::time::Duration;

use domain::cause::Class;
use domain::delivery::{DeliveryState, KnownBy};
use domain::inbox::Stage;
use domain::summary::refusal::ErrorCode;
use domain::time::{hours, minutes};
use service::posts::PostAnswer;
use testkit::FakeClock;

use crate::fake::Next;
use crate::world::World;

#[tokio::test]
async fn a_lost_answer_after_acceptance_is_found_at_once_and_nothing_is_sent_again() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let due = FakeClock::START + minutes(5);
        let post = world.schedule("Found", &[account], due).await;
        world.fake.next([Next::DropAfter]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + hours(30)).await;
        assert!(matches!(world.state(post).await, DeliveryState::Published { known_by: KnownBy::Found, .. }), "{}", world.kind);
        assert_eq!((world.fake.accepted().len(), world.commits(world.delivery(post).await.id)), (1, 1));
        assert_eq!(world.open_stages().await, []);
    }
}

#[tokio::test]
async fn a_post_that_no_list_shows_is_asked_about_within_60_seconds_and_found_late() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let due = FakeClock::START + minutes(5);
        let post = world.schedule("Lagging", &[account], due).await;
        world.fake.next([Next::DropAfterUnlisted]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + Duration::from_secs(60)).await;
        let DeliveryState::Unconfirmed { asked_at, .. } = world.state(post).await else { panic!("nobody was asked") };
        assert!(asked_at.since(due) <= Duration::from_secs(60));
        assert_eq!(world.open_stages().await, [Stage::NeedsAnswer]);
        world.run_until(&mut publisher, due + minutes(30)).await;
        assert!(matches!(world.state(post).await, DeliveryState::Unconfirmed { .. }), "absence proves nothing");
        world.fake.show_all();
        world.run_until(&mut publisher, due + hours(2)).await;
        assert!(matches!(world.state(post).await, DeliveryState::Published { known_by: KnownBy::Found, .. }));
        assert_eq!(world.open_stages().await, [], "the thread is back to normal");
        assert_eq!(world.commits(world.delivery(post).await.id), 1);
    }
}

#[tokio::test]
async fn what_was_lost_before_acceptance_is_never_sent_again_by_itself() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Gone", &[account], due).await;
    let next = world.schedule("Next", &[account], due + minutes(2)).await;
    world.fake.next([Next::DropBefore]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + hours(48)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Unconfirmed { .. }));
    assert!(matches!(world.state(next).await, DeliveryState::Published { .. }), "it holds nobody");
    assert_eq!(world.commits(world.delivery(post).await.id), 1);
    assert_eq!(publisher.next_due().await.expect("nothing"), None, "after 24 hours nobody looks any more");
}

#[tokio::test]
async fn a_server_error_to_a_commit_is_unknown_also_when_looking_fails() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Blind", &[account], due).await;
    world.fake.next([Next::DropAfter]);
    world.fake.looks_fail(true);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + Duration::from_secs(60)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Unconfirmed { .. }));
    world.fake.looks_fail(false);
    world.run_until(&mut publisher, due + minutes(10)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { known_by: KnownBy::Found, .. }));
}

#[tokio::test]
async fn two_equal_posts_online_and_one_unknown_are_asked_about_and_not_guessed() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let first = world.schedule("Same", &[account], due).await;
    let second = world.schedule("Same", &[account], due).await;
    world.fake.next([Next::DropAfter, Next::DropAfter]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + minutes(3)).await;
    let states = [world.state(first).await, world.state(second).await];
    assert!(!states.iter().any(|state| matches!(state, DeliveryState::Scheduled | DeliveryState::Waiting { .. })));
    assert_eq!(world.fake.accepted().len(), 2);
    for post in [first, second] {
        assert_eq!(world.commits(world.delivery(post).await.id), 1);
    }
}

#[tokio::test]
async fn a_persons_word_publishes_it_or_sends_it_again_after_one_more_look() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let due = FakeClock::START + minutes(5);
        let there = world.schedule("There", &[account], due).await;
        let again = world.schedule("Again", &[account], due + minutes(2)).await;
        let hidden = world.schedule("Hidden", &[account], due + minutes(4)).await;
        world.fake.next([Next::DropAfterUnlisted, Next::DropBefore, Next::DropAfterUnlisted]);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + minutes(8)).await;
        let (a, b, c) = (world.delivery(there).await.id, world.delivery(again).await.id, world.delivery(hidden).await.id);
        let page = world.services.post_page(&world.caller, there).await.expect("the page");
        assert_eq!(page.proofs[0].look_url.as_deref(), Some("https://www.facebook.com/page"), "where the person can look");

        world.services.answer_delivery(&world.caller, a, PostAnswer::There).await.expect("taken");
        assert!(matches!(world.state(there).await, DeliveryState::Published { known_by: KnownBy::Person, .. }), "{}", world.kind);

        world.services.answer_delivery(&world.caller, b, PostAnswer::SendAgain).await.expect("taken");
        world.settle(&mut publisher).await;
        assert!(matches!(world.state(again).await, DeliveryState::Published { known_by: KnownBy::Answer, .. }));
        assert_eq!(world.commits(b), 2, "by a person's word");

        world.fake.show_all();
        let refused = world.services.answer_delivery(&world.caller, c, PostAnswer::SendAgain).await.expect_err("it was found");
        assert_eq!(refused.refusal().code, ErrorCode::Outdated);
        assert!(matches!(world.state(hidden).await, DeliveryState::Published { known_by: KnownBy::Found, .. }));
        assert_eq!(world.commits(c), 1);
        assert_eq!(world.open_stages().await, []);

        let twice = world.services.answer_delivery(&world.caller, a, PostAnswer::SendAgain).await.expect_err("answered already");
        assert_eq!(twice.refusal().code, ErrorCode::Outdated);
    }
}

#[tokio::test]
async fn a_repeatable_step_is_repeated_and_a_remembered_one_is_not() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Photos", &[account], due).await;
    world.fake.set_steps(3);
    world.fake.next([Next::NotSent]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + minutes(3)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { .. }));
    assert_eq!(world.fake.step_calls(), 3);
    world.fake.refuse_prepare(Class::Transient);
    let second = world.schedule("More photos", &[account], due + minutes(10)).await;
    world.run_until(&mut publisher, due + minutes(20)).await;
    assert!(matches!(world.state(second).await, DeliveryState::Published { .. }));
    assert_eq!(world.fake.step_calls(), 6);
}
