//! Who is asking: sign-in, sessions, first start.

use std::net::IpAddr;
use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::id::{PersonId, SessionId, WorkspaceId};
use domain::role::{Caller, Role, Via};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::{PersonSummary, Rehearsal, Shell, WorkspaceSummary};
use domain::time::{Timestamp, minutes};
use secrecy::{ExposeSecret, SecretString};
use store::people::NewPerson;
use store::workspaces::{Membership, NewWorkspace};
use tokio::sync::Semaphore;

use crate::moments::Zone;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// A new session: the clear token goes into the cookie and nowhere else.
#[derive(Debug)]
pub struct NewSession {
    /// 256-bit random token.
    pub token: SecretString,
    /// The person.
    pub person: PersonId,
}

/// The first owner, as the create-owner page sends them.
#[derive(Debug)]
pub struct NewOwner {
    /// Name of the person.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Password, 10 to 500 characters.
    pub password: SecretString,
    /// Name of the first workspace.
    pub workspace: String,
    /// Its zone ("Europe/Berlin").
    pub zone: String,
}

/// Tries per person in one window.
const TRIES_PER_PERSON: u32 = 10;
/// Tries per source address in one window.
const TRIES_PER_SOURCE: u32 = 50;
/// The window in which tries are counted, on the wall clock.
const WINDOW: std::time::Duration = minutes(15);
/// A session's last request is written at most this often.
const SEEN_EVERY: std::time::Duration = minutes(1);
/// No password is longer, in characters.
const LONGEST_PASSWORD: usize = 500;
/// The claim of the first owner.
const OWNER: &str = "owner";
/// The hash of the one-time code of the first start.
const SETUP_CODE: &str = "setup_code";

/// Hashing takes 19 MiB and a core each: no more than this at once, whoever asks.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What an unknown person's password is compared with, so that they take as long as known ones.
static NOBODY: LazyLock<String> = LazyLock::new(|| hashed("nobody has this password", b"no person has it").unwrap_or_default());

/// Argon2id as OWASP recommends it: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hashed(password: &str, salt: &[u8; 16]) -> Option<String> {
    argon2().hash_password_with_salt(password.as_bytes(), salt).ok().map(|hash| hash.to_string())
}

async fn hash(password: SecretString, salt: [u8; 16]) -> Answer<String> {
    let _turn = HASHING.acquire().await;
    let hash = tokio::task::spawn_blocking(move || hashed(password.expose_secret(), &salt)).await;
    hash.ok().flatten().ok_or(ServiceError::Contradiction("a password could not be hashed"))
}

/// Whether a password is the one behind `hash`; for nobody the time is spent all the same.
async fn is_right(password: SecretString, hash: Option<String>) -> bool {
    let _turn = HASHING.acquire().await;
    let check = move || {
        let verify = |hash: &str| argon2().verify_password(password.expose_secret().as_bytes(), hash).is_ok();
        match hash {
            Some(hash) => verify(&hash),
            None => {
                let _ = verify(&NOBODY);
                false
            }
        }
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

fn person_subject(email: &str) -> String {
    format!("person:{}", hex::encode(vault::sha256(email.as_bytes())))
}

/// A household or a server has a /64 of its own: one source.
fn source_subject(source: IpAddr) -> String {
    match source {
        IpAddr::V4(address) => format!("source:{address}"),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => format!("source:{address}"),
            None => {
                let [a, b, c, d, ..] = address.segments();
                format!("source:{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
    }
}

fn email_of(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, host) = email.rsplit_once('@')?;
    let is_plain = email.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let is_host = !host.is_empty() && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
    (is_plain && !local.is_empty() && !local.contains('@') && is_host && email.len() <= 254).then_some(email)
}

fn name_of(text: &str) -> Option<String> {
    let name = text.trim();
    let is_plain = name.chars().all(|c| !c.is_control());
    (is_plain && (1..=100).contains(&name.chars().count())).then(|| name.to_owned())
}

/// The name of a workspace in addresses: small letters, digits and hyphens.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        let spelled = match c {
            'a'..='z' | '0'..='9' => {
                slug.push(c);
                continue;
            }
            'ä' | 'æ' => "ae",
            'ö' | 'ø' | 'œ' => "oe",
            'ü' => "ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' => "a",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ò' | 'ó' | 'ô' | 'õ' => "o",
            'ù' | 'ú' | 'û' => "u",
            'ç' => "c",
            'ñ' => "n",
            _ if slug.is_empty() || slug.ends_with('-') => "",
            _ => "-",
        };
        slug.push_str(spelled);
    }
    let slug: String = slug.chars().take(40).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "workspace".to_owned() } else { slug.to_owned() }
}

fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A one-time code as a person may type it: without hyphens and spaces, in capitals.
fn code_hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(64).collect();
    hex::encode(vault::sha256(plain.as_bytes()))
}

/// What a new owner may be, checked.
struct Checked {
    name: String,
    email: String,
    password: SecretString,
    workspace: String,
    zone: String,
}

fn checked(owner: NewOwner) -> Answer<Checked> {
    let length = owner.password.expose_secret().chars().take(LONGEST_PASSWORD + 1).count();
    let name = name_of(&owner.name).ok_or(ErrorCode::BadName)?;
    let email = email_of(&owner.email).ok_or(ErrorCode::BadEmail)?;
    if !(10..=LONGEST_PASSWORD).contains(&length) {
        return Err(ErrorCode::BadPassword.into());
    }
    let workspace = name_of(&owner.workspace).ok_or(ErrorCode::BadName)?;
    Zone::named(&owner.zone)?;
    Ok(Checked { name, email, password: owner.password, workspace, zone: owner.zone })
}

impl Services {
    /// Signs a person in. Same timing for unknown people; limited per person and per source address (wall clock).
    ///
    /// # Errors
    /// `WrongPassword`, never told which of the two is wrong; `TooManyTries`.
    pub async fn sign_in(&self, email: &str, password: SecretString, source: Option<IpAddr>) -> Answer<NewSession> {
        let email = email.trim().to_lowercase();
        let wall = self.clocks.wall.now();
        if email.len() > 254 || password.expose_secret().chars().take(LONGEST_PASSWORD + 1).count() > LONGEST_PASSWORD {
            return Err(ErrorCode::WrongPassword.into());
        }
        if let Some(source) = source
            && self.store.count_try(&source_subject(source), wall - WINDOW, wall).await? > TRIES_PER_SOURCE
        {
            return Err(ErrorCode::TooManyTries.into());
        }
        let subject = person_subject(&email);
        if self.store.count_try(&subject, wall - WINDOW, wall).await? > TRIES_PER_PERSON {
            return Err(ErrorCode::TooManyTries.into());
        }
        let known = self.store.password_of(&email).await?;
        let (person, hash) = known.map_or((None, None), |(person, hash)| (Some(person), Some(hash)));
        let right = is_right(password, hash).await;
        match person {
            Some(person) if right => {
                self.store.forget_tries(&subject).await?;
                self.session_for(person).await
            }
            _ => Err(ErrorCode::WrongPassword.into()),
        }
    }

    /// Ends the session of this token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, token: &str) -> Answer<()> {
        self.store.end_session(vault::sha256(token.as_bytes())).await?;
        Ok(())
    }

    /// Who a session token stands for, in the workspace named by `slug` or else the last used one. None: not signed in.
    /// A slug that the person does not belong to is `NotFound`.
    ///
    /// # Errors
    /// `NotFound`; when the database fails.
    pub async fn caller_of_session(&self, token: &str, slug: Option<&str>) -> Answer<Option<Caller>> {
        let wall = self.clocks.wall.now();
        let idle_since = wall - self.settings.session_idle;
        let Some(session) = self.store.session(vault::sha256(token.as_bytes()), idle_since, wall).await? else { return Ok(None) };
        if session.last_seen_at + SEEN_EVERY <= wall {
            self.store.see_session(session.id, wall).await?;
        }
        let Some(person) = self.store.person(session.person).await? else { return Ok(None) };
        let memberships = self.store.memberships(person.id).await?;
        let found = match slug {
            Some(slug) => memberships.iter().find(|membership| membership.slug == slug),
            None => memberships.iter().find(|membership| Some(membership.workspace) == person.last_workspace).or(memberships.first()),
        };
        let membership = found.ok_or(ErrorCode::NotFound)?;
        if slug.is_some() && person.last_workspace != Some(membership.workspace) {
            self.use_workspace(person.id, membership.workspace).await?;
        }
        Ok(Some(Caller {
            person: person.id,
            workspace: membership.workspace,
            role: membership.role,
            is_operator: person.is_operator,
            via: Via::Cookie,
        }))
    }

    /// Remembers which workspace a person uses.
    pub(crate) async fn use_workspace(&self, person: PersonId, workspace: WorkspaceId) -> Answer<()> {
        let mut tx = self.store.begin().await?;
        tx.set_last_workspace(person, workspace).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A session made without a password: after a right one, and for the demo owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_for(&self, person: PersonId) -> Answer<NewSession> {
        let token = vault::random_token(&*self.chance);
        let wall = self.clocks.wall.now();
        let mut tx = self.store.begin().await?;
        tx.add_session(SessionId(self.new_id()), vault::sha256(token.as_bytes()), person, wall, wall + self.settings.session_life).await?;
        tx.audit(self.new_id(), None, Some(person), "person.signed_in", &format!("person:{person}"), self.now()).await?;
        tx.commit().await?;
        Ok(NewSession { token: SecretString::from(token), person })
    }

    /// Whether this installation has an owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_owner(&self) -> Answer<bool> {
        Ok(self.store.installation(OWNER).await?.is_some())
    }

    /// Makes (or replaces) the one-time code of the first start; only its hash is stored. None when there is an owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_setup_code(&self) -> Answer<Option<String>> {
        // Without the letters and digits that are easily mistaken for one another; 100 bits.
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        if self.has_owner().await? {
            return Ok(None);
        }
        let mut bytes = [0u8; 20];
        self.chance.fill(&mut bytes);
        let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        let code = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-");
        self.store.set_installation(SETUP_CODE, &code_hash(&code)).await?;
        Ok(Some(code))
    }

    /// Creates the first owner with the one-time code. Two at once: one wins, the other gets `OwnerExists`.
    ///
    /// # Errors
    /// `WrongCode`, `OwnerExists`, `BadName`, `BadEmail`, `BadPassword`, `BadZone`.
    pub async fn create_first_owner(&self, code: &str, owner: NewOwner) -> Answer<NewSession> {
        if self.has_owner().await? {
            return Err(ErrorCode::OwnerExists.into());
        }
        let stored = self.store.installation(SETUP_CODE).await?.unwrap_or_default();
        if !vault::is_equal(code_hash(code).as_bytes(), stored.as_bytes()) {
            return Err(ErrorCode::WrongCode.into());
        }
        let (person, _) = self.make_owner(checked(owner)?, true).await?;
        self.session_for(person).await
    }

    /// Creates an owner with a workspace without a code: `stayposted owner create`.
    ///
    /// # Errors
    /// `OwnerExists` when the e-mail address is taken; `BadName`, `BadEmail`, `BadPassword`, `BadZone`.
    pub async fn create_owner(&self, owner: NewOwner) -> Answer<(PersonId, WorkspaceId)> {
        self.make_owner(checked(owner)?, false).await
    }

    async fn make_owner(&self, owner: Checked, must_be_first: bool) -> Answer<(PersonId, WorkspaceId)> {
        let (person, workspace) = (PersonId(self.new_id()), WorkspaceId(self.new_id()));
        let mut salt = [0u8; 16];
        self.chance.fill(&mut salt);
        let password_hash = hash(owner.password, salt).await?;
        let new_person = NewPerson { id: person, email: owner.email, name: owner.name, password_hash, is_operator: true };
        let data_key = self.vault.new_data_key(workspace)?.0;
        let new_workspace = NewWorkspace { id: workspace, name: owner.workspace, zone: owner.zone, data_key };
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let is_first = tx.claim_installation_value(OWNER, &person.to_string()).await?;
        if must_be_first && !is_first {
            return Err(ErrorCode::OwnerExists.into());
        }
        match tx.add_person(&new_person, now).await {
            Err(error) if error.is_duplicate() => return Err(ErrorCode::OwnerExists.into()),
            other => other?,
        }
        let wish = slug_of(&new_workspace.name);
        tx.add_workspace(&new_workspace, &wish, now).await?;
        tx.add_membership(workspace, person, Role::Owner, now).await?;
        tx.set_last_workspace(person, workspace).await?;
        tx.drop_installation_value(SETUP_CODE).await?;
        tx.audit(self.new_id(), Some(workspace), Some(person), "workspace.created", &format!("workspace:{workspace}"), now).await?;
        tx.commit().await?;
        Ok((person, workspace))
    }

    /// The frame around every screen.
    ///
    /// # Errors
    /// `NotFound` when the person no longer belongs to the workspace; when the database fails.
    pub async fn shell(&self, caller: &Caller) -> Answer<Shell> {
        // Read before everything else: what happens meanwhile comes again on the stream.
        let event_seq = self.store.event_seq(caller.workspace).await?;
        let person = self.store.person(caller.person).await?.ok_or(ErrorCode::NotSignedIn)?;
        let workspaces: Vec<WorkspaceSummary> = self.store.memberships(caller.person).await?.into_iter().map(summary).collect();
        let workspace = workspaces.iter().find(|workspace| workspace.id == caller.workspace).cloned().ok_or(ErrorCode::NotFound)?;
        let now = self.now();
        let rehearsal = self.settings.rehearsal.as_ref().map(|rehearsal| Rehearsal {
            clock: Zone::stored(&workspace.zone).moment(now, now),
            platforms_url: rehearsal.platforms_url.clone(),
        });
        Ok(Shell {
            person: PersonSummary {
                id: person.id,
                initials: initials(&person.name),
                name: person.name,
                email: person.email,
                is_operator: person.is_operator,
            },
            workspace,
            workspaces,
            badges: self.badges(caller).await?,
            event_seq,
            now,
            rehearsal,
        })
    }

    /// The zone in which a workspace's moments are shown.
    pub(crate) async fn zone(&self, workspace: WorkspaceId) -> Answer<Zone> {
        Ok(Zone::stored(&self.store.zone_of(workspace).await?.unwrap_or_default()))
    }

    /// The role that a person has in a workspace now.
    pub(crate) async fn role_in(&self, person: PersonId, workspace: WorkspaceId) -> Answer<Option<Role>> {
        let memberships = self.store.memberships(person).await?;
        Ok(memberships.into_iter().find(|membership| membership.workspace == workspace).map(|membership| membership.role))
    }

    /// Drops sessions, tries to sign in and consents that are over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_sign_ins(&self) -> Answer<()> {
        let wall: Timestamp = self.clocks.wall.now();
        self.store.tidy_sessions(wall - self.settings.session_idle, wall).await?;
        self.store.tidy_tries(wall - WINDOW).await?;
        self.store.tidy_consents(wall - crate::consent::CHOICE_LASTS, wall - domain::time::days(7)).await?;
        Ok(())
    }
}

fn summary(membership: Membership) -> WorkspaceSummary {
    WorkspaceSummary {
        id: membership.workspace,
        slug: membership.slug,
        name: membership.name,
        role: membership.role,
        zone: membership.zone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_an_address() {
        for (name, slug) in [
            ("Blumen Jung", "blumen-jung"),
            ("  Zähne & Söhne GmbH  ", "zaehne-soehne-gmbh"),
            ("日本", "workspace"),
            ("--", "workspace"),
            ("Café №5", "cafe-5"),
        ] {
            assert_eq!(slug_of(name), slug, "{name}");
        }
        assert!(slug_of(&"x".repeat(1000)).len() <= 40);
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Mara Jung"), "MJ");
        assert_eq!(initials("Ana María de la Cruz"), "AC");
        assert_eq!(initials("petra"), "P");
    }

    #[test]
    fn an_address_that_cannot_be_one_is_refused() {
        assert_eq!(email_of(" Mara@Blumen.example ").as_deref(), Some("mara@blumen.example"));
        assert!(email_of("owner@localhost").is_some());
        for text in ["", "mara", "@x.example", "mara@", "a b@x.example", "a@b@c.example", "a@.x", "a\u{7}@x.example"] {
            assert_eq!(email_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_may_be_typed_in_small_letters_and_without_hyphens() {
        assert_eq!(code_hash("ABCD-2345"), code_hash(" abcd 2345"));
        assert_ne!(code_hash("ABCD-2345"), code_hash("ABCD-2346"));
    }

    #[test]
    fn neighbours_in_one_network_are_one_source() {
        let at = |text: &str| source_subject(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
