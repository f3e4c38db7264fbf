//! What a browser brings back from a consent. Everything in it is hostile.

/// No parameter is longer than this, in bytes; a longer one is cut away as if it were not there.
const LONGEST: usize = 4096;

/// The parameters of a callback.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Returned {
    /// The state.
    pub state: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// An error instead.
    pub error: Option<String>,
    /// Its description.
    pub error_description: Option<String>,
    /// RFC 9207 issuer.
    pub iss: Option<String>,
}

impl std::fmt::Debug for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Returned").field("has_code", &self.code.is_some()).field("error", &self.error).finish_non_exhaustive()
    }
}

impl Returned {
    /// Reads a query. `None` when a parameter comes twice (RFC 6749 section 3.1: it must not).
    pub fn from_query(query: &str) -> Option<Self> {
        let mut returned = Self::default();
        let mut seen = [false; 5];
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let (number, field) = match name.as_ref() {
                "state" => (0, &mut returned.state),
                "code" => (1, &mut returned.code),
                "error" => (2, &mut returned.error),
                "error_description" => (3, &mut returned.error_description),
                "iss" => (4, &mut returned.iss),
                _ => continue,
            };
            if std::mem::replace(&mut seen[number], true) {
                return None;
            }
            if value.len() <= LONGEST {
                *field = Some(value.into_owned());
            }
        }
        Some(returned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_comes_twice_spoils_the_callback_also_when_it_was_too_long_to_be_kept() {
        assert!(Returned::from_query("code=a&state=b&code=c").is_none());
        let long = "x".repeat(LONGEST + 1);
        assert!(Returned::from_query(&format!("code={long}&code=short")).is_none());
        assert_eq!(Returned::from_query(&format!("code={long}&state=b")).unwrap().code, None);
    }

    #[test]
    fn parameters_are_unescaped_and_others_left_out() {
        let returned = Returned::from_query("code=a%2Fb+c&state=%C3%A4&other=1").unwrap();
        assert_eq!((returned.code.as_deref(), returned.state.as_deref()), (Some("a/b c"), Some("ä")));
    }
}
