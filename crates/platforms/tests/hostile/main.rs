//! The adapters against servers that lie, stall, cut and lead astray; and what exactly they send.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

mod requests;
mod stub;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::cause::Class;
use domain::id::{DeliveryId, MediaId};
use domain::media::{ImageFacts, ImageKind};
use domain::platform::Platform;
use domain::time::Timestamp;
use platforms::adapter::{AccountAccess, Adapter, App, CallError, Committed, Endpoints, Image, Job};
use platforms::secret::{AccessToken, AppSecret, AuthorizationCode, PkceVerifier, RefreshToken};
use platforms::{Patience, adapters_with};
use stub::{Reply, Stub};
use url::Url;

const NOW: Timestamp = Timestamp::from_seconds(1_795_428_000);
const JSON: &str = "application/json";
/// Stands in every secret; must stand in no error.
const CANARY: &str = "canary";

fn adapter(platform: Platform) -> Arc<dyn Adapter> {
    let short = Patience { connect: Duration::from_millis(300), answer: Duration::from_millis(500), upload: Duration::from_millis(500) };
    adapters_with(&short).unwrap().get(platform).clone()
}

fn app(base: &Url) -> App {
    App {
        client_id: "1".into(),
        secret: AppSecret::new("secret-canary".into()),
        endpoints: Endpoints { browser: base.clone(), api: base.clone() },
        redirect_uri: Url::parse("https://app.example/cb").unwrap(),
    }
}

fn image(alt: &str) -> Image {
    let facts = ImageFacts { id: MediaId([0; 16]), kind: ImageKind::Jpeg, width: 1, height: 1, bytes: 5 };
    Image { facts, bytes: Bytes::from_static(b"\xff\xd8abc"), alt: alt.into() }
}

fn job(images: usize) -> Job {
    Job {
        delivery: DeliveryId([0; 16]),
        account: AccountAccess { remote_id: "1001".into(), access: AccessToken::new("access-canary".into()) },
        text: "Wreaths & more".into(),
        title: "Wreaths".into(),
        link: String::new(),
        board: Some("5".into()),
        images: (0..images).map(|index| image(&format!("Wreath {index}"))).collect(),
    }
}

fn code() -> AuthorizationCode {
    AuthorizationCode::new("code-canary".into())
}

fn verifier() -> PkceVerifier {
    PkceVerifier::new("verifier-canary".into())
}

fn refresh() -> RefreshToken {
    RefreshToken::new("refresh-canary".into())
}

async fn commit(platform: Platform, base: &Url) -> Committed {
    adapter(platform).commit(&app(base), &job(1), &[], NOW).await
}

#[tokio::test]
async fn a_commit_is_not_done_only_when_no_connection_was_made() {
    // A port that nobody listens on any more.
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
    };
    for platform in Platform::ALL {
        assert!(matches!(commit(*platform, &closed).await, Committed::NotSent(_)), "{platform}");
        let nowhere = Url::parse("http://nowhere.invalid").unwrap();
        assert!(matches!(commit(*platform, &nowhere).await, Committed::NotSent(_)), "{platform}");
    }
}

#[tokio::test]
async fn every_other_trouble_of_a_commit_is_unknown() {
    let whole = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{\"id\":\"1001_2002\"";
    let huge = format!("{{\"id\":\"1001_2002\",\"x\":\"{}\"}}", "y".repeat(5_000_000));
    let replies = [
        ("closed", Reply::Close),
        ("hung", Reply::Hang),
        ("dripping", Reply::Drip),
        ("cut in the head", Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-".to_vec())),
        ("cut in the body", Reply::Bytes(whole.as_bytes().to_vec())),
        ("not HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        ("broken gzip", Reply::With(200, "content-encoding: gzip\r\ncontent-type: application/json".into(), "{\"id\":\"1\"}".into())),
        ("endless", Reply::Answer(200, JSON, huge)),
        ("a page", Reply::Answer(200, "text/html", "<html>1001_2002</html>".into())),
        ("no id", Reply::Answer(200, JSON, "{}".into())),
        ("a strange id", Reply::Answer(200, JSON, "{\"id\":\"../../x\"}".into())),
        ("nothing", Reply::Answer(200, JSON, String::new())),
        ("server error", Reply::Answer(500, JSON, "{\"error\":{\"message\":\"unknown\",\"code\":1}}".into())),
        (
            "server error with a refusal",
            Reply::Answer(502, JSON, "{\"error\":{\"message\":\"m\",\"code\":190,\"error_subcode\":463}}".into()),
        ),
        ("server error with a block", Reply::Answer(500, JSON, "{\"error\":{\"message\":\"m\",\"code\":368}}".into())),
        ("a gateway", Reply::Answer(504, "text/html", "<html>".into())),
        ("a wall", Reply::Answer(403, "text/html", "<html>".into())),
    ];
    for (what, reply) in replies {
        for platform in Platform::ALL {
            let stub = Stub::always(reply.clone()).await;
            let begun = Instant::now();
            let outcome = commit(*platform, &stub.url).await;
            assert!(matches!(outcome, Committed::Unknown { .. }), "{what} at {platform}: {outcome:?}");
            assert_eq!(stub.asked().len(), 1, "{what} at {platform} was sent once");
            assert!(begun.elapsed() < Duration::from_secs(3), "{what} at {platform} took too long");
            assert!(!format!("{outcome:?}").contains(CANARY), "{what} at {platform} shows a secret: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        for platform in Platform::ALL {
            let thief = Stub::always(Reply::Answer(200, JSON, "{\"id\":\"1001_2002\",\"access_token\":\"x\"}".into())).await;
            let stub = Stub::always(Reply::With(status, format!("location: {}steal", thief.url), String::new())).await;
            let adapter = adapter(*platform);
            assert!(matches!(commit(*platform, &stub.url).await, Committed::Unknown { .. }));
            let access = AccessToken::new("access-canary".into());
            assert!(adapter.identify(&app(&stub.url), &access, NOW).await.is_err());
            assert!(adapter.accounts(&app(&stub.url), &access, NOW).await.is_err());
            assert!(adapter.exchange(&app(&stub.url), &code(), &verifier(), NOW).await.is_err());
            assert!(thief.asked().is_empty(), "{platform} carried a secret away by {status}");
        }
    }
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    for reply in [Reply::Close, Reply::Hang, Reply::Answer(400, JSON, "{\"error\":{\"message\":\"no\",\"code\":190}}".into()), Reply::Drip]
    {
        for platform in Platform::ALL {
            let stub = Stub::always(reply.clone()).await;
            let (adapter, app) = (adapter(*platform), app(&stub.url));
            let access = AccessToken::new("access-canary".into());
            let account = AccountAccess { remote_id: "1001".into(), access: access.clone() };
            let errors = [
                adapter.exchange(&app, &code(), &verifier(), NOW).await.unwrap_err(),
                adapter.renew(&app, &refresh(), NOW).await.unwrap_err(),
                adapter.identify(&app, &access, NOW).await.unwrap_err(),
                adapter.accounts(&app, &access, NOW).await.unwrap_err(),
                adapter.probe(&app, &account, NOW).await.unwrap_err(),
                adapter.look(&app, &job(1), &[], NOW, NOW).await.unwrap_err(),
                adapter.read_back(&app, &account, "1001_2002", NOW).await.unwrap_err(),
            ];
            for error in errors {
                let shown = format!("{error:?} {error}");
                assert!(!shown.contains(CANARY) && !shown.contains("127.0.0.1"), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn b4_a_renewal_that_is_not_understood_ends_no_login() {
    let pinterest = adapter(Platform::Pinterest);
    let answers = [
        (Reply::Answer(200, "text/html", "<html>Welcome</html>".into()), None),
        (Reply::Answer(200, JSON, "{}".into()), None),
        (Reply::Answer(200, JSON, "{\"access_token\":\"\",\"expires_in\":1}".into()), None),
        (Reply::Close, None),
        (Reply::Answer(400, JSON, "{\"error\":\"temporarily_unavailable\"}".into()), Some(Class::Transient)),
        (Reply::Answer(401, "text/html", "<html>283 invalid_grant</html>".into()), Some(Class::Transient)),
        (Reply::Answer(429, JSON, "{\"code\":8,\"message\":\"slow\"}".into()), Some(Class::RateLimited)),
        (Reply::Answer(503, JSON, "{\"code\":283,\"message\":\"invalid\"}".into()), Some(Class::Transient)),
        (Reply::Answer(401, JSON, "{\"code\":2,\"message\":\"Authentication failed.\"}".into()), Some(Class::AppMisconfigured)),
        (Reply::Answer(401, JSON, "{\"code\":283,\"message\":\"The authorization grant is invalid\"}".into()), Some(Class::Revoked)),
    ];
    for (reply, expected) in answers {
        let stub = Stub::always(reply).await;
        match (pinterest.renew(&app(&stub.url), &refresh(), NOW).await.unwrap_err(), expected) {
            (CallError::Lost(_), None) => {}
            (CallError::Answered { verdict, .. }, Some(class)) => assert_eq!(verdict.class, class),
            (other, expected) => panic!("expected {expected:?}, found {other:?}"),
        }
    }
}

#[tokio::test]
async fn fresh_tokens_are_taken_whatever_stands_around_them() {
    let pinterest = adapter(Platform::Pinterest);
    let body = r#"{"access_token":"pina_2","refresh_token":"pinr_2","token_type":"bearer","expires_in":"2592000","refresh_token_expires_in":1e12}"#;
    for reply in [
        Reply::Answer(200, JSON, body.into()),
        Reply::Answer(201, JSON, body.into()),
        Reply::Answer(200, "text/html", body.into()),
        Reply::With(200, "x-nothing: 1".into(), body.into()),
    ] {
        let stub = Stub::always(reply).await;
        let tokens = pinterest.renew(&app(&stub.url), &refresh(), NOW).await.unwrap();
        assert_eq!(tokens.access.to_seal(), b"pina_2");
        assert_eq!(tokens.refresh.unwrap().to_seal(), b"pinr_2");
        assert_eq!((tokens.access_lives, tokens.refresh_lives), (Some(Duration::from_secs(2_592_000)), None));
    }
    let stub = Stub::always(Reply::Answer(200, JSON, r#"{"access_token":"pina_2","refresh_token":""}"#.into())).await;
    assert!(pinterest.renew(&app(&stub.url), &refresh(), NOW).await.unwrap().refresh.is_none(), "empty is absent");
}

#[tokio::test]
async fn a_list_that_goes_in_circles_or_leads_away_ends() {
    let circles = Arc::new(AtomicUsize::new(0));
    let count = circles.clone();
    let stub = Stub::start(move |asked| {
        count.fetch_add(1, Ordering::SeqCst);
        let host = asked.header("host").unwrap_or_default().to_owned();
        let page = r#"{"id":"1001","name":"Demo","access_token":"EAApage","tasks":["MANAGE"]}"#;
        Reply::Answer(200, JSON, format!(r#"{{"data":[{page}],"paging":{{"next":"http://{host}/v26.0/me/accounts?after=x"}},"items":[{{"id":"5","name":"Home"}}],"bookmark":"x","id":"7"}}"#))
    })
    .await;
    let access = AccessToken::new("access-canary".into());
    let pages = adapter(Platform::Facebook).accounts(&app(&stub.url), &access, NOW).await.unwrap();
    assert_eq!(pages.len(), 1);
    let asked = circles.swap(0, Ordering::SeqCst);
    assert!(asked <= 51, "{asked} calls");
    let boards = adapter(Platform::Pinterest).accounts(&app(&stub.url), &access, NOW).await.unwrap().remove(0).boards;
    assert_eq!(boards.len(), 1);
    assert!(circles.load(Ordering::SeqCst) <= 21);

    let thief = Stub::always(Reply::Answer(200, JSON, "{\"data\":[]}".into())).await;
    let away = format!(r#"{{"data":[],"paging":{{"next":"{}v26.0/me/accounts?after=x"}}}}"#, thief.url);
    let stub = Stub::always(Reply::Answer(200, JSON, away)).await;
    let outcome = adapter(Platform::Facebook).accounts(&app(&stub.url), &access, NOW).await;
    assert!(matches!(outcome, Err(CallError::Lost(_))));
    assert!(thief.asked().is_empty());
}

#[tokio::test]
async fn a_duplicate_is_evidence_and_no_refusal() {
    let body = r#"{"error":{"message":"(#506) Duplicate status message","type":"OAuthException","code":506}}"#;
    let stub = Stub::always(Reply::Answer(400, JSON, body.into())).await;
    match commit(Platform::Facebook, &stub.url).await {
        Committed::Unknown { evidence: Some(verdict), .. } => assert_eq!(verdict.code.as_deref(), Some("506")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_second_half_of_a_sign_in_is_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let stub = Stub::start(move |asked| match (asked.query("grant_type"), count.fetch_add(1, Ordering::SeqCst)) {
        (None, _) => Reply::Answer(200, JSON, r#"{"access_token":"EAAshort","expires_in":5400}"#.into()),
        (_, 1) => Reply::Close,
        (_, 2) => Reply::Answer(503, "text/html", "<html>".into()),
        _ => Reply::Answer(200, JSON, r#"{"access_token":"EAAlong","token_type":"bearer","expires_in":5183944}"#.into()),
    })
    .await;
    let tokens = adapter(Platform::Facebook).exchange(&app(&stub.url), &code(), &verifier(), NOW).await.unwrap();
    assert_eq!(tokens.access.to_seal(), b"EAAlong");
    assert_eq!(tokens.access_lives, Some(Duration::from_secs(5_183_944)));
    assert_eq!(calls.load(Ordering::SeqCst), 4, "the code was spent once");
}

#[tokio::test]
async fn a_page_that_is_only_hidden_is_a_lost_permission() {
    let stub = Stub::start(|asked| {
        if asked.target.starts_with("/debug_token") {
            let body = r#"{"data":{"is_valid":true,"scopes":["pages_show_list"],"expires_at":0,"user_id":"9"}}"#;
            return Reply::Answer(200, JSON, body.into());
        }
        Reply::Answer(400, JSON, r#"{"error":{"message":"Unsupported get request.","code":100,"error_subcode":33}}"#.into())
    })
    .await;
    let account = AccountAccess { remote_id: "1001".into(), access: AccessToken::new("access-canary".into()) };
    match adapter(Platform::Facebook).probe(&app(&stub.url), &account, NOW).await.unwrap_err() {
        CallError::Answered { verdict, .. } => {
            assert_eq!(verdict.class, Class::PermissionLost);
            assert_eq!(verdict.missing_scopes, ["pages_read_engagement", "pages_manage_posts"]);
        }
        other => panic!("{other:?}"),
    }
}
