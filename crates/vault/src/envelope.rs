//! The vault: data keys, wrapped by root keys.

use std::fmt;

use aws_lc_rs::aead::NONCE_LEN;
use domain::id::WorkspaceId;
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::place::bound;
use crate::root::RootKeys;
use crate::seal::{Cipher, DATA_KEY_ID_LEN, DataKey, KEY_LEN, TAG_LEN, VERSION, strip_version};

/// A data key as it is stored: sealed by a root key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

impl WrappedKey {
    /// The id of the root key that opens it; `None` when these are not bytes of ours.
    pub fn root_key_id(&self) -> Option<&str> {
        split(&self.0).ok().map(|(id, _)| id)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} bytes)", self.0.len())
    }
}

/// Shows at the next start whether the root key is still the same; kept beside the data. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheck(pub Vec<u8>);

/// Holds the root keys; opens and wraps data keys.
pub struct Vault {
    roots: Vec<(String, Cipher)>,
    active: usize,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault(active {:?} of {} keys)", self.active().0, self.roots.len())
    }
}

impl Vault {
    /// A vault with these root keys.
    pub fn new(keys: RootKeys) -> Self {
        let active = keys.ids().position(|id| id == keys.active_id()).unwrap_or_default();
        Self { roots: keys.ciphers().collect(), active }
    }

    /// The id of the root key that wraps new data keys.
    pub fn active_root_key(&self) -> &str {
        self.active().0
    }

    /// A fresh data key for a workspace, wrapped by the active root key.
    ///
    /// # Errors
    /// [`VaultError::NoRandomness`].
    pub fn new_data_key(&self, workspace: WorkspaceId) -> Result<WrappedKey, VaultError> {
        let mut key = Zeroizing::new([0u8; KEY_LEN]);
        let mut id = [0u8; DATA_KEY_ID_LEN];
        aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| VaultError::NoRandomness)?;
        aws_lc_rs::rand::fill(&mut id).map_err(|_| VaultError::NoRandomness)?;
        self.wrap(workspace, id, &key)
    }

    /// Opens the data key of a workspace. It costs one decryption; keep the result rather than the clear values.
    ///
    /// # Errors
    /// [`VaultError::UnknownRootKey`] when its root key is not configured, [`VaultError::Altered`] when it belongs to
    /// another workspace or was changed, [`VaultError::UnknownVersion`] or [`VaultError::Malformed`].
    pub fn open_data_key(&self, workspace: WorkspaceId, wrapped: &WrappedKey) -> Result<DataKey, VaultError> {
        let (_, id, key) = self.unwrap(workspace, wrapped)?;
        Ok(DataKey { workspace, id, cipher: Cipher::new(&key) })
    }

    /// The same data key under the active root key; `None` when it is there already. What was sealed with it stays as it is.
    ///
    /// # Errors
    /// As [`Vault::open_data_key`].
    pub fn rewrap(&self, workspace: WorkspaceId, wrapped: &WrappedKey) -> Result<Option<WrappedKey>, VaultError> {
        let (root, id, key) = self.unwrap(workspace, wrapped)?;
        if root == self.active().0 { Ok(None) } else { self.wrap(workspace, id, &key).map(Some) }
    }

    /// A check for the active root key, to be kept beside the data.
    ///
    /// # Errors
    /// [`VaultError::NoRandomness`].
    pub fn key_check(&self) -> Result<KeyCheck, VaultError> {
        let (root, cipher) = self.active();
        let mut out = head(root);
        cipher.seal_onto(&mut out, &check_bound(root), &[])?;
        Ok(KeyCheck(out))
    }

    /// Whether the root keys can open what was sealed when `check` was made. After this succeeded, a value that does
    /// not open is a damaged row and not a wrong key.
    ///
    /// # Errors
    /// [`VaultError::UnknownRootKey`] or [`VaultError::WrongRootKey`]: do not start, every login would look lost.
    pub fn verify(&self, check: &KeyCheck) -> Result<(), VaultError> {
        let (root, rest) = split(&check.0)?;
        if rest.len() != NONCE_LEN + TAG_LEN {
            return Err(VaultError::Malformed);
        }
        let opened = self.root(root)?.open(rest, &check_bound(root));
        opened.map(drop).map_err(|_| VaultError::WrongRootKey { id: root.to_owned() })
    }

    fn wrap(&self, workspace: WorkspaceId, id: [u8; DATA_KEY_ID_LEN], key: &[u8; KEY_LEN]) -> Result<WrappedKey, VaultError> {
        let (root, cipher) = self.active();
        let mut out = head(root);
        out.reserve_exact(DATA_KEY_ID_LEN + NONCE_LEN + KEY_LEN + TAG_LEN);
        out.extend_from_slice(&id);
        cipher.seal_onto(&mut out, &wrap_bound(root, workspace, &id), key)?;
        Ok(WrappedKey(out))
    }

    #[allow(clippy::type_complexity)] // three plain values, named where they are taken apart
    fn unwrap<'a>(
        &self,
        workspace: WorkspaceId,
        wrapped: &'a WrappedKey,
    ) -> Result<(&'a str, [u8; DATA_KEY_ID_LEN], Zeroizing<[u8; KEY_LEN]>), VaultError> {
        let (root, rest) = split(&wrapped.0)?;
        let (id, rest) = rest.split_first_chunk::<DATA_KEY_ID_LEN>().ok_or(VaultError::Malformed)?;
        if rest.len() != NONCE_LEN + KEY_LEN + TAG_LEN {
            return Err(VaultError::Malformed);
        }
        let clear = self.root(root)?.open(rest, &wrap_bound(root, workspace, id))?;
        let mut key = Zeroizing::new([0u8; KEY_LEN]);
        key.copy_from_slice(&clear);
        Ok((root, *id, key))
    }

    fn active(&self) -> (&str, &Cipher) {
        let (id, cipher) = &self.roots[self.active];
        (id, cipher)
    }

    fn root(&self, id: &str) -> Result<&Cipher, VaultError> {
        let found = self.roots.iter().find(|(known, _)| known == id);
        found.map(|(_, cipher)| cipher).ok_or_else(|| VaultError::UnknownRootKey { id: id.to_owned() })
    }
}

/// Version and root key id, as everything that a root key sealed begins. Ids are at most 32 characters.
fn head(root: &str) -> Vec<u8> {
    let mut out = vec![VERSION, u8::try_from(root.len()).unwrap_or(u8::MAX)];
    out.extend_from_slice(root.as_bytes());
    out
}

/// Takes the head apart again.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), VaultError> {
    let rest = strip_version(bytes)?;
    let (&length, rest) = rest.split_first().ok_or(VaultError::Malformed)?;
    let (id, rest) = rest.split_at_checked(usize::from(length)).ok_or(VaultError::Malformed)?;
    let id = std::str::from_utf8(id).map_err(|_| VaultError::Malformed)?;
    Ok((id, rest))
}

fn wrap_bound(root: &str, workspace: WorkspaceId, id: &[u8]) -> Vec<u8> {
    bound(&[b"stayposted data key", &[VERSION], root.as_bytes(), &workspace.0, id])
}

fn check_bound(root: &str) -> Vec<u8> {
    bound(&[b"stayposted key check", &[VERSION], root.as_bytes()])
}
