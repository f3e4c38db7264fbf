//! What became of checks, counted.

use std::fmt::{Display, Formatter};

/// Checks that passed, failed and were skipped; the latter two by name or reason.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: Vec<String>,
    pub(crate) skipped: Vec<String>,
}

impl Outcome {
    /// So many checks passed.
    pub(crate) fn passed(count: usize) -> Self {
        Self { passed: count, ..Self::default() }
    }

    /// One check failed.
    pub(crate) fn failed(reason: String) -> Self {
        Self { failed: vec![reason], ..Self::default() }
    }

    /// One check was not made.
    pub(crate) fn skipped(reason: String) -> Self {
        Self { skipped: vec![reason], ..Self::default() }
    }

    /// A check could not be made because its tool is missing: a skip on a person's machine, which may lack it for good
    /// reasons; a failure in CI, which must not become green by losing its tools.
    pub(crate) fn without_tool(error: &anyhow::Error) -> Self {
        let in_ci = std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false");
        let reason = format!("{error:#}");
        if in_ci { Self::failed(reason) } else { Self::skipped(reason) }
    }

    /// Passed when there is nothing to complain about.
    pub(crate) fn of(complaints: Vec<String>) -> Self {
        if complaints.is_empty() { Self::passed(1) } else { Self { failed: complaints, ..Self::default() } }
    }

    /// Adds another phase's checks under its name.
    pub(crate) fn add(&mut self, phase: &str, other: Self) {
        let named = |reasons: Vec<String>| reasons.into_iter().map(move |reason| format!("{phase}: {reason}"));
        self.passed += other.passed;
        self.failed.extend(named(other.failed));
        self.skipped.extend(named(other.skipped));
    }
}

impl Display for Outcome {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped.len())
    }
}
