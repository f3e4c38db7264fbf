use serde_json::json;
use simulator::{FACEBOOK_CLIENT_ID, PINTEREST_CLIENT_ID};

use crate::stage::*;

const DIALOG: &str = "/facebook/v26.0/dialog/oauth";

async fn facebook_page(stage: &Stage, extra: &[(&str, &str)], cookie: &str) -> String {
    let redirect = stage.facebook_redirect();
    let query = [("client_id", FACEBOOK_CLIENT_ID), ("redirect_uri", redirect.as_str()), ("scope", ALL_PAGES_SCOPES), ("state", "\"><b>")];
    let call = stage.get(DIALOG).query(&query).query(extra).header("cookie", cookie);
    let answer = call.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains(&format!("form-action 'self' http://{};", stage.address)), "{policy}");
    answer.text().await.expect("text")
}

/// Whether the box with this test id is ticked.
fn is_ticked(html: &str, test_id: &str) -> bool {
    let at = html.find(&format!("data-testid=\"{test_id}\"")).unwrap_or_else(|| panic!("no {test_id}"));
    let end = html[at..].find('>').expect("the end of the tag");
    html[at..at + end].contains(" checked")
}

#[tokio::test]
async fn the_dialog_has_its_stable_names_and_a_banner() {
    let stage = Stage::new().await;
    let html = facebook_page(&stage, &[], "").await;
    assert!(html.contains("<strong>Rehearsal</strong> – this is not Facebook"));
    for name in ["person-mara-jung", "person-tom-berger", "continue", "cancel"] {
        assert!(html.contains(&format!("data-testid=\"{name}\"")), "{name}");
    }
    assert!(html.contains("Continue as Mara Jung?"));
    assert!(!html.contains("<b>"), "foreign text stays text");
    assert!(!html.contains("<script") && !html.contains("style="));
    let html = facebook_page(&stage, &[("person", "mara-jung")], "").await;
    assert!(is_ticked(&html, &format!("page-{BLUMEN}")) && is_ticked(&html, "scope-pages_manage_posts"));
}

#[tokio::test]
async fn a_returning_person_sees_the_old_choice_and_rerequest_asks_again() {
    let stage = Stage::new().await;
    stage.facebook_consent("mara-jung", &["pages_show_list"], &[BLUMEN]).await;
    let cookie = "other=1; rehearsal_facebook=mara-jung";
    let html = facebook_page(&stage, &[], cookie).await;
    assert!(html.contains("Continue as Mara Jung?") && html.contains("your earlier choice"));
    assert!(is_ticked(&html, &format!("page-{BLUMEN}")) && !is_ticked(&html, &format!("page-{WEDDINGS}")));
    assert!(!is_ticked(&html, "scope-pages_manage_posts"));
    let html = facebook_page(&stage, &[("auth_type", "rerequest")], cookie).await;
    assert!(is_ticked(&html, "scope-pages_manage_posts") && !is_ticked(&html, &format!("page-{WEDDINGS}")));
    let html = facebook_page(&stage, &[("auth_type", "reauthenticate")], cookie).await;
    assert!(!html.contains("data-testid=\"continue\"") && html.contains("choose who you are"));
}

#[tokio::test]
async fn cancel_says_so_with_the_state() {
    let stage = Stage::new().await;
    let redirect = stage.facebook_redirect();
    let query = [("client_id", FACEBOOK_CLIENT_ID), ("redirect_uri", &redirect), ("state", "s&t")];
    let back = stage.consent(DIALOG, &query, &[("decision", "cancel")]).await;
    assert_eq!(back.path(), "/oauth/facebook/callback");
    assert_eq!(query_of(&back, "error"), "access_denied");
    assert_eq!(query_of(&back, "error_reason"), "user_denied");
    assert_eq!(query_of(&back, "state"), "s&t");
    let redirect = stage.pinterest_redirect();
    let query = [("client_id", PINTEREST_CLIENT_ID), ("redirect_uri", &redirect), ("state", "p")];
    let back = stage.consent("/pinterest/oauth/", &query, &[("decision", "cancel")]).await;
    assert_eq!((query_of(&back, "error"), query_of(&back, "state")), ("access_denied".to_owned(), "p".to_owned()));
}

#[tokio::test]
async fn nobody_is_sent_to_a_foreign_address() {
    let stage = Stage::new().await;
    let good = stage.facebook_redirect();
    for (client, redirect, scope) in [
        ("1", good.as_str(), ""),
        (FACEBOOK_CLIENT_ID, "https://evil.example/oauth/facebook/callback", ""),
        (FACEBOOK_CLIENT_ID, "http://127.0.0.1/oauth/facebook/callback/../x", ""),
        (FACEBOOK_CLIENT_ID, "http://a@127.0.0.1/oauth/facebook/callback", ""),
        (FACEBOOK_CLIENT_ID, "javascript:alert(1)", ""),
        (FACEBOOK_CLIENT_ID, "", ""),
        (FACEBOOK_CLIENT_ID, good.as_str(), "pages_show_list,make_coffee"),
    ] {
        let query = [("client_id", client), ("redirect_uri", redirect), ("scope", scope)];
        for call in [stage.get(DIALOG), stage.post(DIALOG).form(&[("decision", "cancel")])] {
            let answer = call.query(&query).send().await.expect("an answer");
            assert_eq!(answer.status(), 400, "{client} {redirect} {scope}");
            assert!(!answer.headers().contains_key("location"));
        }
    }
    stage
        .turn(
            "facebook",
            json!({ "apps": [{ "client_id": "77", "client_secret": "s", "name": "Other", "redirect_uris": ["https://app.example/cb"] }] }),
        )
        .await;
    let query = [("client_id", "77"), ("redirect_uri", "https://app.example/cb")];
    let back = stage.consent(DIALOG, &query, &[("decision", "continue"), ("person", "mara-jung")]).await;
    assert_eq!(back.host_str(), Some("app.example"));
}
