//! What can go wrong. No error holds a key or a clear text.

/// A value could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The bytes are no sealed value, wrapped key or key check of ours.
    #[error("these bytes are not what the vault writes")]
    Malformed,
    /// The bytes were written by a version of the vault that this one does not know.
    #[error("sealed in format {version}, which this version does not know")]
    UnknownVersion {
        /// What the bytes say.
        version: u8,
    },
    /// The root key that wrapped this is not among ours: a key was removed too early, or the data is another installation's.
    #[error("the root key {id:?} is not among the configured keys")]
    UnknownRootKey {
        /// The id that the bytes name.
        id: String,
    },
    /// A root key of this id is configured, and it is another key.
    #[error("the configured root key {id:?} is not the one that was used before")]
    WrongRootKey {
        /// The id that the bytes name.
        id: String,
    },
    /// The value was sealed with another data key than the one at hand.
    #[error("sealed with another data key")]
    OtherDataKey,
    /// The right key is at hand and the value does not open: altered, or moved from another row, column or workspace.
    #[error("the sealed value was altered or belongs elsewhere")]
    Altered,
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// The root keys cannot be used. The start ends with this text.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file cannot be read or written.
    #[error("the root key file cannot be used")]
    File(#[source] std::io::Error),
    /// Everybody on this machine may read the file.
    #[error("the root key file can be read by everybody (mode {mode:03o}); make it 600")]
    FileIsOpen {
        /// Its permission bits.
        mode: u32,
    },
    /// There is no key.
    #[error("no root key is given")]
    Empty,
    /// An entry is not of the form `id:base64`.
    #[error("root key entry {entry} is not of the form id:base64")]
    NotAnEntry {
        /// Which one, from 1.
        entry: usize,
    },
    /// An id is empty, longer than 32 characters, or has other characters than letters, digits, `-`, `_` and `.`.
    #[error("root key entry {entry} has an id that cannot be used")]
    BadId {
        /// Which one, from 1.
        entry: usize,
    },
    /// A key is not base64.
    #[error("root key {id:?} is not base64")]
    NotBase64 {
        /// Which one.
        id: String,
    },
    /// A key does not have 32 bytes.
    #[error("root key {id:?} has {has} bytes; it needs 32")]
    WrongLength {
        /// Which one.
        id: String,
        /// What it has.
        has: usize,
    },
    /// A key that a person typed or a guide printed.
    #[error("root key {id:?} does not look random; make one with 32 bytes from the system's random source")]
    NotRandom {
        /// Which one.
        id: String,
    },
    /// An id stands twice.
    #[error("root key {id:?} stands twice")]
    Twice {
        /// Which one.
        id: String,
    },
    /// Several keys, and not exactly one of them is marked as active.
    #[error("of several root keys exactly one is marked `active`; here {marked} are")]
    NotOneActive {
        /// How many are.
        marked: usize,
    },
}
