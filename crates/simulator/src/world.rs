//! Everything the rehearsal platforms remember.

use std::collections::{BTreeSet, HashMap};

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::Fault;
use crate::knobs::Knobs;
use crate::media::MediaStore;
use crate::secret::fingerprint;
use crate::table::{Table, number};

/// Calls older than this many are forgotten.
const CALLS_KEPT: usize = 20_000;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) facebook: Realm,
    pub(crate) pinterest: Realm,
    pub(crate) media: MediaStore,
}

/// One platform.
#[derive(Debug)]
pub(crate) struct Realm {
    /// The name in paths: `facebook`, `pinterest`.
    pub(crate) name: &'static str,
    pub(crate) people: Table<Person>,
    pub(crate) places: Table<Place>,
    pub(crate) apps: Table<App>,
    pub(crate) consents: Table<Consent>,
    /// By fingerprint.
    pub(crate) tokens: Table<Token>,
    /// By fingerprint.
    pub(crate) codes: Table<Code>,
    pub(crate) images: Table<Image>,
    pub(crate) posts: Table<Post>,
    pub(crate) faults: Table<Fault>,
    pub(crate) calls: Table<CallEntry>,
    settings: Table<Settings>,
    /// Calls counted per limit and window. A restart forgives them.
    pub(crate) counted: HashMap<String, (i64, u64)>,
    /// Every token and code this process has issued, in clear: what a search for leaks looks for. In memory only.
    pub(crate) issued: Vec<String>,
}

/// Somebody who can sign in at the platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    /// In addresses and test ids, e.g. `mara-jung`.
    pub(crate) slug: String,
    pub(crate) name: String,
    /// The platform's id, decimal digits above 2^53.
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) username: String,
    /// Must confirm at the platform who they are (Facebook 190/459).
    #[serde(default)]
    pub(crate) checkpoint: bool,
    /// Blocked for policy reasons.
    #[serde(default)]
    pub(crate) blocked: bool,
    /// The account was deleted.
    #[serde(default)]
    pub(crate) gone: bool,
}

/// A Facebook Page or a Pinterest board.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) username: String,
    /// Facebook: the category. Pinterest: `PUBLIC`, `PROTECTED` or `SECRET`.
    #[serde(default)]
    pub(crate) kind: String,
    /// Slugs of those who manage it, the owner first.
    pub(crate) people: Vec<String>,
    /// Slugs of those who managed it and lost the role.
    #[serde(default)]
    pub(crate) lost: BTreeSet<String>,
    #[serde(default)]
    pub(crate) blocked: bool,
    #[serde(default)]
    pub(crate) gone: bool,
}

impl Place {
    pub(crate) fn is_managed_by(&self, slug: &str) -> bool {
        !self.gone && !self.lost.contains(slug) && self.people.iter().any(|person| person == slug)
    }
}

/// A registered client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    #[serde(default)]
    pub(crate) name: String,
    /// Accepted beside `/oauth/{platform}/callback` on a loopback host.
    #[serde(default)]
    pub(crate) redirect_uris: Vec<String>,
}

/// What a person allowed an app. Facebook has one per person and app, Pinterest one per sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) client: String,
    pub(crate) person: String,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) declined: BTreeSet<String>,
    /// Ids of the Pages that were ticked (Facebook).
    pub(crate) places: BTreeSet<String>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Key of the consent.
    pub(crate) consent: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) death: Option<Death>,
    /// When a refresh token was first traded in (Pinterest).
    #[serde(default)]
    pub(crate) spent_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenKind {
    /// Facebook: from a code, hours.
    Short,
    /// Facebook: exchanged, 60 days.
    Long,
    /// Facebook: for one Page.
    Page(String),
    /// Pinterest.
    Access,
    /// Pinterest.
    Refresh,
}

/// Why a token ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Death {
    Revoked,
    PasswordChanged,
    /// A refresh token came twice and took its family with it.
    Reused,
}

/// An authorization code. It runs out by the wall clock: a person is waiting.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) consent: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used: bool,
}

/// An image somebody handed in. Its bytes are in [`MediaStore`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) place: String,
    pub(crate) content_type: String,
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) bytes: u64,
    pub(crate) alt: String,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) id: String,
    /// Page or board.
    pub(crate) place: String,
    /// What the app calls the account: the Page, or the Pinterest user.
    pub(crate) account: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) link: String,
    pub(crate) alt: String,
    /// Image ids.
    pub(crate) images: Vec<String>,
    pub(crate) created_at: Timestamp,
    /// From when on the platform's own lists show it.
    pub(crate) listed_at: Timestamp,
    pub(crate) is_public: bool,
    #[serde(default)]
    pub(crate) deleted_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) comments: Vec<Comment>,
}

impl Post {
    /// What the platform's lists show at `now`.
    pub(crate) fn is_listed(&self, now: Timestamp) -> bool {
        self.is_public && self.deleted_at.is_none() && self.listed_at <= now
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) created_at: Timestamp,
}

/// A line of `calls.json`. `status` is none where the connection was cut.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CallEntry {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: Option<u16>,
    pub(crate) at: Timestamp,
    pub(crate) op: String,
    pub(crate) account: Option<String>,
    pub(crate) faults: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Settings {
    knobs: Knobs,
    retired: bool,
}

impl Realm {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            people: Table::default(),
            places: Table::default(),
            apps: Table::default(),
            consents: Table::default(),
            tokens: Table::default(),
            codes: Table::default(),
            images: Table::default(),
            posts: Table::default(),
            faults: Table::default(),
            calls: Table::default(),
            settings: Table::default(),
            counted: HashMap::new(),
            issued: Vec::new(),
        }
    }

    pub(crate) fn knobs(&self) -> Knobs {
        self.settings.get("all").map(|settings| settings.knobs.clone()).unwrap_or_default()
    }

    pub(crate) fn set_knobs(&mut self, knobs: Knobs) {
        let retired = self.is_retired();
        self.settings.insert("all", Settings { knobs, retired });
    }

    /// Whether the API version was switched off.
    pub(crate) fn is_retired(&self) -> bool {
        self.settings.get("all").is_some_and(|settings| settings.retired)
    }

    pub(crate) fn set_retired(&mut self, retired: bool) {
        let knobs = self.knobs();
        self.settings.insert("all", Settings { knobs, retired });
    }

    /// Those who can sign in, in the order of their ids: the first of the default world is Mara Jung.
    pub(crate) fn faces(&self) -> Vec<&Person> {
        let mut people: Vec<&Person> = self.people.values().filter(|person| !person.gone).collect();
        people.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
        people
    }

    pub(crate) fn person_by_id(&self, id: &str) -> Option<&Person> {
        self.people.values().find(|person| person.id == id)
    }

    /// The token that reads like this. It may be dead.
    pub(crate) fn token(&self, text: &str) -> Option<&Token> {
        self.tokens.get(&fingerprint(text))
    }

    pub(crate) fn token_mut(&mut self, text: &str) -> Option<&mut Token> {
        self.tokens.get_mut(&fingerprint(text))
    }

    /// The code that reads like this. It may be used or old.
    pub(crate) fn code(&self, text: &str) -> Option<&Code> {
        self.codes.get(&fingerprint(text))
    }

    pub(crate) fn code_mut(&mut self, text: &str) -> Option<&mut Code> {
        self.codes.get_mut(&fingerprint(text))
    }

    /// The person behind a consent.
    pub(crate) fn person_of(&self, consent: &str) -> Option<&Person> {
        self.people.get(&self.consents.get(consent)?.person)
    }

    /// Whether the login behind `consent` serves the account `id` (a person's or a place's).
    pub(crate) fn serves(&self, consent: &Consent, id: &str) -> bool {
        consent.places.contains(id)
            || self.people.get(&consent.person).is_some_and(|person| person.id == id)
            || (self.name == "pinterest" && self.places.get(id).is_some_and(|place| place.people.contains(&consent.person)))
    }

    pub(crate) fn record(&mut self, entry: CallEntry) {
        let key = number(self.calls.next_number());
        self.calls.insert(key, entry);
        self.calls.cap(CALLS_KEPT);
    }

    /// Counts a call in the window of `window` seconds that `now` falls into; returns the count so far.
    pub(crate) fn count(&mut self, what: &str, window: i64, now: Timestamp) -> u64 {
        let slot = now.as_seconds().div_euclid(window);
        let entry = self.counted.entry(what.to_owned()).or_insert((slot, 0));
        if entry.0 != slot {
            *entry = (slot, 0);
        }
        entry.1 += 1;
        entry.1
    }

    fn each(&mut self, mut with: impl FnMut(&str, &str, &mut dyn Stored)) {
        let name = self.name;
        with(name, "people", &mut self.people);
        with(name, "places", &mut self.places);
        with(name, "apps", &mut self.apps);
        with(name, "consents", &mut self.consents);
        with(name, "tokens", &mut self.tokens);
        with(name, "codes", &mut self.codes);
        with(name, "images", &mut self.images);
        with(name, "posts", &mut self.posts);
        with(name, "faults", &mut self.faults);
        with(name, "calls", &mut self.calls);
        with(name, "settings", &mut self.settings);
    }
}

/// A table without its row type, for writing it down and reading it back.
trait Stored {
    fn drain(&mut self, realm: &str, name: &str, out: &mut Vec<u8>);
    fn all(&self, realm: &str, name: &str, out: &mut Vec<u8>);
    fn load(&mut self, key: String, row: Value);
    fn forget(&mut self);
}

impl<T: Serialize + serde::de::DeserializeOwned> Stored for Table<T> {
    fn drain(&mut self, realm: &str, name: &str, out: &mut Vec<u8>) {
        Table::drain(self, realm, name, out);
    }
    fn all(&self, realm: &str, name: &str, out: &mut Vec<u8>) {
        Table::all(self, realm, name, out);
    }
    fn load(&mut self, key: String, row: Value) {
        Table::load(self, key, row);
    }
    fn forget(&mut self) {
        self.clear();
    }
}

#[derive(Deserialize)]
struct Line {
    realm: String,
    table: String,
    key: String,
    row: Value,
}

impl World {
    /// A world in which nobody lives yet.
    pub(crate) fn empty(media: MediaStore) -> Self {
        Self { facebook: Realm::new("facebook"), pinterest: Realm::new("pinterest"), media }
    }

    /// What changed since the last call, as lines for the journal.
    pub(crate) fn changes(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for realm in [&mut self.facebook, &mut self.pinterest] {
            realm.each(|realm, name, table| table.drain(realm, name, &mut out));
        }
        out
    }

    /// Everything, as lines for a fresh file.
    pub(crate) fn snapshot(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for realm in [&mut self.facebook, &mut self.pinterest] {
            realm.each(|realm, name, table| table.all(realm, name, &mut out));
        }
        out
    }

    /// Reads lines back. A torn or foreign line is left out: the last one of a killed process may be half there.
    pub(crate) fn replay(&mut self, lines: &[u8]) {
        for line in lines.split(|byte| *byte == b'\n') {
            let Ok(Line { realm, table, key, row }) = serde_json::from_slice(line) else { continue };
            let mut found = Some((key, row));
            for known in [&mut self.facebook, &mut self.pinterest] {
                known.each(|name, known_table, rows| {
                    if name == realm
                        && known_table == table
                        && let Some((key, row)) = found.take()
                    {
                        rows.load(key, row);
                    }
                });
            }
        }
    }

    pub(crate) fn forget_all(&mut self) {
        for realm in [&mut self.facebook, &mut self.pinterest] {
            realm.each(|_, _, table| table.forget());
            realm.counted.clear();
        }
    }
}
