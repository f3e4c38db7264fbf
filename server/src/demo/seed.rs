//! The person and the workspace that every rehearsal starts with.

use domain::id::PersonId;
use secrecy::SecretString;
use service::Services;
use service::auth::NewOwner;
use vault::{SystemChance, random_token};

/// How the demo owner would sign in, had they a password that anybody knows.
pub(super) const OWNER_EMAIL: &str = "mara@blumenjung.example";

/// The demo owner; made on first start. Nobody knows the password: the demo signs in by its own address.
///
/// # Errors
/// When the database fails.
pub(crate) async fn owner(services: &Services) -> anyhow::Result<PersonId> {
    if let Some((person, _)) = services.store.password_of(OWNER_EMAIL).await? {
        return Ok(person);
    }
    let owner = NewOwner {
        name: "Mara Jung".to_owned(),
        email: OWNER_EMAIL.to_owned(),
        password: SecretString::from(random_token(&SystemChance)),
        workspace: "Blumen Jung".to_owned(),
        zone: "Europe/Berlin".to_owned(),
    };
    Ok(services.create_owner(owner).await?.0)
}
