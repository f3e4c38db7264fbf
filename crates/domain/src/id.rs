//! Ids: sixteen bytes each, one type per kind, written as 32 lower-case hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

fn parse(text: &str) -> Result<[u8; 16], NotAnId> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return Err(NotAnId);
    }
    let mut bytes = [0u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16).ok_or(NotAnId)?;
        let low = char::from(pair[1]).to_digit(16).ok_or(NotAnId)?;
        *byte = u8::try_from(high * 16 + low).map_err(|_| NotAnId)?;
    }
    Ok(bytes)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The sixteen bytes, as stored.
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A business or client; owns everything below.
    WorkspaceId,
    /// A person who signs in to Stayposted.
    PersonId,
    /// A signed-in browser.
    SessionId,
    /// Our registration at a platform.
    PlatformAppId,
    /// One consent by one person at one platform app.
    GrantId,
    /// A consent under way.
    ConsentId,
    /// What we post to.
    AccountId,
    /// What a person wrote.
    PostId,
    /// One unchangeable version of a post.
    RevisionId,
    /// One revision to one account.
    DeliveryId,
    /// One try, of a renewal or a publish step.
    AttemptId,
    /// The right of one worker to work on one row until a moment.
    LeaseId,
    /// An uploaded image.
    MediaId,
    /// One story in the inbox.
    ThreadId,
    /// A line in a thread.
    EntryId,
    /// A notice to be sent outside the app.
    OutboxId,
    /// One bulk rescheduling of missed posts, which can be undone.
    CatchUpId,
    /// A process of this installation.
    NodeId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = PostId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 254, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0dfeff");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "1", "000102030405060708090a0b0c0dfefg", "000102030405060708090a0b0c0dfeff0", "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ"] {
            assert_eq!(text.parse::<PostId>(), Err(NotAnId), "{text}");
        }
    }
}
