//! The document of results: a section per measurement, each saying when, from what and on which machine it came.

use crate::build::released_commit;
use crate::process::output;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const PATH: &str = "docs/benchmarks.md";
const HEAD: &str = "# Benchmarks\n\nWritten by `cargo xtask bench`, which measures the release build on the machine it runs on. Each section says when and where;\n`cargo xtask bench <measurement>` renews one.\n";

/// Sections by title.
pub(super) struct Results(BTreeMap<String, String>);

impl Results {
    /// What was measured before.
    pub(super) fn read() -> Result<Self> {
        let text = if fs::exists(PATH)? { fs::read_to_string(PATH)? } else { String::new() };
        let sections = text.split("\n## ").skip(1);
        Ok(Self(
            sections
                .filter_map(|section| section.split_once('\n'))
                .map(|(title, body)| (title.to_owned(), body.trim().to_owned()))
                .collect(),
        ))
    }

    /// Replaces a section.
    pub(super) fn put(&mut self, title: &str, text: &str) -> Result<()> {
        self.0.insert(title.to_owned(), format!("{}\n\n{}", text.trim(), circumstances()?));
        Ok(())
    }

    /// Writes the document, its sections in the order of `titles`.
    pub(super) fn write<'a>(&self, titles: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut text = HEAD.to_owned();
        for title in titles {
            if let Some(body) = self.0.get(title) {
                text.push_str(&format!("\n## {title}\n\n{body}\n"));
            }
        }
        fs::create_dir_all("docs")?;
        fs::write(PATH, text).with_context(|| format!("cannot write {PATH}"))
    }
}

/// "*2026-11-23, commit abc1234, 2 × Intel Xeon, 23 GiB, Linux 6.1, `cargo xtask bench idle`*"
fn circumstances() -> Result<String> {
    let first = |file: &str, key: &str| -> Option<String> {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let date = output(Command::new("date").args(["-u", "+%F"]))?;
    let commit = released_commit().unwrap_or_else(|| "unknown".to_owned());
    let cores = std::thread::available_parallelism()?;
    let model = first("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let kib: u64 = first("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
    let kernel = output(Command::new("uname").args(["-sr"]))?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    Ok(format!(
        "*{}, commit {commit}, {cores} × {model}, {} GiB, {}, `cargo xtask {}`*",
        date.trim(),
        kib / (1024 * 1024),
        kernel.trim(),
        words.join(" ")
    ))
}
