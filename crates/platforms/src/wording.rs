//! Comparing what we wrote with what a platform shows.

/// Text as platforms keep it: one kind of line end, no blanks at the end of a line or around the whole.
pub(crate) fn kept(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = unix.split('\n').map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// Whether two texts are the same to a platform.
pub(crate) fn is_same(ours: &str, theirs: &str) -> bool {
    kept(ours) == kept(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_outer_blanks_do_not_matter_and_everything_else_does() {
        assert!(is_same("Wreaths\r\n\r\nfrom today  \r\n", "Wreaths\n\nfrom today"));
        assert!(is_same("", "  \n"));
        assert!(!is_same("Wreaths from today", "Wreaths  from today"));
        assert!(!is_same("wreaths", "Wreaths"));
        assert!(!is_same("Wreaths", "Wreaths 2"));
    }
}
