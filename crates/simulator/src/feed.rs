//! What people look at: the public feed, one post, pictures.

use std::fmt::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::moment;
use crate::page::{escape, initials, notice};
use crate::simulator::{Inner, SimulatorConfig};
use crate::surface::{Of, link_of, realm};
use crate::world::{Post, Realm};

/// A feed page shows this many posts.
const SHOWN: usize = 200;

const fn title_of(name: &str) -> &'static str {
    // Only two platforms exist here.
    if name.len() == 8 { "Facebook" } else { "Pinterest" }
}

/// `GET /{platform}/feed`: newest first.
pub(crate) async fn page(State((inner, name)): Of) -> Response {
    let config = &inner.config;
    let title = title_of(name);
    let main = inner.with(|world| {
        let realm = realm(world, name);
        let mut main = format!("<main class=\"feed\"><h1>What {title} shows</h1>");
        let public = realm.posts.values().rev().filter(|post| post.is_public && post.deleted_at.is_none());
        let mut count = 0;
        for post in public.take(SHOWN) {
            article(&mut main, config, realm, post);
            count += 1;
        }
        if count == 0 {
            main.push_str("<p class=\"lead\">Nothing was published yet.</p>");
        }
        main.push_str("</main>");
        main
    });
    crate::page::page(200, config.prefix(), title, &format!("What {title} shows"), &main, None)
}

fn article(out: &mut String, config: &SimulatorConfig, realm: &Realm, post: &Post) {
    let place = realm.places.get(&post.place).map_or("?", |place| place.name.as_str());
    let _ = write!(
        out,
        "<article class=\"post\" data-testid=\"post-{id}\"><header><span class=\"face\" aria-hidden=\"true\">{initials}</span>\
         <span><strong>{place}</strong><small><a href=\"{link}\">{at}</a></small></span></header>",
        id = escape(&post.id),
        initials = escape(&initials(place)),
        place = escape(place),
        link = escape(&link_of(config, realm.name, post)),
        at = moment::readable(post.created_at),
    );
    if !post.title.is_empty() {
        let _ = write!(out, "<h2 class=\"title\">{}</h2>", escape(&post.title));
    }
    if !post.text.is_empty() {
        let _ = write!(out, "<p class=\"text\">{}</p>", escape(&post.text));
    }
    if !post.link.is_empty() {
        let _ = write!(out, "<p><a href=\"{0}\" rel=\"noreferrer\">{0}</a></p>", escape(&post.link));
    }
    if !post.images.is_empty() {
        out.push_str("<div class=\"pictures\">");
        for id in &post.images {
            let image = realm.images.values().rev().find(|image| image.id == *id);
            let alt = image.map_or(post.alt.as_str(), |image| image.alt.as_str());
            let _ = write!(
                out,
                "<img src=\"{}/{}/media/{}\" alt=\"{}\" loading=\"lazy\">",
                escape(config.prefix()),
                realm.name,
                escape(id),
                escape(alt)
            );
        }
        out.push_str("</div>");
    }
    for comment in &post.comments {
        let _ = write!(out, "<p class=\"comment\">{}</p>", escape(&comment.text));
    }
    out.push_str("</article>");
}

fn single(inner: &Inner, name: &'static str, is_it: impl Fn(&Post) -> bool) -> Response {
    let config = &inner.config;
    let title = title_of(name);
    let main = inner.with(|world| {
        let realm = realm(world, name);
        let post = realm.posts.values().find(|post| post.is_public && post.deleted_at.is_none() && is_it(post))?;
        let mut main = String::from("<main class=\"feed\">");
        article(&mut main, config, realm, post);
        main.push_str("</main>");
        Some(main)
    });
    found(config, title, &format!("A post on {title}"), main)
}

/// `GET /facebook/{page}/posts/{post}`: what `permalink_url` names.
pub(crate) async fn facebook_post(State(inner): State<Arc<Inner>>, Path((page, post)): Path<(String, String)>) -> Response {
    single(&inner, "facebook", |row| row.id == format!("{page}_{post}"))
}

/// `GET /facebook/{page}_{post}`, or a Page or person by id.
pub(crate) async fn facebook_node(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    if id.contains('_') {
        return single(&inner, "facebook", |row| row.id == id);
    }
    let config = &inner.config;
    let main = inner.with(|world| {
        let realm = &world.facebook;
        let place = realm.places.get(&id).filter(|place| !place.gone)?;
        Some(posts_of(config, realm, &place.name, |post| post.place == id))
    });
    found(config, "Facebook", "A Page", main)
}

/// `GET /pinterest/{username}/`: a person's profile with the pins of all boards.
pub(crate) async fn pinterest_profile(State(inner): State<Arc<Inner>>, Path(username): Path<String>) -> Response {
    let config = &inner.config;
    let main = inner.with(|world| {
        let realm = &world.pinterest;
        let person = realm.people.values().find(|person| person.username == username && !person.gone)?;
        let is_theirs = |post: &Post| realm.places.get(&post.place).is_some_and(|board| board.is_managed_by(&person.slug));
        Some(posts_of(config, realm, &person.name, is_theirs))
    });
    found(config, "Pinterest", "A profile", main)
}

fn posts_of(config: &SimulatorConfig, realm: &Realm, name: &str, is_theirs: impl Fn(&Post) -> bool) -> String {
    let mut main = format!("<main class=\"feed\"><h1>{}</h1>", escape(name));
    for post in realm.posts.values().rev().filter(|post| post.is_public && post.deleted_at.is_none() && is_theirs(post)) {
        article(&mut main, config, realm, post);
    }
    main.push_str("</main>");
    main
}

fn found(config: &SimulatorConfig, platform: &str, title: &str, main: Option<String>) -> Response {
    match main {
        Some(main) => crate::page::page(200, config.prefix(), platform, title, &main, None),
        None => notice(404, config.prefix(), platform, "This content isn't available", "It was deleted, or it never existed."),
    }
}

/// `GET /pinterest/pin/{id}/`.
pub(crate) async fn pin(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    single(&inner, "pinterest", |row| row.id == id)
}

/// `GET /{platform}/media/{id}`: an image somebody handed in.
pub(crate) async fn media(State((inner, name)): Of, Path((id,)): Path<(String,)>) -> Response {
    let found = inner.with(|world| {
        let kind = realm(world, name).images.values().rev().find(|image| image.id == id)?.content_type.clone();
        Some((kind, world.media.get(&format!("{name}-{id}"))?))
    });
    let Some((kind, bytes)) = found else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    picture_response(&kind, Body::from(bytes))
}

fn picture_response(kind: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("image/png")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

/// `GET /{platform}/picture/{id}.svg`: the initials of a person or place.
pub(crate) async fn picture(State((inner, name)): Of, Path((file,)): Path<(String,)>) -> Response {
    let id = file.strip_suffix(".svg").unwrap_or(&file);
    let text = inner.with(|world| {
        let realm = realm(world, name);
        let person = realm.person_by_id(id).map(|person| initials(&person.name));
        person.or_else(|| realm.places.get(id).map(|place| initials(&place.name))).unwrap_or_default()
    });
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\" viewBox=\"0 0 100 100\"><rect width=\"100\" height=\"100\" fill=\"#d5dbe2\"/>\
         <text x=\"50\" y=\"50\" dy=\".36em\" text-anchor=\"middle\" font-family=\"Arial, sans-serif\" font-size=\"40\" fill=\"#1d2530\">{}</text></svg>",
        escape(&text)
    );
    picture_response("image/svg+xml", Body::from(svg))
}
