//! What the adapters send, compared with the documents' samples.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::platform::Platform;
use domain::time::hours;
use platforms::adapter::{Committed, Looked, Prepared, SeenOnline, Step};
use platforms::secret::AccessToken;

use crate::stub::{Asked, Reply, Stub};
use crate::{JSON, NOW, adapter, app, code, job, refresh, verifier};

fn json(body: &str) -> Reply {
    Reply::Answer(200, JSON, body.into())
}

/// A secret in an address ends up in logs; only Facebook's GETs and DELETEs have to put one there.
fn assert_address_is_clean(asked: &Asked) {
    assert!(!asked.target.contains("canary"), "{}", asked.target);
}

#[tokio::test]
async fn facebook_trades_the_code_and_then_the_short_token() {
    let stub = Stub::always(json(r#"{"access_token":"EAAx","token_type":"bearer","expires_in":5400}"#)).await;
    adapter(Platform::Facebook).exchange(&app(&stub.url), &code(), &verifier(), NOW).await.unwrap();
    let [first, second] = stub.asked().try_into().unwrap();
    assert_eq!((first.method.as_str(), first.url().path()), ("GET", "/v26.0/oauth/access_token"));
    let of = |asked: &Asked, name: &str| asked.query(name).unwrap_or_default();
    assert_eq!((of(&first, "client_id"), of(&first, "client_secret")), ("1".into(), "secret-canary".into()));
    assert_eq!((of(&first, "redirect_uri"), of(&first, "code")), ("https://app.example/cb".into(), "code-canary".into()));
    assert_eq!(second.url().path(), "/v26.0/oauth/access_token");
    assert_eq!((of(&second, "grant_type"), of(&second, "fb_exchange_token")), ("fb_exchange_token".into(), "EAAx".into()));
    assert_eq!((of(&second, "client_id"), of(&second, "client_secret")), ("1".into(), "secret-canary".into()));
    assert_eq!(first.header("user-agent"), Some("Stayposted/0.1"));
}

#[tokio::test]
async fn facebook_identifies_a_person_with_scopes_and_end() {
    let stub = Stub::start(|asked| match asked.url().path() {
        "/v26.0/me" => json(r#"{"id":"42","name":"Ann"}"#),
        "/debug_token" => json(r#"{"data":{"is_valid":true,"expires_at":1800000000,"scopes":["pages_show_list"],"user_id":"42"}}"#),
        _ => Reply::Answer(404, JSON, "{}".into()),
    })
    .await;
    let access = AccessToken::new("access-canary".into());
    let identity = adapter(Platform::Facebook).identify(&app(&stub.url), &access, NOW).await.unwrap();
    assert_eq!((identity.remote_id.as_str(), identity.name.as_str()), ("42", "Ann"));
    assert_eq!(identity.granted, ["pages_show_list"]);
    assert_eq!(identity.expires_at.map(|at| at.as_seconds()), Some(1_800_000_000));
    let [me, debug] = stub.asked().try_into().unwrap();
    assert_eq!(
        (me.query("access_token").as_deref(), me.query("appsecret_proof").map(|proof| proof.len())),
        (Some("access-canary"), Some(64))
    );
    assert_eq!(debug.query("input_token").as_deref(), Some("access-canary"));
    assert_eq!(debug.query("access_token").as_deref(), Some("1|secret-canary"));
}

#[tokio::test]
async fn facebook_reads_permissions_when_it_cannot_inspect() {
    let stub = Stub::start(|asked| match asked.url().path() {
        "/v26.0/me" => json(r#"{"id":42,"name":"Ann"}"#),
        "/v26.0/42/permissions" => json(
            r#"{"data":[{"permission":"pages_show_list","status":"granted"},{"permission":"pages_manage_posts","status":"declined"}]}"#,
        ),
        _ => Reply::Answer(500, JSON, "{}".into()),
    })
    .await;
    let access = AccessToken::new("access-canary".into());
    let identity = adapter(Platform::Facebook).identify(&app(&stub.url), &access, NOW).await.unwrap();
    assert_eq!((identity.granted, identity.expires_at), (vec!["pages_show_list".to_owned()], None));
}

#[tokio::test]
async fn facebook_posts_text_and_link() {
    let stub = Stub::always(json(r#"{"id":"1001_2002","permalink_url":"https://www.facebook.com/1001/posts/2002"}"#)).await;
    let mut job = job(0);
    job.link = "https://example.org/?a=b&c".into();
    let outcome = adapter(Platform::Facebook).commit(&app(&stub.url), &job, &[], NOW).await;
    match outcome {
        Committed::Published { remote_id, link } => {
            assert_eq!((remote_id.as_str(), link.as_deref()), ("1001_2002", Some("https://www.facebook.com/1001/posts/2002")));
        }
        other => panic!("{other:?}"),
    }
    let [asked] = stub.asked().try_into().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v26.0/1001/feed?fields=id%2Cpermalink_url"));
    assert_eq!(asked.form("message").as_deref(), Some("Wreaths & more"));
    assert_eq!(asked.form("link").as_deref(), Some("https://example.org/?a=b&c"));
    assert_eq!(asked.form("access_token").as_deref(), Some("access-canary"));
    assert_address_is_clean(&asked);
}

#[tokio::test]
async fn facebook_posts_one_photo_with_its_bytes() {
    let stub = Stub::always(json(r#"{"id":"77","post_id":"1001_2002"}"#)).await;
    let adapter = adapter(Platform::Facebook);
    assert!(matches!(adapter.prepare(&app(&stub.url), &job(1), &[], NOW).await, Ok(Prepared::Ready)));
    let outcome = adapter.commit(&app(&stub.url), &job(1), &[], NOW).await;
    let expected = format!("{}1001_2002", stub.url);
    assert!(matches!(outcome, Committed::Published { remote_id, link: Some(link) } if remote_id == "1001_2002" && link == expected));
    let [asked] = stub.asked().try_into().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v26.0/1001/photos"));
    assert!(asked.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data; boundary=")));
    let text = asked.text();
    for part in [
        "name=\"message\"\r\n\r\nWreaths & more\r\n",
        "name=\"alt_text_custom\"\r\n\r\nWreath 0\r\n",
        "name=\"source\"; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg\r\n",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(asked.body.windows(5).any(|window| window == b"\xff\xd8abc"));
    assert_address_is_clean(&asked);
}

#[tokio::test]
async fn facebook_uploads_several_photos_step_by_step() {
    let stub = Stub::start(|asked| match asked.url().path() {
        "/v26.0/1001/photos" => json(if asked.text().contains("Wreath 0") { r#"{"id":"70"}"# } else { r#"{"id":71}"# }),
        _ => json(r#"{"id":"1001_2002"}"#),
    })
    .await;
    let (adapter, app, job) = (adapter(Platform::Facebook), app(&stub.url), job(2));
    let mut done: Vec<Step> = Vec::new();
    while let Prepared::Step(step) = adapter.prepare(&app, &job, &done, NOW).await.unwrap() {
        done.push(step);
    }
    assert_eq!(done.iter().map(|step| step.result.as_str()).collect::<Vec<_>>(), ["70", "71"]);
    assert!(stub.asked().iter().all(|asked| asked.text().contains("name=\"published\"\r\n\r\nfalse\r\n")));
    assert!(matches!(adapter.commit(&app, &job, &done[..1], NOW).await, Committed::NotSent(_)), "one photo is missing");
    // The order is that of the images, not that of the steps.
    done.reverse();
    assert!(matches!(adapter.commit(&app, &job, &done, NOW).await, Committed::Published { .. }));
    let feed = stub.asked().pop().unwrap();
    assert_eq!(feed.form("attached_media").as_deref(), Some(r#"[{"media_fbid":"70"},{"media_fbid":"71"}]"#));
}

#[tokio::test]
async fn facebook_looks_through_the_pages_of_a_list() {
    let stub = Stub::start(|asked| match asked.query("after") {
        None => {
            let host = asked.header("host").unwrap_or_default();
            let other = r#"{"id":"1001_1","message":"Other","created_time":"2026-11-23T10:00:02+0000"}"#;
            json(&format!(r#"{{"data":[{other}],"paging":{{"next":"http://{host}/v26.0/1001/published_posts?access_token=old&after=A"}}}}"#))
        }
        Some(_) => json(r#"{"data":[{"id":"1001_2","message":"Wreaths & more\n","created_time":"2026-11-23T10:00:01+0000","permalink_url":"https://x/2"}]}"#),
    })
    .await;
    let looked = adapter(Platform::Facebook).look(&app(&stub.url), &job(0), &[], NOW, NOW + hours(1)).await.unwrap();
    match looked {
        Looked::Matches(posts) => {
            let [post] = posts.try_into().unwrap();
            assert_eq!(
                (post.remote_id.as_str(), post.link.as_deref(), post.created_at.as_seconds()),
                ("1001_2", Some("https://x/2"), NOW.as_seconds() + 1)
            );
        }
        other => panic!("{other:?}"),
    }
    let [first, second] = stub.asked().try_into().unwrap();
    assert_eq!(first.url().path(), "/v26.0/1001/published_posts");
    assert_eq!(
        second.url().query_pairs().filter(|(name, _)| name == "access_token").map(|(_, value)| value.into_owned()).collect::<Vec<_>>(),
        ["access-canary"]
    );
}

#[tokio::test]
async fn facebook_looks_without_media_when_that_field_is_refused() {
    let stub = Stub::start(|asked| {
        if asked.query("fields").is_some_and(|fields| fields.contains("attachments")) {
            return Reply::Answer(400, JSON, r#"{"error":{"message":"(#100) Tried accessing nonexisting field","code":100}}"#.into());
        }
        json(r#"{"data":[{"id":"1001_2","message":"Wreaths & more","created_time":"2026-11-23T10:00:01+0000"}]}"#)
    })
    .await;
    let looked = adapter(Platform::Facebook).look(&app(&stub.url), &job(0), &[], NOW, NOW).await.unwrap();
    assert!(matches!(looked, Looked::Matches(posts) if posts.len() == 1));
}

#[tokio::test]
async fn facebook_removes_the_app_and_accepts_both_answers() {
    for (status, body) in
        [(200, "true"), (200, r#"{"success":true}"#), (400, r#"{"error":{"message":"m","code":190,"error_subcode":458}}"#)]
    {
        let stub = Stub::always(Reply::Answer(status, JSON, body.into())).await;
        let access = AccessToken::new("access-canary".into());
        assert!(matches!(adapter(Platform::Facebook).revoke(&app(&stub.url), &access, "42", NOW).await, Ok(true)), "{body}");
        let [asked] = stub.asked().try_into().unwrap();
        assert_eq!((asked.method.as_str(), asked.url().path()), ("DELETE", "/v26.0/42/permissions"));
    }
}

#[tokio::test]
async fn pinterest_trades_and_renews_with_basic_credentials() {
    let stub = Stub::always(json(r#"{"access_token":"pina_1","refresh_token":"pinr_1","expires_in":2592000,"refresh_token_expires_in":5184000,"scope":"boards:read pins:read"}"#)).await;
    let (pinterest, app) = (adapter(Platform::Pinterest), app(&stub.url));
    let tokens = pinterest.exchange(&app, &code(), &verifier(), NOW).await.unwrap();
    assert_eq!(tokens.scopes.unwrap(), ["boards:read", "pins:read"]);
    pinterest.renew(&app, &refresh(), NOW).await.unwrap();
    let [exchange, renewal] = stub.asked().try_into().unwrap();
    for asked in [&exchange, &renewal] {
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v5/oauth/token"));
        assert_eq!(asked.header("authorization"), Some(format!("Basic {}", STANDARD.encode("1:secret-canary")).as_str()));
        assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(asked.form("client_secret"), None);
    }
    assert_eq!(exchange.form("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(exchange.form("code").as_deref(), Some("code-canary"));
    assert_eq!(exchange.form("redirect_uri").as_deref(), Some("https://app.example/cb"));
    assert_eq!(exchange.form("continuous_refresh").as_deref(), Some("true"));
    assert_eq!(renewal.form("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(renewal.form("refresh_token").as_deref(), Some("refresh-canary"));
    assert_eq!(renewal.form("scope"), None, "all scopes are kept");
}

#[tokio::test]
async fn pinterest_lists_all_boards() {
    let stub = Stub::start(|asked| match (asked.url().path(), asked.query("bookmark").as_deref()) {
        ("/v5/user_account", _) => {
            json(r#"{"id":"27","username":"ann","account_type":"BUSINESS","business_name":"Acme","profile_image":"https://i/p.jpg"}"#)
        }
        ("/v5/boards", None) => json(r#"{"items":[{"id":"5","name":"Home"},{"id":"6","name":"Ads","is_ads_only":true}],"bookmark":"B"}"#),
        _ => json(r#"{"items":[{"id":7,"name":"Garden"}],"bookmark":null}"#),
    })
    .await;
    let [account] = adapter(Platform::Pinterest)
        .accounts(&app(&stub.url), &AccessToken::new("access-canary".into()), NOW)
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!((account.remote_id.as_str(), account.name.as_str(), account.handle.as_deref()), ("27", "Acme", Some("ann")));
    assert!(account.access.is_none() && account.may_post);
    assert_eq!(account.boards.iter().map(|board| board.name.as_str()).collect::<Vec<_>>(), ["Home", "Garden"]);
    for asked in stub.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer access-canary"));
        assert_address_is_clean(&asked);
    }
}

#[tokio::test]
async fn pinterest_creates_a_pin_and_reads_it_back() {
    let stub = Stub::start(|asked| match asked.method.as_str() {
        "POST" => Reply::Answer(201, JSON, r#"{"id":"8137","created_at":"2026-11-23T10:00:00"}"#.into()),
        _ if asked.target == "/v5/pins/8137" => json(r#"{"id":"8137"}"#),
        _ => Reply::Answer(404, JSON, r#"{"code":50,"message":"Pin not found."}"#.into()),
    })
    .await;
    let (pinterest, app, job) = (adapter(Platform::Pinterest), app(&stub.url), job(1));
    let outcome = pinterest.commit(&app, &job, &[], NOW).await;
    let expected = format!("{}pin/8137/", stub.url);
    assert!(matches!(outcome, Committed::Published { remote_id, link: Some(link) } if remote_id == "8137" && link == expected));
    assert_eq!(pinterest.read_back(&app, &job.account, "8137", NOW).await.unwrap(), SeenOnline::Yes);
    assert_eq!(pinterest.read_back(&app, &job.account, "8138", NOW).await.unwrap(), SeenOnline::No);
    let asked = stub.asked().remove(0);
    assert_eq!(asked.target, "/v5/pins");
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["board_id"], "5");
    assert_eq!(body["media_source"]["source_type"], "image_base64");
    assert_eq!(body["media_source"]["data"], STANDARD.encode(b"\xff\xd8abc"));
}

#[tokio::test]
async fn pinterest_looks_through_the_board() {
    let stub = Stub::start(|asked| match asked.query("bookmark") {
        None => json(r#"{"items":[{"id":"1","created_at":"2020-01-01T00:00:00","title":"Old"}],"bookmark":"B"}"#),
        Some(_) => json(
            r#"{"items":[{"id":"2","created_at":"2026-11-23T10:00:04","title":"Wreaths","description":"Wreaths & more","link":null}]}"#,
        ),
    })
    .await;
    let looked = adapter(Platform::Pinterest).look(&app(&stub.url), &job(1), &[], NOW, NOW).await.unwrap();
    assert!(matches!(&looked, Looked::Matches(pins) if pins.len() == 1 && pins[0].remote_id == "2"), "{looked:?}");
    assert!(stub.asked().iter().all(|asked| asked.url().path() == "/v5/boards/5/pins"));
}
