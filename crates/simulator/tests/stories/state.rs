use domain::platform::Platform;
use domain::time::{Clock, Timestamp};
use serde_json::{Value, json};
use simulator::SeedPost;

use crate::stage::*;

/// A fresh folder of the test's own.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[tokio::test]
async fn the_world_survives_a_restart_without_a_farewell() {
    let folder = folder("restart");
    let file = folder.join("simulator.jsonl");
    let stage = Stage::with_state(Some(file.clone())).await;
    let user = stage.facebook_login("mara-jung", &[BLUMEN]).await;
    let page = stage.page_token(&user, BLUMEN).await;
    let picture = format!("http://{}/picture.png", stage.address);
    let call = stage.client.post(stage.graph(&format!("{BLUMEN}/photos"))).bearer_auth(&page).form(&[("url", picture)]);
    assert_eq!(call.send().await.expect("an answer").status(), 200);
    stage.fault("facebook", json!({ "kind": "server_error", "op": "commit", "times": 2 })).await;
    assert_eq!(stage.publish(&page, BLUMEN, "x").await.expect("an answer").status(), 503);
    stage.turn("facebook", json!({ "page_token_endless": true })).await;
    let calls = stage.read("/facebook/calls.json").await;
    let written = std::fs::read_to_string(&file).expect("the file");
    assert!(!written.contains(&page[3..40]) && !written.contains(&user[3..40]), "tokens are kept as fingerprints");
    let issued = stage.read("/facebook/issued.json").await;
    assert!([&user, &page].iter().all(|token| issued.as_array().is_some_and(|all| all.contains(&json!(token)))));
    // A killed process may leave half a line.
    let mut torn = std::fs::OpenOptions::new().append(true).open(&file).expect("the file");
    std::io::Write::write_all(&mut torn, b"{\"realm\":\"facebook\",\"ta").expect("written");

    let again = Stage::with_state(Some(file)).await;
    assert_eq!(again.publish(&page, BLUMEN, "x").await.expect("an answer").status(), 503);
    assert_eq!(again.publish(&page, BLUMEN, "x").await.expect("an answer").status(), 200);
    let feed = again.read("/facebook/feed.json").await;
    assert_eq!(feed.as_array().map(Vec::len), Some(2));
    let image = feed[0]["media"][0].as_str().and_then(|url| url.rsplit('/').next()).expect("an image");
    assert_eq!(again.simulator.image(Platform::Facebook, image).expect("bytes"), png(40, 30));
    assert_eq!(again.read("/facebook/knobs").await["knobs"]["page_token_endless"], true);
    let seen = again.read("/facebook/calls.json").await;
    let length = calls.as_array().expect("a list").len();
    assert_eq!(&seen.as_array().expect("a list")[..length], calls.as_array().expect("a list").as_slice());

    again.simulator.reset().expect("reset");
    assert_eq!(again.read("/facebook/feed.json").await, json!([]));
    assert_eq!(refusal(again.as_user(&page, "me").await).await.1, 190);
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn seeded_logins_are_as_old_as_they_say() {
    let stage = Stage::new().await;
    let now = stage.world.now();
    let scopes = ["pages_show_list", "pages_read_engagement", "pages_manage_posts"];
    let seeded = stage.simulator.seed_grant(Platform::Facebook, "mara-jung", &scopes, &[BLUMEN], now - days(59)).expect("seeded");
    assert_eq!(seeded.person_id, MARA);
    assert_eq!(seeded.access_expires_at, now + days(1));
    assert_eq!(stage.publish(&seeded.pages[0].access_token, BLUMEN, "x").await.expect("an answer").status(), 200);
    let pinterest = stage
        .simulator
        .seed_grant(Platform::Pinterest, "mara-jung", &ALL_PIN_SCOPES.split(',').collect::<Vec<_>>(), &[], now - days(40))
        .expect("seeded");
    let old = stage.get("/pinterest/v5/user_account").bearer_auth(&pinterest.access_token).send().await.expect("an answer");
    assert_eq!(pin_refusal(old).await, (401, 2));
    assert_eq!(stage.refresh(&pinterest.refresh_token.expect("one")).await.expect("an answer").status(), 200);
    let post = SeedPost { place: BLUMEN.to_owned(), text: "Earlier".to_owned(), created_at: now - days(3), ..SeedPost::default() };
    stage.simulator.seed_post(Platform::Facebook, &post).expect("seeded");
    assert!(stage.simulator.seed_grant(Platform::Facebook, "nobody", &[], &[], Timestamp(0)).is_err());
    let feed = stage.read("/facebook/feed.json").await;
    assert_eq!(feed[1]["text"], "Earlier");
}

#[tokio::test]
async fn the_clock_and_the_knobs_are_shown() {
    let stage = Stage::new().await;
    assert_eq!(stage.read("/clock").await, json!({ "now": 1_795_428_000_000_000_i64, "now_iso": "2026-11-23T10:00:00.000000Z" }));
    let knobs = stage.read("/pinterest/knobs").await;
    assert_eq!(knobs["knobs"]["refresh_grace_seconds"], 0);
    assert_eq!(knobs["people"].as_array().map(Vec::len), Some(3));
    for body in [
        json!({ "page_token_endless": true }),
        json!({ "refresh_grace_seconds": "x" }),
        json!({ "people": [1] }),
        json!({ "people": [{ "slug": "a\"b", "name": "x", "id": "1" }] }),
    ] {
        let answer = stage.post("/pinterest/knobs").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{body}");
    }
    stage.turn("pinterest", json!({ "people": [{ "slug": "eva", "name": "Eva Lind", "id": "912345678901234999" }] })).await;
    let (access, _) = stage.pinterest_login("eva").await;
    let me: Value =
        stage.get("/pinterest/v5/user_account").bearer_auth(&access).send().await.expect("an answer").json().await.expect("json");
    assert_eq!(me["id"], "912345678901234999");
}
