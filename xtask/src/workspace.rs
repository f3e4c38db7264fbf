//! Where things are, and what leptos is told about it.

use crate::process::{cargo, output};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The name of the executable and of the files in `pkg/`.
pub(crate) const NAME: &str = "stayposted";
/// The package of the executable.
pub(crate) const SERVER: &str = "server";
/// The package of the browser's half.
pub(crate) const FRONTEND: &str = "frontend";
/// The folder of generated files inside the site, and in its addresses.
pub(crate) const PKG_DIR: &str = "pkg";
/// The style sheet that imports all others.
pub(crate) const STYLE: &str = "style/main.css";
/// Files served as they are.
pub(crate) const PUBLIC: &str = "public";
/// The Node project of the browser tests and the release tools.
pub(crate) const END2END: &str = "end2end";
/// The browsers the style sheet is written for, in browserslist's words.
pub(crate) const BROWSERS: &str = "defaults";

/// The checkout we are in. [`Workspace::enter`] makes its root the current directory.
pub(crate) struct Workspace {
    /// Cargo's target folder; honours `CARGO_TARGET_DIR`.
    pub(crate) target: PathBuf,
    /// The first `[[workspace.metadata.leptos]]` table.
    pub(crate) leptos: Value,
    /// The names of the packages that make up the server: the default members without ourselves. Named one by one,
    /// because together with xtask cargo would give their dependencies its features too, and build them twice.
    pub(crate) server_packages: Vec<String>,
}

impl Workspace {
    /// Reads the workspace's metadata and changes into its root.
    pub(crate) fn enter() -> Result<Self> {
        let manifest_dir = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest_dir).parent().context("xtask has no parent folder")?;
        std::env::set_current_dir(root)
            .with_context(|| format!("cannot enter {}; run `cargo xtask` inside the checkout", root.display()))?;
        let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
        let target = metadata["target_directory"].as_str().context("cargo metadata names no target folder")?;
        let default_ids = metadata["workspace_default_members"].as_array().cloned().unwrap_or_default();
        let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
        let server_packages = packages
            .iter()
            .filter(|package| default_ids.contains(&package["id"]))
            .filter_map(|package| package["name"].as_str().map(str::to_owned))
            .filter(|name| name != "xtask")
            .collect();
        let leptos = metadata["metadata"]["leptos"][0].clone();
        if leptos.is_null() {
            bail!("Cargo.toml has no [[workspace.metadata.leptos]] table; restore it from git");
        }
        Ok(Self { target: target.into(), leptos, server_packages })
    }

    /// A folder under the target folder for xtask's own files; made when missing.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let folder = self.target.join("xtask");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// The values of a list in the leptos table.
    pub(crate) fn leptos_list(&self, key: &str) -> Vec<&str> {
        self.leptos[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// What the server must be told to find a site that [`crate::site`] made.
pub(crate) fn leptos_env(site: &Path) -> [(&'static str, String); 4] {
    [
        ("LEPTOS_OUTPUT_NAME", NAME.to_owned()),
        ("LEPTOS_SITE_ROOT", site.display().to_string()),
        ("LEPTOS_SITE_PKG_DIR", PKG_DIR.to_owned()),
        ("LEPTOS_HASH_FILES", "true".to_owned()),
    ]
}
