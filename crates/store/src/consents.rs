//! Consents under way. Times here are wall time; state and flow cookie are stored as hashes.

use domain::id::{ConsentId, GrantId, PersonId, PlatformAppId, WorkspaceId};
use domain::platform::Platform;
use domain::summary::link::ConsentOutcome;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::records::{at, id_bytes, json, parsed, platform};

macro_rules! columns {
    () => {
        "id, workspace_id, person_id, platform, app_id, grant_id, flow_hash, verifier, expires_at, used_at, tokens, result"
    };
}

const TABLE: &str = "consents";

/// A consent.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Id.
    pub id: ConsentId,
    /// The workspace it is for.
    pub workspace: WorkspaceId,
    /// Who started it.
    pub person: PersonId,
    /// Where.
    pub platform: Platform,
    /// Our registration.
    pub app: PlatformAppId,
    /// The login to bring back; none for a first link.
    pub grant: Option<GrantId>,
    /// Hash of the flow cookie.
    pub flow_hash: Vec<u8>,
    /// The PKCE verifier, sealed.
    pub verifier: Vec<u8>,
    /// When its state ends.
    pub expires_at: Timestamp,
    /// When its state was spent.
    pub used_at: Option<Timestamp>,
    /// What it brought, sealed, while a choice is open.
    pub tokens: Option<Vec<u8>>,
    /// What came of it.
    pub result: Option<ConsentOutcome>,
}

#[derive(FromRow)]
struct ConsentRow {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    person_id: Vec<u8>,
    platform: String,
    app_id: Vec<u8>,
    grant_id: Option<Vec<u8>>,
    flow_hash: Vec<u8>,
    verifier: Vec<u8>,
    expires_at: i64,
    used_at: Option<i64>,
    tokens: Option<Vec<u8>>,
    result: Option<String>,
}

impl TryFrom<ConsentRow> for Consent {
    type Error = StoreError;
    fn try_from(row: ConsentRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConsentId(id_bytes(TABLE, &row.id)?),
            workspace: WorkspaceId(id_bytes(TABLE, &row.workspace_id)?),
            person: PersonId(id_bytes(TABLE, &row.person_id)?),
            platform: platform(TABLE, &row.platform)?,
            app: PlatformAppId(id_bytes(TABLE, &row.app_id)?),
            grant: row.grant_id.map(|id| id_bytes(TABLE, &id).map(GrantId)).transpose()?,
            flow_hash: row.flow_hash,
            verifier: row.verifier,
            expires_at: Timestamp(row.expires_at),
            used_at: at(row.used_at),
            tokens: row.tokens,
            result: row.result.as_deref().map(|text| parsed(TABLE, text)).transpose()?,
        })
    }
}

impl Store {
    /// Writes a consent that begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_consent(&self, consent: &Consent, state_hash: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let result = consent.result.as_ref().map(|result| json(TABLE, result)).transpose()?;
        self.run(
            "insert into consents (id, workspace_id, person_id, platform, app_id, grant_id, state_hash, flow_hash, verifier, created_at, \
             expires_at, used_at, result) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            args![
                consent.id,
                consent.workspace,
                consent.person,
                consent.platform.code(),
                consent.app,
                consent.grant,
                state_hash,
                consent.flow_hash.clone(),
                consent.verifier.clone(),
                now,
                consent.expires_at,
                consent.used_at,
                result
            ],
        )
        .await?;
        Ok(())
    }

    /// The consent of a state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consent_by_state(&self, state_hash: [u8; 32]) -> Result<Option<Consent>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from consents where state_hash = $1");
        let row: Option<ConsentRow> = self.row(SQL, args![state_hash]).await?;
        row.map(Consent::try_from).transpose()
    }

    /// A consent of a person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consent(&self, person: PersonId, id: ConsentId) -> Result<Option<Consent>, StoreError> {
        const SQL: &str = concat!("select ", columns!(), " from consents where id = $1 and person_id = $2");
        let row: Option<ConsentRow> = self.row(SQL, args![id, person]).await?;
        row.map(Consent::try_from).transpose()
    }

    /// Spends the state of a consent: bound to flow cookie, person and platform, before its end, once. `false`: not so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend_consent(
        &self,
        state_hash: [u8; 32],
        flow_hash: [u8; 32],
        person: PersonId,
        platform: Platform,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self
            .run(
                "update consents set used_at = $5 where state_hash = $1 and flow_hash = $2 and person_id = $3 and platform = $4 \
                 and used_at is null and expires_at > $5",
                args![state_hash, flow_hash, person, platform.code(), now],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Keeps what a consent brought, sealed, before anything else is done with it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_consent_tokens(&self, id: ConsentId, sealed: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.run("update consents set tokens = $2 where id = $1", args![id, sealed]).await?;
        Ok(())
    }

    /// Writes what came of a consent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_consent(&self, id: ConsentId, result: &ConsentOutcome, keeps_tokens: bool) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.end_consent(id, result, keeps_tokens).await?;
        tx.commit().await
    }

    /// Wipes what unfinished choices hold when they began before `choices_from`, and drops consents that ended before `kept_from`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_consents(&self, choices_from: Timestamp, kept_from: Timestamp) -> Result<u64, StoreError> {
        self.run("update consents set tokens = null where tokens is not null and used_at < $1", args![choices_from]).await?;
        self.run("delete from consents where expires_at < $1", args![kept_from]).await
    }
}

impl Tx {
    /// Takes what a consent holds for an open choice, once. `false`: it was taken, or wiped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_consent_tokens(&mut self, id: ConsentId) -> Result<bool, StoreError> {
        Ok(self.run("update consents set tokens = null where id = $1 and tokens is not null", args![id]).await? == 1)
    }

    /// Writes what came of a consent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_consent(&mut self, id: ConsentId, result: &ConsentOutcome, keeps_tokens: bool) -> Result<(), StoreError> {
        let text = json(TABLE, result)?;
        if keeps_tokens {
            self.run("update consents set result = $2 where id = $1", args![id, text]).await?;
        } else {
            self.run("update consents set result = $2, tokens = null where id = $1", args![id, text]).await?;
        }
        Ok(())
    }
}
