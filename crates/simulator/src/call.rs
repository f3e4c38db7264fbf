//! One request as the platforms read it, and the answer they give.

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use url::form_urlencoded;

/// Larger bodies are refused. Pinterest takes five images of base64 in one.
pub(crate) const BODY_CAP: usize = 64 * 1024 * 1024;

/// A request, wholly read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Parts of the path below the platform's root, percent-decoded.
    pub(crate) segments: Vec<String>,
    /// Query and body fields; a later one wins. Values of a JSON body that are not text stay JSON.
    pub(crate) params: Vec<(String, String)>,
    /// A JSON body.
    pub(crate) json: Option<Value>,
    /// The file part of a multipart body.
    pub(crate) file: Option<Bytes>,
    pub(crate) headers: HeaderMap,
    /// The body said it was JSON or multipart and could not be read as that.
    pub(crate) is_garbled: bool,
    pub(crate) is_too_large: bool,
    /// Files fetched for this call by address; none where fetching failed.
    pub(crate) fetched: HashMap<String, Option<Bytes>>,
}

impl Call {
    /// Reads a request; `root` is the part of its path that belongs to the router.
    pub(crate) async fn read(request: Request, root: &str) -> Self {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let mut call = Self {
            method: parts.method.clone(),
            segments: segments(path.strip_prefix(root).unwrap_or(&path)),
            path,
            params: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            json: None,
            file: None,
            headers: parts.headers.clone(),
            is_garbled: false,
            is_too_large: false,
            fetched: HashMap::new(),
        };
        let Ok(body) = axum::body::to_bytes(body, BODY_CAP).await else {
            call.is_too_large = true;
            return call;
        };
        let kind = call.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("multipart/form-data") {
            call.read_multipart(Request::from_parts(parts, Body::from(body))).await;
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            call.params.extend(pairs(&body));
        } else if !body.is_empty() {
            call.read_json(&body);
        }
        call
    }

    fn read_json(&mut self, body: &[u8]) {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(fields)) => {
                for (name, value) in &fields {
                    let text = match value {
                        Value::String(text) => text.clone(),
                        Value::Null => continue,
                        other => other.to_string(),
                    };
                    self.params.push((name.clone(), text));
                }
                self.json = Some(Value::Object(fields));
            }
            _ => self.is_garbled = true,
        }
    }

    async fn read_multipart(&mut self, request: Request) {
        let Ok(mut form) = Multipart::from_request(request, &()).await else {
            self.is_garbled = true;
            return;
        };
        loop {
            match form.next_field().await {
                Ok(Some(field)) => {
                    let name = field.name().unwrap_or_default().to_owned();
                    let is_file = field.file_name().is_some() || name == "source";
                    let Ok(bytes) = field.bytes().await else {
                        self.is_garbled = true;
                        return;
                    };
                    if is_file {
                        self.file = Some(bytes);
                    } else {
                        self.params.push((name, String::from_utf8_lossy(&bytes).into_owned()));
                    }
                }
                Ok(None) => return,
                Err(_) => {
                    self.is_garbled = true;
                    return;
                }
            }
        }
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What follows `Bearer` or `OAuth` in the authorization header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth")).then(|| token.trim())
    }

    /// User and password of HTTP Basic authorization.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let (scheme, coded) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let plain = String::from_utf8(STANDARD.decode(coded.trim()).ok()?).ok()?;
        let (user, password) = plain.split_once(':')?;
        let decoded = |text: &str| percent_decoded(text);
        Some((decoded(user), decoded(password)))
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(percent_decoded).collect()
}

fn percent_decoded(text: &str) -> String {
    // A plus sign is itself outside forms.
    let text = text.replace('+', "%2B");
    form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

pub(crate) fn pairs(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

/// What a platform answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// Sent instead of `body`.
    pub(crate) raw: Option<(&'static str, Bytes)>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), headers: HeaderMap::new(), body, raw: None }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    /// Bytes that no header may hold are left out of `value`.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let clean: String = value.chars().filter(|c| matches!(c, ' '..='~')).collect();
        if let Ok(value) = HeaderValue::from_str(&clean) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A page of a machine that stands in front of the platform.
    pub(crate) fn html_in_the_way() -> Self {
        let page = Bytes::from_static(
            b"<!DOCTYPE html><html><head><title>One moment</title></head><body><h1>One moment, please</h1></body></html>",
        );
        Self { raw: Some(("text/html; charset=utf-8", page)), ..Self::ok(Value::Null) }
    }

    /// The same answer with its JSON broken off in the middle.
    pub(crate) fn cut_short(self) -> Self {
        let whole = self.body.to_string();
        let half = whole.char_indices().nth(whole.chars().count() / 2).map_or(0, |(at, _)| at);
        let part = Bytes::from(whole.as_bytes()[..half].to_vec());
        Self { raw: Some(("application/json; charset=UTF-8", part)), status: StatusCode::OK, ..self }
    }

    pub(crate) fn into_response(self) -> Response {
        let (kind, bytes) = self.raw.unwrap_or_else(|| ("application/json; charset=UTF-8", Bytes::from(self.body.to_string())));
        let is_empty = self.status == StatusCode::NO_CONTENT;
        let mut response = Response::new(if is_empty { Body::empty() } else { Body::from(bytes) });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Cuts the connection: no byte of an answer leaves.
///
/// The body fails at its first poll. hyper polls it before it flushes the head of an HTTP/1 answer, gives the
/// connection up and closes the socket, so the client sees a connection that ended without an answer.
pub(crate) fn cut() -> Response {
    let broken = futures::stream::once(async {
        Err::<Bytes, _>(std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut by a rehearsal fault"))
    });
    let mut response = Response::new(Body::from_stream(broken));
    // No compressing layer may wrap the body; nobody ever sees this header.
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
}

/// Why a handler stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// This is the answer.
    Answer(Box<Answer>),
    /// First these addresses must be fetched; then ask again. Nothing was changed yet.
    Fetch(Vec<String>),
}

impl From<Answer> for Stop {
    fn from(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }
}

pub(crate) type Outcome = Result<Answer, Stop>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_is_decoded_part_by_part() {
        assert_eq!(segments("/v26.0/1%2F2/feed/"), ["v26.0", "1/2", "feed"]);
    }

    #[test]
    fn a_cut_answer_is_not_json() {
        let answer = Answer::ok(json!({ "id": "ümläut" })).cut_short();
        let (_, bytes) = answer.raw.expect("raw");
        assert!(serde_json::from_slice::<Value>(&bytes).is_err());
    }

    #[test]
    fn a_header_cannot_be_split() {
        let answer = Answer::ok(Value::Null).with("x-note", "a\r\nset-cookie: b");
        assert_eq!(answer.headers["x-note"], "aset-cookie: b");
    }
}
