//! Random numbers from the system.

use domain::chance::Chance;

use crate::digest::base64url;

/// The system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    /// # Panics
    /// When the system gives no random numbers: a token that could be guessed is worse than no process.
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system gives random numbers");
    }
}

/// A token nobody can guess: 256 bits as base64url, 43 characters.
pub fn random_token(chance: &dyn Chance) -> String {
    let mut bytes = zeroize::Zeroizing::new([0u8; 32]);
    chance.fill(bytes.as_mut_slice());
    base64url(bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_differ_and_have_256_bits() {
        let (one, other) = (random_token(&SystemChance), random_token(&SystemChance));
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    }
}
