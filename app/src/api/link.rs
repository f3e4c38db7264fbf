//! Linking and Refresh Credentials: from the button to the result page.

#![allow(missing_docs, reason = "the fields that `server` makes are the documented function's arguments")]

use domain::id::{ConsentId, GrantId};
use domain::platform::Platform;
use domain::summary::link::{ConsentResult, GoingTo};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::{ApiError, FormOrJson, Json};

/// Starts a first link. A form without script goes on to the page that leads to the platform.
#[server(StartLink, prefix = "/api/v1", endpoint = "link/start", input = FormOrJson, output = Json)]
pub async fn start_link(#[server(default)] workspace: String, platform: Platform) -> Result<GoingTo, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::ManageAccounts)?;
    Ok(lead_out(services()?.start_link(&caller, platform).await?))
}

/// Refresh Credentials: starts the consent for exactly this login.
#[server(RefreshLogin, prefix = "/api/v1", endpoint = "link/refresh", input = FormOrJson, output = Json)]
pub async fn refresh_login(
    #[server(default)] workspace: String,
    grant: GrantId,
    #[server(default)] switch_person: bool,
) -> Result<GoingTo, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::RefreshLogin)?;
    let options = service::consent::RefreshOptions { switch_person };
    Ok(lead_out(services()?.start_refresh(&caller, grant, options).await?))
}

#[cfg(feature = "ssr")]
fn lead_out(started: service::consent::Started) -> GoingTo {
    use crate::context::{redirect_form, set_flow};
    set_flow(&started.flow, &started.going_to.url);
    redirect_form(&format!("/leaving/{}", started.going_to.platform));
    started.going_to
}

/// Where the page that leads to a platform leads, for a browser without script.
#[server(LoadGoingTo, prefix = "/api/v1", endpoint = "link/going_to", input = GetUrl, output = Json)]
pub async fn load_going_to(platform: Platform) -> Result<GoingTo, ApiError> {
    use domain::summary::refusal::ErrorCode;
    let url = crate::context::going_to().ok_or(ErrorCode::ConsentOver)?;
    Ok(GoingTo { platform, url })
}

/// The result of a consent.
#[server(ShowResult, prefix = "/api/v1", endpoint = "link/result", input = GetUrl, output = Json)]
pub async fn show_result(#[server(default)] workspace: String, consent: ConsentId) -> Result<ConsentResult, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.consent_result(&caller, consent).await?)
}

/// First link: links what was chosen.
#[server(ChooseAccounts, prefix = "/api/v1", endpoint = "link/choose", input = FormOrJson, output = Json)]
pub async fn choose_accounts(
    #[server(default)] workspace: String,
    consent: ConsentId,
    #[server(default)] remote_ids: Vec<String>,
) -> Result<ConsentResult, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::ManageAccounts)?;
    Ok(services()?.link_chosen(&caller, consent, remote_ids).await?)
}

/// Lets the other person's login take the accounts over that both manage.
#[server(TakeOver, prefix = "/api/v1", endpoint = "link/take_over", input = FormOrJson, output = Json)]
pub async fn take_over(#[server(default)] workspace: String, consent: ConsentId) -> Result<ConsentResult, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::ManageAccounts)?;
    Ok(services()?.take_over(&caller, consent).await?)
}

/// Asks the platform once more what it did not answer at a sign-in; nobody signs in again for it.
#[server(ResumeSignIn, prefix = "/api/v1", endpoint = "link/resume", input = FormOrJson, output = Json)]
pub async fn resume_sign_in(#[server(default)] workspace: String, consent: ConsentId) -> Result<ConsentResult, ApiError> {
    use crate::context::{caller, services};
    use domain::role::Action;
    let caller = caller(&workspace).await?;
    caller.may(Action::See)?;
    Ok(services()?.resume_consent(&caller, consent).await?)
}
