//! Who lives in a fresh rehearsal world.

use crate::world::{App, Person, Place, Realm, World};

/// Client id of the app that every rehearsal Facebook knows.
pub const FACEBOOK_CLIENT_ID: &str = "726158203491067";
/// Its secret.
pub const FACEBOOK_CLIENT_SECRET: &str = "rehearsal-facebook-secret";
/// Client id of the app that every rehearsal Pinterest knows.
pub const PINTEREST_CLIENT_ID: &str = "1483920";
/// Its secret.
pub const PINTEREST_CLIENT_SECRET: &str = "rehearsal-pinterest-secret";

/// Slug, name, Facebook id, Pinterest id, Pinterest username. The ids do not fit a JavaScript number.
const PEOPLE: &[(&str, &str, &str, &str, &str)] = &[
    ("mara-jung", "Mara Jung", "10226184503927711", "912345678901234511", "blumenjung"),
    ("tom-berger", "Tom Berger", "10226184503927733", "912345678901234533", "tomberger"),
    ("dana-weiss", "Dana Weiss", "10226184503927755", "912345678901234555", "smiledental"),
];

/// Id, name, username, category, managers.
const PAGES: &[(&str, &str, &str, &str, &[&str])] = &[
    ("615548210093371001", "Blumen Jung", "blumenjung", "Florist", &["mara-jung", "tom-berger"]),
    ("615548210093371002", "Blumen Jung Weddings", "blumenjungweddings", "Florist", &["mara-jung"]),
    ("615548210093371003", "Smile Dental", "smiledental", "Dentist", &["dana-weiss", "tom-berger"]),
    ("615548210093371004", "Smile Dental Kids", "smiledentalkids", "Dentist", &["dana-weiss", "tom-berger"]),
    ("615548210093371005", "Smile Dental Riverside", "smiledentalriverside", "Dentist", &["dana-weiss"]),
    ("615548210093371006", "Smile Dental Oak Street", "smiledentaloakstreet", "Dentist", &["dana-weiss"]),
];

/// Id, name, privacy, owner.
const BOARDS: &[(&str, &str, &str, &str)] = &[
    ("549755885175001", "Spring bouquets", "PUBLIC", "mara-jung"),
    ("549755885175002", "Weddings", "PUBLIC", "mara-jung"),
    ("549755885175003", "Ideas for later", "SECRET", "mara-jung"),
    ("549755885175004", "Shop windows", "PUBLIC", "tom-berger"),
    ("549755885175005", "Healthy teeth", "PUBLIC", "dana-weiss"),
];

fn person(slug: &str, name: &str, id: &str, username: &str) -> Person {
    Person {
        slug: slug.to_owned(),
        name: name.to_owned(),
        id: id.to_owned(),
        username: username.to_owned(),
        checkpoint: false,
        blocked: false,
        gone: false,
    }
}

fn place(id: &str, name: &str, username: &str, kind: &str, people: &[&str]) -> Place {
    Place {
        id: id.to_owned(),
        name: name.to_owned(),
        username: username.to_owned(),
        kind: kind.to_owned(),
        people: people.iter().map(|slug| (*slug).to_owned()).collect(),
        lost: std::collections::BTreeSet::new(),
        blocked: false,
        gone: false,
    }
}

fn app(realm: &mut Realm, id: &str, secret: &str) {
    let app = App { client_id: id.to_owned(), client_secret: secret.to_owned(), name: "Stayposted".to_owned(), redirect_uris: Vec::new() };
    realm.apps.insert(id, app);
}

/// Fills an empty world.
pub(crate) fn settle(world: &mut World) {
    for (slug, name, facebook, pinterest, username) in PEOPLE {
        world.facebook.people.insert(*slug, person(slug, name, facebook, slug));
        world.pinterest.people.insert(*slug, person(slug, name, pinterest, username));
    }
    for (id, name, username, category, managers) in PAGES {
        world.facebook.places.insert(*id, place(id, name, username, category, managers));
    }
    for (id, name, privacy, owner) in BOARDS {
        world.pinterest.places.insert(*id, place(id, name, "", privacy, &[owner]));
    }
    app(&mut world.facebook, FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET);
    app(&mut world.pinterest, PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET);
}
