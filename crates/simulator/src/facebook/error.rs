//! The Graph API's error envelope and the bodies of Meta notes 0.2 to 0.4 and A.3.

use serde_json::{Value, json};

use crate::call::{Answer, Stop};

#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    status: u16,
    code: i64,
    subcode: Option<u64>,
    message: String,
    kind: &'static str,
    is_transient: bool,
    /// Second part of `WWW-Authenticate`.
    auth: Option<&'static str>,
    for_user: Option<(&'static str, &'static str)>,
}

impl GraphError {
    pub(crate) fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            subcode: None,
            message: message.into(),
            kind: "OAuthException",
            is_transient: false,
            auth: None,
            for_user: None,
        }
    }

    pub(crate) fn sub(mut self, subcode: u64) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub(crate) fn told(mut self, title: &'static str, text: &'static str) -> Self {
        self.for_user = Some((title, text));
        self
    }

    /// 190: something about the token. Not every one has a subcode.
    pub(crate) fn token(subcode: Option<u64>, message: impl Into<String>) -> Self {
        Self { subcode, auth: Some("invalid_token"), ..Self::new(400, 190, message) }
    }

    /// A dead or foreign authorization code.
    pub(crate) fn code(subcode: Option<u64>, message: impl Into<String>) -> Self {
        Self { subcode, auth: Some("invalid_code"), ..Self::new(400, 100, message) }
    }

    /// 100/33: not there, or not for you.
    pub(crate) fn unknown_object(id: &str, method: &str) -> Self {
        let message = format!(
            "Unsupported {} request. Object with ID '{}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
            method.to_ascii_lowercase(),
            clipped(id),
        );
        Self { kind: "GraphMethodException", subcode: Some(33), ..Self::new(400, 100, message) }
    }

    pub(crate) fn bad_proof() -> Self {
        let message = "Invalid appsecret_proof provided in the API argument";
        Self { kind: "GraphMethodException", ..Self::new(400, 100, message) }
    }

    pub(crate) fn unknown_path(part: &str) -> Self {
        Self::new(400, 2500, format!("Unknown path components: /{}", clipped(part)))
    }

    pub(crate) fn parameter(message: impl AsRef<str>) -> Self {
        Self::new(400, 100, format!("(#100) {}", message.as_ref()))
    }

    /// 200: the person did not allow it.
    pub(crate) fn not_allowed(message: &str) -> Self {
        Self::new(403, 200, format!("(#200) {message}"))
    }

    /// 10: reading was not allowed.
    pub(crate) fn not_readable() -> Self {
        Self::new(
            403,
            10,
            "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access' feature.",
        )
    }

    pub(crate) fn app_limit() -> Self {
        Self { is_transient: true, ..Self::new(403, 4, "(#4) Application request limit reached") }
    }

    pub(crate) fn page_limit() -> Self {
        Self::new(
            400,
            80001,
            "(#80001) There have been too many calls to this Page account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.",
        )
    }

    pub(crate) fn unavailable() -> Self {
        Self { is_transient: true, ..Self::new(503, 2, "(#2) Service temporarily unavailable") }
    }

    /// UNVERIFIED for Pages: the Ads API's refusal, with its own words.
    pub(crate) fn retired() -> Self {
        Self::new(400, 2635, "(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v27.0.")
    }

    pub(crate) fn policy_block() -> Self {
        Self::new(400, 368, "The action attempted has been deemed abusive or is otherwise disallowed")
            .told("You are temporarily blocked", "This Page cannot post for now because of a policy violation.")
    }

    #[cfg(test)]
    pub(crate) fn code_number(&self) -> i64 {
        self.code
    }

    /// How `debug_token` tells it: `subcode`, not `error_subcode`.
    pub(crate) fn inside_debug(&self) -> Value {
        let mut out = json!({ "code": self.code, "message": self.message });
        if let Some(subcode) = self.subcode {
            out["subcode"] = json!(subcode);
        }
        out
    }

    pub(crate) fn answer(self) -> Answer {
        let mut error = json!({ "message": self.message, "type": self.kind, "code": self.code });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if self.is_transient {
            error["is_transient"] = json!(true);
        }
        if let Some((title, text)) = self.for_user {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(text);
        }
        let answer = Answer::json(self.status, json!({ "error": error }));
        match self.auth {
            Some(what) => {
                let quoted = self.message.replace('"', "'");
                answer.with("www-authenticate", &format!("OAuth \"Facebook Platform\" \"{what}\" \"{quoted}\""))
            }
            None => answer,
        }
    }
}

/// Foreign text in a message stays short.
fn clipped(text: &str) -> String {
    text.chars().take(80).collect()
}

impl From<GraphError> for Stop {
    fn from(error: GraphError) -> Self {
        error.answer().into()
    }
}
