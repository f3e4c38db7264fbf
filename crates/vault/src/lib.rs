#![doc = include_str!("../README.md")]

mod chance;
mod digest;
mod envelope;
mod error;
mod place;
mod root;
mod seal;

pub use chance::{SystemChance, random_token};
pub use digest::{base64url, hmac_sha256, is_equal, pkce_challenge, sha256};
pub use envelope::{KeyCheck, Vault, WrappedKey};
pub use error::{RootKeyError, VaultError};
pub use place::{INSTALLATION, Place};
pub use root::RootKeys;
pub use seal::{DataKey, Sealed};
