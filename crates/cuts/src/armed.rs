//! Counting, noting, and dying.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Cut;

#[cfg(not(debug_assertions))]
compile_error!("a release must not have cuts: build without the feature `cuts`");

static REACHED: AtomicU64 = AtomicU64::new(0);
static PLAN: OnceLock<Plan> = OnceLock::new();

#[derive(Debug)]
struct Plan {
    at: Option<u64>,
    log: Option<File>,
}

/// Says where this process dies: at the `at`-th cut that it reaches, counted from 1. `log` gets a line for every cut
/// reached, `number TAB cut TAB place`. Only the first call counts.
///
/// # Errors
/// When the log cannot be written.
pub fn arm(at: Option<u64>, log: Option<&Path>) -> std::io::Result<()> {
    let log = log.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()?;
    let _ = PLAN.set(Plan { at, log });
    Ok(())
}

/// A place at which this process may die.
pub fn cut(cut: Cut, place: impl Display) {
    let number = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
    let Some(plan) = PLAN.get() else { return };
    if let Some(log) = &plan.log {
        // One write, so that lines of several threads do not mix, and nothing that an abort could lose.
        let _ = (&mut &*log).write_all(format!("{number}\t{}\t{place}\n", cut.name()).as_bytes());
    }
    if plan.at == Some(number) {
        std::process::abort();
    }
}
