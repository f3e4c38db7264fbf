//! The adapters against the rehearsal platforms: two readings of one contract.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

mod stage;

use domain::cause::Class;
use domain::platform::Platform::{self, Facebook, Pinterest};
use domain::time::{days, minutes};
use platforms::adapter::{CallError, Committed, Job, Looked, SeenOnline};
use platforms::secret::PkceVerifier;
use stage::{BOARD, PAGE, Stage, adapter, again, fault, job};

fn images(platform: Platform) -> usize {
    usize::from(platform == Pinterest)
}

/// The class and the cause of a refusal.
fn answered(error: CallError) -> (Class, &'static str) {
    match error {
        CallError::Answered { verdict, .. } => (verdict.class, verdict.cause.code()),
        other => panic!("no answer: {other:?}"),
    }
}

async fn matches(stage: &Stage, platform: Platform, job: &Job, attempted_at: domain::time::Timestamp) -> Vec<String> {
    let done = match platform {
        Facebook if job.images.len() > 1 => panic!("the steps are known to the story"),
        _ => Vec::new(),
    };
    match adapter(platform).look(&stage.app(platform), job, &done, attempted_at, stage.now()).await.unwrap() {
        Looked::Matches(posts) => posts.into_iter().map(|post| post.remote_id).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_facebook_sign_in_brings_sixty_days_scopes_and_pages() {
    let stage = Stage::new().await;
    let tokens = stage.sign_in(Facebook).await;
    assert_eq!(tokens.access_lives, Some(days(60)));
    let identity = adapter(Facebook).identify(&stage.app(Facebook), &tokens.access, stage.now()).await.unwrap();
    assert_eq!(identity.name, "Mara Jung");
    assert_eq!(identity.expires_at, Some(stage.now() + days(60)));
    for scope in adapter(Facebook).policy().scopes {
        assert!(identity.granted.iter().any(|granted| granted == scope.name), "{}", scope.name);
    }
    let pages = stage.accounts(Facebook, &tokens.access).await;
    let [page] = pages.as_slice() else { panic!("one page was ticked: {pages:?}") };
    assert_eq!((page.remote_id.as_str(), page.name.as_str()), (PAGE, "Blumen Jung"));
    assert!(page.may_post && page.access.is_some());
}

#[tokio::test]
async fn an_unticked_permission_is_seen() {
    let stage = Stage::new().await;
    let code = stage.consent(Facebook, &["pages_show_list", "pages_read_engagement"], &[PAGE]).await;
    let tokens = adapter(Facebook).exchange(&stage.app(Facebook), &code, &PkceVerifier::new("v".into()), stage.now()).await.unwrap();
    let identity = adapter(Facebook).identify(&stage.app(Facebook), &tokens.access, stage.now()).await.unwrap();
    assert!(!identity.granted.iter().any(|scope| scope == "pages_manage_posts"));
}

#[tokio::test]
async fn a_code_is_spent_once() {
    for platform in Platform::ALL {
        let stage = Stage::new().await;
        let scopes: Vec<&str> = adapter(*platform).policy().scopes.iter().map(|scope| scope.name).collect();
        let code = stage.consent(*platform, &scopes, &[PAGE]).await;
        let exchange =
            async || adapter(*platform).exchange(&stage.app(*platform), &code, &PkceVerifier::new("v".into()), stage.now()).await;
        assert!(exchange().await.is_ok());
        assert_eq!(answered(exchange().await.unwrap_err()).0, Class::LoginFailed, "{platform}");
    }
}

#[tokio::test]
async fn a_wrong_app_secret_is_the_operators_matter() {
    for platform in Platform::ALL {
        let stage = Stage::new().await;
        let tokens = stage.sign_in(*platform).await;
        let mut app = stage.app(*platform);
        app.secret = platforms::secret::AppSecret::new("wrong".into());
        let scopes: Vec<&str> = adapter(*platform).policy().scopes.iter().map(|scope| scope.name).collect();
        let code = stage.consent(*platform, &scopes, &[PAGE]).await;
        let exchange = adapter(*platform).exchange(&app, &code, &PkceVerifier::new("v".into()), stage.now()).await;
        assert_eq!(answered(exchange.unwrap_err()).0, Class::AppMisconfigured, "{platform}");
        if let Some(refresh) = tokens.refresh {
            let renewal = adapter(*platform).renew(&app, &refresh, stage.now()).await;
            assert_eq!(answered(renewal.unwrap_err()).0, Class::AppMisconfigured, "{platform}");
        }
    }
}

#[tokio::test]
async fn a_pinterest_login_slides_and_its_old_pair_dies() {
    let stage = Stage::new().await;
    let first = stage.sign_in(Pinterest).await;
    assert_eq!((first.access_lives, first.refresh_lives), (Some(days(30)), Some(days(60))));
    let refresh = first.refresh.unwrap();
    stage.pass(days(59));
    let second = adapter(Pinterest).renew(&stage.app(Pinterest), &refresh, stage.now()).await.unwrap();
    assert_eq!((second.access_lives, second.refresh_lives), (Some(days(30)), Some(days(60))));
    assert_ne!(second.refresh.as_ref().unwrap().to_seal(), refresh.to_seal());
    assert_eq!(
        answered(adapter(Pinterest).renew(&stage.app(Pinterest), &refresh, stage.now()).await.unwrap_err()),
        (Class::Revoked, "unknown")
    );
    stage.pass(days(59));
    let third = adapter(Pinterest).renew(&stage.app(Pinterest), &second.refresh.unwrap(), stage.now()).await.unwrap();
    stage.pass(days(61));
    assert!(
        answered(adapter(Pinterest).renew(&stage.app(Pinterest), &third.refresh.unwrap(), stage.now()).await.unwrap_err())
            .0
            .needs_sign_in()
    );
}

#[tokio::test]
async fn a_lost_rotation_is_lost_and_not_a_refusal() {
    let stage = Stage::new().await;
    stage.knob(Pinterest, serde_json::json!({"refresh_grace_seconds": 60})).await;
    let refresh = stage.sign_in(Pinterest).await.refresh.unwrap();
    stage.fault(Pinterest, fault("rotate_and_lose", None)).await;
    let lost = adapter(Pinterest).renew(&stage.app(Pinterest), &refresh, stage.now()).await;
    assert!(matches!(lost, Err(CallError::Lost(_))), "{lost:?}");
    assert!(adapter(Pinterest).renew(&stage.app(Pinterest), &refresh, stage.now()).await.is_ok(), "asked again within the grace");
}

#[tokio::test]
async fn every_kind_of_post_goes_out_is_read_back_and_is_found_again() {
    for (platform, kinds) in [(Facebook, [0, 1, 2, 10].as_slice()), (Pinterest, &[1, 2, 5])] {
        let stage = Stage::new().await;
        let account = stage.link(platform).await;
        for (index, &count) in kinds.iter().enumerate() {
            let mut job = job(&account, &format!("Wreaths {index}\r\n from today 🎄 & more "), count);
            if count == 0 || platform == Pinterest {
                job.link = "https://example.org/wreaths?a=b&c=d".into();
            }
            let attempted_at = stage.now();
            let done = stage.prepare(platform, &job).await;
            let (adapter, app) = (adapter(platform), stage.app(platform));
            let Committed::Published { remote_id, link } = adapter.commit(&app, &job, &done, stage.now()).await else {
                panic!("{platform} {count}")
            };
            assert!(link.unwrap().contains(remote_id.rsplit('_').next().unwrap()));
            assert_eq!(adapter.read_back(&app, &account, &remote_id, stage.now()).await.unwrap(), SeenOnline::Yes);
            let shown = stage.feed(platform).await.pop().unwrap();
            assert_eq!(shown["id"], remote_id.as_str());
            assert_eq!(shown["media"].as_array().map(Vec::len), Some(count), "{platform} {count}: {shown}");
            assert_eq!(shown["link"].as_str().unwrap_or_default(), job.link);

            stage.pass(minutes(1));
            match adapter.look(&app, &job, &done, attempted_at, stage.now()).await.unwrap() {
                Looked::Matches(posts) => {
                    assert_eq!(
                        posts.iter().map(|post| post.remote_id.as_str()).collect::<Vec<_>>(),
                        [remote_id.as_str()],
                        "{platform} {count}"
                    );
                    assert_eq!(posts[0].created_at, attempted_at);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(adapter(platform).read_back(&stage.app(platform), &account, "123456789", stage.now()).await.unwrap(), SeenOnline::No);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_unknown_and_found() {
    for platform in Platform::ALL {
        for kind in ["drop_after_accept", "error_after_accept", "broken_json"] {
            let stage = Stage::new().await;
            let job = job(&stage.link(*platform).await, "Wreaths", images(*platform));
            stage.fault(*platform, fault(kind, Some("commit"))).await;
            let outcome = adapter(*platform).commit(&stage.app(*platform), &job, &[], stage.now()).await;
            assert!(matches!(outcome, Committed::Unknown { .. }), "{platform} {kind}: {outcome:?}");
            let feed = stage.feed(*platform).await;
            assert_eq!(feed.len(), 1, "{platform} {kind}");
            assert_eq!(matches(&stage, *platform, &job, stage.now()).await, [feed[0]["id"].as_str().unwrap()], "{platform} {kind}");
        }
    }
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_unknown_and_nothing_is_found() {
    for platform in Platform::ALL {
        for kind in ["drop_before_accept", "server_error"] {
            let stage = Stage::new().await;
            let job = job(&stage.link(*platform).await, "Wreaths", images(*platform));
            stage.fault(*platform, fault(kind, Some("commit"))).await;
            let outcome = adapter(*platform).commit(&stage.app(*platform), &job, &[], stage.now()).await;
            assert!(matches!(outcome, Committed::Unknown { .. }), "{platform} {kind}: {outcome:?}");
            assert!(stage.feed(*platform).await.is_empty() && matches(&stage, *platform, &job, stage.now()).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_post_before_the_attempt_and_a_lagging_list_give_no_match() {
    for platform in Platform::ALL {
        let stage = Stage::new().await;
        let job = job(&stage.link(*platform).await, "Wreaths", images(*platform));
        adapter(*platform).commit(&stage.app(*platform), &job, &[], stage.now()).await;
        stage.pass(minutes(3));
        assert!(matches(&stage, *platform, &job, stage.now()).await.is_empty(), "an older post of the same words is another");
        stage.fault(*platform, fault("listing_lag", None)).await;
        stage.fault(*platform, fault("drop_after_accept", Some("commit"))).await;
        let attempted_at = stage.now();
        assert!(matches!(adapter(*platform).commit(&stage.app(*platform), &job, &[], stage.now()).await, Committed::Unknown { .. }));
        assert!(matches(&stage, *platform, &job, attempted_at).await.is_empty());
        stage.pass(minutes(11));
        assert_eq!(matches(&stage, *platform, &job, attempted_at).await.len(), 1, "{platform}: shown at last");
    }
}

#[tokio::test]
async fn refusals_of_a_commit_are_certain_and_nothing_is_posted() {
    let cases = [
        (Facebook, "rate_limit", Class::RateLimited),
        (Facebook, "policy_block", Class::PolicyBlock),
        (Facebook, "remove_scope", Class::PermissionLost),
        (Facebook, "retire_version", Class::ApiVersionRetired),
        (Pinterest, "rate_limit", Class::RateLimited),
        (Pinterest, "policy_block", Class::PolicyBlock),
        (Pinterest, "remove_scope", Class::PermissionLost),
        (Pinterest, "retire_version", Class::ApiVersionRetired),
        (Pinterest, "expire", Class::AccessExpired),
    ];
    for (platform, kind, class) in cases {
        let stage = Stage::new().await;
        let job = job(&stage.link(platform).await, "Wreaths", images(platform));
        let op = if kind == "rate_limit" { Some("commit") } else { None };
        stage.fault(platform, fault(kind, op)).await;
        match adapter(platform).commit(&stage.app(platform), &job, &[], stage.now()).await {
            Committed::Refused { verdict, wait } => {
                assert_eq!(verdict.class, class, "{platform} {kind}");
                assert_eq!(wait.is_some(), kind == "rate_limit", "{platform} {kind}: {wait:?}");
            }
            other => panic!("{platform} {kind}: {other:?}"),
        }
        assert!(stage.feed(platform).await.is_empty(), "{platform} {kind}");
    }
}

#[tokio::test]
async fn a_probe_names_why_a_page_cannot_be_used() {
    let cases = [
        ("expire", Class::Expired, "expired"),
        ("revoke", Class::Revoked, "user_action"),
        ("change_password", Class::Revoked, "authentication_change"),
        ("remove_role", Class::PermissionLost, "privacy_settings"),
        ("checkpoint", Class::PolicyBlock, "policy_violation"),
        ("delete_account", Class::AccountGone, "account_deletion"),
        ("retire_version", Class::ApiVersionRetired, "api_version_change"),
    ];
    for (kind, class, cause) in cases {
        let stage = Stage::new().await;
        let account = stage.link(Facebook).await;
        assert!(adapter(Facebook).probe(&stage.app(Facebook), &account, stage.now()).await.is_ok());
        let mut fault = fault(kind, None);
        if kind == "delete_account" {
            fault["account"] = PAGE.into();
        }
        stage.fault(Facebook, fault).await;
        let error = adapter(Facebook).probe(&stage.app(Facebook), &account, stage.now()).await.unwrap_err();
        assert_eq!(answered(error), (class, cause), "{kind}");
    }
}

#[tokio::test]
async fn a_probe_names_why_a_pinterest_account_cannot_be_used() {
    for (kind, class) in [
        ("expire", Class::AccessExpired),
        ("revoke", Class::AccessExpired),
        ("checkpoint", Class::PolicyBlock),
        ("delete_account", Class::AccountGone),
    ] {
        let stage = Stage::new().await;
        let tokens = stage.sign_in(Pinterest).await;
        let account = stage.accounts(Pinterest, &tokens.access).await.remove(0);
        let account = platforms::adapter::AccountAccess { remote_id: account.remote_id, access: tokens.access };
        assert!(adapter(Pinterest).probe(&stage.app(Pinterest), &account, stage.now()).await.is_ok());
        stage.fault(Pinterest, fault(kind, None)).await;
        let error = adapter(Pinterest).probe(&stage.app(Pinterest), &account, stage.now()).await.unwrap_err();
        assert_eq!(answered(error).0, class, "{kind}");
        if class == Class::AccessExpired {
            let renewal = adapter(Pinterest).renew(&stage.app(Pinterest), &tokens.refresh.unwrap(), stage.now()).await;
            assert_eq!(answered(renewal.unwrap_err()), (Class::Revoked, "unknown"), "{kind}");
        }
    }
}

#[tokio::test]
async fn a_page_token_dies_with_its_login_after_sixty_days() {
    let stage = Stage::new().await;
    let account = stage.link(Facebook).await;
    stage.pass(days(60) - minutes(1));
    assert!(adapter(Facebook).probe(&stage.app(Facebook), &account, stage.now()).await.is_ok());
    stage.pass(minutes(2));
    let error = adapter(Facebook).probe(&stage.app(Facebook), &account, stage.now()).await.unwrap_err();
    assert_eq!(answered(error), (Class::Expired, "expired"));
}

#[tokio::test]
async fn revoking_ends_the_login_at_facebook_and_twice_is_fine() {
    let stage = Stage::new().await;
    let tokens = stage.sign_in(Facebook).await;
    let (facebook, app) = (adapter(Facebook), stage.app(Facebook));
    let person = facebook.identify(&app, &tokens.access, stage.now()).await.unwrap().remote_id;
    assert!(facebook.revoke(&app, &tokens.access, &person, stage.now()).await.unwrap());
    assert!(answered(facebook.identify(&app, &tokens.access, stage.now()).await.unwrap_err()).0.needs_sign_in());
    assert!(facebook.revoke(&app, &tokens.access, &person, stage.now()).await.unwrap());
    let pinterest = stage.sign_in(Pinterest).await;
    assert!(!adapter(Pinterest).revoke(&stage.app(Pinterest), &pinterest.access, "1", stage.now()).await.unwrap());
}

#[tokio::test]
async fn trouble_of_the_platform_loses_no_login() {
    for platform in Platform::ALL {
        for kind in ["server_error", "broken_json", "drop_before_accept", "rate_limit"] {
            let stage = Stage::new().await;
            let account = stage.link(*platform).await;
            stage.fault(*platform, fault(kind, None)).await;
            let error = adapter(*platform).probe(&stage.app(*platform), &again(&account), stage.now()).await.unwrap_err();
            match error {
                CallError::Lost(_) => {}
                other => assert!(matches!(answered(other).0, Class::Transient | Class::RateLimited), "{platform} {kind}"),
            }
            assert!(adapter(*platform).probe(&stage.app(*platform), &account, stage.now()).await.is_ok(), "{platform} {kind}");
        }
    }
}

#[tokio::test]
async fn all_boards_and_their_names_are_listed() {
    let stage = Stage::new().await;
    let tokens = stage.sign_in(Pinterest).await;
    let account = stage.accounts(Pinterest, &tokens.access).await.remove(0);
    assert!(account.boards.iter().any(|board| board.id == BOARD && board.name == "Spring bouquets"), "{:?}", account.boards);
}
