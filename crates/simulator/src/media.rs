//! Image bytes, and the fetching of images that a caller gives by address.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use futures::StreamExt;
use url::{Host, Url};

/// A fetched file larger than this is given up on.
const FETCH_CAP: usize = 40 * 1024 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the bytes are: in a folder when the simulator has a state file, else in memory.
#[derive(Debug, Default)]
pub(crate) struct MediaStore {
    folder: Option<PathBuf>,
    held: HashMap<String, Bytes>,
}

impl MediaStore {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, held: HashMap::new() }
    }

    /// `name` is made by us: the platform's name and digits.
    pub(crate) fn put(&mut self, name: &str, bytes: &Bytes) {
        if let Some(folder) = &self.folder {
            let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join(name), bytes));
            match written {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "the rehearsal cannot write an image; it stays in memory"),
            }
        }
        self.held.insert(name.to_owned(), bytes.clone());
    }

    pub(crate) fn get(&self, name: &str) -> Option<Bytes> {
        if let Some(bytes) = self.held.get(name) {
            return Some(bytes.clone());
        }
        let folder = self.folder.as_ref()?;
        std::fs::read(folder.join(name)).ok().map(Bytes::from)
    }

    pub(crate) fn clear(&mut self) {
        self.held.clear();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// What an image says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) content_type: &'static str,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

/// Why bytes are not an image that the platforms take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadImage {
    /// An image or a file, but neither JPEG nor PNG.
    Format,
    /// It begins like one and cannot be read.
    Broken,
}

/// Reads the header of a JPEG or PNG file.
pub(crate) fn look(bytes: &[u8]) -> Result<Look, BadImage> {
    let content_type = if bytes.starts_with(&[0x89, b'P', b'N', b'G']) {
        "image/png"
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        "image/jpeg"
    } else {
        return Err(BadImage::Format);
    };
    let size = imagesize::blob_size(bytes).map_err(|_| BadImage::Broken)?;
    let (width, height) = (size.width as u64, size.height as u64);
    if width == 0 || height == 0 {
        return Err(BadImage::Broken);
    }
    Ok(Look { content_type, width, height })
}

/// An address the rehearsal is willing to fetch: http or https, and never a link-local (metadata) address.
pub(crate) fn is_fetchable(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
        return false;
    }
    match url.host() {
        Some(Host::Ipv4(ip)) => !ip.is_link_local() && !ip.is_unspecified() && !ip.is_broadcast(),
        Some(Host::Ipv6(ip)) => ip.to_ipv4().is_none_or(|ip| ip.is_loopback()) && !ip.is_unicast_link_local(),
        Some(Host::Domain(name)) => !name.is_empty(),
        None => false,
    }
}

/// The bytes behind an address, or none: no redirects, ten seconds, forty megabytes.
pub(crate) async fn fetch(client: &reqwest::Client, address: &str) -> Option<Bytes> {
    if !is_fetchable(address) {
        return None;
    }
    let get = async {
        let answer = client.get(address).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let mut all = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.ok()?;
            if all.len() + chunk.len() > FETCH_CAP {
                return None;
            }
            all.extend_from_slice(&chunk);
        }
        Some(Bytes::from(all))
    };
    tokio::time::timeout(FETCH_TIMEOUT, get).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_and_a_text_are_told_apart() {
        assert_eq!(look(b"hello"), Err(BadImage::Format));
        assert_eq!(look(&[0x89, b'P', b'N', b'G', 1]), Err(BadImage::Broken));
    }

    #[test]
    fn metadata_addresses_are_never_fetched() {
        for address in ["http://169.254.169.254/x", "ftp://127.0.0.1/", "file:///etc/passwd", "http://[fe80::1]/", "nonsense"] {
            assert!(!is_fetchable(address), "{address}");
        }
        assert!(is_fetchable("http://127.0.0.1:3000/m/abc"));
    }
}
