//! Root keys: from a file or the environment, several readable, one active.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::chance::Chance;
use zeroize::Zeroizing;

use crate::digest::base64url;
use crate::error::RootKeyError;
use crate::seal::{Cipher, KEY_LEN};

const ID_MAX: usize = 32;

struct RootKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_LEN]>,
}

/// The root keys of this installation.
///
/// As text: one `id:base64` per line or separated by commas, blank lines and lines that start with `#` left out. With
/// several keys the active one, which wraps new data keys, is written `active id:base64`; the others only open.
pub struct RootKeys {
    keys: Vec<RootKey>,
    active: usize,
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKeys").field("active", &self.active_id()).field("ids", &self.ids().collect::<Vec<_>>()).finish()
    }
}

impl RootKeys {
    /// A fresh single key.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0u8; KEY_LEN]);
        chance.fill(bytes.as_mut_slice());
        let mut name = [0u8; 4];
        chance.fill(&mut name);
        let id = format!("k{:08x}", u32::from_be_bytes(name));
        Self { keys: vec![RootKey { id, bytes }], active: 0 }
    }

    /// Reads the form described at the type.
    ///
    /// # Errors
    /// Any [`RootKeyError`] but those of files.
    pub fn from_text(text: &str) -> Result<Self, RootKeyError> {
        let entries = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let mut keys: Vec<RootKey> = Vec::new();
        let mut marked = Vec::new();
        for (index, entry) in entries.enumerate() {
            let (is_active, entry) = match entry.strip_prefix("active ") {
                Some(rest) => (true, rest.trim_start()),
                None => (false, entry),
            };
            let key = RootKey::from_entry(entry, index + 1)?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(RootKeyError::Twice { id: key.id });
            }
            if is_active {
                marked.push(keys.len());
            }
            keys.push(key);
        }
        let active = match (keys.len(), marked.as_slice()) {
            (0, _) => return Err(RootKeyError::Empty),
            (1, _) => 0,
            (_, &[one]) => one,
            (_, several) => return Err(RootKeyError::NotOneActive { marked: several.len() }),
        };
        Ok(Self { keys, active })
    }

    /// Reads a key file that nobody else may read.
    ///
    /// # Errors
    /// Any [`RootKeyError`].
    pub fn from_file(path: &Path) -> Result<Self, RootKeyError> {
        refuse_open_file(path)?;
        Self::from_text(&Zeroizing::new(fs::read_to_string(path).map_err(RootKeyError::File)?))
    }

    /// Reads the key file, or makes it with a fresh key on the first start. Of two first starts at once both get the
    /// same key: the file appears whole or not at all.
    ///
    /// # Errors
    /// Any [`RootKeyError`].
    pub fn load_or_create(path: &Path, chance: &dyn Chance) -> Result<Self, RootKeyError> {
        match Self::from_file(path) {
            Err(RootKeyError::File(error)) if error.kind() == ErrorKind::NotFound => {}
            other => return other,
        }
        let mut unique = [0u8; 8];
        chance.fill(&mut unique);
        let draft = path.with_extension(format!("new-{}", base64url(&unique)));
        let written = write_private(&draft, Self::generate(chance).to_text().as_bytes()).and_then(|()| fs::hard_link(&draft, path));
        // Left behind it would be a second copy of the key.
        let removed = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(RootKeyError::File(error)),
            Ok(()) => removed.and_then(|()| sync_folder(path)).map_err(RootKeyError::File)?,
        }
        Self::from_file(path)
    }

    /// The text form, for the file.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.keys.len() * (ID_MAX + 64)));
        for (index, key) in self.keys.iter().enumerate() {
            if index == self.active {
                text.push_str("active ");
            }
            text.push_str(&key.id);
            text.push(':');
            STANDARD.encode_string(key.bytes.as_slice(), &mut text);
            text.push('\n');
        }
        text
    }

    /// The id of the key that wraps new data keys.
    pub fn active_id(&self) -> &str {
        &self.keys[self.active].id
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    pub(crate) fn ciphers(&self) -> impl Iterator<Item = (String, Cipher)> {
        self.keys.iter().map(|key| (key.id.clone(), Cipher::new(&key.bytes)))
    }
}

impl RootKey {
    fn from_entry(entry: &str, number: usize) -> Result<Self, RootKeyError> {
        let (id, key) = entry.split_once(':').ok_or(RootKeyError::NotAnEntry { entry: number })?;
        let (id, key) = (id.trim(), key.trim());
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > ID_MAX || !id.chars().all(fits) {
            return Err(RootKeyError::BadId { entry: number });
        }
        let id = id.to_owned();
        let Ok(decoded) = STANDARD.decode(key).map(Zeroizing::new) else {
            return Err(RootKeyError::NotBase64 { id });
        };
        if decoded.len() != KEY_LEN {
            return Err(RootKeyError::WrongLength { id, has: decoded.len() });
        }
        if !looks_random(&decoded) {
            return Err(RootKeyError::NotRandom { id });
        }
        let mut bytes = Zeroizing::new([0u8; KEY_LEN]);
        bytes.copy_from_slice(&decoded);
        Ok(Self { id, bytes })
    }
}

/// Turns away what a person typed: text, one byte repeated, a short pattern, counting. A random key has about 30
/// different bytes of 32; fewer than 16, or printable letters only, happens to none in 10^13.
fn looks_random(key: &[u8]) -> bool {
    let mut seen = [false; 256];
    for &byte in key {
        seen[usize::from(byte)] = true;
    }
    let different = seen.iter().filter(|&&is_seen| is_seen).count();
    let is_text = key.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let step = key[1].wrapping_sub(key[0]);
    let is_counting = key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step);
    different >= 16 && !is_text && !is_counting
}

#[cfg(unix)]
fn refuse_open_file(path: &Path) -> Result<(), RootKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(RootKeyError::File)?.permissions().mode() & 0o777;
    // A group may be let in on purpose (a service account); everybody never.
    if mode & 0o007 == 0 { Ok(()) } else { Err(RootKeyError::FileIsOpen { mode }) }
}

#[cfg(not(unix))]
fn refuse_open_file(path: &Path) -> Result<(), RootKeyError> {
    fs::metadata(path).map(drop).map_err(RootKeyError::File)
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name lasts only when its folder is written too; losing this file loses every login.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemChance;

    fn entry(id: &str) -> String {
        let mut bytes = [0u8; KEY_LEN];
        SystemChance.fill(&mut bytes);
        format!("{id}:{}", STANDARD.encode(bytes))
    }

    /// A folder of one test, gone with it.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new() -> Self {
            let folder = std::env::temp_dir().join(format!("stayposted-vault-{}", crate::random_token(&SystemChance)));
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn key(&self) -> std::path::PathBuf {
            self.0.join("root.key")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn keys_survive_their_text_form() {
        let keys = RootKeys::generate(&SystemChance);
        let again = RootKeys::from_text(&keys.to_text()).unwrap();
        assert_eq!(again.active_id(), keys.active_id());
        assert_eq!(*again.to_text(), *keys.to_text());
    }

    #[test]
    fn several_keys_are_readable_and_one_is_active() {
        let text = format!("# rotated in November\n{}\n\nactive {}\n", entry("old"), entry("new"));
        let keys = RootKeys::from_text(&text).unwrap();
        assert_eq!(keys.active_id(), "new");
        assert_eq!(keys.ids().collect::<Vec<_>>(), ["old", "new"]);
        let in_one_line = RootKeys::from_text(&format!("{},active {}", entry("old"), entry("new"))).unwrap();
        assert_eq!(in_one_line.active_id(), "new");
    }

    #[test]
    fn empty_short_typed_and_doubled_keys_are_refused() {
        let typed = STANDARD.encode("changeme-changeme-changeme-12345");
        let short = STANDARD.encode([7u8; 16]);
        let zeros = STANDARD.encode([0u8; 32]);
        let counting = STANDARD.encode(std::array::from_fn::<u8, 32, _>(|index| index as u8));
        let pattern = STANDARD.encode([0xde, 0xad, 0xbe, 0xef].repeat(8));
        assert!(matches!(RootKeys::from_text(""), Err(RootKeyError::Empty)));
        assert!(matches!(RootKeys::from_text("# nothing\n , \n"), Err(RootKeyError::Empty)));
        assert!(matches!(RootKeys::from_text("secret"), Err(RootKeyError::NotAnEntry { entry: 1 })));
        assert!(matches!(RootKeys::from_text(":AAAA"), Err(RootKeyError::BadId { entry: 1 })));
        assert!(matches!(RootKeys::from_text("a b:AAAA"), Err(RootKeyError::BadId { entry: 1 })));
        assert!(matches!(RootKeys::from_text("k:***"), Err(RootKeyError::NotBase64 { .. })));
        assert!(matches!(RootKeys::from_text("k:"), Err(RootKeyError::WrongLength { has: 0, .. })));
        assert!(matches!(RootKeys::from_text(&format!("k:{short}")), Err(RootKeyError::WrongLength { has: 16, .. })));
        for weak in [typed, zeros, counting, pattern] {
            assert!(matches!(RootKeys::from_text(&format!("k:{weak}")), Err(RootKeyError::NotRandom { .. })), "{weak}");
        }
        let (one, other) = (entry("k"), entry("k"));
        assert!(matches!(RootKeys::from_text(&format!("{one}\n{other}")), Err(RootKeyError::Twice { .. })));
    }

    #[test]
    fn of_several_keys_exactly_one_must_be_active() {
        let (a, b) = (entry("a"), entry("b"));
        assert!(matches!(RootKeys::from_text(&format!("{a}\n{b}")), Err(RootKeyError::NotOneActive { marked: 0 })));
        assert!(matches!(RootKeys::from_text(&format!("active {a}\nactive {b}")), Err(RootKeyError::NotOneActive { marked: 2 })));
    }

    #[test]
    fn no_debug_output_or_error_shows_a_key() {
        let keys = RootKeys::generate(&SystemChance);
        let text = keys.to_text();
        let secret = text.trim().split_once(':').unwrap().1;
        assert!(!format!("{keys:?}").contains(secret));
        let broken = format!("k:{}!", &secret[..40]);
        let error = RootKeys::from_text(&broken).unwrap_err();
        assert!(!format!("{error:?} {error}").contains(&secret[..8]));
    }

    #[test]
    fn the_first_start_makes_a_private_file_and_the_second_reads_it() {
        let folder = Folder::new();
        let path = folder.key();
        let made = RootKeys::load_or_create(&path, &SystemChance).unwrap();
        let read = RootKeys::load_or_create(&path, &SystemChance).unwrap();
        assert_eq!(*made.to_text(), *read.to_text());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn two_first_starts_at_once_get_the_same_key() {
        let folder = Folder::new();
        let path = folder.key();
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || RootKeys::load_or_create(&path, &SystemChance).unwrap().to_text().to_string())
            })
            .collect();
        let keys: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_everybody_reads_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let path = folder.key();
        RootKeys::load_or_create(&path, &SystemChance).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(RootKeys::from_file(&path), Err(RootKeyError::FileIsOpen { mode: 0o644 })));
    }
}
