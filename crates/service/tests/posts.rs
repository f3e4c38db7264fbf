//! Writing posts and looking at them: images, drafts, zones, the forecast, the overview.

use std::io::Cursor;

use bytes::Bytes;
use domain::platform::Platform::{Facebook, Pinterest};
use domain::post::PostStatus;
use domain::role::{Caller, Role};
use domain::summary::compose::{ClockChange, ComposeInput};
use domain::summary::posts::PostsTab;
use domain::summary::refusal::ErrorCode;
use domain::text::Problem;
use domain::time::{days, hours, minutes};
use futures::TryStreamExt;
use service::ServiceError;
use service::moments::Zone;
use testkit::backend::{BOARD, Backend, MARA};

fn code<T: std::fmt::Debug>(answer: Result<T, ServiceError>) -> ErrorCode {
    answer.expect_err("a refusal").refusal().code
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([200, 120, 40]));
    image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).expect("an image");
    bytes
}

async fn linked(fresh: testkit::db::Fresh) -> (Backend, Caller) {
    let backend = Backend::on(fresh).await;
    let caller = backend.owner().await;
    backend.link(&caller, Facebook, MARA).await;
    backend.link(&caller, Pinterest, MARA).await;
    (backend, caller)
}

#[tokio::test]
async fn an_image_is_kept_whole_and_belongs_to_its_workspace() {
    for fresh in testkit::db::each().await {
        let backend = Backend::on(fresh).await;
        let (mine, other) = (backend.owner().await, backend.owner().await);
        let bytes = Bytes::from(png(64, 48));
        let view = backend.services.upload_image(&mine, bytes.clone()).await.expect("taken");
        assert_eq!((view.width, view.height, view.url), (64, 48, format!("/api/v1/media/{}", view.id)), "{}", backend.kind);
        let (facts, stored) = backend.services.image(&mine, view.id).await.expect("there");
        assert_eq!((stored, facts.kind.media_type()), (bytes, "image/png"));
        assert_eq!(code(backend.services.image(&other, view.id).await), ErrorCode::NotFound);
        let input = ComposeInput { text: "x".into(), images: vec![view.id.to_string()], then: "draft".into(), ..ComposeInput::default() };
        assert_eq!(code(backend.services.compose(&other, input).await), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn a_refused_image_leaves_nothing_behind() {
    let backend = Backend::new().await;
    let caller = backend.owner().await;
    let whole = png(300, 200);
    let huge = {
        let mut bytes = whole.clone();
        bytes[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        bytes
    };
    let cases = [
        (whole[..whole.len() / 2].to_vec(), ErrorCode::ImageBroken),
        (whole[..20].to_vec(), ErrorCode::ImageBroken),
        (vec![0x89; 40 * 1024 * 1024], ErrorCode::ImageTooLarge),
        (huge, ErrorCode::ImageTooLarge),
        (b"GIF89a and so on".to_vec(), ErrorCode::ImageKind),
        (b"<svg onload=alert(1)>".to_vec(), ErrorCode::ImageKind),
        (Vec::new(), ErrorCode::ImageKind),
    ];
    for (bytes, expected) in cases {
        assert_eq!(code(backend.services.upload_image(&caller, bytes.into()).await), expected);
    }
    let viewer = Caller { role: Role::Viewer, ..caller };
    assert_eq!(code(backend.services.upload_image(&viewer, whole.into()).await), ErrorCode::NotAllowed);
    let stored: Vec<_> = backend.services.media.list(None).try_collect().await.expect("a list");
    assert!(stored.is_empty());
}

#[tokio::test]
async fn a_draft_is_kept_as_it_was_written_and_becomes_a_planned_post() {
    for fresh in testkit::db::each().await {
        let (backend, caller) = linked(fresh).await;
        let board = backend.account(&caller, "Mara Jung").await.0;
        let image = backend.services.upload_image(&caller, png(64, 48).into()).await.expect("taken").id;
        let draft = ComposeInput {
            text: "Wreaths\r\nfrom today".into(),
            title: " Autumn ".into(),
            accounts: vec![board.to_string()],
            boards: vec![format!("{board}:{BOARD}")],
            images: vec![image.to_string()],
            alts: vec!["A wreath".into()],
            then: "draft".into(),
            ..ComposeInput::default()
        };
        let post = backend.services.compose(&caller, draft.clone()).await.expect("kept").post;
        let page = backend.services.compose_page(&caller, Some(post), None).await.expect("the page");
        assert_eq!((page.start.text.as_str(), page.start.title.as_str()), ("Wreaths\nfrom today", "Autumn"), "{}", backend.kind);
        assert_eq!(page.start.images[0].alt, "A wreath");
        assert_eq!(page.start.targets[0].board.as_deref(), Some(BOARD));
        let drafts = backend.services.posts_page(&caller, PostsTab::Drafts).await.expect("drafts");
        assert_eq!((drafts.counts, drafts.rows[0].status), ([0, 0, 0, 1], PostStatus::Draft));

        let planned = ComposeInput {
            post: post.to_string(),
            date: "2026-12-03".into(),
            time: "09:00".into(),
            zone: "Europe/Berlin".into(),
            then: "schedule".into(),
            ..draft
        };
        let composed = backend.services.compose(&caller, planned).await.expect("planned");
        assert_eq!((composed.post, composed.due.expect("a time").text.as_str()), (post, "Thu 3 Dec, 09:00"));
        let planned = backend.services.posts_page(&caller, PostsTab::Planned).await.expect("planned");
        assert_eq!((planned.counts, planned.rows[0].images), ([1, 0, 0, 0], 1));
        assert_eq!(planned.rows[0].deliveries[0].account_name, "Mara Jung");
        let page = backend.services.post_page(&caller, post).await.expect("the post");
        assert_eq!(
            (page.wall_date.as_deref(), page.wall_time.as_deref(), page.zone.as_str()),
            (Some("2026-12-03"), Some("09:00"), "Europe/Berlin")
        );
        assert!(page.can_edit && page.can_reschedule);

        let deleted = ComposeInput { text: "Never mind".into(), then: "draft".into(), ..ComposeInput::default() };
        let other = backend.services.compose(&caller, deleted).await.expect("kept").post;
        backend.services.cancel_post(&caller, other).await.expect("deleted");
        assert_eq!(code(backend.services.post_page(&caller, other).await), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn an_edit_that_was_refused_is_kept_beside_the_post_as_it_was() {
    for fresh in testkit::db::each().await {
        let (backend, caller) = linked(fresh).await;
        let services = &backend.services;
        let page = backend.account(&caller, "Blumen Jung").await.0;
        let input = |post: String, text: &str, date: &str| ComposeInput {
            post,
            text: text.into(),
            accounts: vec![page.to_string()],
            date: date.into(),
            time: "09:00".into(),
            zone: "Europe/Berlin".into(),
            then: "schedule".into(),
            ..ComposeInput::default()
        };
        let post = services.compose(&caller, input(String::new(), "As it was", "2026-12-03")).await.expect("planned").post;
        let edit = input(post.to_string(), "As it is wanted", "2020-01-01");
        assert_eq!(code(services.compose(&caller, edit.clone()).await), ErrorCode::TimePassed);
        let kept = services.keep_refused(&caller, &edit).await.expect("kept");
        let start = services.compose_page(&caller, Some(post), Some(kept)).await.expect("the form").start;
        assert_eq!((start.text.as_str(), start.post), ("As it is wanted", Some(post)), "{}", backend.kind);
        let start = services.compose_page(&caller, Some(post), None).await.expect("the form").start;
        assert_eq!((start.text.as_str(), start.date.as_str()), ("As it was", "2026-12-03"), "nothing was changed");
        // The next edit is no less possible, and an edit belongs to its post and workspace.
        services.compose(&caller, input(post.to_string(), "Again", "2026-12-04")).await.expect("planned");
        let other = services.compose(&caller, input(String::new(), "Another", "2026-12-03")).await.expect("planned").post;
        assert_eq!(code(services.compose_page(&caller, Some(other), Some(kept)).await), ErrorCode::NotFound);
        let stranger = backend.owner().await;
        assert_eq!(code(services.keep_refused(&stranger, &edit).await), ErrorCode::NotFound);
        assert_eq!(code(services.compose_page(&stranger, Some(post), Some(kept)).await), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn an_end_is_soon_fourteen_days_ahead_and_never_where_we_renew() {
    let (backend, caller) = linked(testkit::db::sqlite().await).await;
    let soon = async || {
        let page = backend.services.compose_page(&caller, None, None).await.expect("the page");
        page.accounts.into_iter().map(|account| (account.platform, account.ends_soon)).collect::<Vec<_>>()
    };
    assert!(soon().await.iter().all(|(_, ends_soon)| !ends_soon), "sixty days are not soon");
    backend.pass(days(50));
    for (platform, ends_soon) in soon().await {
        assert_eq!(ends_soon, platform == Facebook, "{platform}");
    }
}

#[tokio::test]
async fn problems_are_told_per_account_and_a_foreign_board_is_none() {
    let (backend, caller) = linked(testkit::db::sqlite().await).await;
    let page = backend.account(&caller, "Blumen Jung").await.0;
    let board = backend.account(&caller, "Mara Jung").await.0;
    let input = ComposeInput {
        text: "No image".into(),
        accounts: vec![page.to_string(), board.to_string()],
        boards: vec![format!("{board}:somebody-elses-board")],
        date: "2026-12-03".into(),
        time: "09:00".into(),
        zone: "Europe/Berlin".into(),
        then: "schedule".into(),
        ..ComposeInput::default()
    };
    let refusal = backend.services.compose(&caller, input).await.expect_err("refused").refusal();
    let problems: Vec<_> = refusal.problems.iter().map(|found| (found.account, found.problem.clone())).collect();
    assert_eq!(problems, [(Some(board), Problem::TooFewImages { limit: 1 }), (Some(board), Problem::NoBoard)]);
}

#[tokio::test]
async fn a_gap_of_summer_time_is_told_with_what_was_asked_and_what_it_became() {
    let (backend, caller) = linked(testkit::db::sqlite().await).await;
    let page = backend.account(&caller, "Blumen Jung").await.0;
    let at = |date: &str, time: &str| ComposeInput {
        text: "Early".into(),
        accounts: vec![page.to_string()],
        date: date.into(),
        time: time.into(),
        zone: "Europe/Berlin".into(),
        then: "schedule".into(),
        ..ComposeInput::default()
    };
    let gap = backend.services.compose(&caller, at("2027-03-28", "02:30")).await.expect("planned");
    assert_eq!(gap.clock_change, Some(ClockChange::Gap { asked: "02:30".into(), becomes: "03:30".into() }));
    let fold = backend.services.compose(&caller, at("2027-10-31", "02:30")).await.expect("planned");
    assert_eq!(fold.clock_change, Some(ClockChange::Fold { asked: "02:30".into() }));
}

#[tokio::test]
async fn the_overview_counts_each_post_once_and_joins_the_ends_of_logins_to_the_plan() {
    for fresh in testkit::db::each().await {
        let (backend, caller) = linked(fresh).await;
        let first = backend.account(&caller, "Blumen Jung").await.0;
        let second = backend.account(&caller, "Blumen Jung Weddings").await.0;
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        for (text, ahead) in [("Soon", hours(2)), ("Tomorrow", days(1)), ("Far", days(61))] {
            let (date, time) = berlin.wall(backend.now() + ahead);
            let input = ComposeInput {
                text: text.into(),
                accounts: vec![first.to_string(), second.to_string()],
                date,
                time,
                zone: "Europe/Berlin".into(),
                then: "schedule".into(),
                ..ComposeInput::default()
            };
            backend.services.compose(&caller, input).await.expect("planned");
        }
        let overview = backend.services.overview(&caller).await.expect("the overview");
        assert_eq!((overview.accounts, overview.connected), (3, 3), "{}", backend.kind);
        let week: Vec<u32> = overview.week.iter().map(|day| day.posts).collect();
        assert_eq!(week, [1, 1, 0, 0, 0, 0, 0]);
        assert!(overview.week[0].is_today && overview.week[0].weekday == "Fri" && overview.week[0].day == "Fri 20 Nov");
        let next: Vec<&str> = overview.next.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(next, ["Soon", "Tomorrow", "Far"]);
        assert_eq!(overview.next[0].due.as_ref().expect("a time").near, "today 11:00");
        let risky: Vec<bool> = overview.next.iter().map(|line| line.deliveries.iter().all(|delivery| delivery.at_risk)).collect();
        assert_eq!(risky, [false, false, true], "what is due after the login's end will not go out");
        let coming = &overview.coming_up;
        assert_eq!((coming.len(), coming[0].posts_after, coming[0].platform), (1, 1, Facebook));
        assert_eq!(coming[0].accounts, ["Blumen Jung", "Blumen Jung Weddings"]);
        backend.pass(days(60) + minutes(1));
        let page = backend.services.compose_page(&caller, None, None).await.expect("the page");
        assert!(page.accounts.iter().any(|account| account.end.as_ref().is_some_and(|end| end.is_past)));
        assert_eq!(page.zones[0], "Europe/Berlin");
    }
}
