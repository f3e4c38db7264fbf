use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::*;

/// A stage with Mara signed in and the token of her Page.
async fn mara() -> (Stage, String, String) {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN, WEDDINGS]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    (stage, user, page)
}

async fn published(stage: &Stage) -> usize {
    stage.read("/facebook/feed.json").await.as_array().expect("a list").len()
}

#[tokio::test]
async fn state_faults_show_their_documented_codes() {
    for (fault, expected) in [
        ("expire", (400, 190, Some(463))),
        ("revoke", (400, 190, Some(458))),
        ("change_password", (400, 190, Some(460))),
        ("remove_role", (400, 190, Some(492))),
        ("checkpoint", (400, 190, Some(459))),
        ("delete_account", (400, 100, Some(33))),
        ("policy_block", (400, 368, None)),
        ("retire_version", (400, 2635, None)),
        ("remove_scope", (403, 200, None)),
    ] {
        let (stage, _, page) = mara().await;
        stage.fault("facebook", json!({ "kind": fault })).await;
        let answer = stage.publish(&page, BLUMEN, "x").await.expect("an answer");
        assert_eq!(refusal(answer).await, expected, "{fault}");
        assert_eq!(published(&stage).await, 0);
    }
}

#[tokio::test]
async fn state_faults_strike_pinterest_too() {
    for (fault, pin, refresh) in [
        ("expire", (401, 2), 401),
        ("revoke", (401, 2), 401),
        ("change_password", (401, 2), 401),
        ("remove_scope", (401, 3), 200),
        ("remove_role", (403, 29), 200),
        ("checkpoint", (403, 2626), 200),
        ("delete_account", (404, 30), 401),
        ("policy_block", (429, 9), 200),
        ("retire_version", (426, 426), 426),
    ] {
        let stage = Stage::new().await;
        let (access, token) = stage.pinterest_login("mara-jung").await;
        stage.fault("pinterest", json!({ "kind": fault, "account": PIN_MARA })).await;
        assert_eq!(pin_refusal(stage.pin(&access, &a_pin("x")).await.expect("an answer")).await, pin, "{fault}");
        assert_eq!(stage.refresh(&token).await.expect("an answer").status(), refresh, "{fault}");
    }
}

#[tokio::test]
async fn a_fault_for_one_account_leaves_the_others() {
    let stage = Stage::new().await;
    let mara = stage.facebook_login("mara-jung", &[BLUMEN, WEDDINGS]).await;
    let tom = stage.facebook_login("tom-berger", &["615548210093371003"]).await;
    stage.fault("facebook", json!({ "kind": "expire", "account": WEDDINGS })).await;
    assert_eq!(refusal(stage.as_user(&mara, "me").await).await.2, Some(463));
    assert_eq!(stage.as_user(&tom, "me").await.status(), 200);
    let again = stage.facebook_login("mara-jung", &[BLUMEN, WEDDINGS]).await;
    let (one, other) = (stage.page_token(&again, BLUMEN).await, stage.page_token(&again, WEDDINGS).await);
    stage.fault("facebook", json!({ "kind": "policy_block", "account": WEDDINGS })).await;
    assert_eq!(stage.publish(&one, BLUMEN, "x").await.expect("an answer").status(), 200);
    assert_eq!(refusal(stage.publish(&other, WEDDINGS, "x").await.expect("an answer")).await.1, 368);
    let cleared = stage.client.delete(stage.url("/facebook/faults")).send().await.expect("an answer");
    assert_eq!(cleared.status(), 200);
    assert_eq!(stage.publish(&other, WEDDINGS, "x").await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_state_fault_with_an_op_waits_for_that_call() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "expire", "op": "commit", "after": 1 })).await;
    assert_eq!(stage.as_user(&page, "me").await.status(), 200);
    assert_eq!(stage.publish(&page, BLUMEN, "one").await.expect("an answer").status(), 200);
    assert_eq!(refusal(stage.publish(&page, BLUMEN, "two").await.expect("an answer")).await.2, Some(463));
    assert_eq!(published(&stage).await, 1);
}

#[tokio::test]
async fn a_checkpoint_passes_with_the_next_sign_in() {
    let (stage, user, _) = mara().await;
    stage.fault("facebook", json!({ "kind": "checkpoint", "account": MARA })).await;
    assert_eq!(refusal(stage.as_user(&user, "me").await).await.2, Some(459));
    stage.facebook_consent("mara-jung", &[], &[]).await;
    assert_eq!(stage.as_user(&user, "me").await.status(), 200);
}

#[tokio::test]
async fn a_call_dropped_before_leaves_nothing() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "drop_before_accept", "op": "commit" })).await;
    let error = stage.publish(&page, BLUMEN, "x").await.expect_err("no answer");
    assert!(error.is_request() && !error.is_timeout() && !error.is_builder(), "{error:?}");
    assert_eq!(published(&stage).await, 0);
    assert_eq!(stage.publish(&page, BLUMEN, "x").await.expect("an answer").status(), 200);
    let calls = stage.read("/facebook/calls.json").await;
    let dropped = calls.as_array().expect("a list").iter().find(|call| call["status"].is_null()).expect("the dropped call");
    assert_eq!(dropped["path"], format!("/facebook/graph/v26.0/{BLUMEN}/feed"));
    assert_eq!(dropped["faults"], json!(["drop_before_accept"]));
}

#[tokio::test]
async fn a_call_dropped_after_was_accepted() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "drop_after_accept", "op": "commit", "account": BLUMEN })).await;
    assert!(stage.publish(&page, BLUMEN, "x").await.is_err());
    assert_eq!(published(&stage).await, 1);
}

#[tokio::test]
async fn not_one_byte_of_a_dropped_answer_leaves() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "drop_after_accept", "times": 2 })).await;
    for connection in ["close", "keep-alive"] {
        let mut socket = tokio::net::TcpStream::connect(stage.address).await.expect("a connection");
        let body = r#"{"message":"x"}"#;
        let request = format!(
            "POST /sim/facebook/graph/v26.0/{BLUMEN}/feed HTTP/1.1\r\nhost: x\r\nconnection: {connection}\r\nauthorization: Bearer {page}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        assert_eq!(String::from_utf8_lossy(&answer), "", "{connection}");
    }
    assert_eq!(published(&stage).await, 2);
}

#[tokio::test]
async fn an_error_after_acceptance_is_a_500() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "error_after_accept", "op": "commit" })).await;
    let answer = stage.publish(&page, BLUMEN, "x").await.expect("an answer");
    assert_eq!(refusal(answer).await, (500, 1, None));
    assert_eq!(published(&stage).await, 1);
}

#[tokio::test]
async fn trouble_comes_as_often_as_asked() {
    let (stage, user, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "server_error", "times": 2 })).await;
    let answer = stage.as_user(&user, "me").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.expect("json")["error"]["is_transient"], true);
    assert_eq!(stage.as_user(&user, "me").await.status(), 503);
    assert_eq!(stage.as_user(&user, "me").await.status(), 200);
    stage.fault("facebook", json!({ "kind": "rate_limit", "retry_after": 120 })).await;
    let answer = stage.publish(&page, BLUMEN, "x").await.expect("an answer");
    assert_eq!(answer.headers()["retry-after"], "120");
    assert!(answer.headers()["x-business-use-case-usage"].to_str().expect("text").contains("\"estimated_time_to_regain_access\":2"));
    assert_eq!(refusal(answer).await, (400, 80_001, None));
}

#[tokio::test]
async fn broken_answers_are_html_or_half() {
    let (stage, user, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "broken_json", "times": 2 })).await;
    let answer = stage.as_user(&user, "me").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.expect("text").starts_with("<!DOCTYPE"));
    let answer = stage.publish(&page, BLUMEN, "x").await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<Value>().await.is_err());
    assert_eq!(published(&stage).await, 1);
}

#[tokio::test]
async fn a_slow_answer_comes_after_its_effect() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "slow", "op": "commit", "seconds": 1 })).await;
    let begun = Instant::now();
    assert_eq!(stage.publish(&page, BLUMEN, "x").await.expect("an answer").status(), 200);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // Somebody who does not wait has still been heard.
    stage.fault("facebook", json!({ "kind": "slow", "op": "commit", "seconds": 30 })).await;
    let impatient = stage.client.post(stage.graph(&format!("{BLUMEN}/feed"))).bearer_auth(&page).json(&json!({ "message": "y" }));
    assert!(impatient.timeout(Duration::from_millis(500)).send().await.expect_err("no answer").is_timeout());
    assert_eq!(published(&stage).await, 2);
}

#[tokio::test]
async fn a_rotated_pair_can_be_lost() {
    let stage = Stage::new().await;
    let (access, refresh) = stage.pinterest_login("mara-jung").await;
    stage.fault("pinterest", json!({ "kind": "rotate_and_lose" })).await;
    assert_eq!(stage.get("/pinterest/v5/user_account").bearer_auth(&access).send().await.expect("an answer").status(), 200);
    assert!(stage.refresh(&refresh).await.is_err());
    assert_eq!(pin_refusal(stage.refresh(&refresh).await.expect("an answer")).await, (401, 283));
}

#[tokio::test]
async fn a_lagging_list_catches_up() {
    let (stage, _, page) = mara().await;
    stage.fault("facebook", json!({ "kind": "listing_lag" })).await;
    let id = field(&stage.publish(&page, BLUMEN, "x").await.expect("an answer").json().await.expect("json"), "id");
    let listed = || async {
        let list: Value = stage.as_user(&page, &format!("{BLUMEN}/published_posts")).await.json().await.expect("json");
        list["data"].as_array().expect("data").len()
    };
    assert_eq!(listed().await, 0);
    assert_eq!(stage.as_user(&page, &id).await.status(), 200);
    assert_eq!(published(&stage).await, 1);
    let due = stage.simulator.next_due().expect("the end of the lag");
    stage.world.pass(Duration::from_secs(600));
    assert_eq!(due, domain::time::Clock::now(&*stage.world));
    assert_eq!(listed().await, 1);
    assert_eq!(stage.simulator.next_due(), None);
}

#[tokio::test]
async fn an_unknown_fault_is_told_the_list() {
    let stage = Stage::new().await;
    for body in [json!({ "kind": "explode" }), json!({ "kind": "slow", "op": "x" }), json!({ "kind": "slow", "times": "x" }), json!([])] {
        let answer = stage.post("/facebook/faults").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 400);
        let said: Value = answer.json().await.expect("json");
        assert_eq!(said["kinds"].as_array().map(Vec::len), Some(18));
        assert_eq!(said["ops"], json!(["token", "profile", "prepare", "commit", "read"]));
    }
    stage.fault("facebook", json!({ "kind": "slow", "op": "read" })).await;
    let listed = stage.read("/facebook/faults").await;
    assert_eq!(listed["faults"][0]["kind"], "slow");
}
