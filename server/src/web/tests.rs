//! The router in process: one request, no browser.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use domain::summary::refusal::{ErrorCode, Refusal};
use http::header;
use metrics_exporter_prometheus::PrometheusBuilder;
use secrecy::{ExposeSecret, SecretString};
use service::auth::NewOwner;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use url::Url;

use super::{Web, router};
use crate::config::Data;
use crate::start::{self, World};

struct App {
    router: Router,
    web: Web,
    cookie: String,
}

impl App {
    async fn new() -> Self {
        let folder = testkit::db::folder();
        let public: Url = "http://127.0.0.1:3000".parse().unwrap();
        let data = Data { folder: folder.join("data"), database_url: None, key_file: None };
        let backend = start::backend(&data, public.clone(), World::real()).await.unwrap();
        let owner = NewOwner {
            name: "Mara Jung".into(),
            email: "mara@example.org".into(),
            password: SecretString::from("a password for tests"),
            workspace: "Blumen Jung".into(),
            zone: "Europe/Berlin".into(),
        };
        let (person, _) = backend.services.create_owner(owner).await.unwrap();
        let session = backend.services.session_for(person).await.unwrap();
        let leptos = leptos::config::LeptosOptions::builder().output_name("stayposted").build();
        let web = Web {
            services: backend.services,
            public_url: public,
            trusted_proxies: Arc::new([]),
            leptos,
            site: folder.join("site"),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            is_open: Arc::new(AtomicBool::new(true)),
            stopping: CancellationToken::new(),
        };
        let cookie = format!("stayposted={}", session.token.expose_secret());
        Self { router: router::router(web.clone(), None).unwrap(), web, cookie }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn signed_in(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header(header::COOKIE, &self.cookie).header(header::HOST, "127.0.0.1:3000")
    }

    /// Sends a request that must be refused, and checks status and code.
    async fn refused(&self, request: Request<Body>, code: ErrorCode) {
        let what = format!("{} {}", request.method(), request.uri());
        let response = self.send(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{what}: {status} is not our error shape: {text}"));
        assert_eq!((status.as_u16(), refusal.code), (code.status(), code), "{what}: {text}");
    }
}

fn multipart(bytes: &[u8]) -> (String, Vec<u8>) {
    let mut body =
        b"--frame\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n".to_vec();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--frame--\r\n");
    ("multipart/form-data; boundary=frame".to_owned(), body)
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said_in_one_shape() {
    let app = App::new().await;
    let json = |method, path, body: &'static str| {
        app.signed_in(method, path).header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()
    };
    app.refused(json("POST", "/api/v1/no/such/function", "{}"), ErrorCode::UnknownFunction).await;
    app.refused(json("GET", "/api/v1/", ""), ErrorCode::UnknownFunction).await;
    app.refused(json("PUT", "/api/v1/posts/compose", "{}"), ErrorCode::WrongMethod).await;
    app.refused(json("GET", "/api/v1/posts/compose", ""), ErrorCode::WrongMethod).await;
    for body in ["", "{", "[]", "null", "{\"workspace\":5}", "\u{0}"] {
        app.refused(json("POST", "/api/v1/posts/cancel", body), ErrorCode::BadArguments).await;
    }
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/cbor", "application/jsonx"] {
        let request = app.signed_in("POST", "/api/v1/posts/cancel").header(header::CONTENT_TYPE, kind).body(Body::from("{}")).unwrap();
        app.refused(request, ErrorCode::WrongContentType).await;
    }
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let app = App::new().await;
    let get = |path| Request::get(path).body(Body::empty()).unwrap();
    for path in [
        "/api/v1/accounts/list?workspace=",
        "/api/v1/shell?workspace=",
        "/events?after=0",
        "/api/v1/media/00000000000000000000000000000000",
    ] {
        app.refused(get(path), ErrorCode::NotSignedIn).await;
    }
    let forged = Request::get("/api/v1/shell?workspace=").header(header::COOKIE, "stayposted=forged").body(Body::empty()).unwrap();
    app.refused(forged, ErrorCode::NotSignedIn).await;
    let foreign = app.signed_in("GET", "/api/v1/shell?workspace=somebody-elses").body(Body::empty()).unwrap();
    app.refused(foreign, ErrorCode::NotFound).await;
    let unknown = app.signed_in("GET", "/api/v1/posts/show?workspace=&post=00000000000000000000000000000001").body(Body::empty()).unwrap();
    app.refused(unknown, ErrorCode::NotFound).await;
}

/// Row S3 of the reliability document.
#[tokio::test]
async fn another_site_cannot_change_anything() {
    let app = App::new().await;
    let hostile: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ];
    for headers in hostile {
        let mut request = app.signed_in("POST", "/api/v1/auth/sign_out").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.refused(request.body(Body::empty()).unwrap(), ErrorCode::CrossSite).await;
    }
    let still = app.signed_in("GET", "/api/v1/shell?workspace=").body(Body::empty()).unwrap();
    assert_eq!(app.send(still).await.status(), StatusCode::OK);
}

/// Rows O1 to O3: whatever comes back at a callback, it ends on a page of ours and changes nothing.
#[tokio::test]
async fn a_hostile_callback_is_not_taken() {
    let app = App::new().await;
    let long = "x".repeat(30_000);
    let queries = [
        String::new(),
        "state=".into(),
        "state=a&state=b&code=c".into(),
        "state=nobody-made-this&code=c".into(),
        "state=%00%0d%0aSet-Cookie:%20x=y&code=%ff%fe".into(),
        "error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E".into(),
        format!("state={long}&code={long}"),
    ];
    for platform in ["facebook", "pinterest", "myspace", "..%2f..%2fetc"] {
        for query in &queries {
            let request = app.signed_in("GET", &format!("/oauth/{platform}/callback?{query}")).body(Body::empty()).unwrap();
            let response = app.send(request).await;
            assert_eq!(response.status(), StatusCode::SEE_OTHER, "{platform} {}", &query[..query.len().min(40)]);
            let location = response.headers()[header::LOCATION].to_str().unwrap();
            assert!(location.starts_with("/link/stopped?error="), "{location}");
            assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
        }
    }
}

#[tokio::test]
async fn what_is_no_image_is_refused_with_the_reason() {
    let app = App::new().await;
    let broken_png = [b"\x89PNG\r\n\x1a\n".as_slice(), b"\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0", b"broken"].concat();
    let cases: [(&[u8], ErrorCode); 4] = [
        (b"", ErrorCode::ImageKind),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", ErrorCode::ImageKind),
        (b"GIF89a", ErrorCode::ImageKind),
        (&broken_png, ErrorCode::ImageBroken),
    ];
    for (bytes, code) in cases {
        let (kind, body) = multipart(bytes);
        let request = app.signed_in("POST", "/api/v1/media").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        app.refused(request, code).await;
    }
    let (kind, body) = multipart(&vec![0; 40 * 1024 * 1024]);
    let request = app.signed_in("POST", "/api/v1/media").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
    app.refused(request, ErrorCode::ImageTooLarge).await;
    let request = app.signed_in("POST", "/api/v1/media").header(header::CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
    app.refused(request, ErrorCode::WrongContentType).await;
}

/// Rows H1 and H2.
#[tokio::test]
async fn every_answer_carries_the_protecting_headers() {
    let app = App::new().await;
    let paths =
        [("/sign-in", 200), ("/no-such-page", 404), ("/healthz", 200), ("/api/v1/none", 404), ("/pkg/none.js", 404), ("/events", 401)];
    for (path, status) in paths {
        let response = app.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let headers = response.headers();
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert!(headers.contains_key("cross-origin-opener-policy"), "{path}");
    }
}

#[tokio::test]
async fn a_page_that_needs_somebody_leads_to_the_sign_in() {
    let app = App::new().await;
    let response = app.send(Request::get("/social/settings/accounts").body(Body::empty()).unwrap()).await;
    assert!(response.status().is_redirection(), "{}", response.status());
    assert!(response.headers()[header::LOCATION].to_str().unwrap().starts_with("/sign-in"));
    let page = app.send(app.signed_in("GET", "/social/settings/accounts").body(Body::empty()).unwrap()).await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = to_bytes(page.into_body(), 1 << 20).await.unwrap();
    let html = String::from_utf8_lossy(&html);
    assert!(html.contains("Linked Accounts"), "{html}");
    assert!(!html.contains("style=\""), "the page policy forbids inline styles");
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let app = App::new().await;
    let stream = app.send(app.signed_in("GET", "/events?after=0").body(Body::empty()).unwrap()).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let token = app.cookie.trim_start_matches("stayposted=").to_owned();
    app.web.services.sign_out(&token).await.unwrap();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), to_bytes(stream.into_body(), 1 << 20)).await;
    assert!(ended.is_ok(), "the stream is still open");
}
