//! Sealed bytes and keys as they are stored. Nothing opens but what we have sealed ourselves, whole.

use std::sync::OnceLock;

use domain::id::WorkspaceId;
use vault::{DataKey, KeyCheck, Place, RootKeys, Sealed, Vault, WrappedKey};

/// A key that was made for this check and is used nowhere else.
const ROOT: &str = "k1:9l0Vd5cQ0n3zqJrJ3mYx7yUu2Yw0o8m4m1s6hQvXkZE=";
const WORKSPACE: WorkspaceId = WorkspaceId([7; 16]);

struct Opened {
    vault: Vault,
    wrapped: WrappedKey,
    check: KeyCheck,
    key: DataKey,
    value: Sealed,
}

fn place() -> Place {
    Place { table: "token_generations", column: "access", row: [3; 16] }
}

fn opened() -> &'static Opened {
    static OPENED: OnceLock<Opened> = OnceLock::new();
    OPENED.get_or_init(|| {
        let vault = Vault::new(RootKeys::from_text(ROOT).expect("the key"));
        let wrapped = vault.new_data_key(WORKSPACE).expect("a key");
        let key = vault.open_data_key(WORKSPACE, &wrapped).expect("it opens");
        let value = key.seal(&place(), b"a token").expect("it is sealed");
        Opened { check: vault.key_check().expect("a check"), vault, wrapped, key, value }
    })
}

/// The first byte says what the rest is: bytes as stored, changes to what we have sealed, or root keys as text.
pub fn check(bytes: &[u8]) {
    let [what, rest @ ..] = bytes else { return };
    let Opened { vault, wrapped, check, key, value } = opened();
    match what % 7 {
        0 => assert!(vault.open_data_key(WORKSPACE, &WrappedKey(rest.to_vec())).is_err()),
        1 => assert!(vault.verify(&KeyCheck(rest.to_vec())).is_err()),
        2 => assert!(key.open(&place(), &Sealed(rest.to_vec())).is_err()),
        3 => {
            let changed = change(&wrapped.0, rest);
            assert_eq!(vault.open_data_key(WORKSPACE, &WrappedKey(changed.clone())).is_ok(), changed == wrapped.0);
            let _ = WrappedKey(changed).root_key_id();
        }
        4 => {
            let changed = change(&check.0, rest);
            assert_eq!(vault.verify(&KeyCheck(changed.clone())).is_ok(), changed == check.0);
        }
        5 => {
            let changed = change(&value.0, rest);
            assert_eq!(key.open(&place(), &Sealed(changed.clone())).is_ok(), changed == value.0);
        }
        _ => {
            if let Ok(keys) = RootKeys::from_text(&String::from_utf8_lossy(rest)) {
                assert!(keys.ids().any(|id| id == keys.active_id()));
            }
        }
    }
}

/// The bytes with changes: pairs of place and difference, then, if one byte is left, cut to that length.
fn change(whole: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut changed = whole.to_vec();
    let (pairs, left) = changes.as_chunks::<2>();
    for [place, difference] in pairs {
        let place = usize::from(*place) % changed.len();
        changed[place] ^= difference;
    }
    if let [length] = left {
        changed.truncate(usize::from(*length));
    }
    changed
}
