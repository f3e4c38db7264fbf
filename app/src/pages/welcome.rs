//! First start: the owner is created with the one-time code that the server printed.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::auth::{CreateOwner, waits_for_owner};
use crate::components::form::{PostForm, form_error};
use crate::components::icon::brand;
use crate::components::load::{failed, loading};

/// First start.
#[component]
pub fn WelcomePage() -> impl IntoView {
    let waits = Resource::new(|| (), |()| waits_for_owner());
    view! {
        <Title text="Welcome · Stayposted"/>
        <div class="plain">
            <header>{brand("plain__brand", "/".to_owned())}</header>
            <main class="plain__main stack" id="main">
                <Suspense fallback=loading>
                    {move || Suspend::new(async move {
                        match waits.await {
                            Ok(true) => form(),
                            Ok(false) => has_owner(),
                            Err(error) => failed(&error),
                        }
                    })}
                </Suspense>
            </main>
        </div>
    }
}

fn has_owner() -> AnyView {
    view! {
        <h1>"This server already has an owner"</h1>
        <a class="button button--primary" href="/sign-in">"Sign in"</a>
    }
    .into_any()
}

fn field(id: &'static str, label: &'static str, kind: &'static str, complete: &'static str, hint: &'static str) -> AnyView {
    let hint_id = format!("{id}-hint");
    let described = (!hint.is_empty()).then(|| hint_id.clone());
    view! {
        <div class="field">
            <label class="field__label" for=id>{label}</label>
            {(!hint.is_empty()).then(|| view! { <p class="field__hint" id=hint_id>{hint}</p> })}
            <input class="input" type=kind id=id name=id autocomplete=complete aria-describedby=described required=true/>
        </div>
    }
    .into_any()
}

fn form() -> AnyView {
    let action = ServerAction::<CreateOwner>::new();
    let pending = action.pending();
    // The zone comes from the browser once the page has woken up; without script it is typed.
    let zone = RwSignal::new("Europe/Berlin".to_owned());
    Effect::new(move |_| {
        let options = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new()).resolved_options();
        let found = js_sys::Reflect::get(&options, &wasm_bindgen::JsValue::from_str("timeZone"));
        if let Some(found) = found.ok().and_then(|found| found.as_string()) {
            zone.set(found);
        }
    });
    view! {
        <h1>"Welcome"</h1>
        <p>"The server printed a one-time code when it started. Whoever has it becomes the owner."</p>
        <PostForm action=action class="form" test="welcome-form">
            {field("code", "One-time code", "text", "one-time-code", "")}
            {field("name", "Your name", "text", "name", "")}
            {field("email", "E-mail", "email", "username", "")}
            {field("password", "Password", "password", "new-password", "At least 10 characters.")}
            {field("workspace", "Name of your business", "text", "organization", "You can have several; this is the first workspace.")}
            <div class="field">
                <label class="field__label" for="zone">"Time zone"</label>
                <input class="input" type="text" id="zone" name="zone" value="Europe/Berlin" prop:value=move || zone.get() required=true/>
            </div>
            {form_error(action)}
            <div class="form__end">
                <button class="button button--primary" type="submit" aria-busy=move || pending.get().to_string()>"Start"</button>
            </div>
        </PostForm>
    }
    .into_any()
}
