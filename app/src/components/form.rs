//! Forms that work before WASM arrives.
//!
//! The target of every form is a server function. Without script the function redirects: on success to a sensible page,
//! on a refusal back to the form's page, whose address then carries the refusal (`__path`, `__err`), from which
//! [`ServerAction`] takes its first value. With script the form stays on its page.

use domain::platform::Platform;
use domain::summary::link::GoingTo;
use domain::summary::refusal::ErrorCode;
use leptos::ev::SubmitEvent;
use leptos::form::FromFormData;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use serde::de::DeserializeOwned;

use super::icon::icon;
use crate::api::ApiError;
use crate::api::codec::Write;
use crate::api::link::RefreshLogin;
use crate::words;

/// A form whose target is a server function.
#[component]
pub fn PostForm<F>(
    /// What happens with it.
    action: ServerAction<F>,
    /// Its class.
    #[prop(optional, into)]
    class: String,
    /// Its id, for buttons that stand outside of it.
    #[prop(optional)]
    id: &'static str,
    /// Its name for browser tests.
    #[prop(optional)]
    test: &'static str,
    /// Fields and buttons.
    children: Children,
) -> impl IntoView
where
    F: Write + DeserializeOwned + Clone + Send + Sync + 'static,
    F::Output: Send + Sync + 'static,
{
    let submit = move |event: SubmitEvent| {
        if event.default_prevented() {
            return;
        }
        event.prevent_default();
        // A second press while the first is on its way does nothing.
        if action.pending().get_untracked() {
            return;
        }
        match F::from_event(&event) {
            Ok(arguments) => {
                action.dispatch(arguments);
            }
            Err(_) => action.value().set(Some(Err(ApiError::from(ErrorCode::BadArguments)))),
        }
    };
    view! {
        <form class=class method="post" action=F::url() id=(!id.is_empty()).then_some(id) data-testid=(!test.is_empty()).then_some(test) on:submit=submit>
            {children()}
        </form>
    }
}

/// The sentence for what a form's function refused, if it did. Heard once by those who listen.
pub fn form_error<F>(action: ServerAction<F>) -> AnyView
where
    F: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    F::Output: Send + Sync + 'static,
{
    let value = action.value();
    let said = Memo::new(move |_| value.with(|value| value.as_ref()?.as_ref().err().map(|error| words::refusal(&error.0))));
    error_line(said.into())
}

/// A line that shows a sentence while there is one.
pub fn error_line(said: Signal<Option<String>>) -> AnyView {
    view! {
        <div role="alert" data-testid="form-error">
            {move || said.get().map(|said| view! { <p class="field__error">{icon("warning")}{said}</p> })}
        </div>
    }
    .into_any()
}

/// Which workspace a form acts in.
pub fn workspace_field() -> AnyView {
    let slug = super::frame::slug();
    view! { <input type="hidden" name="workspace" value=slug/> }.into_any()
}

/// Leads to the platform as soon as the answer says where: two clicks, no page between.
pub fn lead_out<F>(action: ServerAction<F>)
where
    F: ServerFn<Output = GoingTo, Error = ApiError> + Clone + Send + Sync + 'static,
{
    let value = action.value();
    Effect::new(move |_| {
        let url = value.with(|value| value.as_ref().and_then(|value| value.as_ref().ok()).map(|to| to.url.clone()));
        if let Some(url) = url {
            // A failure leaves the page as it is, and the button can be pressed again.
            let _ = window().location().set_href(&url);
        }
    });
}

/// What Refresh Credentials needs to know.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// The login.
    pub grant: domain::id::GrantId,
    /// Its platform.
    pub platform: Platform,
    /// Make the platform ask who signs in.
    pub switch_person: bool,
    /// What stands on the button; usually "Refresh Credentials".
    pub label: String,
    /// Whether it is the main action of its view.
    pub is_primary: bool,
    /// What listeners hear: which account.
    pub of: String,
}

impl Refresh {
    /// The usual button.
    pub fn new(grant: domain::id::GrantId, platform: Platform, of: &str) -> Self {
        Self { grant, platform, switch_person: false, label: "Refresh Credentials".to_owned(), is_primary: true, of: of.to_owned() }
    }
}

/// The button Refresh Credentials.
pub fn refresh_button(refresh: Refresh) -> AnyView {
    let action = ServerAction::<RefreshLogin>::new();
    lead_out(action);
    let pending = action.pending();
    let class = if refresh.is_primary { "button button--primary" } else { "button" };
    let Refresh { grant, switch_person, label, of, .. } = refresh;
    let spoken = if of.is_empty() { None } else { Some(format!("{label}, {of}")) };
    view! {
        <PostForm action=action>
            {workspace_field()}
            <input type="hidden" name="grant" value=grant.to_string()/>
            <input type="hidden" name="switch_person" value=switch_person.to_string()/>
            <button
                class=class
                type="submit"
                data-testid="refresh-credentials"
                aria-label=spoken
                aria-busy=move || pending.get().to_string()
            >
                {label}
            </button>
            {form_error(action)}
        </PostForm>
    }
    .into_any()
}
