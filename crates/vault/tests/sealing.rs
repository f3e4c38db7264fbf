//! The requirements K1 to K5: what is sealed opens only where it belongs, and nothing foreign makes the vault fall over.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use domain::id::WorkspaceId;
use proptest::prelude::*;
use vault::{DataKey, INSTALLATION, KeyCheck, Place, RootKeys, Sealed, SystemChance, Vault, VaultError, WrappedKey};

const ACME: WorkspaceId = WorkspaceId([1; 16]);
const OTHER: WorkspaceId = WorkspaceId([2; 16]);
const PLACE: Place = Place { table: "grants", column: "access", row: [7; 16] };

fn vault() -> Vault {
    Vault::new(RootKeys::generate(&SystemChance))
}

fn data_key(vault: &Vault, workspace: WorkspaceId) -> DataKey {
    vault.open_data_key(workspace, &vault.new_data_key(workspace).unwrap()).unwrap()
}

/// Two vaults that share the key "old"; the second wraps with "new".
fn rotated() -> (Vault, Vault, Vault) {
    let line = |id: &str| RootKeys::generate(&SystemChance).to_text().split_once(':').map(|(_, key)| format!("{id}:{key}")).unwrap();
    let (old, new) = (line("old"), line("new"));
    let both = format!("{old}\nactive {new}");
    (
        Vault::new(RootKeys::from_text(&old).unwrap()),
        Vault::new(RootKeys::from_text(&both).unwrap()),
        Vault::new(RootKeys::from_text(&new).unwrap()),
    )
}

#[test]
fn what_was_sealed_opens_again() {
    let key = data_key(&vault(), ACME);
    for clear in [b"".as_slice(), b"EAAtoken", &[0u8; 100_000]] {
        let sealed = key.seal(&PLACE, clear).unwrap();
        assert_eq!(key.open(&PLACE, &sealed).unwrap().as_slice(), clear);
    }
}

#[test]
fn k1_the_same_value_twice_gives_different_bytes() {
    let key = data_key(&vault(), ACME);
    assert_ne!(key.seal(&PLACE, b"EAAtoken").unwrap(), key.seal(&PLACE, b"EAAtoken").unwrap());
}

#[test]
fn k1_the_clear_text_does_not_stand_in_the_sealed_bytes() {
    let sealed = data_key(&vault(), ACME).seal(&PLACE, b"EAAcanary").unwrap();
    assert!(!sealed.0.windows(4).any(|window| b"EAAcanary".windows(4).any(|part| part == window)));
}

#[test]
fn k2_a_value_moved_to_another_row_column_or_table_does_not_open() {
    let key = data_key(&vault(), ACME);
    let sealed = key.seal(&PLACE, b"EAAtoken").unwrap();
    for elsewhere in [
        Place { row: [8; 16], ..PLACE },
        Place { column: "refresh", ..PLACE },
        Place { table: "platform_apps", ..PLACE },
        Place { table: "grant", column: "saccess", ..PLACE },
    ] {
        assert_eq!(key.open(&elsewhere, &sealed), Err(VaultError::Altered), "{elsewhere:?}");
    }
}

#[test]
fn k2_a_value_of_one_workspace_does_not_open_in_another() {
    let vault = vault();
    let wrapped = vault.new_data_key(ACME).unwrap();
    let sealed = vault.open_data_key(ACME, &wrapped).unwrap().seal(&PLACE, b"EAAtoken").unwrap();
    assert_eq!(data_key(&vault, OTHER).open(&PLACE, &sealed), Err(VaultError::OtherDataKey));
    assert_eq!(vault.open_data_key(OTHER, &wrapped).map(drop), Err(VaultError::Altered), "not even with its key carried over");
    assert_eq!(vault.open_data_key(INSTALLATION, &wrapped).map(drop), Err(VaultError::Altered));
}

#[test]
fn k3_after_a_rotation_old_keys_still_open_and_rewrapping_moves_them() {
    let (before, during, after) = rotated();
    let wrapped = before.new_data_key(ACME).unwrap();
    let sealed = before.open_data_key(ACME, &wrapped).unwrap().seal(&PLACE, b"EAAtoken").unwrap();

    assert_eq!(during.open_data_key(ACME, &wrapped).unwrap().open(&PLACE, &sealed).unwrap().as_slice(), b"EAAtoken");
    let moved = during.rewrap(ACME, &wrapped).unwrap().unwrap();
    assert_eq!((wrapped.root_key_id(), moved.root_key_id()), (Some("old"), Some("new")));
    assert_eq!(during.rewrap(ACME, &moved).unwrap(), None, "rewrapping twice changes nothing");
    assert_eq!(after.open_data_key(ACME, &moved).unwrap().open(&PLACE, &sealed).unwrap().as_slice(), b"EAAtoken");
}

#[test]
fn k3_a_key_removed_too_early_is_named() {
    let (before, _, after) = rotated();
    let wrapped = before.new_data_key(ACME).unwrap();
    let unknown = VaultError::UnknownRootKey { id: "old".into() };
    assert_eq!(after.open_data_key(ACME, &wrapped).map(drop), Err(unknown.clone()));
    assert_eq!(after.rewrap(ACME, &wrapped), Err(unknown.clone()));
    assert_eq!(after.verify(&before.key_check().unwrap()), Err(unknown));
}

#[test]
fn k3_the_key_check_tells_a_wrong_key_from_a_damaged_row() {
    let (before, during, _) = rotated();
    let (stranger, _, _) = rotated();
    let check = before.key_check().unwrap();
    assert_eq!(before.verify(&check), Ok(()));
    assert_eq!(during.verify(&check), Ok(()));
    assert_eq!(stranger.verify(&check), Err(VaultError::WrongRootKey { id: "old".into() }));

    let key = data_key(&before, ACME);
    let mut sealed = key.seal(&PLACE, b"EAAtoken").unwrap();
    *sealed.0.last_mut().unwrap() ^= 1;
    assert_eq!(key.open(&PLACE, &sealed), Err(VaultError::Altered));
}

#[test]
fn k4_every_short_length_is_an_error() {
    let vault = vault();
    let key = data_key(&vault, ACME);
    for length in 0..=64 {
        for first in [0, 1, 2, 255] {
            let mut bytes = vec![0xa5; length];
            bytes.iter_mut().take(1).for_each(|byte| *byte = first);
            assert!(key.open(&PLACE, &Sealed(bytes.clone())).is_err(), "{length} bytes");
            assert!(vault.open_data_key(ACME, &WrappedKey(bytes.clone())).is_err(), "{length} bytes");
            assert!(vault.verify(&KeyCheck(bytes)).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn k4_every_cut_and_every_flipped_bit_is_an_error() {
    let vault = vault();
    let wrapped = vault.new_data_key(ACME).unwrap();
    let key = vault.open_data_key(ACME, &wrapped).unwrap();
    let sealed = key.seal(&PLACE, b"EAAtoken").unwrap();
    let check = vault.key_check().unwrap();
    for length in 0..sealed.0.len() {
        assert!(key.open(&PLACE, &Sealed(sealed.0[..length].to_vec())).is_err(), "cut at {length}");
    }
    for bit in 0..sealed.0.len() * 8 {
        assert!(key.open(&PLACE, &Sealed(flipped(&sealed.0, bit))).is_err(), "bit {bit}");
    }
    for bit in 0..wrapped.0.len() * 8 {
        assert!(vault.open_data_key(ACME, &WrappedKey(flipped(&wrapped.0, bit))).is_err(), "bit {bit}");
    }
    for bit in 0..check.0.len() * 8 {
        assert!(vault.verify(&KeyCheck(flipped(&check.0, bit))).is_err(), "bit {bit}");
    }
}

#[test]
fn k4_a_wrong_version_is_named() {
    let vault = vault();
    let key = data_key(&vault, ACME);
    let mut sealed = key.seal(&PLACE, b"EAAtoken").unwrap();
    sealed.0[0] = 9;
    assert_eq!(key.open(&PLACE, &sealed), Err(VaultError::UnknownVersion { version: 9 }));
}

#[test]
fn k6_no_debug_output_shows_a_secret() {
    let vault = vault();
    let key = data_key(&vault, ACME);
    let sealed = key.seal(&PLACE, b"EAAtoken").unwrap();
    let wrapped = vault.new_data_key(ACME).unwrap();
    let shown = format!("{vault:?} {key:?} {sealed:?} {wrapped:?}");
    assert!(shown.len() < 250, "names and lengths only: {shown}");
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[bit / 8] ^= 1 << (bit % 8);
    out
}

proptest! {
    #[test]
    fn foreign_bytes_never_open_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let vault = vault();
        let key = data_key(&vault, ACME);
        prop_assert!(key.open(&PLACE, &Sealed(bytes.clone())).is_err());
        prop_assert!(vault.open_data_key(ACME, &WrappedKey(bytes.clone())).is_err());
        prop_assert!(vault.verify(&KeyCheck(bytes)).is_err());
    }
}
