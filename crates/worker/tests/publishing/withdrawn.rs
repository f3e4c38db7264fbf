//! The platform no longer takes a page's own token: what it means, the login's own token tells.

use std::time::Duration;

use domain::account::AccountState;
use domain::cause::{Cause, Class};
use domain::delivery::{DeliveryState, MissedWhy};
use domain::grant::GrantState;
use domain::id::{AccountId, GrantId, PostId};
use domain::inbox::Stage;
use domain::time::{hours, minutes};
use testkit::FakeClock;

use crate::fake::Next;
use crate::world::World;

const OLD: &str = "page-token-1";
const NEW: &str = "page-token-2";

/// A page with a token of its own, and a post to it that meets a bare "this token is not valid" (Facebook's code 190).
async fn refused(world: &World) -> (GrantId, AccountId, PostId) {
    let (grant, account) = world.account("page").await;
    world.own_token(account, OLD).await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Wreaths", &[account], due).await;
    world.fake.next([Next::Refuse(Class::Revoked, None)]);
    world.run_until(&mut world.publisher(), due + Duration::from_secs(1)).await;
    (grant, account, post)
}

async fn login(world: &World, grant: GrantId) -> GrantState {
    world.services.store.grant(world.caller.workspace, grant).await.unwrap().unwrap().state
}

async fn account(world: &World, account: AccountId) -> AccountState {
    world.services.store.account(world.caller.workspace, account).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_page_that_the_login_no_longer_lists_is_lost_alone() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        world.fake.lists(Ok(&[("another page", "t")]));
        let (grant, page, post) = refused(&world).await;
        assert_eq!(login(&world, grant).await, GrantState::Live, "{}", world.kind);
        assert!(matches!(account(&world, page).await, AccountState::Blocked { cause: Cause::PrivacySettings, .. }), "{}", world.kind);
        assert!(matches!(world.state(post).await, DeliveryState::Missed { why: MissedWhy::AccountBlocked, .. }), "{}", world.kind);
        assert_eq!(world.open_stages().await, [Stage::Missed { posts: 1 }], "one story");
    }
}

#[tokio::test]
async fn a_login_whose_own_token_is_refused_too_is_lost() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        world.fake.lists(Err(Class::Revoked));
        let (grant, page, post) = refused(&world).await;
        assert!(matches!(login(&world, grant).await, GrantState::SignInNeeded { .. }), "{}", world.kind);
        assert_eq!(account(&world, page).await, AccountState::Ok);
        assert!(matches!(world.state(post).await, DeliveryState::Missed { why: MissedWhy::Disconnected, .. }), "{}", world.kind);
        assert_eq!(world.open_stages().await, [Stage::Missed { posts: 1 }]);
    }
}

#[tokio::test]
async fn an_old_page_token_is_replaced_and_the_post_goes_out_with_the_new_one() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        world.fake.lists(Ok(&[("page", NEW)]));
        let (grant, page, post) = refused(&world).await;
        assert!(matches!(world.state(post).await, DeliveryState::Waiting { .. }), "{}", world.kind);
        world.run_until(&mut world.publisher(), FakeClock::START + minutes(6)).await;
        assert!(matches!(world.state(post).await, DeliveryState::Published { .. }), "{}", world.kind);
        let tokens: Vec<String> = world.fake.accepted().into_iter().map(|post| post.token).collect();
        assert_eq!(tokens, [NEW]);
        assert_eq!((login(&world, grant).await, account(&world, page).await), (GrantState::Live, AccountState::Ok));
        assert_eq!(world.open_stages().await, []);
    }
}

#[tokio::test]
async fn while_nobody_can_tell_the_post_waits_and_nobody_is_asked_to_sign_in() {
    let world = World::new(testkit::db::sqlite().await).await;
    world.fake.lists(Err(Class::Transient));
    let (grant, page, post) = refused(&world).await;
    assert!(matches!(world.state(post).await, DeliveryState::Waiting { .. }));
    assert_eq!((login(&world, grant).await, account(&world, page).await), (GrantState::Live, AccountState::Ok));
    world.fake.lists(Ok(&[("page", NEW)]));
    world.run_until(&mut world.publisher(), FakeClock::START + hours(1)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { .. }));
}

#[tokio::test]
async fn a_refused_look_speaks_for_the_page_alone_too() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (grant, page) = world.account("page").await;
    world.own_token(page, OLD).await;
    world.fake.lists(Ok(&[]));
    world.fake.looks_refused(Class::Revoked);
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Wreaths", &[page], due).await;
    world.fake.next([Next::DropAfter]);
    world.run_until(&mut world.publisher(), due + Duration::from_secs(1)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Confirming { .. }));
    assert_eq!(login(&world, grant).await, GrantState::Live);
    assert!(matches!(account(&world, page).await, AccountState::Blocked { .. }));
}
