//! Where a sealed value belongs. The place is bound to the value, so that it opens nowhere else.

use domain::id::WorkspaceId;

/// The scope of what belongs to no workspace: the secrets of platform apps.
pub const INSTALLATION: WorkspaceId = WorkspaceId([0; 16]);

/// The column of the row in which a sealed value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The id of the row.
    pub row: [u8; 16],
}

/// Associated data: every part with its length before it, so that no two lists of parts give the same bytes
/// ("ab" + "c" and "a" + "bc").
pub(crate) fn bound(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_flow_into_each_other() {
        assert_ne!(bound(&[b"ab", b"c"]), bound(&[b"a", b"bc"]));
        assert_ne!(bound(&[b"a", b""]), bound(&[b"", b"a"]));
        assert_ne!(bound(&[b"a"]), bound(&[b"a", b""]));
    }
}
