//! The checks that are one question each.

use super::outcome::Outcome;
use crate::process::{cargo, files_below, output, run};
use crate::workspace::{BROWSERS, END2END, FRONTEND, NAME, PKG_DIR, PUBLIC, SERVER, STYLE, Workspace};
use crate::{setup, site};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// Crates that must not reach the browser: they are large, or know things it must not know.
const SERVER_ONLY: [&str; 10] = ["argon2", "aws-lc-rs", "axum", "hyper", "jiff", "reqwest", "rustls", "service", "sqlx", "tokio"];

/// Why we use what we use.
const DEPENDENCIES: &str = "docs/dependencies.md";

pub(super) fn format(_: &Workspace) -> Result<Outcome> {
    run(cargo().args(["fmt", "--all", "--check"])).context("`cargo fmt` repairs this")?;
    Ok(Outcome::passed(1))
}

pub(super) fn clippy(_: &Workspace) -> Result<Outcome> {
    run(cargo().args(["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]))?;
    Ok(Outcome::passed(1))
}

pub(super) fn clippy_wasm(_: &Workspace) -> Result<Outcome> {
    setup::wasm_target()?;
    let target = ["--target", "wasm32-unknown-unknown", "--profile", "wasm-dev"];
    run(cargo().args(["clippy", "--quiet", "--package", FRONTEND]).args(target).args(["--", "-D", "warnings"]))?;
    Ok(Outcome::passed(1))
}

pub(super) fn docs(_: &Workspace) -> Result<Outcome> {
    run(cargo().args(["doc", "--quiet", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::passed(1))
}

/// One TLS and crypto provider on the server; nothing of the server in the browser; every crate that we name has its reason
/// in `docs/dependencies.md`; unsafe code is forbidden in every package of ours.
pub(super) fn dependencies(_: &Workspace) -> Result<Outcome> {
    let mut complaints = manifests()?;
    for unwanted in ["openssl-sys", "ring"] {
        // Cargo fails when the lock file has no such crate, and prints nothing when nothing we build uses it.
        let tree = cargo().args(["tree", "--invert", unwanted]).stdin(Stdio::null()).output()?;
        if tree.status.success() && !tree.stdout.is_empty() {
            complaints.push(format!("{unwanted} is back, by way of\n{}", String::from_utf8_lossy(&tree.stdout)));
        }
    }
    let browser = ["--package", FRONTEND, "--target", "wasm32-unknown-unknown", "--edges", "normal", "--prefix", "none"];
    let tree = output(cargo().args(["tree"]).args(browser))?;
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    for server_only in SERVER_ONLY.iter().filter(|name| crates.contains(*name)) {
        complaints.push(format!("{server_only} is in the browser's half: `cargo tree -p {FRONTEND} --target wasm32-unknown-unknown -i {server_only}` shows who brings it"));
    }
    Ok(Outcome::of(complaints))
}

/// What our manifests say, against the document and the lints.
fn manifests() -> Result<Vec<String>> {
    let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let mut complaints = Vec::new();
    let mut named = BTreeSet::new();
    for package in &packages {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        // The workspace's lints forbid unsafe code, and hold where they are inherited.
        if !std::fs::read_to_string(manifest)?.contains("[lints]\nworkspace = true") {
            complaints.push(format!("{manifest} does not inherit the workspace's lints"));
        }
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        // What has a path is ours.
        named.extend(dependencies.filter(|it| it["path"].is_null()).filter_map(|it| it["name"].as_str().map(str::to_owned)));
    }
    let document = std::fs::read_to_string(DEPENDENCIES).with_context(|| format!("cannot read {DEPENDENCIES}"))?;
    let explained: BTreeSet<String> =
        document.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect();
    complaints.extend(named.difference(&explained).map(|name| format!("{DEPENDENCIES} has no row for {name}")));
    complaints.extend(explained.difference(&named).map(|name| format!("{DEPENDENCIES} has a row for {name}, which nothing uses")));
    Ok(complaints)
}

/// `cargo leptos` reads its table in Cargo.toml, and we have constants: they say the same.
pub(super) fn configuration(workspace: &Workspace) -> Result<Outcome> {
    let site_root = workspace.target.file_name().map(|target| format!("{}/site", target.display())).unwrap_or_default();
    let expected = [
        ("name", NAME),
        ("output-name", NAME),
        ("bin-package", SERVER),
        ("lib-package", FRONTEND),
        ("site-root", site_root.as_str()),
        ("site-pkg-dir", PKG_DIR),
        ("style-file", STYLE),
        ("assets-dir", PUBLIC),
        ("browserquery", BROWSERS),
        ("end2end-dir", END2END),
        ("lib-profile-release", "wasm-release"),
    ];
    let mut complaints: Vec<String> = expected
        .iter()
        .filter(|(key, value)| workspace.leptos[*key] != *value)
        .map(|(key, value)| format!("Cargo.toml's leptos table has {key} = {}, xtask has {value:?}", workspace.leptos[*key]))
        .collect();
    if workspace.leptos["hash-files"] != true {
        complaints.push("Cargo.toml's leptos table must have hash-files = true".to_owned());
    }
    if workspace.leptos_list("wasm-opt-features").is_empty() {
        complaints.push("Cargo.toml's leptos table has no wasm-opt-features".to_owned());
    }
    Ok(Outcome::of(complaints))
}

/// The style sheets can be read, and no view styles itself: the content security policy would refuse it.
pub(super) fn styles(_: &Workspace) -> Result<Outcome> {
    let mut complaints = Vec::new();
    if let Err(error) = site::bundle_styles(false) {
        complaints.push(format!("{error:#}"));
    }
    for file in files_below(Path::new("app/src"))?.iter().filter(|file| file.extension().is_some_and(|rs| rs == "rs")) {
        let text = std::fs::read_to_string(file)?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| has_inline_style(line)) {
            complaints.push(format!("{}:{}: an inline style; use a class: {}", file.display(), index + 1, line.trim()));
        }
    }
    Ok(Outcome::of(complaints))
}

/// `style="…"`, `style=value` or `style:color=…` in a view.
fn has_inline_style(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|gap: char| gap.is_whitespace() || gap == '<').any(|word| {
        word.starts_with("style=") || word.strip_prefix("style:").is_some_and(|rest| rest.contains('=') && !rest.starts_with(':'))
    })
}

/// Licences, banned crates and sources: answered from the lock file alone.
pub(super) fn deny(workspace: &Workspace) -> Result<Outcome> {
    match setup::deny(workspace) {
        Ok(deny) => {
            run(Command::new(deny).args(["--log-level", "error", "check", "bans", "licenses", "sources"]))?;
            Ok(Outcome::passed(3))
        }
        Err(error) => Ok(Outcome::without_tool(&error)),
    }
}

/// Known weaknesses of our dependencies: needs the advisory database, which not every machine can reach.
pub(super) fn advisories(workspace: &Workspace) -> Result<Outcome> {
    let deny = match setup::deny(workspace) {
        Ok(deny) => deny,
        Err(error) => return Ok(Outcome::without_tool(&error)),
    };
    let fetched = Command::new(&deny).args(["--log-level", "off", "fetch", "db"]).stdin(Stdio::null()).stderr(Stdio::null()).status()?;
    if !fetched.success() {
        return Ok(Outcome::skipped("not checked: the advisory database cannot be reached from here".to_owned()));
    }
    run(Command::new(deny).args(["--log-level", "error", "--offline", "check", "advisories"]))?;
    Ok(Outcome::passed(1))
}

#[cfg(test)]
mod tests {
    use super::has_inline_style;

    #[test]
    fn inline_styles_are_found_in_every_spelling() {
        for line in [r#"<p style="color: red">"#, "<p class=\"a\" style=move || width()>", "style:width=wide"] {
            assert!(has_inline_style(line), "{line}");
        }
        for line in ["// no style= here", "let style = 3;", "list-style=2", "use style::width;", "style: Style,"] {
            assert!(!has_inline_style(line), "{line}");
        }
    }
}
