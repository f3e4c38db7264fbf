//! From sources to a server that can be started: its executable, and beside it what it serves.

use crate::process::{cargo, output, phase, run};
use crate::sbom;
use crate::setup;
use crate::site::{self, Recipe};
use crate::workspace::{FRONTEND, NAME, SERVER, Workspace, leptos_env};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server with its site, ready to be started.
pub(crate) struct Built {
    /// The executable; absolute.
    pub(crate) binary: PathBuf,
    /// The folder of files it serves; absolute.
    pub(crate) site: PathBuf,
}

impl Built {
    /// The server's command line, without a subcommand yet.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.envs(leptos_env(&self.site));
        command
    }
}

/// The build of demo and tests, in the target folder. It repeats only what a change has made stale.
pub(crate) fn dev(workspace: &Workspace) -> Result<Built> {
    let _turn = our_turn(workspace)?;
    setup::wasm_target()?;
    let folder = workspace.target.join("debug");
    let site = workspace.target.join("site");
    phase("server (cargo build)", || run(cargo().args(["build", "--package", SERVER])))?;
    let wasm = frontend(workspace, "wasm-dev")?;
    let recipe = Recipe { wasm: &wasm, site: &site, hashes: &folder.join("hash.txt"), shrink: false };
    phase("site (wasm-bindgen, style sheets, public files)", || site::make(workspace, &recipe))?;
    Ok(Built { binary: folder.join(NAME), site })
}

/// The server that dies at cuts, without a site; a copy, because the build of the demo takes its name again.
pub(crate) fn with_cuts(workspace: &Workspace) -> Result<PathBuf> {
    let _turn = our_turn(workspace)?;
    phase("server with cuts (cargo build --features cuts)", || {
        run(cargo().args(["build", "--package", SERVER, "--features", "cuts"]))?;
        let copy = workspace.scratch()?.join(format!("{NAME}-with-cuts"));
        // A process that still runs from the old file keeps it.
        let fresh = copy.with_extension("new");
        fs::copy(workspace.target.join("debug").join(NAME), &fresh).context("cannot copy the server with cuts")?;
        fs::rename(&fresh, &copy)?;
        Ok(copy)
    })
}

/// The build to install elsewhere: `dist/` with the executable, `hash.txt`, `site/`, `VERSION.txt` and the
/// list of what it is made of.
pub(crate) fn release(workspace: &Workspace) -> Result<Built> {
    let _turn = our_turn(workspace)?;
    setup::wasm_target()?;
    setup::npm(workspace)?;
    let dist = std::env::current_dir()?.join("dist");
    let binary = dist.join(NAME);
    fs::create_dir_all(&dist).context("cannot make dist/")?;
    phase("server (cargo build --release)", || run(cargo().args(["build", "--release", "--package", SERVER])))?;
    let wasm = frontend(workspace, "wasm-release")?;
    let recipe = Recipe { wasm: &wasm, site: &dist.join("site"), hashes: &dist.join("hash.txt"), shrink: true };
    phase("site (wasm-bindgen, wasm-opt, esbuild, style sheets, brotli and gzip)", || site::make(workspace, &recipe))?;
    phase("dist/", || {
        // A server that runs from the old file keeps it: the new one takes its name in one step.
        let fresh = dist.join(format!("{NAME}.new"));
        fs::copy(workspace.target.join("release").join(NAME), &fresh).context("cannot copy the server into dist/")?;
        fs::rename(&fresh, &binary)?;
        let rustc = output(Command::new("rustc").arg("-vV"))?;
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not name its host")?;
        let version = version_text(&binary, rustc.lines().next().unwrap_or("unknown"), host)?;
        print!("{version}");
        fs::write(dist.join("VERSION.txt"), version)?;
        Ok(fs::write(dist.join("sbom.cdx.json"), serde_json::to_vec_pretty(&sbom::bill(host)?)?)?)
    })?;
    Ok(Built { binary, site: dist.join("site") })
}

/// What [`release`] made earlier.
pub(crate) fn existing_release() -> Result<Built> {
    let dist = std::env::current_dir()?.join("dist");
    let built = Built { binary: dist.join(NAME), site: dist.join("site") };
    if built.binary.is_file() && built.site.is_dir() { Ok(built) } else { bail!("dist/ is not complete: `cargo xtask build` makes it") }
}

fn frontend(workspace: &Workspace, profile: &str) -> Result<PathBuf> {
    phase(&format!("browser's half (cargo build, profile {profile})"), || {
        run(cargo().args(["build", "--package", FRONTEND, "--target", "wasm32-unknown-unknown", "--profile", profile]))
    })?;
    Ok(workspace.target.join("wasm32-unknown-unknown").join(profile).join(format!("{FRONTEND}.wasm")))
}

/// One build at a time writes the site; the others wait here. Dropping the file lets the next one in.
fn our_turn(workspace: &Workspace) -> Result<File> {
    let file = File::create(workspace.scratch()?.join("build.lock"))?;
    if file.try_lock().is_err() {
        println!("another `cargo xtask` builds in this checkout; waiting for it");
        file.lock().context("cannot wait for the other build")?;
    }
    Ok(file)
}

/// What is in `dist/`, and what it needs of the machine it will run on.
fn version_text(binary: &Path, compiler: &str, host: &str) -> Result<String> {
    let commit = commit();
    let glibc = glibc_needed(&fs::read(binary)?).map_or("none".to_owned(), |(major, minor)| format!("{major}.{minor} or newer"));
    Ok(format!(
        "{NAME} {}\ncommit {}\nfor {host}\nneeds glibc {glibc}\nmade by {compiler}\n",
        env!("CARGO_PKG_VERSION"),
        commit.as_deref().unwrap_or("unknown"),
    ))
}

/// The commit that `dist/` was made from, as its `VERSION.txt` says.
pub(crate) fn released_commit() -> Option<String> {
    let version = fs::read_to_string("dist/VERSION.txt").ok()?;
    version.lines().find_map(|line| line.strip_prefix("commit ")).map(str::to_owned)
}

/// The commit we are at; none in a copy without git.
fn commit() -> Option<String> {
    let git = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    git.status.success().then(|| String::from_utf8_lossy(&git.stdout).trim().to_owned())
}

/// The newest glibc whose symbols an executable asks for: the highest `GLIBC_2.x` among its names.
fn glibc_needed(executable: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_";
    let versions = executable.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    versions
        .filter_map(|(at, _)| {
            let rest = &executable[at + MARK.len()..];
            let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
            let (major, minor) = std::str::from_utf8(&rest[..end]).ok()?.split_once('.')?;
            // `GLIBC_2.2.5` is a 2.2.
            let minor = minor.split('.').next()?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::glibc_needed;

    #[test]
    fn the_newest_glibc_symbol_decides() {
        let names = b"\0GLIBC_2.2.5\0memcpy\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(glibc_needed(names), Some((2, 34)));
        assert_eq!(glibc_needed(b"static"), None);
    }
}
