//! What a consent brought: tokens, person, accounts; kept sealed in its row until something is made of it.

use std::time::Duration;

use domain::summary::refusal::ErrorCode;
use domain::time::Timestamp;
use platforms::adapter::{Board, Identity, RemoteAccount, Tokens};
use platforms::secret::{AccessToken, RefreshToken};
use serde::{Deserialize, Serialize};
use store::consents::Consent;
use vault::Sealed;

use super::{Answer, CHOICE_LASTS};
use crate::access::{brought_place, clear_text};
use crate::{ServiceError, Services};

/// What a consent brought, as it is sealed in its row: first the tokens alone, later what they showed.
#[derive(Serialize, Deserialize)]
pub(super) struct Brought {
    pub(super) at: Timestamp,
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) access_lives: Option<Duration>,
    pub(super) refresh_lives: Option<Duration>,
    pub(super) scopes: Option<Vec<String>>,
    #[serde(default)]
    pub(super) person: Option<BroughtPerson>,
    #[serde(default)]
    pub(super) accounts: Vec<BroughtAccount>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BroughtPerson {
    pub(super) remote_id: String,
    pub(super) name: String,
    pub(super) granted: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BroughtAccount {
    pub(super) remote_id: String,
    pub(super) name: String,
    pub(super) handle: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) access: Option<String>,
    pub(super) may_post: bool,
    pub(super) boards: Vec<Board>,
}

impl Brought {
    pub(super) fn new(tokens: &Tokens, at: Timestamp) -> Answer<Self> {
        Ok(Self {
            at,
            access: clear_text(tokens.access.to_seal())?,
            refresh: tokens.refresh.as_ref().map(|refresh| clear_text(refresh.to_seal())).transpose()?,
            access_lives: tokens.access_lives,
            refresh_lives: tokens.refresh_lives,
            scopes: tokens.scopes.clone(),
            person: None,
            accounts: Vec::new(),
        })
    }

    pub(super) fn tokens(&self) -> Tokens {
        Tokens {
            access: AccessToken::new(self.access.clone()),
            refresh: self.refresh.clone().map(RefreshToken::new),
            access_lives: self.access_lives,
            refresh_lives: self.refresh_lives,
            scopes: self.scopes.clone(),
        }
    }

    pub(super) fn saw(&mut self, identity: Identity) {
        // The answer that brought the tokens knows best what they may do.
        let granted = self.scopes.clone().unwrap_or(identity.granted);
        self.person = Some(BroughtPerson { remote_id: identity.remote_id, name: identity.name, granted, expires_at: identity.expires_at });
    }

    pub(super) fn found(&mut self, accounts: Vec<RemoteAccount>) -> Answer<()> {
        for account in accounts {
            let access = account.access.as_ref().map(|access| clear_text(access.to_seal())).transpose()?;
            self.accounts.push(BroughtAccount {
                remote_id: account.remote_id,
                name: account.name,
                handle: account.handle,
                picture: account.picture,
                access,
                may_post: account.may_post,
                boards: account.boards,
            });
        }
        Ok(())
    }

    pub(super) fn person(&self) -> Answer<&BroughtPerson> {
        self.person.as_ref().ok_or(ServiceError::Contradiction("a consent without a person"))
    }

    pub(super) fn account(&self, remote_id: &str) -> Option<&BroughtAccount> {
        self.accounts.iter().find(|account| account.remote_id == remote_id)
    }
}

impl Services {
    /// Keeps what a consent brought, sealed, in its row.
    pub(super) async fn keep(&self, consent: &Consent, brought: &Brought) -> Answer<()> {
        let key = self.data_key(consent.workspace).await?;
        let clear = zeroize::Zeroizing::new(
            serde_json::to_vec(brought).map_err(|_| ServiceError::Contradiction("what a consent brought cannot be written"))?,
        );
        let sealed = key.seal(&brought_place(consent.id), &clear)?;
        self.store.keep_consent_tokens(consent.id, Some(sealed.0)).await?;
        Ok(())
    }

    /// What a consent brought, while it is kept.
    ///
    /// # Errors
    /// `ConsentOver` when it was taken, or is kept no longer.
    pub(super) async fn kept(&self, consent: &Consent) -> Answer<Brought> {
        let sealed = consent.tokens.clone().ok_or(ErrorCode::ConsentOver)?;
        let is_open = consent.used_at.is_some_and(|used| used + CHOICE_LASTS > self.clocks.wall.now());
        if !is_open {
            return Err(ErrorCode::ConsentOver.into());
        }
        let key = self.data_key(consent.workspace).await?;
        let clear = key.open(&brought_place(consent.id), &Sealed(sealed))?;
        serde_json::from_slice(&clear).map_err(|_| ServiceError::Contradiction("what a consent brought cannot be read"))
    }
}
