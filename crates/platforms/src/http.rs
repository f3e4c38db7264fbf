//! The one HTTP client.
//!
//! It follows no redirect (a token must not travel to another host), repeats nothing (a commit leaves once), knows no
//! proxy from the environment and reads answers up to a cap. Its errors are words of our own: an address can hold a token.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use bytes::BytesMut;
use cuts::{Cut, cut};
use domain::lease;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use url::Url;

use crate::adapter::{CallError, HttpError};
use crate::answer::{Answer, CAP};

/// How long we wait for a platform; [`lease`] counts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For a whole call.
    pub answer: Duration,
    /// For a whole call that carries images.
    pub upload: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: lease::LONGEST_CALL, upload: lease::LONGEST_UPLOAD }
    }
}

/// The client, shared by all adapters.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    upload: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The request never left.
    NotSent(HttpError),
    /// It left, and no whole answer came.
    Lost(HttpError),
}

impl From<Unanswered> for CallError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotSent(error) => Self::NotSent(error),
            Unanswered::Lost(error) => Self::Lost(error),
        }
    }
}

impl Http {
    pub(crate) fn new(patience: &Patience) -> Result<Self, HttpError> {
        let client = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(patience.connect)
            .timeout(patience.answer)
            // Shorter than servers keep an idle connection, so that a commit rarely meets one that is just being closed.
            .pool_idle_timeout(Duration::from_secs(15))
            .user_agent("Stayposted/0.1")
            .build();
        let client = client.map_err(|_| HttpError("the HTTP client cannot be built; are CA certificates installed?".to_owned()))?;
        Ok(Self { client, upload: patience.upload })
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    pub(crate) fn delete(&self, url: Url) -> RequestBuilder {
        self.client.delete(url)
    }

    /// A POST that carries images and may take longer.
    pub(crate) fn upload(&self, url: Url) -> RequestBuilder {
        self.client.post(url).timeout(self.upload)
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Unanswered> {
        let request = request.build().map_err(|_| not_sent("the request could not be built"))?;
        // Host and path hold ids only; tokens stand in the query, in headers or in the body.
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let name = cuts::Request { method: method.as_str(), path: &path };
        cut(Cut::BeforeRequest, name);
        let mut response = self.client.execute(request).await.map_err(|error| unanswered(&error))?;
        cut(Cut::AfterRequest, name);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        let mut is_cut = false;
        // A body that ends early is no answer: what it would have said is unknown.
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(words(&error)))? {
            let room = CAP - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                is_cut = true;
                break;
            }
        }
        cut(Cut::AnswerRead, name);
        tracing::debug!(%method, path, status, bytes = body.len(), "platform answered");
        Ok(Answer { status, headers, body: body.freeze(), is_cut })
    }
}

pub(crate) fn not_sent(words: &str) -> Unanswered {
    Unanswered::NotSent(HttpError(words.to_owned()))
}

pub(crate) fn lost(words: &str) -> Unanswered {
    Unanswered::Lost(HttpError(words.to_owned()))
}

fn unanswered(error: &reqwest::Error) -> Unanswered {
    if error.is_builder() || error.is_connect() { not_sent(words(error)) } else { lost(words(error)) }
}

/// What happened, in our own words. The error's own text is not used: it holds the address.
fn words(error: &reqwest::Error) -> &'static str {
    if error.is_builder() {
        return "the request could not be built";
    }
    if error.is_connect() {
        return match io_kind(error) {
            _ if error.is_timeout() => "no connection in time",
            _ if error.is_dns() => "the name of the host could not be resolved",
            Some(ErrorKind::ConnectionRefused) => "the connection was refused",
            _ => "no connection",
        };
    }
    match io_kind(error) {
        _ if error.is_timeout() => "no answer in time",
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => "the connection was cut",
        _ if error.is_body() || error.is_decode() => "the answer was cut or damaged",
        _ => "the connection failed before the answer was complete",
    }
}

fn io_kind(error: &reqwest::Error) -> Option<ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = error.source();
    }
    None
}

/// The address of `segments` below `base`. Each segment is escaped, so that none can leave its place.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// An id of a platform that may stand in an address. Anything else would be a mistake or an attack.
pub(crate) fn id(text: &str) -> Result<&str, Unanswered> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=128).contains(&text.len()) && text.bytes().all(fits) { Ok(text) } else { Err(not_sent("this is no id of the platform")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_below_its_base() {
        let base = Url::parse("http://localhost:3000/sim/").unwrap();
        assert_eq!(below(&base, &["v26.0", "1001", "feed"]).as_str(), "http://localhost:3000/sim/v26.0/1001/feed");
        assert_eq!(below(&base, &["a/b?c#d"]).as_str(), "http://localhost:3000/sim/a%2Fb%3Fc%23d");
        assert_eq!(below(&Url::parse("https://a.example?x=1").unwrap(), &["y"]).as_str(), "https://a.example/y");
    }

    #[test]
    fn only_plain_ids_go_into_an_address() {
        assert!(id("1001_2002").is_ok());
        for bad in ["", "..", "1/2", "1?x", "ä", "1 2", &"9".repeat(129)] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }
}
