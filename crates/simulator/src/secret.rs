//! Tokens and codes: made at random, or from an earlier one, and kept as fingerprints only. Like the app, the
//! rehearsal writes no token in clear: whoever greps a data folder for one finds none.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789AZ";

/// Bytes as letters and digits, one each.
pub(crate) fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
}

/// What is kept of a token or code.
pub(crate) fn fingerprint(secret: &str) -> String {
    hex::encode(digest(&SHA256, secret.as_bytes()))
}

/// The secret that belongs to `parent` under this name: always the same, and nobody finds it without the parent.
pub(crate) fn derived(parent: &str, name: &str, length: usize) -> String {
    let key = Key::new(HMAC_SHA256, parent.as_bytes());
    let mut out = String::new();
    for block in 0..length.div_ceil(32) {
        out.push_str(&letters(sign(&key, format!("{name}/{block}").as_bytes()).as_ref()));
    }
    out.truncate(length);
    out
}

/// Lower-case hexadecimal HMAC-SHA256, as `appsecret_proof` is made (Meta notes 0.7).
pub(crate) fn proof(secret: &str, message: &str) -> String {
    hex::encode(sign(&Key::new(HMAC_SHA256, secret.as_bytes()), message.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_secret_is_stable_and_its_own() {
        assert_eq!(derived("a", "page/1", 120), derived("a", "page/1", 120));
        assert_ne!(derived("a", "page/1", 120), derived("a", "page/2", 120));
        assert_ne!(derived("a", "page/1", 120), derived("b", "page/1", 120));
        assert_eq!(derived("a", "page/1", 120).len(), 120);
    }
}
