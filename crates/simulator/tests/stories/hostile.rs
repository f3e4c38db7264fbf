use serde_json::{Value, json};

use crate::stage::*;

#[tokio::test]
async fn nonsense_gets_the_platforms_own_refusals() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    let feed = stage.graph(&format!("{BLUMEN}/feed"));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("application/json", b"{".to_vec()),
        ("application/json", b"[1,2]".to_vec()),
        ("application/json", vec![b'['; 200_000]),
        ("application/json", b"\xff\xfe".to_vec()),
        ("multipart/form-data", b"x".to_vec()),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense".to_vec()),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00&attached_media=%5B".to_vec()),
        ("application/json", json!({ "attached_media": [{ "media_fbid": -1 }, 3, null] }).to_string().into_bytes()),
        ("application/json", json!({ "message": { "deep": [1] } , "attached_media": "x" }).to_string().into_bytes()),
    ];
    for (kind, body) in bodies {
        let answer =
            stage.client.post(&feed).bearer_auth(&page).header("content-type", kind).body(body.clone()).send().await.expect("an answer");
        let (status, code, _) = refusal(answer).await;
        assert!(status == 400 && code == 100, "{kind} {:?}: {status} {code}", String::from_utf8_lossy(&body[..body.len().min(40)]));
    }
    assert_eq!(stage.read("/facebook/feed.json").await, json!([]));
}

#[tokio::test]
async fn unknown_ids_and_paths_are_not_found_politely() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    for path in [
        "99",
        "0_0",
        "x_y",
        "_",
        "99999999999999999999_99999999999999999999",
        "..%2f..%2fetc",
        "%00",
        "me/nothing",
        "99/feed",
        "615548210093371003",
    ] {
        let (status, code, sub) = refusal(stage.as_user(&user, path).await).await;
        assert_eq!((status, code, sub), (400, 100, Some(33)), "{path}");
    }
    assert_eq!(refusal(stage.as_user(&user, "me?fields=nope").await).await.1, 100);
    assert_eq!(refusal(stage.as_user(&user, "me?fields=a{{{").await).await.1, 2500);
    assert_eq!(refusal(stage.as_user(&user, "me/accounts?limit=-1").await).await.1, 100);
    assert_eq!(refusal(stage.as_user(&user, "me/accounts?after=%F0").await).await.1, 100);
    assert_eq!(refusal(stage.as_user("nobody", "me").await).await, (400, 190, None));
    assert_eq!(refusal(stage.client.get(stage.graph("me")).send().await.expect("an answer")).await.1, 104);
    let future = stage.get("/facebook/graph/v99.0/me").bearer_auth(&user).send().await.expect("an answer");
    assert_eq!(refusal(future).await.1, 2500);
    let (access, _) = stage.pinterest_login("mara-jung").await;
    for (path, expected) in [("pins/1", 404), ("pins/x", 404), ("boards/9", 404), ("nothing", 404), ("boards?bookmark=%F0", 400)] {
        let answer = stage.get(&format!("/pinterest/v5/{path}")).bearer_auth(&access).send().await.expect("an answer");
        assert_eq!(pin_refusal(answer).await.0, expected, "{path}");
    }
    for body in ["{", "[]", "null", "\"x\"", "{\"board_id\":{}}"] {
        let call = stage.post("/pinterest/v5/pins").bearer_auth(&access).header("content-type", "application/json").body(body);
        assert_eq!(pin_refusal(call.send().await.expect("an answer")).await, (400, 1), "{body}");
    }
}

#[tokio::test]
async fn a_huge_body_is_capped() {
    let stage = Stage::new().await;
    let (access, _) = stage.pinterest_login("mara-jung").await;
    let huge = vec![b' '; 65 * 1024 * 1024];
    let sent = stage.post("/pinterest/v5/pins").bearer_auth(&access).body(huge).send().await;
    // The answer may come while the body is still under way; then the connection ends first.
    if let Ok(answer) = sent {
        assert_eq!(pin_refusal(answer).await.0, 413);
    }
    let form = vec![b'a'; 300 * 1024];
    let sent = stage.post("/facebook/faults").body(form).send().await.expect("an answer");
    assert_eq!(sent.status(), 413);
}

#[tokio::test]
async fn a_page_token_cannot_act_for_another_page() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN, WEDDINGS]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    assert_eq!(refusal(stage.publish(&page, WEDDINGS, "x").await.expect("an answer")).await, (400, 100, Some(33)));
    assert_eq!(refusal(stage.publish(&user, BLUMEN, "x").await.expect("an answer")).await, (403, 210, None));
    let proof = stage.as_user(&page, "me?appsecret_proof=00").await;
    let body: Value = proof.json().await.expect("json");
    assert_eq!(body["error"]["code"], 100);
}

#[tokio::test]
async fn posts_are_shown_as_text() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    stage.publish(&page, BLUMEN, "<script>alert(1)</script>").await.expect("an answer");
    let answer = stage.get("/facebook/feed").send().await.expect("an answer");
    assert!(answer.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'"));
    let html = answer.text().await.expect("text");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"));
}
