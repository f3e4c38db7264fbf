use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::*;

#[tokio::test]
async fn a_login_pins_and_reads_back() {
    let stage = Stage::new().await;
    let (access, refresh) = stage.pinterest_login("mara-jung").await;
    assert!(access.starts_with("pina") && refresh.starts_with("pinr"));
    let me: Value =
        stage.get("/pinterest/v5/user_account").bearer_auth(&access).send().await.expect("an answer").json().await.expect("json");
    assert_eq!(me["id"], PIN_MARA);
    assert_eq!(me["username"], "blumenjung");
    let created = stage.pin(&access, &a_pin("Spring")).await.expect("an answer");
    assert_eq!(created.status(), 201);
    assert_eq!(created.headers()["x-ratelimit-remaining"], "99");
    let pin: Value = created.json().await.expect("json");
    assert_eq!(pin["created_at"], "2026-11-23T10:00:00");
    assert_eq!(pin["media"]["images"]["600x"]["height"], 90);
    let id = field(&pin, "id");
    for path in [format!("/pinterest/v5/boards/{BOARD}/pins"), "/pinterest/v5/pins".to_owned()] {
        let list: Value = stage.get(&path).bearer_auth(&access).send().await.expect("an answer").json().await.expect("json");
        assert_eq!(list["items"][0]["title"], "Spring", "{path}");
        assert_eq!(list["bookmark"], Value::Null);
    }
    let seen = stage.get(&format!("/pinterest/pin/{id}/")).send().await.expect("an answer").text().await.expect("text");
    assert!(seen.contains("Spring") && seen.contains("this is not Pinterest"));
    let profile = stage.get("/pinterest/blumenjung/").send().await.expect("an answer").text().await.expect("text");
    assert!(profile.contains("Spring"), "the profile shows what stands on all boards");
    assert_eq!(stage.get("/pinterest/nobody/").send().await.expect("an answer").status(), 404);
    let feed = stage.read("/pinterest/feed.json").await;
    assert_eq!((&feed[0]["account"], &feed[0]["text"], &feed[0]["place"]), (&json!(PIN_MARA), &json!("Tulips"), &json!(BOARD)));
    let path = format!("/pinterest/v5/pins/{id}");
    assert_eq!(stage.client.delete(stage.url(&path)).bearer_auth(&access).send().await.expect("an answer").status(), 204);
    let gone = stage.get(&path).bearer_auth(&access).send().await.expect("an answer");
    assert_eq!(pin_refusal(gone).await, (404, 50));
}

#[tokio::test]
async fn boards_come_page_by_page_and_secret_ones_need_their_scope() {
    let stage = Stage::new().await;
    let (access, _) = stage.pinterest_login("mara-jung").await;
    let mut bookmark = String::new();
    let mut names = Vec::new();
    loop {
        let path = format!("/pinterest/v5/boards?page_size=1&bookmark={bookmark}");
        let list: Value = stage.get(&path).bearer_auth(&access).send().await.expect("an answer").json().await.expect("json");
        names.extend(list["items"].as_array().expect("items").iter().map(|board| field(board, "name")));
        match list["bookmark"].as_str() {
            Some(next) => next.clone_into(&mut bookmark),
            None => break,
        }
    }
    assert_eq!(names, ["Spring bouquets", "Weddings"]);
    let bad = stage.get("/pinterest/v5/boards?page_size=251").bearer_auth(&access).send().await.expect("an answer");
    assert_eq!(pin_refusal(bad).await, (400, 1));
    let foreign = stage.get("/pinterest/v5/boards/549755885175004").bearer_auth(&access).send().await.expect("an answer");
    assert_eq!(pin_refusal(foreign).await, (404, 40));
}

#[tokio::test]
async fn a_refresh_slides_the_login_and_kills_the_old_token() {
    let stage = Stage::new().await;
    let (first_access, first) = stage.pinterest_login("mara-jung").await;
    stage.world.pass(days(29));
    let answer = stage.refresh(&first).await.expect("an answer");
    let pair: Value = answer.json().await.expect("json");
    assert_eq!(pair["response_type"], "refresh_token");
    assert_eq!(pair["expires_in"], 2_592_000);
    assert_eq!(pair["refresh_token_expires_in"], 5_184_000);
    assert_eq!(pair["refresh_token_expires_at"], 1_795_428_000_i64 + (29 + 60) * 86_400);
    let second = field(&pair, "refresh_token");
    assert_eq!(pin_refusal(stage.refresh(&first).await.expect("an answer")).await, (401, 283));
    stage.world.pass(days(1));
    let old = stage.get("/pinterest/v5/user_account").bearer_auth(&first_access).send().await.expect("an answer");
    assert_eq!(pin_refusal(old).await, (401, 2));
    stage.world.pass(days(58));
    let third = field(&stage.refresh(&second).await.expect("an answer").json().await.expect("json"), "refresh_token");
    stage.world.pass(days(60));
    assert_eq!(pin_refusal(stage.refresh(&third).await.expect("an answer")).await, (401, 283));
}

#[tokio::test]
async fn a_grace_honours_the_old_token_for_a_while() {
    let stage = Stage::new().await;
    stage.turn("pinterest", json!({ "refresh_grace_seconds": 10, "grace_same_pair": true })).await;
    let (_, first) = stage.pinterest_login("mara-jung").await;
    let one: Value = stage.refresh(&first).await.expect("an answer").json().await.expect("json");
    let two: Value = stage.refresh(&first).await.expect("an answer").json().await.expect("json");
    assert_eq!(one["refresh_token"], two["refresh_token"]);
    stage.world.pass(Duration::from_secs(10));
    assert_eq!(pin_refusal(stage.refresh(&first).await.expect("an answer")).await, (401, 283));
    assert_eq!(stage.refresh(&field(&one, "refresh_token")).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn reuse_can_take_the_whole_family() {
    let stage = Stage::new().await;
    stage.turn("pinterest", json!({ "revoke_family_on_reuse": true })).await;
    let (_, first) = stage.pinterest_login("mara-jung").await;
    let (_, other) = stage.pinterest_login("mara-jung").await;
    let second = field(&stage.refresh(&first).await.expect("an answer").json().await.expect("json"), "refresh_token");
    assert_eq!(pin_refusal(stage.refresh(&first).await.expect("an answer")).await, (401, 283));
    assert_eq!(pin_refusal(stage.refresh(&second).await.expect("an answer")).await, (401, 283));
    assert_eq!(stage.refresh(&other).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_wrong_secret_is_no_fault_of_the_login() {
    let stage = Stage::new().await;
    let (_, refresh) = stage.pinterest_login("mara-jung").await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let call = stage.post("/pinterest/v5/oauth/token").basic_auth("1483920", Some("wrong")).form(&fields);
    assert_eq!(pin_refusal(call.send().await.expect("an answer")).await, (401, 2));
    assert_eq!(stage.refresh(&refresh).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn limits_and_bad_content_answer_as_the_table_says() {
    let stage = Stage::new().await;
    let (access, _) = stage.pinterest_login("mara-jung").await;
    let with = |name: &str, value: Value| {
        let mut pin = a_pin("x");
        pin[name] = value;
        pin
    };
    let long = |n: usize| json!("ü".repeat(n));
    for (pin, expected) in [
        (with("title", long(101)), (400, 1)),
        (with("description", long(801)), (400, 1)),
        (with("alt_text", long(501)), (400, 1)),
        (with("link", json!("not a link")), (400, 1)),
        (with("board_id", json!("12")), (404, 40)),
        (with("board_id", json!("x")), (400, 1)),
        (with("media_source", json!({ "source_type": "image_base64", "content_type": "image/png", "data": "aGVsbG8=" })), (403, 235)),
        (with("media_source", json!({ "source_type": "image_url", "url": "http://127.0.0.1:1/x.png" })), (400, 1)),
        (with("media_source", json!({ "source_type": "multiple_image_base64", "items": [] })), (400, 1)),
        (with("media_source", json!(null)), (400, 1)),
    ] {
        assert_eq!(pin_refusal(stage.pin(&access, &pin).await.expect("an answer")).await, expected, "{pin}");
    }
    stage.turn("pinterest", json!({ "min_image_side": 100 })).await;
    assert_eq!(pin_refusal(stage.pin(&access, &a_pin("small")).await.expect("an answer")).await, (403, 233));
    stage.turn("pinterest", json!({ "min_image_side": 1, "writes_per_minute": 12 })).await;
    let url = format!("http://{}/picture.png", stage.address);
    let several = json!({ "source_type": "multiple_image_urls", "items": [{ "url": url }, { "url": url }] });
    let pin: Value = stage.pin(&access, &with("media_source", several)).await.expect("an answer").json().await.expect("json");
    assert_eq!(pin["media"]["items"].as_array().map(Vec::len), Some(2));
    let refused = stage.pin(&access, &a_pin("more")).await.expect("an answer");
    assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
    assert_eq!(pin_refusal(refused).await, (429, 8));
    stage.world.pass(Duration::from_secs(60));
    assert_eq!(stage.pin(&access, &a_pin("later")).await.expect("an answer").status(), 201);
}

#[tokio::test]
async fn an_unticked_scope_is_named() {
    let stage = Stage::new().await;
    let (access, _) = stage.pinterest_login_with("mara-jung", &["boards:read", "pins:read"]).await;
    let refused = stage.pin(&access, &a_pin("x")).await.expect("an answer");
    let body: Value = refused.json().await.expect("json");
    assert_eq!(body["code"], 3);
    assert!(field(&body, "message").contains("'pins:write'"));
}
