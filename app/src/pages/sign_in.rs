//! Sign in: e-mail, password, button; nothing else.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::auth::SignIn;
use crate::components::form::{PostForm, form_error};
use crate::components::icon::brand;

/// Sign in.
#[component]
pub fn SignInPage() -> impl IntoView {
    let action = ServerAction::<SignIn>::new();
    let then = use_query_map().read_untracked().get("then").unwrap_or_default();
    let pending = action.pending();
    view! {
        <Title text="Sign in · Stayposted"/>
        <div class="plain">
            <header>{brand("plain__brand", "/".to_owned())}</header>
            <main class="plain__main stack" id="main">
                <h1>"Sign in"</h1>
                <PostForm action=action class="form" test="sign-in-form">
                    <input type="hidden" name="then" value=then/>
                    <div class="field">
                        <label class="field__label" for="email">"E-mail"</label>
                        <input class="input" type="email" id="email" name="email" autocomplete="username" required=true/>
                    </div>
                    <div class="field">
                        <label class="field__label" for="password">"Password"</label>
                        <input class="input" type="password" id="password" name="password" autocomplete="current-password" required=true/>
                    </div>
                    {form_error(action)}
                    <div class="form__end">
                        <button class="button button--primary" type="submit" aria-busy=move || pending.get().to_string()>"Sign in"</button>
                    </div>
                </PostForm>
            </main>
        </div>
    }
}
