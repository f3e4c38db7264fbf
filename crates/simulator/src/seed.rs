//! Logins and posts as if they had happened, for demo worlds and tests.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Bytes;
use domain::platform::Platform;
use domain::time::Timestamp;

use crate::default_world::{FACEBOOK_CLIENT_ID, PINTEREST_CLIENT_ID};
use crate::drive::{Network, Scene};
use crate::facebook::{self, Facebook};
use crate::pinterest::{self, Pinterest};
use crate::simulator::{Inner, Simulator};
use crate::table::number;
use crate::world::{Consent, Post, World};

/// The tokens of a seeded login.
#[derive(Clone, PartialEq, Eq)]
pub struct SeededGrant {
    /// The platform's id of the person.
    pub person_id: String,
    /// The person's name.
    pub name: String,
    /// Facebook: the long-lived user token. Pinterest: the access token.
    pub access_token: String,
    /// When `access_token` ends.
    pub access_expires_at: Timestamp,
    /// Pinterest's refresh token.
    pub refresh_token: Option<String>,
    /// When `refresh_token` ends.
    pub refresh_expires_at: Option<Timestamp>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// Facebook: each Page's id, name and token.
    pub pages: Vec<SeededPage>,
}

/// A Page of a seeded Facebook login.
#[derive(Clone, PartialEq, Eq)]
pub struct SeededPage {
    /// The platform's id.
    pub id: String,
    /// The Page's name.
    pub name: String,
    /// The Page token.
    pub access_token: String,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for SeededGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeededGrant").field("person_id", &self.person_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SeededPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeededPage").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A post to put on a platform directly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeedPost {
    /// Page id, or board id.
    pub place: String,
    /// Pinterest's title.
    pub title: String,
    /// The text.
    pub text: String,
    /// A link.
    pub link: String,
    /// When it was published.
    pub created_at: Timestamp,
}

/// What was to be seeded does not fit the world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot seed: {0}")]
pub struct SeedError(pub String);

impl Simulator {
    /// Lets the person with this slug (`mara-jung`) have consented at `issued_at`, for the default app.
    /// `pages` are Page ids; empty means every Page the person manages. Pinterest ignores them.
    ///
    /// # Errors
    /// When the platform or the person is unknown here.
    pub fn seed_grant(
        &self,
        platform: Platform,
        person: &str,
        scopes: &[&str],
        pages: &[&str],
        issued_at: Timestamp,
    ) -> Result<SeededGrant, SeedError> {
        let scopes: BTreeSet<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        match platform.code() {
            "facebook" => at::<Facebook, _>(&self.inner, issued_at, |scene| seed_facebook(scene, person, scopes, pages)),
            "pinterest" => at::<Pinterest, _>(&self.inner, issued_at, |scene| seed_pinterest(scene, person, scopes)),
            other => Err(SeedError(format!("{other} is not rehearsed"))),
        }
    }

    /// Puts a public post on a platform, as if it had been published there. Returns its id.
    ///
    /// # Errors
    /// When the platform or the place is unknown here.
    pub fn seed_post(&self, platform: Platform, post: &SeedPost) -> Result<String, SeedError> {
        let add = |world: &mut World| {
            let (realm, first) = match platform.code() {
                "facebook" => (&mut world.facebook, facebook::FIRST_POST),
                "pinterest" => (&mut world.pinterest, pinterest::FIRST_PIN),
                other => return Err(SeedError(format!("{other} is not rehearsed"))),
            };
            let place = realm.places.get(&post.place).ok_or_else(|| SeedError(format!("no place {}", post.place)))?;
            let owner = place.people.first().and_then(|slug| realm.people.get(slug)).map(|person| person.id.clone());
            let n = realm.posts.next_number();
            let (id, account) = if realm.name == "facebook" {
                (format!("{}_{}", post.place, first + n), post.place.clone())
            } else {
                ((first + n).to_string(), owner.unwrap_or_default())
            };
            let row = Post {
                id: id.clone(),
                place: post.place.clone(),
                account,
                title: post.title.clone(),
                text: post.text.clone(),
                link: post.link.clone(),
                created_at: post.created_at,
                listed_at: post.created_at,
                is_public: true,
                ..Post::default()
            };
            realm.posts.insert(number(n), row);
            Ok(id)
        };
        self.inner.with(add)
    }

    /// The bytes of an image that was handed in, by the id at the end of its address.
    pub fn image(&self, platform: Platform, id: &str) -> Option<Bytes> {
        self.inner.with(|world| world.media.get(&format!("{}-{id}", platform.code())))
    }
}

/// A scene at another moment than now.
fn at<N: Network, T>(inner: &Inner, now: Timestamp, act: impl FnOnce(&mut Scene<'_>) -> T) -> T {
    inner.with(|world| {
        let (realm, media) = N::realm(world);
        let config = &inner.config;
        let wall = config.wall.now();
        act(&mut Scene { realm, media, now, wall, chance: &*config.chance, config, lag: Duration::ZERO })
    })
}

fn seed_facebook(scene: &mut Scene<'_>, slug: &str, mut scopes: BTreeSet<String>, pages: &[&str]) -> Result<SeededGrant, SeedError> {
    let person = scene.realm.people.get(slug).cloned().ok_or_else(|| SeedError(format!("no person {slug}")))?;
    scopes.insert("public_profile".to_owned());
    let mine: Vec<(String, String)> = scene
        .realm
        .places
        .values()
        .filter(|page| page.is_managed_by(slug) && (pages.is_empty() || pages.contains(&page.id.as_str())))
        .map(|page| (page.id.clone(), page.name.clone()))
        .collect();
    let key = facebook::consent_key(FACEBOOK_CLIENT_ID, slug);
    let consent = Consent {
        client: FACEBOOK_CLIENT_ID.to_owned(),
        person: slug.to_owned(),
        scopes: scopes.clone(),
        declined: BTreeSet::new(),
        places: mine.iter().map(|(id, _)| id.clone()).collect(),
        at: scene.now,
    };
    scene.realm.consents.insert(key.clone(), consent);
    let access_token = facebook::mint_long(scene, &key);
    let mut seeded = Vec::new();
    for (id, name) in mine {
        if let Some(token) = facebook::mint_page(scene, &access_token, &id) {
            let expires_at = scene.realm.token(&token).and_then(|row| row.expires_at);
            seeded.push(SeededPage { id, name, access_token: token, expires_at });
        }
    }
    Ok(SeededGrant {
        person_id: person.id,
        name: person.name,
        access_expires_at: end_of(scene, &access_token),
        access_token,
        refresh_token: None,
        refresh_expires_at: None,
        scopes: scopes.into_iter().collect(),
        pages: seeded,
    })
}

fn seed_pinterest(scene: &mut Scene<'_>, slug: &str, scopes: BTreeSet<String>) -> Result<SeededGrant, SeedError> {
    let person = scene.realm.people.get(slug).cloned().ok_or_else(|| SeedError(format!("no person {slug}")))?;
    let key = pinterest::new_consent(scene, PINTEREST_CLIENT_ID, slug, scopes.clone(), BTreeSet::new());
    let (access_token, refresh) = pinterest::mint_pair(scene, &key);
    Ok(SeededGrant {
        person_id: person.id,
        name: person.name,
        access_expires_at: end_of(scene, &access_token),
        access_token,
        refresh_expires_at: Some(end_of(scene, &refresh)),
        refresh_token: Some(refresh),
        scopes: scopes.into_iter().collect(),
        pages: Vec::new(),
    })
}

fn end_of(scene: &Scene<'_>, token: &str) -> Timestamp {
    scene.realm.token(token).and_then(|row| row.expires_at).unwrap_or(scene.now)
}
