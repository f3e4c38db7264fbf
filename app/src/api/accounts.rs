//! Linked Accounts.

#![allow(missing_docs, reason = "the fields that `server` makes are the documented function's arguments")]

use domain::id::AccountId;
use domain::summary::accounts::{AccountPage, AccountsPage};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::{ApiError, FormOrJson, Json};

/// Everything the page Linked Accounts shows.
#[server(ListAccounts, prefix = "/api/v1", endpoint = "accounts/list", input = GetUrl, output = Json)]
pub async fn list_accounts(#[server(default)] workspace: String) -> Result<AccountsPage, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.accounts_page(&caller).await?)
}

/// Everything the page of one account shows.
#[server(ShowAccount, prefix = "/api/v1", endpoint = "accounts/show", input = GetUrl, output = Json)]
pub async fn show_account(#[server(default)] workspace: String, account: AccountId) -> Result<AccountPage, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.account_page(&caller, account).await?)
}

/// Pauses posting to an account, or goes on.
#[server(PauseAccount, prefix = "/api/v1", endpoint = "accounts/pause", input = FormOrJson, output = Json)]
pub async fn pause_account(#[server(default)] workspace: String, account: AccountId, paused: bool) -> Result<(), ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::ManageAccounts)?;
    Ok(services()?.pause_account(&caller, account, paused).await?)
}

/// Takes an account out; planned posts to it become drafts. Answers how many.
#[server(UnlinkAccount, prefix = "/api/v1", endpoint = "accounts/unlink", input = FormOrJson, output = Json)]
pub async fn unlink_account(#[server(default)] workspace: String, account: AccountId) -> Result<u32, ApiError> {
    use crate::context::{caller, redirect, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::ManageAccounts)?;
    let drafts = services()?.unlink_account(&caller, account).await?;
    redirect(&crate::words::href(&workspace, crate::words::ACCOUNTS));
    Ok(drafts)
}

/// Asks the platform now how an account is.
#[server(CheckAccount, prefix = "/api/v1", endpoint = "accounts/check", input = FormOrJson, output = Json)]
pub async fn check_account(#[server(default)] workspace: String, account: AccountId) -> Result<(), ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::RefreshLogin)?;
    Ok(services()?.check_account(&caller, account).await?)
}
