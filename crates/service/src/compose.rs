//! Compose: write, schedule, publish now, keep as draft. (Owner: posts)

use domain::id::PostId;
use domain::summary::compose::{ComposeInput, ComposePage, Composed};
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

impl Services {
    /// What Compose offers, for a new post or for editing one.
    pub async fn compose_page(&self, caller: &Caller, post: Option<PostId>) -> Answer<ComposePage> { todo!() }
    /// Saves what the person wrote. Refuses with `Content`, `NoAccounts`, `BadTime`, `BadZone`, `TimePassed` (with `instead`), `AlreadyBeingSent`.
    pub async fn compose(&self, caller: &Caller, input: ComposeInput) -> Answer<Composed> { todo!() }
}
