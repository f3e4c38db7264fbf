//! Linked Accounts: what they are and how they are. (Owner: logins)

use domain::id::AccountId;
use domain::summary::accounts::{AccountPage, AccountsPage};
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

impl Services {
    /// Everything the page Linked Accounts shows.
    pub async fn accounts_page(&self, caller: &Caller) -> Answer<AccountsPage> { todo!() }
    /// Everything the page of one account shows.
    pub async fn account_page(&self, caller: &Caller, account: AccountId) -> Answer<AccountPage> { todo!() }
    /// Pauses posting to an account, or goes on.
    pub async fn pause_account(&self, caller: &Caller, account: AccountId, paused: bool) -> Answer<()> { todo!() }
    /// Takes an account out: planned posts to it become drafts; the login is revoked at the platform when no account and no sibling is left. Returns how many posts became drafts.
    pub async fn unlink_account(&self, caller: &Caller, account: AccountId) -> Answer<u32> { todo!() }
    /// Asks the platform now how this account is ("test this login now").
    pub async fn check_account(&self, caller: &Caller, account: AccountId) -> Answer<()> { todo!() }
}
