//! The frame and the start page.

#![allow(missing_docs, reason = "the fields that `server` makes are the documented function's arguments")]

use domain::summary::overview::OverviewPage;
use domain::summary::shell::Shell;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::{ApiError, Json};

/// Who is signed in, where, and what the badges show.
#[server(LoadShell, prefix = "/api/v1", endpoint = "shell", input = GetUrl, output = Json)]
pub async fn shell(#[server(default)] workspace: String) -> Result<Shell, ApiError> {
    use crate::context::{caller, services};
    let caller = caller(&workspace).await?;
    Ok(services()?.shell(&caller).await?)
}

/// Everything Overview shows.
#[server(LoadOverview, prefix = "/api/v1", endpoint = "overview", input = GetUrl, output = Json)]
pub async fn overview(#[server(default)] workspace: String) -> Result<OverviewPage, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.overview(&caller).await?)
}
