//! The login dialog.

use domain::policy::FACEBOOK;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope};
use url::Url;

use crate::adapter::{App, ConsentRequest};
use crate::http::below;

pub(super) fn url(app: &App, request: &ConsentRequest) -> Url {
    let dialog = below(&app.endpoints.browser, &[FACEBOOK.api_version.name, "dialog", "oauth"]);
    let client = BasicClient::new(ClientId::new(app.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(dialog))
        .set_redirect_uri(RedirectUrl::from_url(app.redirect_uri.clone()));
    let state = request.state.clone();
    let mut address =
        client.authorize_url(|| CsrfToken::new(state)).add_scopes(FACEBOOK.scopes.iter().map(|scope| Scope::new(scope.name.to_owned())));
    // One value only: what two together do is not documented.
    if request.switch_person {
        address = address.add_extra_param("auth_type", "reauthenticate");
    } else if request.ask_again {
        address = address.add_extra_param("auth_type", "rerequest");
    }
    address.url().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::public_endpoints;
    use crate::secret::AppSecret;
    use domain::platform::Platform;
    use std::collections::BTreeMap;

    fn address(ask_again: bool, switch_person: bool) -> (Url, BTreeMap<String, String>) {
        let app = App {
            client_id: "1".into(),
            secret: AppSecret::new("hidden".into()),
            endpoints: public_endpoints(Platform::Facebook),
            redirect_uri: Url::parse("https://app.example/oauth/facebook/callback").unwrap(),
        };
        let request = ConsentRequest { state: "s+/= &".into(), pkce_challenge: "c".into(), ask_again, switch_person };
        let url = url(&app, &request);
        let query = url.query_pairs().into_owned().collect();
        (url, query)
    }

    #[test]
    fn the_dialog_gets_what_the_document_names_and_no_secret() {
        let (url, query) = address(false, false);
        assert!(url.as_str().starts_with("https://www.facebook.com/v26.0/dialog/oauth?"));
        let expected = [
            ("client_id", "1"),
            ("redirect_uri", "https://app.example/oauth/facebook/callback"),
            ("response_type", "code"),
            ("scope", "pages_show_list pages_read_engagement pages_manage_posts"),
            ("state", "s+/= &"),
        ];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert!(!url.as_str().contains("hidden"));
    }

    #[test]
    fn asking_again_and_switching_the_person_are_said() {
        assert_eq!(address(true, false).1["auth_type"], "rerequest");
        assert_eq!(address(false, true).1["auth_type"], "reauthenticate");
        assert_eq!(address(true, true).1["auth_type"], "reauthenticate");
    }
}
