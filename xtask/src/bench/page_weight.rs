//! What a first visit costs to load: the page, and all that it and its style sheets name.

use super::rehearsal::Rehearsal;
use crate::build::Built;
use crate::http::{Client, Response};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

/// The screens that `ux.md` gives an address.
const PAGES: [&str; 4] = ["/", "/social/settings/accounts", "/social/compose", "/inbox"];

pub(super) fn measure(built: &Built) -> Result<String> {
    let rehearsal = Rehearsal::start(built, "sample")?;
    let mut client = rehearsal.client()?;
    let mut text = String::from(
        "Bytes on the wire with `Accept-Encoding: br`, nothing cached.\n\n| page | html | script | wasm | style | fonts | images | all |\n|---|---|---|---|---|---|---|---|\n",
    );
    for page in PAGES {
        let html = get(&mut client, page, &rehearsal.cookie)?;
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        sizes.insert("html", html.body.len());
        let mut waiting = assets_of_page(&plain_text(&html)?);
        let mut seen = Vec::new();
        while let Some(path) = waiting.pop() {
            if seen.contains(&path) {
                continue;
            }
            let asset = get(&mut client, &path, &rehearsal.cookie)?;
            *sizes.entry(kind(&path)).or_default() += asset.body.len();
            if kind(&path) == "style" {
                waiting.extend(assets_of_style(&plain_text(&asset)?));
            }
            seen.push(path);
        }
        let all: usize = sizes.values().sum();
        let of = |kind: &str| sizes.get(kind).copied().unwrap_or_default();
        text.push_str(&format!(
            "| `{page}` | {} | {} | {} | {} | {} | {} | **{all}** |\n",
            of("html"),
            of("script"),
            of("wasm"),
            of("style"),
            of("fonts"),
            of("images")
        ));
    }
    Ok(text)
}

fn get(client: &mut Client, path: &str, cookie: &str) -> Result<Response> {
    let answer = client.get(path, &[("cookie", cookie), ("accept", "text/html,*/*"), ("accept-encoding", "br")])?;
    if answer.status != 200 {
        bail!("{path} answered {}", answer.status);
    }
    Ok(answer)
}

fn plain_text(answer: &Response) -> Result<String> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        Some("br") => brotli::BrotliDecompress(&mut answer.body.as_slice(), &mut plain).context("not brotli")?,
        Some(other) => bail!("asked for br, got {other}"),
        None => plain.extend_from_slice(&answer.body),
    }
    Ok(String::from_utf8(plain)?)
}

/// What the browser loads because these elements are there.
fn assets_of_page(html: &str) -> Vec<String> {
    let mut assets = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let loads = match tag.split([' ', '\n']).next() {
            Some("link") => ["stylesheet", "preload", "modulepreload", "icon"].iter().any(|rel| attribute(tag, "rel") == Some(*rel)),
            Some("script" | "img" | "use") => true,
            _ => false,
        };
        let path = attribute(tag, "href").or_else(|| attribute(tag, "src")).filter(|path| loads && is_ours(path));
        assets.extend(path.map(without_fragment));
    }
    assets
}

fn assets_of_style(css: &str) -> Vec<String> {
    let urls = css.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
    urls.map(|url| url.trim_matches(['"', '\''])).filter(|url| is_ours(url)).map(without_fragment).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

fn is_ours(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//")
}

fn without_fragment(path: &str) -> String {
    path.split('#').next().unwrap_or_default().to_owned()
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "script",
        Some("wasm") => "wasm",
        Some("css") => "style",
        Some("woff2" | "woff" | "ttf") => "fonts",
        _ => "images",
    }
}

#[cfg(test)]
mod tests {
    use super::{assets_of_page, assets_of_style};

    #[test]
    fn a_page_loads_what_its_elements_name() {
        let html = r#"<link rel="stylesheet" href="/pkg/a.css"><link rel="canonical" href="/x"><a href="/y">y</a>
            <svg><use href="/icons.svg#plus"></use></svg><script src="//elsewhere/z.js"></script>"#;
        assert_eq!(assets_of_page(html), ["/pkg/a.css", "/icons.svg"]);
        assert_eq!(assets_of_style("@font-face{src:url(\"/fonts/a.woff2\")}b{background:url(data:x)}"), ["/fonts/a.woff2"]);
    }
}
