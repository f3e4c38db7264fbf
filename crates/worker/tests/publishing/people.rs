//! What people do around the due moment: edit, cancel, pause, unlink, catch up.

use std::time::Duration;

use domain::delivery::{CanceledWhy, DeliveryState, MissedWhy};
use domain::id::{PostId, WorkspaceId};
use domain::missed::{CatchUpRule, LeftOut};
use domain::role::Caller;
use domain::summary::compose::ComposeInput;
use domain::summary::inbox::About;
use domain::summary::posts::PostsTab;
use domain::summary::refusal::ErrorCode;
use domain::text::Problem;
use domain::time::{Clock, hours, minutes};
use service::missed::NewTime;
use service::moments::Zone;
use testkit::FakeClock;

use crate::fake::Next;
use crate::world::World;

fn code<T: std::fmt::Debug>(answer: Result<T, service::ServiceError>) -> ErrorCode {
    answer.expect_err("a refusal").refusal().code
}

#[tokio::test]
async fn an_edit_before_the_claim_sends_the_new_words_and_keeps_the_old_revision() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, a) = world.account("a").await;
        let (_, b) = world.account("b").await;
        let due = FakeClock::START + hours(3);
        let post = world.schedule("Old words", &[a], due).await;
        let old = world.delivery(post).await.revision;
        let (date, time) = Zone::UTC.wall(due);
        let input = ComposeInput {
            post: post.to_string(),
            text: "New words".to_owned(),
            accounts: vec![a.to_string(), b.to_string()],
            date,
            time,
            zone: "UTC".to_owned(),
            then: "schedule".to_owned(),
            ..ComposeInput::default()
        };
        world.services.compose(&world.caller, input).await.expect("edited");
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + minutes(1)).await;
        let texts: Vec<String> = world.fake.accepted().into_iter().map(|post| post.text).collect();
        assert_eq!(texts, ["New words", "New words"], "{}", world.kind);
        let kept = world.services.store.revision(world.caller.workspace, old).await.expect("read").expect("still there");
        assert_eq!(kept.text, "Old words");
    }
}

#[tokio::test]
async fn after_the_claim_it_is_already_being_sent() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Sending", &[account], due).await;
    world.fake.next([Next::HangBefore]);
    world.advance(minutes(5));
    let mut publisher = world.publisher();
    publisher.tick().await.expect("a round");
    assert_eq!(code(world.services.cancel_post(&world.caller, post).await), ErrorCode::AlreadyBeingSent);
    assert_eq!(code(world.services.reschedule_post(&world.caller, post, "2026-12-03", "09:00", "UTC").await), ErrorCode::AlreadyBeingSent);
}

#[tokio::test]
async fn a_cancelled_post_is_not_sent() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let post = world.schedule("Never", &[account], FakeClock::START + hours(2)).await;
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, FakeClock::START + minutes(90)).await;
        world.services.cancel_post(&world.caller, post).await.expect("cancelled");
        world.run_until(&mut publisher, FakeClock::START + hours(4)).await;
        assert_eq!(world.state(post).await, DeliveryState::Canceled { why: CanceledWhy::Person });
        assert!(world.fake.accepted().is_empty(), "{}", world.kind);
        assert_eq!(code(world.services.cancel_post(&world.caller, post).await), ErrorCode::Outdated);
    }
}

#[tokio::test]
async fn a_paused_account_misses_its_posts_with_that_reason() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let post = world.schedule("Paused", &[account], FakeClock::START + minutes(5)).await;
    world.services.pause_account(&world.caller, account, true).await.expect("paused");
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, FakeClock::START + minutes(6)).await;
    assert!(matches!(world.state(post).await, DeliveryState::Missed { why: MissedWhy::Paused, .. }));
}

#[tokio::test]
async fn unlinking_turns_planned_posts_into_drafts_and_leaves_the_other_accounts_theirs() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, a) = world.account("a").await;
        let (_, b) = world.account("b").await;
        let due = FakeClock::START + hours(2);
        let alone = world.schedule("Alone", &[a], due).await;
        let both = world.schedule("Both", &[a, b], due).await;
        assert_eq!(world.services.unlink_account(&world.caller, a).await.expect("unlinked"), 2, "{}", world.kind);
        assert_eq!(world.services.store.drafts_of_account(world.caller.workspace, a).await.expect("counted"), 2);
        let mut publisher = world.publisher();
        world.run_until(&mut publisher, due + minutes(1)).await;
        let accepted: Vec<String> = world.fake.accepted().into_iter().map(|post| format!("{} {}", post.account, post.text)).collect();
        assert_eq!(accepted, ["b Both"], "{}", world.kind);
        assert_eq!(world.state(alone).await, DeliveryState::Canceled { why: CanceledWhy::Unlinked });
        let drafts = world.services.posts_page(&world.caller, PostsTab::Drafts).await.expect("drafts");
        let mut texts: Vec<String> = drafts.rows.iter().map(|row| row.text.clone()).collect();
        texts.sort();
        assert_eq!(texts, ["Alone", "Both"]);
        assert_eq!(drafts.counts[3], 2);
        assert!(world.deliveries(both).await.iter().any(|delivery| matches!(delivery.state, DeliveryState::Published { .. })));
    }
}

#[tokio::test]
async fn what_cannot_be_planned_is_refused_with_its_reason_and_nothing_is_written() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let good = || ComposeInput {
        text: "Fine".to_owned(),
        accounts: vec![account.to_string()],
        date: "2026-12-03".to_owned(),
        time: "09:00".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        then: "schedule".to_owned(),
        ..ComposeInput::default()
    };
    let foreign = "0123456789abcdef0123456789abcdef".to_owned();
    let cases = [
        (ComposeInput { accounts: Vec::new(), ..good() }, ErrorCode::NoAccounts),
        (ComposeInput { accounts: vec![foreign.clone()], ..good() }, ErrorCode::NotFound),
        (ComposeInput { accounts: vec!["1' or '1'='1".to_owned()], ..good() }, ErrorCode::NotFound),
        (ComposeInput { images: vec![foreign.clone()], ..good() }, ErrorCode::NotFound),
        (ComposeInput { post: foreign, ..good() }, ErrorCode::NotFound),
        (ComposeInput { time: "25:00".to_owned(), ..good() }, ErrorCode::BadTime),
        (ComposeInput { date: String::new(), ..good() }, ErrorCode::BadTime),
        (ComposeInput { zone: "Mars/Olympus".to_owned(), ..good() }, ErrorCode::BadZone),
        (ComposeInput { date: "2026-11-20".to_owned(), time: "08:59".to_owned(), ..good() }, ErrorCode::TimePassed),
        (ComposeInput { date: "2029-01-01".to_owned(), ..good() }, ErrorCode::TimeTooFar),
        (ComposeInput { text: "x".repeat(63_207), ..good() }, ErrorCode::Content),
        (ComposeInput { text: "  ".to_owned(), ..good() }, ErrorCode::Content),
        (ComposeInput { then: "explode".to_owned(), ..good() }, ErrorCode::BadArguments),
        (ComposeInput { text: "x".repeat(300_000), ..good() }, ErrorCode::BadArguments),
    ];
    for (input, expected) in cases {
        let shown = format!("{:?} {} {}", input.accounts, input.date, input.then);
        assert_eq!(code(world.services.compose(&world.caller, input).await), expected, "{shown}");
    }
    let passed = ComposeInput { date: "2026-11-20".to_owned(), time: "08:00".to_owned(), zone: "UTC".to_owned(), ..good() };
    let refusal = world.services.compose(&world.caller, passed).await.expect_err("passed").refusal();
    assert_eq!(refusal.instead.expect("a way on").text, "Fri 20 Nov, 08:15");
    let long = ComposeInput { text: "x".repeat(63_207), ..good() };
    let refusal = world.services.compose(&world.caller, long).await.expect_err("too long").refusal();
    assert_eq!(refusal.problems[0].problem, Problem::TextTooLong { has: 63_207, limit: 63_206 });
    for tab in [PostsTab::Planned, PostsTab::Drafts] {
        assert!(world.services.posts_page(&world.caller, tab).await.expect("a page").rows.is_empty());
    }
}

#[tokio::test]
async fn another_workspaces_posts_do_not_exist_for_a_caller() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (_, account) = world.account("page").await;
        let post = world.schedule("Mine", &[account], FakeClock::START + hours(2)).await;
        let delivery = world.delivery(post).await.id;
        let owner = service::auth::NewOwner {
            name: "Eve".to_owned(),
            email: "eve@example.org".to_owned(),
            password: secrecy::SecretString::from("another password"),
            workspace: "Elsewhere".to_owned(),
            zone: "UTC".to_owned(),
        };
        let (person, workspace): (_, WorkspaceId) = world.services.create_owner(owner).await.expect("another owner");
        let eve = Caller { person, workspace, ..world.caller.clone() };
        let services = &world.services;
        assert_eq!(code(services.post_page(&eve, post).await), ErrorCode::NotFound);
        assert_eq!(code(services.compose_page(&eve, Some(post), None).await), ErrorCode::NotFound);
        assert_eq!(code(services.cancel_post(&eve, post).await), ErrorCode::NotFound);
        assert_eq!(code(services.reschedule_post(&eve, post, "2026-12-03", "09:00", "UTC").await), ErrorCode::NotFound);
        assert_eq!(code(services.answer_delivery(&eve, delivery, service::posts::PostAnswer::There).await), ErrorCode::NotFound);
        assert_eq!(code(services.drop_missed(&eve, vec![post]).await), ErrorCode::NotFound);
        let time = NewTime { post, date: String::new(), time: String::new() };
        assert_eq!(code(services.apply_missed(&eve, vec![time]).await), ErrorCode::NotFound);
        let input = ComposeInput {
            text: "Stolen".to_owned(),
            accounts: vec![account.to_string()],
            then: "now".to_owned(),
            ..ComposeInput::default()
        };
        assert_eq!(code(services.compose(&eve, input).await), ErrorCode::NotFound);
        assert_eq!(services.overview(&eve).await.expect("her own").next.len(), 0);
    }
}

async fn three_missed(world: &World) -> (Vec<PostId>, worker::publisher::Publisher) {
    let (_, account) = world.account("page").await;
    let mut posts = Vec::new();
    for number in 0..3u64 {
        posts.push(world.schedule(&format!("Missed {number}"), &[account], FakeClock::START + minutes(5 + 5 * number)).await);
    }
    world.fake.next([Next::Refuse(domain::cause::Class::Revoked, None)]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, FakeClock::START + minutes(30)).await;
    (posts, publisher)
}

#[tokio::test]
async fn missed_posts_get_new_times_by_one_rule_also_before_the_login_is_back_and_can_be_undone() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (posts, _publisher) = three_missed(&world).await;
        let page = world.services.missed_page(&world.caller, CatchUpRule::default()).await.expect("the page");
        assert_eq!((page.posts, page.accounts, page.rows.len(), page.send_now.len()), (3, 1, 3, 0), "{}", world.kind);
        assert!(page.rows.iter().all(|row| row.left_out == Some(LeftOut::StillDisconnected) && row.suggestion.is_some()));
        // The way out of it stands on the same page.
        assert_eq!((page.needs.len(), page.needs[0].missed), (1, 3));
        assert!(matches!(page.needs[0].about, About::Login { may_sign_in_now: true, .. }));
        assert_eq!(code(world.services.apply_missed(&world.caller, Vec::new()).await), ErrorCode::NoPosts);
        let times: Vec<NewTime> =
            page.rows.iter().map(|row| NewTime { post: row.post.id, date: row.date.clone(), time: row.time.clone() }).collect();
        let applied = world.services.apply_missed(&world.caller, times.clone()).await.expect("applied");
        assert_eq!((applied.posts, applied.now), (3, 0));
        for post in &posts {
            assert_eq!(world.state(*post).await, DeliveryState::Scheduled);
        }
        assert_eq!(code(world.services.apply_missed(&world.caller, times).await), ErrorCode::Outdated);
        let undo = applied.undo.expect("it can be undone");
        world.services.undo_missed(&world.caller, undo.id).await.expect("undone");
        for post in &posts {
            let delivery = world.delivery(*post).await;
            assert!(matches!(delivery.state, DeliveryState::Missed { why: MissedWhy::Disconnected, .. }), "{}", world.kind);
            assert!(delivery.due_at < FakeClock::START + minutes(20), "the old time is back");
        }
        assert_eq!(code(world.services.undo_missed(&world.caller, undo.id).await), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn applying_is_all_or_none_and_undo_ends_with_the_first_new_time() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (posts, _publisher) = three_missed(&world).await;
    let now = world.world.now();
    let (date, time) = Zone::UTC.wall(now + hours(1));
    let good = NewTime { post: posts[0], date: date.clone(), time: time.clone() };
    let bad = NewTime { post: posts[1], date: "2020-01-01".to_owned(), time: "09:00".to_owned() };
    assert_eq!(code(world.services.apply_missed(&world.caller, vec![good.clone(), bad]).await), ErrorCode::TimePassed);
    assert!(matches!(world.state(posts[0]).await, DeliveryState::Missed { .. }), "nothing was changed");
    assert_eq!(code(world.services.apply_missed(&world.caller, vec![good.clone(), good.clone()]).await), ErrorCode::BadArguments);
    let applied = world.services.apply_missed(&world.caller, vec![good]).await.expect("applied");
    world.advance(hours(1) + Duration::from_secs(1));
    assert_eq!(code(world.services.undo_missed(&world.caller, applied.undo.expect("an offer").id).await), ErrorCode::UndoOver);
    world.services.drop_missed(&world.caller, vec![posts[1], posts[2]]).await.expect("dismissed");
    assert_eq!(world.state(posts[1]).await, DeliveryState::Canceled { why: CanceledWhy::Dropped });
}

#[tokio::test]
async fn what_is_sent_at_once_is_counted_and_offers_no_undo() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (posts, mut publisher) = three_missed(&world).await;
    let now = |post: PostId| NewTime { post, date: String::new(), time: String::new() };
    let (date, time) = Zone::UTC.wall(world.world.now() + hours(1));
    let later = NewTime { post: posts[2], date, time };
    let applied = world.services.apply_missed(&world.caller, vec![now(posts[0]), now(posts[1]), later]).await.expect("applied");
    assert_eq!((applied.posts, applied.now, applied.undo), (3, 2, None));
    // The login is still lost, so they are missed once more; nothing is lost without a word.
    world.settle(&mut publisher).await;
    assert!(matches!(world.state(posts[0]).await, DeliveryState::Missed { .. }));
}

#[tokio::test]
async fn a_new_time_of_a_missed_post_begins_ahead_and_dismissing_takes_only_what_did_not_go_out() {
    for fresh in testkit::db::each().await {
        let world = World::new(fresh).await;
        let (posts, _publisher) = three_missed(&world).await;
        let now = world.world.now();
        let page = world.services.post_page(&world.caller, posts[0]).await.expect("the page");
        let begins = Zone::UTC.resolve(&page.wall_date.expect("a day"), &page.wall_time.expect("a time")).expect("a moment").0;
        assert!(begins > now && begins < now + hours(48), "{}", world.kind);
        let start = world.services.compose_page(&world.caller, Some(posts[0]), None).await.expect("the form").start;
        assert_eq!(Zone::UTC.resolve(&start.date, &start.time).expect("a moment").0, begins, "the same in Compose");
        // What lies ahead stays as it was picked.
        let due = FakeClock::START + hours(30);
        let account = world.delivery(posts[0]).await.account;
        let planned = world.schedule("Planned", &[account], due).await;
        let page = world.services.post_page(&world.caller, planned).await.expect("the page");
        assert_eq!((page.wall_date, page.wall_time), (Some(Zone::UTC.wall(due).0), Some(Zone::UTC.wall(due).1)));

        world.services.cancel_post(&world.caller, posts[0]).await.expect("dismissed");
        assert_eq!(world.state(posts[0]).await, DeliveryState::Canceled { why: CanceledWhy::Dropped }, "{}", world.kind);
        assert_eq!(code(world.services.cancel_post(&world.caller, posts[0]).await), ErrorCode::Outdated);
    }
}

#[tokio::test]
async fn a_missed_post_alone_is_rescheduled_to_another_day_and_what_is_online_stays() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, a) = world.account("a").await;
    let (_, b) = world.account("b").await;
    let due = FakeClock::START + minutes(5);
    world.services.pause_account(&world.caller, b, true).await.expect("paused");
    let post = world.schedule("Partly", &[a, b], due).await;
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + minutes(1)).await;
    world.services.pause_account(&world.caller, b, false).await.expect("goes on");
    let page = world.services.post_page(&world.caller, post).await.expect("the page");
    assert_eq!(page.line.status, domain::post::PostStatus::Partly);
    assert!(page.can_reschedule);
    world.services.reschedule_post(&world.caller, post, "2026-11-21", "09:00", "UTC").await.expect("a new time");
    world.run_until(&mut publisher, FakeClock::START + hours(48)).await;
    let accepted: Vec<String> = world.fake.accepted().into_iter().map(|post| post.account).collect();
    assert_eq!(accepted, ["a", "b"]);
}

#[tokio::test]
async fn publish_now_goes_out_without_waiting_for_a_clock() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let mut publisher = world.publisher();
    world.settle(&mut publisher).await;
    let input =
        ComposeInput { text: "Now".to_owned(), accounts: vec![account.to_string()], then: "now".to_owned(), ..ComposeInput::default() };
    world.services.compose(&world.caller, input).await.expect("sent");
    world.settle(&mut publisher).await;
    assert_eq!(world.fake.accepted().len(), 1);
}

#[tokio::test]
async fn a_refused_post_can_be_fixed_and_sent_and_its_thread_is_back_to_normal() {
    let world = World::new(testkit::db::sqlite().await).await;
    let (_, account) = world.account("page").await;
    let due = FakeClock::START + minutes(5);
    let post = world.schedule("Broken", &[account], due).await;
    world.fake.next([Next::Refuse(domain::cause::Class::BadContent, None)]);
    let mut publisher = world.publisher();
    world.run_until(&mut publisher, due + minutes(1)).await;
    let input = ComposeInput {
        post: post.to_string(),
        text: "Fixed".to_owned(),
        accounts: vec![account.to_string()],
        then: "now".to_owned(),
        ..ComposeInput::default()
    };
    world.services.compose(&world.caller, input).await.expect("fixed");
    assert_eq!(world.open_stages().await, []);
    world.settle(&mut publisher).await;
    assert!(matches!(world.state(post).await, DeliveryState::Published { .. }));
    assert_eq!(world.fake.accepted()[0].text, "Fixed");
}
