//! Sign in, sign out, first start.

#![allow(missing_docs, reason = "the fields that `server` makes are the documented function's arguments")]

use leptos::prelude::*;

use super::{ApiError, FormOrJson, Json};

/// Signs a person in: sets the session cookie and leads to `then`, a path of ours, or to the start page.
#[server(SignIn, prefix = "/api/v1", endpoint = "auth/sign_in", input = FormOrJson, output = Json)]
pub async fn sign_in(email: String, password: String, #[server(default)] then: String) -> Result<(), ApiError> {
    use crate::context::{redirect, services, set_session, visitor};
    let session = services()?.sign_in(&email, password.into(), visitor().source).await?;
    set_session(&session.token);
    redirect(&then);
    Ok(())
}

/// Ends this browser's session.
#[server(SignOut, prefix = "/api/v1", endpoint = "auth/sign_out", input = FormOrJson, output = Json)]
pub async fn sign_out() -> Result<(), ApiError> {
    use crate::context::{clear_session, redirect, services, visitor};
    if let Some(token) = visitor().token {
        services()?.sign_out(&token).await?;
    }
    clear_session();
    redirect("/sign-in");
    Ok(())
}

/// Creates the first owner with the one-time code that the server printed, and signs them in.
#[server(CreateOwner, prefix = "/api/v1", endpoint = "auth/create_owner", input = FormOrJson, output = Json)]
pub async fn create_owner(
    code: String,
    name: String,
    email: String,
    password: String,
    workspace: String,
    zone: String,
) -> Result<(), ApiError> {
    use crate::context::{redirect, services, set_session};
    let owner = service::auth::NewOwner { name, email, password: password.into(), workspace, zone };
    let session = services()?.create_first_owner(code.trim(), owner).await?;
    set_session(&session.token);
    redirect("/");
    Ok(())
}

/// Whether this server still waits for its first owner.
#[server(WaitsForOwner, prefix = "/api/v1", endpoint = "auth/waits_for_owner", input = leptos::server_fn::codec::GetUrl, output = Json)]
pub async fn waits_for_owner() -> Result<bool, ApiError> {
    Ok(!crate::context::services()?.has_owner().await?)
}
