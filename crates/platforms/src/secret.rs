//! Tokens and secrets as types: they print as their name only and cannot be serialized. Only adapters expose them;
//! `service` and `worker` carry them between the vault and an adapter.

use secrecy::{ExposeSecret, SecretString};

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Wraps the clear text; the buffer is wiped when the value is dropped.
            pub fn new(clear: String) -> Self {
                Self(SecretString::from(clear))
            }

            /// The clear text, for the request that needs it.
            #[allow(dead_code)] // neither platform has PKCE, so nothing asks for a verifier yet
            pub(crate) fn expose(&self) -> &str {
                self.0.expose_secret()
            }

            /// The bytes to seal. Only `service` and `worker` call this, with the vault at hand.
            pub fn to_seal(&self) -> &[u8] {
                self.0.expose_secret().as_bytes()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

secrets! {
    /// What we show the platform to act.
    AccessToken,
    /// What we show the platform to get the next pair.
    RefreshToken,
    /// The secret of a platform app.
    AppSecret,
    /// The code that a consent brought back; spent once.
    AuthorizationCode,
    /// The PKCE verifier of one consent.
    PkceVerifier,
}
