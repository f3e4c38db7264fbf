//! Sealing values with the data key of a workspace.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use domain::id::WorkspaceId;
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::place::{Place, bound};

pub(crate) const VERSION: u8 = 1;
pub(crate) const KEY_LEN: usize = 32;
pub(crate) const TAG_LEN: usize = 16;
pub(crate) const DATA_KEY_ID_LEN: usize = 8;

/// The name of a data key: random, stands in front of everything sealed with it.
pub(crate) type DataKeyId = [u8; DATA_KEY_ID_LEN];

/// A sealed value as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// The opened data key of a workspace. Keep it as long as it is needed, in memory only.
pub struct DataKey {
    pub(crate) workspace: WorkspaceId,
    pub(crate) id: DataKeyId,
    pub(crate) cipher: Cipher,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({:?})", self.workspace)
    }
}

impl DataKey {
    /// Whose key it is.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Seals `clear` for `place`. The same value twice gives different bytes.
    ///
    /// # Errors
    /// [`VaultError::NoRandomness`].
    pub fn seal(&self, place: &Place, clear: &[u8]) -> Result<Sealed, VaultError> {
        let mut out = Vec::with_capacity(1 + DATA_KEY_ID_LEN + NONCE_LEN + clear.len() + TAG_LEN);
        out.push(VERSION);
        out.extend_from_slice(&self.id);
        self.cipher.seal_onto(&mut out, &self.bound(place), clear)?;
        Ok(Sealed(out))
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`VaultError::OtherDataKey`] when another key sealed it, [`VaultError::Altered`] when it does not belong here or
    /// was changed, [`VaultError::UnknownVersion`] and [`VaultError::Malformed`] when it is nothing of ours.
    pub fn open(&self, place: &Place, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let rest = strip_version(&sealed.0)?;
        let (id, rest) = rest.split_first_chunk::<DATA_KEY_ID_LEN>().ok_or(VaultError::Malformed)?;
        if rest.len() < NONCE_LEN + TAG_LEN {
            return Err(VaultError::Malformed);
        }
        if *id != self.id {
            return Err(VaultError::OtherDataKey);
        }
        self.cipher.open(rest, &self.bound(place))
    }

    fn bound(&self, place: &Place) -> Vec<u8> {
        bound(&[b"stayposted value", &[VERSION], &self.id, &self.workspace.0, place.table.as_bytes(), place.column.as_bytes(), &place.row])
    }
}

pub(crate) fn strip_version(bytes: &[u8]) -> Result<&[u8], VaultError> {
    match bytes.split_first() {
        None => Err(VaultError::Malformed),
        Some((&VERSION, rest)) => Ok(rest),
        Some((&version, _)) => Err(VaultError::UnknownVersion { version }),
    }
}

/// AES-256-GCM-SIV under one key. The library keeps the expanded key and wipes it when freed.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_LEN]) -> Self {
        // The library refuses keys of another length only, and the type leaves no other length.
        let unbound = UnboundKey::new(&AES_256_GCM_SIV, key).expect("a 32-byte key fits AES-256");
        Self(LessSafeKey::new(unbound))
    }

    /// Appends nonce, ciphertext and tag. `out` should have room, so that the clear text is never copied by a reallocation.
    pub(crate) fn seal_onto(&self, out: &mut Vec<u8>, bound: &[u8], clear: &[u8]) -> Result<(), VaultError> {
        let mut nonce = [0u8; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(clear);
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut out[start..])
            .map_err(|_| VaultError::Malformed)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens nonce, ciphertext and tag.
    pub(crate) fn open(&self, sealed: &[u8], bound: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Malformed)?;
        if rest.len() < TAG_LEN {
            return Err(VaultError::Malformed);
        }
        let mut buffer = Zeroizing::new(rest.to_vec());
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut buffer)
            .map_err(|_| VaultError::Altered)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}
