//! The list of what a build is made of (`dist/sbom.cdx.json`), in the form of CycloneDX 1.5 (cyclonedx.org/docs/1.5/json).
//!
//! Cargo knows it all; a generator would be one more tool to install for these few fields.

use crate::process::{cargo, output};
use crate::workspace::{FRONTEND, NAME, SERVER};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The browser's half is compiled for this.
const WASM: &str = "wasm32-unknown-unknown";

/// Every crate that is linked into the server for `host` or into the browser's half, with what it depends on. What only
/// builds or tests them is not part of the product.
pub(crate) fn bill(host: &str) -> Result<Value> {
    let mut crates = BTreeMap::new();
    for (root, platform) in [(SERVER, host), (FRONTEND, WASM)] {
        let text = output(cargo().args(["metadata", "--format-version", "1", "--locked", "--filter-platform", platform]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
        collect(&metadata, root, &mut crates);
    }
    let (components, dependencies): (Vec<Value>, Vec<Value>) = crates.into_values().unzip();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": NAME, "version": env!("CARGO_PKG_VERSION"), "bom-ref": NAME } },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// Adds everything that `root` links, as component and as dependency, by package id.
fn collect(metadata: &Value, root: &str, crates: &mut BTreeMap<String, (Value, Value)>) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<String, Value> = list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), node)).collect();
    let reference =
        |id: &str| packages.get(id).map(|package| format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"])));
    let mut open: Vec<String> = packages.iter().filter(|(_, package)| package["name"] == root).map(|(id, _)| id.clone()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let (Some(package), Some(node), Some(own)) = (packages.get(&id), nodes.get(&id), reference(&id)) else { continue };
        let linked = list(&node["deps"]).into_iter().filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()));
        let linked: Vec<String> = linked.map(|dep| text(&dep["pkg"])).collect();
        let depends_on: BTreeSet<String> = linked.iter().filter_map(|id| reference(id)).collect();
        open.extend(linked);
        let mut component = json!({
            "type": "library", "name": package["name"], "version": package["version"], "bom-ref": own, "purl": own,
        });
        if let Some(license) = package["license"].as_str() {
            // Old manifests separate alternatives by a slash, which is no SPDX expression.
            component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
        }
        let (_, dependency) = crates.entry(id).or_insert_with(|| (component, json!({ "ref": own, "dependsOn": [] })));
        // Server and browser may link different halves of one crate.
        let mut all: BTreeSet<String> = list(&dependency["dependsOn"]).iter().map(&text).collect();
        all.extend(depends_on);
        dependency["dependsOn"] = json!(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_and_what_builds_or_tests_is_not() {
        let dep = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let package = |id: &str, license: Value| json!({ "id": id, "name": id, "version": "1.0.0", "license": license });
        let metadata = json!({
            "packages": [
                package("server", Value::Null), package("a", json!("MIT/Apache-2.0")), package("b", json!("MIT")),
                package("built", json!("MIT")), package("tested", json!("MIT")),
            ],
            "resolve": { "nodes": [
                { "id": "server", "deps": [dep("a", Value::Null), dep("built", json!("build")), dep("tested", json!("dev"))] },
                { "id": "a", "deps": [dep("b", Value::Null)] },
                { "id": "b", "deps": [dep("a", Value::Null)] },
                { "id": "built", "deps": [] },
                { "id": "tested", "deps": [] },
            ] },
        });
        let mut crates = BTreeMap::new();
        collect(&metadata, "server", &mut crates);
        assert_eq!(crates.keys().collect::<Vec<_>>(), ["a", "b", "server"]);
        let (component, dependency) = &crates["a"];
        assert_eq!(component["purl"], "pkg:cargo/a@1.0.0");
        assert_eq!(component["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
        assert_eq!(dependency["dependsOn"], json!(["pkg:cargo/b@1.0.0"]));
    }
}
