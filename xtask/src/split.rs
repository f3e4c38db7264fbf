//! The WASM in parts: what every page needs, and what only some pages need.
//!
//! All files that come out carry one name, that of [`PLACE`], where the hash of their content comes to stand; they name
//! each other, so their hashes cannot be made one after the other.

use crate::workspace::NAME;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Stands in names and contents where [`Parts::name_by_content`] puts the hash; of the same length.
const PLACE: &str = "0000hash0000";

/// The browser's half: the files that go into the site's `pkg` folder, and what the server reads about them.
pub(crate) struct Parts {
    /// The script the page loads first.
    pub(crate) script: Vec<u8>,
    /// What every page needs.
    pub(crate) main: Vec<u8>,
    /// The script that loads the other parts.
    pub(crate) loader: Vec<u8>,
    /// The other parts, by their names without an ending.
    pub(crate) chunks: BTreeMap<String, Vec<u8>>,
    /// For each function that is loaded late, the names of the chunks it needs.
    pub(crate) needs: BTreeMap<String, Vec<String>>,
    /// Scripts that the script imports: path below `snippets` and text.
    pub(crate) snippets: Vec<(String, String)>,
}

/// Splits the compiled `frontend` and does what the `wasm-bindgen` program does.
pub(crate) fn split(wasm: &Path, scratch: &Path) -> Result<Parts> {
    let folder = scratch.join("split");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder)?;
    let input = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let (loader_name, main_script, main_path) =
        (format!("./__wasm_split.{PLACE}.js"), format!("./{NAME}.{PLACE}.js"), folder.join("main.wasm"));
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = &folder;
    options.main_out_path = &main_path;
    options.main_module = &main_script;
    options.link_name = &loader_name;
    let made = wasm_split_cli_support::transform(options).map_err(|error| anyhow!("{} cannot be split: {error:?}", wasm.display()))?;
    let mut loader = fs::read_to_string(folder.join(&loader_name))?;
    let mut chunks = BTreeMap::new();
    for path in made.split_modules {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).context("a part of the WASM has no name")?;
        // Parts without content are named, but nothing loads them.
        if loader.contains(&format!("\"./{stem}.wasm\"")) {
            loader = loader.replace(&format!("\"./{stem}.wasm\""), &format!("\"./{stem}.{PLACE}.wasm\""));
            chunks.insert(format!("{stem}.{PLACE}"), fs::read(&path)?);
        }
    }
    let needs = made.prefetch_map.into_iter().map(|(function, stems)| {
        let files = stems.into_iter().map(|stem| format!("{stem}.{PLACE}")).collect();
        (function, files)
    });
    let (script, main, snippets) = bind(&main_path)?;
    Ok(Parts { script: script.into_bytes(), main, loader: loader.into_bytes(), chunks, needs: needs.collect(), snippets })
}

type Snippets = Vec<(String, String)>;

fn bind(wasm: &Path) -> Result<(String, Vec<u8>, Snippets)> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        // Names of functions would be half of the file; a panic's message names file and line anyway.
        .remove_name_section(true)
        // The page names the WASM (its name has a hash), so the script needs no guess of its own.
        .omit_default_module_path(true)
        // The other parts find what they share with this one by its exports.
        .keep_lld_exports(true)
        .demangle(false)
        .generate_output()
        .with_context(|| format!("wasm-bindgen cannot read {}", wasm.display()))?;
    if !output.npm_dependencies().is_empty() {
        bail!("a crate of the browser's half asks for npm packages, and the site has none");
    }
    let inline = output.snippets().iter().flat_map(|(folder, scripts)| {
        scripts.iter().enumerate().map(move |(index, text)| (format!("{folder}/inline{index}.js"), text.clone()))
    });
    let local = output.local_modules().iter().map(|(path, text)| (path.clone(), text.clone()));
    let snippets = inline.chain(local).collect();
    let script = output.js().to_owned();
    Ok((script, output.wasm_mut().emit_wasm(), snippets))
}

impl Parts {
    /// Puts one hash, of everything, into the names and to where they are mentioned. Returns it.
    pub(crate) fn name_by_content(&mut self) -> String {
        let hash = crate::site::hash(self.chunks.values().chain([&self.script, &self.main, &self.loader]));
        let hash = hash[..PLACE.len()].to_owned();
        for content in self.chunks.values_mut().chain([&mut self.script, &mut self.main, &mut self.loader]) {
            put(content, &hash);
        }
        self.chunks = std::mem::take(&mut self.chunks).into_iter().map(|(name, content)| (name.replace(PLACE, &hash), content)).collect();
        for name in self.needs.values_mut().flatten() {
            *name = name.replace(PLACE, &hash);
        }
        hash
    }
}

/// Puts the hash in place, byte for byte: WASM says how long its names are.
fn put(content: &mut [u8], hash: &str) {
    let mut from = 0;
    while let Some(at) = content[from..].windows(PLACE.len()).position(|window| window == PLACE.as_bytes()) {
        from += at;
        content[from..from + PLACE.len()].copy_from_slice(hash.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACE, Parts};
    use std::collections::BTreeMap;

    #[test]
    fn every_mention_gets_the_same_hash_of_the_same_length() {
        let named = |text: &str| format!("{text}.{PLACE}.wasm").into_bytes();
        let parts = |chunk: &str| Parts {
            script: [named("a"), named("b")].concat(),
            main: named("main"),
            loader: named("loader"),
            chunks: BTreeMap::from([(format!("c.{PLACE}"), chunk.as_bytes().to_vec())]),
            needs: BTreeMap::from([("page".to_owned(), vec![format!("c.{PLACE}")])]),
            snippets: Vec::new(),
        };
        let (mut one, mut other) = (parts("one"), parts("other"));
        let (hash, another) = (one.name_by_content(), other.name_by_content());
        assert_eq!(hash.len(), PLACE.len());
        assert_ne!(hash, another, "a change in any part renames all");
        assert_eq!(String::from_utf8_lossy(&one.script), format!("a.{hash}.wasmb.{hash}.wasm"));
        assert_eq!(one.chunks.keys().collect::<Vec<_>>(), [&format!("c.{hash}")]);
        assert_eq!(one.needs["page"], [format!("c.{hash}")]);
    }
}
