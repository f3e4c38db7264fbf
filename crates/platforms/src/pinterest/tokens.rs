//! Consent, exchange and renewal. The `oauth2` crate builds the requests and reads the answers; the client is ours.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::policy::PINTEREST;
use domain::time::Timestamp;
use http::header::AUTHORIZATION;
use http::{Response, StatusCode};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Pinterest, classify, versioned};
use crate::adapter::{App, CallError, ConsentRequest, HttpError, Tokens};
use crate::answer::{Answer, Call, understood, unreadable};
use crate::http::{Unanswered, below};
use crate::json::{life, text};
use crate::secret::{AccessToken, AuthorizationCode, RefreshToken};

/// A token answer, read leniently: a number may come as text, and what cannot be a length is unknown.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "Value")]
struct TokenAnswer {
    access: oauth2::AccessToken,
    refresh: Option<oauth2::RefreshToken>,
    access_lives: Option<Duration>,
    refresh_lives: Option<Duration>,
    scopes: Option<Vec<Scope>>,
    kind: BasicTokenType,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenAnswer(…)")
    }
}

impl TryFrom<Value> for TokenAnswer {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let scopes = text(&value, "scope").map(|scopes| {
            let names = scopes.split([' ', ',']).filter(|name| !name.is_empty());
            names.map(|name| Scope::new(name.to_owned())).collect()
        });
        Ok(Self {
            access: text(&value, "access_token").map(oauth2::AccessToken::new).ok_or("no access token")?,
            // Empty is absent: a stored refresh token is never replaced by nothing.
            refresh: text(&value, "refresh_token").filter(|token| !token.trim().is_empty()).map(oauth2::RefreshToken::new),
            access_lives: life(&value, "expires_in"),
            refresh_lives: life(&value, "refresh_token_expires_in"),
            scopes,
            kind: BasicTokenType::Bearer,
        })
    }
}

impl TokenResponse for TokenAnswer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &oauth2::AccessToken {
        &self.access
    }
    fn token_type(&self) -> &BasicTokenType {
        &self.kind
    }
    fn expires_in(&self) -> Option<Duration> {
        self.access_lives
    }
    fn refresh_token(&self) -> Option<&oauth2::RefreshToken> {
        self.refresh.as_ref()
    }
    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

impl From<TokenAnswer> for Tokens {
    fn from(answer: TokenAnswer) -> Self {
        Self {
            scopes: answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()),
            refresh: answer.refresh_token().map(|token| RefreshToken::new(token.secret().clone())),
            access: AccessToken::new(answer.access_token().secret().clone()),
            access_lives: answer.access_lives,
            refresh_lives: answer.refresh_lives,
        }
    }
}

type OAuth = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

fn client(app: &App) -> OAuth {
    // The document writes the address with a slash at its end.
    let dialog = below(&app.endpoints.browser, &["oauth", ""]);
    Client::new(ClientId::new(app.client_id.clone()))
        .set_client_secret(ClientSecret::new(app.secret.expose().to_owned()))
        .set_auth_type(AuthType::BasicAuth)
        .set_auth_uri(AuthUrl::from_url(dialog))
        .set_token_uri(TokenUrl::from_url(versioned(app, &["oauth", "token"])))
        .set_redirect_uri(RedirectUrl::from_url(app.redirect_uri.clone()))
}

/// The address of the consent. Pinterest has neither "ask again" nor "switch the person".
pub(super) fn consent_url(app: &App, request: &ConsentRequest) -> Url {
    let state = request.state.clone();
    let scopes = PINTEREST.scopes.iter().map(|scope| Scope::new(scope.name.to_owned()));
    client(app).authorize_url(|| CsrfToken::new(state)).add_scopes(scopes).url().0
}

impl Pinterest {
    pub(super) async fn exchange_code(&self, app: &App, code: &AuthorizationCode, now: Timestamp) -> Result<Tokens, CallError> {
        let door = Door::new(self);
        let client = client(app);
        let request = client
            .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
            // Older apps must ask for refresh tokens that slide; for newer ones it changes nothing.
            .add_extra_param("continuous_refresh", "true");
        let outcome = request.request_async(&door).await;
        door.outcome(outcome, Call::Exchange, now)
    }

    pub(super) async fn renew_pair(&self, app: &App, refresh: &RefreshToken, now: Timestamp) -> Result<Tokens, CallError> {
        let door = Door::new(self);
        let client = client(app);
        let refresh = oauth2::RefreshToken::new(refresh.expose().to_owned());
        let outcome = client.exchange_refresh_token(&refresh).request_async(&door).await;
        door.outcome(outcome, Call::Renewal, now)
    }
}

/// Carries one request of the `oauth2` crate through our client and keeps the answer, which that crate's errors do not.
struct Door<'a> {
    pinterest: &'a Pinterest,
    answer: Mutex<Option<Answer>>,
}

/// The trouble of a request, in a form that the crate accepts.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer(Unanswered);

impl<'c> AsyncHttpClient<'c> for Door<'_> {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.pass(request))
    }
}

impl<'a> Door<'a> {
    const fn new(pinterest: &'a Pinterest) -> Self {
        Self { pinterest, answer: Mutex::new(None) }
    }

    async fn pass(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let not_built = || NoAnswer(crate::http::not_sent("the request could not be built"));
        let (mut parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| not_built())?;
        if let Some(credentials) = parts.headers.get_mut(AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        let request = self.pinterest.http.post(url).headers(parts.headers).body(body);
        let answer = self.pinterest.http.send(request).await.map_err(NoAnswer)?;
        // Every 2xx and every content type may bring tokens, and fresh tokens are never thrown away for a header's sake.
        let status = if answer.is_success() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        let mut response = Response::new(answer.body.to_vec());
        *response.status_mut() = status;
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Ok(response)
    }

    fn outcome(
        self,
        outcome: Result<TokenAnswer, RequestTokenError<NoAnswer, BasicErrorResponse>>,
        call: Call,
        now: Timestamp,
    ) -> Result<Tokens, CallError> {
        match outcome {
            Ok(answer) => Ok(answer.into()),
            Err(RequestTokenError::Request(NoAnswer(unanswered))) => Err(unanswered.into()),
            // What went wrong is read from the answer itself: the crate's errors carry neither status nor code.
            Err(_) => match self.answer.into_inner().unwrap_or_else(PoisonError::into_inner) {
                None => Err(CallError::NotSent(HttpError("the request could not be built".to_owned()))),
                // A success that names no tokens: they may have been made all the same.
                Some(answer) => understood(&answer, classify::judge(call, &answer, now)).and(Err(unreadable())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::public_endpoints;
    use crate::secret::AppSecret;
    use domain::platform::Platform;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn tokens(value: Value) -> Tokens {
        TokenAnswer::try_from(value).unwrap().into()
    }

    #[test]
    fn the_consent_gets_what_the_document_names_and_no_secret() {
        let app = App {
            client_id: "1".into(),
            secret: AppSecret::new("hidden".into()),
            endpoints: public_endpoints(Platform::Pinterest),
            redirect_uri: Url::parse("https://app.example/oauth/pinterest/callback").unwrap(),
        };
        let request = ConsentRequest { state: "s+/= &".into(), pkce_challenge: "c".into(), ask_again: true, switch_person: true };
        let url = consent_url(&app, &request);
        assert!(url.as_str().starts_with("https://www.pinterest.com/oauth/?"));
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let expected = [
            ("client_id", "1"),
            ("redirect_uri", "https://app.example/oauth/pinterest/callback"),
            ("response_type", "code"),
            ("scope", "boards:read boards:write pins:read pins:write user_accounts:read"),
            ("state", "s+/= &"),
        ];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert!(!url.as_str().contains("hidden"));
    }

    #[test]
    fn a_token_answer_is_read_leniently() {
        let found = tokens(json!({
            "access_token": "pina_A", "refresh_token": "pinr_R", "token_type": "BEARER", "expires_in": "2592000",
            "refresh_token_expires_in": 5_184_000, "scope": "boards:read,pins:read  pins:write"
        }));
        assert_eq!(found.access.expose(), "pina_A");
        assert_eq!(found.refresh.unwrap().expose(), "pinr_R");
        assert_eq!(found.access_lives, Some(Duration::from_secs(2_592_000)));
        assert_eq!(found.refresh_lives, Some(Duration::from_secs(5_184_000)));
        assert_eq!(found.scopes.unwrap(), ["boards:read", "pins:read", "pins:write"]);
    }

    #[test]
    fn nonsense_beside_the_token_does_not_lose_the_token() {
        for nonsense in [json!(0), json!(-1), json!("x"), json!(1e12), json!(null), json!({})] {
            let found = tokens(json!({"access_token": "pina_A", "refresh_token": "", "expires_in": nonsense, "scope": null}));
            assert_eq!(found.access_lives, None, "{nonsense}");
            assert!(found.refresh.is_none() && found.scopes.is_none());
        }
        assert!(TokenAnswer::try_from(json!({"access_token": ""})).is_err());
        assert!(TokenAnswer::try_from(json!([])).is_err());
    }

    #[test]
    fn no_debug_output_shows_a_token() {
        let answer = TokenAnswer::try_from(json!({"access_token": "pina_canary", "refresh_token": "pinr_canary"})).unwrap();
        assert!(!format!("{answer:?}").contains("canary"));
        assert!(!format!("{:?}", Tokens::from(answer)).contains("canary"));
    }
}
