//! The browser's files: from the compiled WASM, the style sheets and `public/` to a folder the server can serve.
//!
//! Names in `pkg/` carry a hash of their content, so that browsers may keep them for ever; `hash.txt`, beside the
//! server's executable, tells leptos which ones are current.

use crate::process::{files_below, output, run};
use crate::setup::npm_program;
use crate::split::split;
use crate::workspace::{BROWSERS, END2END, NAME, PKG_DIR, PUBLIC, STYLE, Workspace};
use anyhow::{Context, Result, anyhow};
use flate2::{Compression, write::GzEncoder};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};
use lightningcss::targets::{Browsers, Targets};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a site is made from and where it goes.
pub(crate) struct Recipe<'a> {
    /// The compiled `frontend`.
    pub(crate) wasm: &'a Path,
    /// The folder of the finished site; what does not belong there is removed.
    pub(crate) site: &'a Path,
    /// The file that lists the hashes.
    pub(crate) hashes: &'a Path,
    /// Smaller files, for a longer wait: wasm-opt, esbuild, brotli and gzip.
    pub(crate) shrink: bool,
}

/// Makes the site, unless nothing it is made from has changed. Says so in either case.
pub(crate) fn make(workspace: &Workspace, recipe: &Recipe) -> Result<()> {
    let mark = workspace.scratch()?.join(if recipe.shrink { "site-release.inputs" } else { "site-dev.inputs" });
    let inputs = inputs(recipe)?;
    if recipe.hashes.is_file() && recipe.site.is_dir() && fs::read_to_string(&mark).is_ok_and(|old| old == inputs) {
        println!("   nothing changed");
        return Ok(());
    }
    drop(fs::remove_file(&mark));
    let scratch = workspace.scratch()?;
    let mut parts = split(recipe.wasm, &scratch)?;
    if recipe.shrink {
        for wasm in parts.chunks.values_mut().chain([&mut parts.main]) {
            *wasm = optimize_wasm(workspace, &scratch, wasm)?;
        }
        for script in [&mut parts.script, &mut parts.loader] {
            *script = minify_script(&scratch, script)?;
        }
    }
    let hash = parts.name_by_content();
    let needs = serde_json::to_vec(&parts.needs)?;
    let style = bundle_styles(recipe.shrink)?.into_bytes();
    let (needs_hash, style_hash) = (short_hash(&needs), short_hash(&style));
    let mut site = Site { recipe, written: BTreeSet::new() };
    site.write(&format!("{PKG_DIR}/{NAME}.{hash}.js"), &parts.script)?;
    site.write(&format!("{PKG_DIR}/{NAME}.{hash}.wasm"), &parts.main)?;
    site.write(&format!("{PKG_DIR}/__wasm_split.{hash}.js"), &parts.loader)?;
    for (name, chunk) in &parts.chunks {
        site.write(&format!("{PKG_DIR}/{name}.wasm"), chunk)?;
    }
    site.write(&format!("{PKG_DIR}/{NAME}.{style_hash}.css"), &style)?;
    site.write(&format!("{PKG_DIR}/__wasm_split_manifest.{needs_hash}.json"), &needs)?;
    for (path, content) in &parts.snippets {
        site.write(&format!("{PKG_DIR}/snippets/{path}"), content.as_bytes())?;
    }
    let hashes = format!("js: {hash}\nwasm: {hash}\nsplit: {hash}\nmanifest: {needs_hash}\ncss: {style_hash}\n");
    for file in files_below(Path::new(PUBLIC))? {
        let name = file.strip_prefix(PUBLIC)?.display().to_string();
        site.write(&name, &fs::read(&file)?)?;
    }
    // A running server may read this at any moment: the new files are there, the old ones leave after.
    fs::write(recipe.hashes, hashes).with_context(|| format!("cannot write {}", recipe.hashes.display()))?;
    site.remove_others()?;
    Ok(fs::write(mark, inputs)?)
}

/// Names, sizes and moments of everything a site is made from, ourselves included.
fn inputs(recipe: &Recipe) -> Result<String> {
    let mut files = vec![recipe.wasm.to_owned(), Path::new(END2END).join("package-lock.json")];
    // Missing when a newer one was built while we ran; the next run then makes the site anew.
    files.extend(std::env::current_exe().ok().filter(|ourselves| ourselves.is_file()));
    files.extend(files_below(Path::new("style"))?);
    files.extend(files_below(Path::new(PUBLIC))?);
    let mut text = format!("{}\n", recipe.site.display());
    for file in files {
        let about = fs::metadata(&file).with_context(|| format!("cannot find {}", file.display()))?;
        text.push_str(&format!("{} {} {:?}\n", file.display(), about.len(), about.modified()?));
    }
    Ok(text)
}

/// `wasm-opt` with the flags of the leptos table.
fn optimize_wasm(workspace: &Workspace, scratch: &Path, wasm: &[u8]) -> Result<Vec<u8>> {
    let (from, to) = (scratch.join("plain.wasm"), scratch.join("optimized.wasm"));
    fs::write(&from, wasm)?;
    run(npm_program("wasm-opt")?.args(workspace.leptos_list("wasm-opt-features")).arg(&from).arg("-o").arg(&to))?;
    Ok(fs::read(to)?)
}

fn minify_script(scratch: &Path, script: &[u8]) -> Result<Vec<u8>> {
    let from = scratch.join("plain.js");
    fs::write(&from, script)?;
    let small = output(npm_program("esbuild")?.args(["--minify", "--format=esm", "--log-level=warning"]).arg(&from))?;
    Ok(small.into_bytes())
}

/// The style sheets as one. A mistake in one of them is an error that names file, line and column.
pub(crate) fn bundle_styles(minify: bool) -> Result<String> {
    let files = FileProvider::new();
    let targets: Targets = Browsers::from_browserslist([BROWSERS])?.map(Targets::from).unwrap_or_default();
    let mut sheet = Bundler::new(&files, None, ParserOptions::default())
        .bundle(Path::new(STYLE))
        .map_err(|error| anyhow!("the style sheet cannot be read: {error}"))?;
    // "Minify" also merges and translates for the browsers we support, so it is never left out.
    sheet
        .minify(MinifyOptions { targets, ..MinifyOptions::default() })
        .map_err(|error| anyhow!("the style sheet cannot be translated: {error}"))?;
    let css = sheet
        .to_css(PrinterOptions { minify, targets, ..PrinterOptions::default() })
        .map_err(|error| anyhow!("the style sheet cannot be written: {error}"))?;
    Ok(css.code)
}

/// The folder being filled.
struct Site<'a> {
    recipe: &'a Recipe<'a>,
    written: BTreeSet<PathBuf>,
}

impl Site<'_> {
    /// Puts a file into the site, with its compressed forms if it will be smaller by them.
    fn write(&mut self, name: &str, content: &[u8]) -> Result<()> {
        self.put(name.to_owned(), content)?;
        if !self.recipe.shrink || !is_compressible(name) {
            return Ok(());
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(content)?;
        let (brotli, gzip) = (brotli(content)?, gzip.finish()?);
        println!("   {name}: {} bytes, brotli {}, gzip {}", content.len(), brotli.len(), gzip.len());
        for (ending, small) in [("br", brotli), ("gz", gzip)] {
            if small.len() < content.len() {
                self.put(format!("{name}.{ending}"), &small)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, name: String, content: &[u8]) -> Result<()> {
        let path = self.recipe.site.join(name);
        let folder = path.parent().unwrap_or(self.recipe.site);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        self.written.insert(path);
        Ok(())
    }

    fn remove_others(&self) -> Result<()> {
        for file in files_below(self.recipe.site)? {
            if !self.written.contains(&file) {
                fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
        Ok(())
    }
}

fn is_compressible(name: &str) -> bool {
    const TEXT: [&str; 10] = ["css", "html", "js", "json", "svg", "txt", "ttf", "wasm", "webmanifest", "xml"];
    name.rsplit_once('.').is_some_and(|(_, extension)| TEXT.contains(&extension))
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    let mut small = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut small, &parameters)?;
    Ok(small)
}

/// Content as a name: the same bytes have the same one.
pub(crate) fn hash<'a>(contents: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    contents.into_iter().for_each(|content| hasher.update(content));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn short_hash(content: &Vec<u8>) -> String {
    hash([content])[..16].to_owned()
}
