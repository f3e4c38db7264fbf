use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use simulator::{FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET};

use crate::stage::*;

#[tokio::test]
async fn a_login_publishes_and_reads_back() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN, WEDDINGS]).await;
    assert!(user.starts_with("EAA"));
    let me: Value = stage.as_user(&user, "me?fields=id,name,picture").await.json().await.expect("json");
    assert_eq!(me["id"], MARA);
    let page = stage.page_token(&user, BLUMEN).await;
    let answer = stage
        .client
        .post(stage.graph(&format!("{BLUMEN}/feed?fields=id,permalink_url")))
        .bearer_auth(&page)
        .form(&[("message", "Tulips are here"), ("link", "https://example.org/tulips")])
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["x-business-use-case-usage"].to_str().expect("text").contains(BLUMEN));
    assert_eq!(answer.headers()["facebook-api-version"], "v26.0");
    let post: Value = answer.json().await.expect("json");
    let id = field(&post, "id");
    assert!(id.starts_with(&format!("{BLUMEN}_")));
    let seen = stage.client.get(field(&post, "permalink_url")).send().await.expect("an answer");
    assert!(seen.text().await.expect("text").contains("Tulips are here"));
    let list: Value = stage
        .as_user(&page, &format!("{BLUMEN}/published_posts?fields=id,message,created_time,permalink_url&limit=25"))
        .await
        .json()
        .await
        .expect("json");
    assert_eq!(list["data"][0]["message"], "Tulips are here");
    assert_eq!(list["data"][0]["created_time"], "2026-11-23T10:00:00+0000");
    let comment = stage
        .client
        .post(stage.graph(&format!("{id}/comments")))
        .bearer_auth(&page)
        .json(&json!({ "message": "First!" }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(comment.status(), 200);
    let feed = stage.read("/facebook/feed.json").await;
    assert_eq!(feed[0]["account"], BLUMEN);
    assert_eq!(feed[0]["text"], "Tulips are here");
    assert_eq!(feed[0]["comments"][0], "First!");
    assert_eq!(feed[0]["created_at"], 1_795_428_000_000_000_i64);
    let deleted = stage.client.delete(stage.graph(&id)).bearer_auth(&page).send().await.expect("an answer");
    assert_eq!(deleted.status(), 200);
    assert_eq!(refusal(stage.as_user(&page, &id).await).await, (400, 100, Some(33)));
    assert_eq!(stage.read("/facebook/feed.json").await, json!([]));
}

#[tokio::test]
async fn photos_come_by_address_or_as_a_file_and_wait_for_their_post() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    let picture = format!("http://{}/picture.png", stage.address);
    let by_url = stage
        .client
        .post(stage.graph(&format!("{BLUMEN}/photos")))
        .bearer_auth(&page)
        .json(&json!({ "url": picture, "published": false, "alt_text_custom": "A shop" }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(by_url.status(), 200);
    let first = field(&by_url.json().await.expect("json"), "id");
    let form = Form::new()
        .text("published", "false")
        .part("source", Part::bytes(png(10, 10)).file_name("a.png").mime_str("image/png").expect("mime"));
    let by_file =
        stage.client.post(stage.graph(&format!("{BLUMEN}/photos"))).bearer_auth(&page).multipart(form).send().await.expect("an answer");
    let second = field(&by_file.json().await.expect("json"), "id");
    assert_eq!(stage.read("/facebook/feed.json").await, json!([]));
    let attached = json!([{ "media_fbid": first }, { "media_fbid": second }]);
    let body = json!({ "message": "Two", "attached_media": attached });
    let call = || stage.client.post(stage.graph(&format!("{BLUMEN}/feed"))).bearer_auth(&page).json(&body).send();
    assert_eq!(call().await.expect("an answer").status(), 200);
    assert_eq!(refusal(call().await.expect("an answer")).await, (400, 100, Some(1_366_051)));
    let feed = stage.read("/facebook/feed.json").await;
    let media = feed[0]["media"].as_array().expect("media");
    assert_eq!(media.len(), 2);
    let bytes = stage.client.get(media[0].as_str().expect("url")).send().await.expect("an answer").bytes().await.expect("bytes");
    assert_eq!(bytes, png(40, 30));
    let one = stage
        .client
        .post(stage.graph(&format!("{BLUMEN}/photos")))
        .bearer_auth(&page)
        .form(&[("url", picture.as_str()), ("message", "One")])
        .send()
        .await
        .expect("an answer");
    let one: Value = one.json().await.expect("json");
    assert!(field(&one, "post_id").starts_with(BLUMEN));
    assert!(!field(&one, "id").contains('_'));
}

#[tokio::test]
async fn bad_content_is_refused_with_the_documented_subcodes() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    let photo = |bytes: Vec<u8>| {
        let form = Form::new().part("source", Part::bytes(bytes).file_name("a.png"));
        stage.client.post(stage.graph(&format!("{BLUMEN}/photos"))).bearer_auth(&page).multipart(form).send()
    };
    let mut large = png(10, 10);
    large.resize(4 * 1024 * 1024 + 1, 0);
    assert_eq!(refusal(photo(large).await.expect("an answer")).await, (400, 100, Some(1_366_046)));
    assert_eq!(refusal(photo(b"GIF89a".to_vec()).await.expect("an answer")).await, (400, 100, Some(1_349_125)));
    assert_eq!(refusal(photo(png(0, 10)).await.expect("an answer")).await, (400, 100, Some(2_069_019)));
    let posted = |body: Value| stage.client.post(stage.graph(&format!("{BLUMEN}/feed"))).bearer_auth(&page).json(&body).send();
    let longest = "ü".repeat(63_206);
    assert_eq!(posted(json!({ "message": longest })).await.expect("an answer").status(), 200);
    assert_eq!(refusal(posted(json!({ "message": longest + "u" })).await.expect("an answer")).await.1, 100);
    assert_eq!(refusal(posted(json!({ "message": " " })).await.expect("an answer")).await.1, 100);
    let own = posted(json!({ "link": "https://www.facebook.com/x" })).await.expect("an answer");
    assert_eq!(refusal(own).await, (400, 100, Some(1_609_008)));
    let gone = format!("http://{}/nothing.png", stage.address);
    let by_url = stage.client.post(stage.graph(&format!("{BLUMEN}/photos"))).bearer_auth(&page).form(&[("url", gone)]).send();
    assert_eq!(refusal(by_url.await.expect("an answer")).await, (400, 100, Some(2_061_006)));
}

#[tokio::test]
async fn everything_ends_after_sixty_days() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    stage.world.pass(days(60) - std::time::Duration::from_secs(1));
    assert_eq!(stage.publish(&page, BLUMEN, "still").await.expect("an answer").status(), 200);
    stage.world.pass(std::time::Duration::from_secs(1));
    let answer = stage.publish(&page, BLUMEN, "late").await.expect("an answer");
    let said = answer.headers()["www-authenticate"].to_str().expect("text").to_owned();
    assert!(
        said.starts_with("OAuth \"Facebook Platform\" \"invalid_token\" \"Error validating access token: Session has expired on "),
        "{said}"
    );
    let body: Value = answer.json().await.expect("json");
    assert_eq!((body["error"]["code"].as_i64(), body["error"]["error_subcode"].as_i64()), (Some(190), Some(463)));
    assert_eq!(
        body["error"]["message"],
        "Error validating access token: Session has expired on Friday, 22-Jan-27 02:00:00 PST. The current time is Friday, 22-Jan-27 02:00:00 PST."
    );
    assert!(body["error"]["fbtrace_id"].is_string());
    assert_eq!(refusal(stage.facebook_exchange(&user).await).await, (400, 190, Some(463)));
    let app = format!("{FACEBOOK_CLIENT_ID}|{FACEBOOK_CLIENT_SECRET}");
    let debug: Value = stage
        .client
        .get(stage.graph("debug_token"))
        .query(&[("input_token", &page), ("access_token", &app)])
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("json");
    assert_eq!(debug["data"]["is_valid"], false);
    assert_eq!(debug["data"]["error"]["subcode"], 463);
}

#[tokio::test]
async fn an_endless_page_token_outlives_the_login_until_data_access_ends() {
    let stage = Stage::new().await;
    stage.turn("facebook", json!({ "page_token_endless": true })).await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    stage.world.pass(days(61));
    assert_eq!(refusal(stage.as_user(&user, "me").await).await, (400, 190, Some(463)));
    assert_eq!(stage.as_user(&page, "me").await.status(), 200);
    stage.world.pass(days(30));
    assert_eq!(refusal(stage.as_user(&page, "me").await).await, (400, 190, Some(493)));
}

#[tokio::test]
async fn what_was_unticked_is_missing() {
    let stage = Stage::new().await;
    let back = stage.facebook_consent("mara-jung", &["pages_show_list", "pages_read_engagement"], &[BLUMEN]).await;
    let short = field(&stage.facebook_code(&query_of(&back, "code")).await.json().await.expect("json"), "access_token");
    let permissions: Value = stage.as_user(&short, "me/permissions").await.json().await.expect("json");
    let status = |name: &str| {
        permissions["data"].as_array().expect("data").iter().find(|row| row["permission"] == name).map(|row| row["status"].clone())
    };
    assert_eq!(status("pages_manage_posts"), Some(json!("declined")));
    assert_eq!(status("public_profile"), Some(json!("granted")));
    let accounts: Value = stage.as_user(&short, "me/accounts").await.json().await.expect("json");
    assert_eq!(accounts["data"].as_array().map(Vec::len), Some(1));
    let page = field(&accounts["data"][0], "access_token");
    assert_eq!(refusal(stage.publish(&page, BLUMEN, "x").await.expect("an answer")).await, (403, 200, None));
    let debug: Value = stage.as_user(&short, &format!("debug_token?input_token={short}")).await.json().await.expect("json");
    let granular = debug["data"]["granular_scopes"].as_array().expect("granular");
    let list = granular.iter().find(|row| row["scope"] == "pages_show_list").expect("scope");
    assert_eq!(list["target_ids"], json!([BLUMEN]));
    // The Page is unticked at the next sign-in: its token stops.
    stage.facebook_consent("mara-jung", &["pages_show_list"], &[WEDDINGS]).await;
    assert_eq!(refusal(stage.as_user(&page, "me").await).await, (400, 190, None));
}

#[tokio::test]
async fn a_code_works_once_soon_and_for_its_own_address() {
    let stage = Stage::new().await;
    let back = stage.facebook_consent("mara-jung", &[], &[]).await;
    assert_eq!(query_of(&back, "state"), "s t");
    let code = query_of(&back, "code");
    let wrong = [
        ("client_id", FACEBOOK_CLIENT_ID),
        ("client_secret", FACEBOOK_CLIENT_SECRET),
        ("redirect_uri", "http://127.0.0.1/other"),
        ("code", &code),
    ];
    let answer = stage.client.post(stage.graph("oauth/access_token")).form(&wrong).send().await.expect("an answer");
    assert!(answer.headers()["www-authenticate"].to_str().expect("text").contains("\"invalid_code\""));
    assert_eq!(refusal(answer).await, (400, 100, Some(36_008)));
    assert_eq!(stage.facebook_code(&code).await.status(), 200);
    assert_eq!(refusal(stage.facebook_code(&code).await).await.1, 100);
    let back = stage.facebook_consent("mara-jung", &[], &[]).await;
    stage.wall.pass(std::time::Duration::from_secs(601));
    let body: Value = stage.facebook_code(&query_of(&back, "code")).await.json().await.expect("json");
    assert_eq!(body["error"]["message"], "This authorization code has expired.");
    let bad_secret = [("client_id", FACEBOOK_CLIENT_ID), ("client_secret", "no"), ("code", "x")];
    let answer = stage.client.get(stage.graph("oauth/access_token")).query(&bad_secret).send().await.expect("an answer");
    assert_eq!(refusal(answer).await, (400, 1, None));
}

#[tokio::test]
async fn removing_the_app_ends_its_tokens() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    let answer = stage.client.delete(stage.graph(&format!("{MARA}/permissions"))).bearer_auth(&user).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(refusal(stage.as_user(&page, "me").await).await, (400, 190, Some(458)));
}

#[tokio::test]
async fn lists_go_on_at_next() {
    let stage = Stage::new().await;
    let pages: Vec<String> = (3..=6).map(|n| format!("61554821009337100{n}")).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let user = stage.facebook_login("dana-weiss", &pages).await;
    let mut next = Some(stage.graph(&format!("me/accounts?limit=3&fields=id,name,access_token&access_token={user}")));
    let mut seen = Vec::new();
    while let Some(url) = next {
        let list: Value = stage.client.get(url).send().await.expect("an answer").json().await.expect("json");
        seen.extend(list["data"].as_array().expect("data").iter().map(|row| field(row, "id")));
        next = list["paging"]["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, pages);
}

#[tokio::test]
async fn limits_answer_as_the_document_says() {
    let stage = Stage::new().await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    stage.turn("facebook", json!({ "knobs": { "page_calls_per_day": 1 } })).await;
    assert_eq!(stage.as_user(&page, "me").await.status(), 200);
    let answer = stage.as_user(&page, "me").await;
    let usage: Value = serde_json::from_str(answer.headers()["x-business-use-case-usage"].to_str().expect("text")).expect("json");
    assert_eq!(usage[BLUMEN][0]["type"], "pages");
    assert_eq!(usage[BLUMEN][0]["estimated_time_to_regain_access"], 840);
    assert_eq!(refusal(answer).await, (400, 80_001, None));
    stage.turn("facebook", json!({ "app_calls_per_hour": 1 })).await;
    let answer = stage.as_user(&user, "me").await;
    assert!(answer.headers()["x-app-usage"].to_str().expect("text").contains("\"call_count\":100"));
    assert_eq!(refusal(answer).await, (403, 4, None));
}
