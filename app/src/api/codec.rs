//! How arguments travel: reads in the query of a GET, writes by content type, so that forms work before WASM arrives
//! and programs send JSON.

use leptos::server_fn::codec::{Post, PostUrl};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, Http, ServerFn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ApiError;

/// Arguments in the body of a POST, as `application/x-www-form-urlencoded` or `application/json`. The browser sends forms.
pub type FormOrJson = Post<ByContentType>;

/// Answers as JSON.
pub type Json = Post<JsonText>;

/// A server function that changes something and can be the target of a form.
pub trait Write: ServerFn<Protocol = Http<FormOrJson, Json>, Error = ApiError> {}
impl<F: ServerFn<Protocol = Http<FormOrJson, Json>, Error = ApiError>> Write for F {}

/// Says that a body came in a content type which we do not take.
pub(super) const WRONG_CONTENT_TYPE: &str = "wrong content type";

/// Reads a body by its content type; see [`FormOrJson`].
#[derive(Debug)]
pub struct ByContentType;

impl ContentType for ByContentType {
    const CONTENT_TYPE: &'static str = PostUrl::CONTENT_TYPE;
}

impl FormatType for ByContentType {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for ByContentType {
    type Error = serde_qs::Error;

    fn encode(arguments: &T) -> Result<Bytes, Self::Error> {
        serde_qs::to_string(arguments).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for ByContentType {
    type Error = String;

    #[cfg(feature = "ssr")]
    fn decode(body: Bytes) -> Result<T, String> {
        match crate::context::content_type().as_deref().and_then(is_json) {
            Some(true) => serde_json::from_slice(&body).map_err(|error| error.to_string()),
            Some(false) => serde_qs::Config::new(5, false).deserialize_bytes(&body).map_err(|error| error.to_string()),
            None => Err(WRONG_CONTENT_TYPE.to_owned()),
        }
    }

    #[cfg(not(feature = "ssr"))]
    fn decode(_: Bytes) -> Result<T, String> {
        Err(WRONG_CONTENT_TYPE.to_owned())
    }
}

/// JSON that is read as text. Leptos reads the data inside a page as text too; reading answers as bytes, as its own
/// codec does, would bring a second copy of every type's reader into the browser.
#[derive(Debug)]
pub struct JsonText;

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for JsonText {
    type Error = serde_json::Error;

    fn encode(answer: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(answer).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonText {
    type Error = String;

    fn decode(body: Bytes) -> Result<T, String> {
        let text = std::str::from_utf8(&body).map_err(|_| "not text".to_owned())?;
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// Which of the two a content type names.
#[cfg(feature = "ssr")]
fn is_json(content_type: &str) -> Option<bool> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Some(true)
    } else if essence.eq_ignore_ascii_case(PostUrl::CONTENT_TYPE) {
        Some(false)
    } else {
        None
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Arguments {
        text: String,
        #[serde(default)]
        ids: Vec<String>,
    }

    fn decode(content_type: &str, body: &str) -> Result<Arguments, String> {
        let owner = Owner::new();
        owner.with(|| {
            let request = http::Request::builder().header("content-type", content_type).body(()).expect("a request");
            provide_context(request.into_parts().0);
            ByContentType::decode(Bytes::from(body.to_owned()))
        })
    }

    #[test]
    fn only_two_content_types_are_taken() {
        assert_eq!(is_json("application/json; charset=utf-8"), Some(true));
        assert_eq!(is_json("Application/X-WWW-Form-Urlencoded"), Some(false));
        for other in ["", "text/plain", "multipart/form-data; boundary=x", "application/jsonp"] {
            assert_eq!(is_json(other), None, "{other}");
        }
    }

    #[test]
    fn forms_and_json_say_the_same() {
        let said = Arguments { text: "a & b".to_owned(), ids: vec!["1".to_owned(), "2".to_owned()] };
        assert_eq!(decode("application/json", r#"{"text":"a & b","ids":["1","2"]}"#).as_ref(), Ok(&said));
        assert_eq!(decode("application/x-www-form-urlencoded", "text=a+%26+b&ids[]=1&ids[]=2").as_ref(), Ok(&said));
        assert_eq!(decode("application/x-www-form-urlencoded", "text=a+%26+b&ids%5B%5D=1&ids%5B%5D=2").as_ref(), Ok(&said));
        let sent = ByContentType::encode(&said).unwrap();
        assert_eq!(decode("application/x-www-form-urlencoded", std::str::from_utf8(&sent).unwrap()).as_ref(), Ok(&said));
    }

    #[test]
    fn another_content_type_is_told_from_bad_arguments() {
        assert_eq!(decode("text/plain", "text=a"), Err(WRONG_CONTENT_TYPE.to_owned()));
        assert!(decode("application/json", "{").is_err_and(|error| error != WRONG_CONTENT_TYPE));
    }
}
