//! The result of a sign-in at a platform: what is back, what is not, one button.

use domain::id::ConsentId;
use domain::summary::link::{Choice, ConsentOutcome, ConsentResult, Missing, MissingWhy};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api::ApiError;
use crate::api::link::{ChooseAccounts, ResumeSignIn, StartLink, TakeOver, show_result};
use crate::components::form::{PostForm, Refresh, form_error, lead_out, refresh_button, workspace_field};
use crate::components::frame::{link, page_title, slug};
use crate::components::icon::icon;
use crate::components::load::load;
use crate::live::Live;
use crate::words::{self, ACCOUNTS, COMPOSE, MISSED, account_path, count, first_name, names};

/// The result of a sign-in at a platform.
#[component]
pub fn ConsentResultPage() -> impl IntoView {
    let params = use_params_map();
    let key = move || (slug(), params.read().get("id").unwrap_or_default());
    load(key, fetch, &[], show)
}

async fn fetch((slug, id): (String, String)) -> Result<ConsentResult, ApiError> {
    let Ok(consent) = id.parse::<ConsentId>() else { return Err(ErrorCode::NotFound.into()) };
    show_result(slug, consent).await
}

fn show(data: RwSignal<ConsentResult>) -> AnyView {
    view! { {move || data.with(|result| page(result, data))} }.into_any()
}

/// The name of an outcome for tests.
const fn outcome_code(outcome: &ConsentOutcome) -> &'static str {
    match outcome {
        ConsentOutcome::Choose { .. } => "choose",
        ConsentOutcome::AllBack { .. } => "all_back",
        ConsentOutcome::SomeBack { .. } => "some_back",
        ConsentOutcome::OtherPerson { .. } => "other_person",
        ConsentOutcome::PermissionMissing { .. } => "permission_missing",
        ConsentOutcome::NothingToPostTo => "nothing_to_post_to",
        ConsentOutcome::Cancelled => "cancelled",
        ConsentOutcome::TooLate => "too_late",
        ConsentOutcome::AlreadyUsed => "already_used",
        ConsentOutcome::Unfinished { .. } => "unfinished",
        ConsentOutcome::Failed { .. } => "failed",
    }
}

/// The title of an outcome.
fn title(result: &ConsentResult) -> String {
    let name = result.platform.name();
    match &result.outcome {
        ConsentOutcome::Choose { login_of, .. } => format!("Choose what to link from {login_of}"),
        ConsentOutcome::AllBack { accounts } => {
            let again = if result.grant.is_some() { "connected again" } else { "linked" };
            match accounts.as_slice() {
                [] => format!("{name} is {again}"),
                [one] => format!("{one} is {again}"),
                [_, _] => format!("Both pages are {again}"),
                all => format!("All {} pages are {again}", all.len()),
            }
        }
        ConsentOutcome::SomeBack { back, missing } => {
            format!("{} of {} pages are connected again", back.len(), back.len() + missing.len())
        }
        ConsentOutcome::OtherPerson { signed_in, .. } => format!("You signed in as {signed_in}"),
        ConsentOutcome::PermissionMissing { .. } => "One permission is missing".to_owned(),
        ConsentOutcome::NothingToPostTo => "There is nothing to post to".to_owned(),
        ConsentOutcome::Cancelled => format!("You pressed Cancel at {name}"),
        ConsentOutcome::TooLate => "That took longer than 10 minutes".to_owned(),
        ConsentOutcome::AlreadyUsed => "This sign-in was already used".to_owned(),
        ConsentOutcome::Unfinished { by_itself: true } => format!("You are signed in, and {name} is slow to answer"),
        ConsentOutcome::Unfinished { by_itself: false } => format!("{name} let you in, and then did not answer"),
        ConsentOutcome::Failed { .. } => format!("{name} did not let us in"),
    }
}

fn page(result: &ConsentResult, data: RwSignal<ConsentResult>) -> AnyView {
    let title = title(result);
    let crumb = if result.grant.is_some() { "Linked Accounts › Refresh Credentials" } else { "Linked Accounts › Link an account" };
    let tab = title.clone();
    view! {
        {page_title(move || tab.clone())}
        <div class="page page--narrow" data-testid="result-page" data-outcome=outcome_code(&result.outcome)>
            <header class="page-head">
                <div class="page-head__text">
                    <p class="breadcrumb">{crumb}</p>
                    <h1>{title}</h1>
                </div>
            </header>
            <div class="stack">{body(result, data)}</div>
        </div>
    }
    .into_any()
}

fn body(result: &ConsentResult, data: RwSignal<ConsentResult>) -> AnyView {
    let name = result.platform.name();
    match &result.outcome {
        ConsentOutcome::Choose { choices, .. } => choose(result, choices, data),
        ConsentOutcome::AllBack { accounts } => {
            let go = if accounts.len() == 1 { "Posts to it go out." } else { "Posts to them go out." };
            view! {
                {outcomes(accounts.iter().map(|name| fine(name)).collect())}
                <p>{go}</p>
                {after(result)}
            }
            .into_any()
        }
        ConsentOutcome::SomeBack { back, missing } => {
            let mut rows: Vec<AnyView> = missing.iter().map(|missing| lost(missing, name)).collect();
            if !back.is_empty() {
                rows.push(fine(&names(back, 3)));
            }
            let reason = match missing.as_slice() {
                [one] => format!("{} did not come back: {}.", one.name, missing_why(one.why, name)),
                many => format!("{} did not come back.", count(u32::try_from(many.len()).unwrap_or(u32::MAX), "page")),
            };
            view! {
                <p>{reason}</p>
                {outcomes(rows)}
                <div class="actions">{again(result, "Try again, keep all ticked", false)}</div>
                {after(result)}
            }
            .into_any()
        }
        ConsentOutcome::OtherPerson { belongs_to, could_take_over, signed_in } => view! {
            <p>{format!("This login belongs to {belongs_to}. Nothing was changed.")}</p>
            <div class="actions">{again(result, &format!("Try again as {}", first_name(belongs_to)), true)}</div>
            {(!could_take_over.is_empty()).then(|| take_over(result, signed_in, belongs_to, could_take_over, data))}
        }
        .into_any(),
        ConsentOutcome::PermissionMissing { scopes } => view! {
            <p>"Reading works, posting does not. Sign in and leave every box ticked."</p>
            <p class="small muted">{format!("{name} calls it {}.", scopes.join(", "))}</p>
            <div class="actions">{again(result, "Try again", false)}</div>
        }
        .into_any(),
        ConsentOutcome::NothingToPostTo => view! {
            <p>{format!("This person has no {} that Stayposted can post to. Nothing was changed.", result.platform.account_word())}</p>
            <div class="actions">{again(result, "Try again", true)}</div>
        }
        .into_any(),
        ConsentOutcome::Cancelled | ConsentOutcome::AlreadyUsed => view! {
            <p>"Nothing was changed."</p>
            <div class="actions">{again(result, "Try again", false)}</div>
        }
        .into_any(),
        ConsentOutcome::TooLate => view! {
            <p>"Please start again. Nothing was changed."</p>
            <div class="actions">{again(result, "Try again", false)}</div>
        }
        .into_any(),
        ConsentOutcome::Unfinished { by_itself: true } => view! {
            <p>{format!("Nothing to do: we keep asking {name}, and your accounts come back by themselves.")}</p>
            {after(result)}
        }
        .into_any(),
        ConsentOutcome::Unfinished { by_itself: false } => resume(result, data),
        ConsentOutcome::Failed { text } => {
            let quote = text.clone().map(|text| view! { <pre class="more__quote">{text}</pre> });
            view! {
                <p>"Nothing was changed."</p>
                {quote}
                <div class="actions">{again(result, "Try again", false)}</div>
            }
            .into_any()
        }
    }
}

fn outcomes(rows: Vec<AnyView>) -> AnyView {
    view! { <ul class="outcomes">{rows}</ul> }.into_any()
}

fn fine(name: &str) -> AnyView {
    view! {
        <li class="outcome">
            <span class="outcome__icon status--ok">{icon("check")}</span>
            <div class="outcome__text"><p class="strong">{name.to_owned()}</p><p class="small muted">"Connected"</p></div>
        </li>
    }
    .into_any()
}

fn missing_why(why: MissingWhy, platform: &str) -> String {
    match why {
        MissingWhy::NotTicked => format!("it was not ticked at {platform}, or is no longer managed by this person"),
        MissingWhy::RoleGone => format!("this person may no longer post to it at {platform}"),
    }
}

fn lost(missing: &Missing, platform: &str) -> AnyView {
    view! {
        <li class="outcome" data-testid="missing-account">
            <span class="outcome__icon status--stop">{icon("stop")}</span>
            <div class="outcome__text">
                <p class="strong">{missing.name.clone()}</p>
                <p class="small muted">{sentence(&missing_why(missing.why, platform))}</p>
            </div>
            <a class="button button--small" href=account_path(&slug(), missing.account)>"Open"</a>
        </li>
    }
    .into_any()
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// Once more: the same login, or the first link again.
fn again(result: &ConsentResult, label: &str, switch_person: bool) -> AnyView {
    sign_in(result, label, switch_person, true)
}

fn sign_in(result: &ConsentResult, label: &str, switch_person: bool, is_primary: bool) -> AnyView {
    match result.grant {
        Some(grant) => {
            refresh_button(Refresh { switch_person, is_primary, label: label.to_owned(), ..Refresh::new(grant, result.platform, "") })
        }
        None => {
            let action = ServerAction::<StartLink>::new();
            lead_out(action);
            let (label, platform) = (label.to_owned(), result.platform.code());
            let class = if is_primary { "button button--primary" } else { "button" };
            view! {
                <PostForm action=action>
                    {workspace_field()}
                    <input type="hidden" name="platform" value=platform/>
                    <button class=class type="submit" data-testid="try-again">{label}</button>
                    {form_error(action)}
                </PostForm>
            }
            .into_any()
        }
    }
}

/// What comes next: missed posts, drafts, or done.
fn after(result: &ConsentResult) -> AnyView {
    let missed = (result.missed > 0).then(|| {
        let were = if result.missed == 1 { "was" } else { "were" };
        let said = format!("{} {were} missed.", count(result.missed, "post"));
        let label = format!("Choose new times for {}", count(result.missed, "post"));
        view! {
            <p>{said}</p>
            <a class="button button--primary" href=link(MISSED) data-testid="choose-new-times">{label}</a>
        }
    });
    let drafts = (result.drafts > 0).then(|| {
        let have = if result.drafts == 1 { "waits" } else { "wait" };
        view! { <p>{format!("{} from before {have} under Posts › Drafts.", count(result.drafts, "draft"))}</p> }
    });
    let first_post = (result.grant.is_none()).then(|| view! { <a class="button" href=link(COMPOSE)>"Write a post"</a> });
    let done = if result.missed > 0 { "button" } else { "button button--primary" };
    view! {
        {drafts}
        <div class="actions">{missed} <a class=done href=link(ACCOUNTS) data-testid="done">"Done"</a> {first_post}</div>
    }
    .into_any()
}

/// The answer of a form of this page takes the place of what it showed.
fn becomes(value: impl Fn() -> Option<Result<ConsentResult, ApiError>> + 'static, data: RwSignal<ConsentResult>) {
    let live = use_context::<Live>();
    Effect::new(move |_| {
        if let Some(Ok(result)) = value() {
            // The same once more leaves the page as it is, so that its form can say so.
            if data.with_untracked(|shown| *shown == result) {
                return;
            }
            data.set(result);
            if let Some(live) = live {
                live.changed(EventKind::Accounts);
            }
        }
    });
}

fn choose(result: &ConsentResult, choices: &[Choice], data: RwSignal<ConsentResult>) -> AnyView {
    let action = ServerAction::<ChooseAccounts>::new();
    let consent = result.consent.to_string();
    let question = format!("What shall Stayposted post to at {}?", result.platform.name());
    let value = action.value();
    becomes(move || value.get(), data);
    let pending = action.pending();
    let rows: Vec<_> = choices
        .iter()
        .map(|choice| {
            let hint = match (choice.may_post, choice.is_linked) {
                (false, _) => Some("This person may not post to it."),
                (true, true) => Some("Linked here already; stays so."),
                (true, false) => None,
            };
            view! {
                <label class="check">
                    <input
                        type="checkbox"
                        class="check__box"
                        name="remote_ids[]"
                        value=choice.remote_id.clone()
                        checked=choice.may_post
                        disabled=!choice.may_post
                    />
                    <span>
                        {choice.name.clone()}
                        {hint.map(|hint| view! { <span class="check__hint">{hint}</span> })}
                    </span>
                </label>
            }
        })
        .collect();
    view! {
        <PostForm action=action class="form" test="choose-form">
            {workspace_field()}
            <input type="hidden" name="consent" value=consent/>
            <fieldset class="field">
                <legend class="field__label">{question}</legend>
                <div class="choices">{rows}</div>
            </fieldset>
            {form_error(action)}
            <div class="form__end">
                <button class="button button--primary" type="submit" data-testid="link-chosen" aria-busy=move || pending.get().to_string()>
                    "Link"
                </button>
                <a class="button" href=link(ACCOUNTS)>"Cancel"</a>
            </div>
        </PostForm>
    }
    .into_any()
}

/// The platform let the person in and told nothing more: it is asked again, and nobody signs in again for it.
fn resume(result: &ConsentResult, data: RwSignal<ConsentResult>) -> AnyView {
    let action = ServerAction::<ResumeSignIn>::new();
    let (consent, name) = (result.consent.to_string(), result.platform.name());
    let value = action.value();
    becomes(move || value.get(), data);
    let pending = action.pending();
    let still = move || {
        let is_same = value.with(|value| matches!(value, Some(Ok(result)) if data.with(|shown| shown == result)));
        (is_same && !pending.get()).then(|| format!("{name} still does not answer. Try again in a few minutes."))
    };
    view! {
        <p>"Your sign-in is kept for an hour, so asking again needs no new one. Nothing was changed so far."</p>
        <div class="actions">
            <PostForm action=action>
                {workspace_field()}
                <input type="hidden" name="consent" value=consent/>
                <button
                    class="button button--primary"
                    type="submit"
                    data-testid="resume-sign-in"
                    aria-busy=move || pending.get().to_string()
                >
                    {format!("Ask {name} again")}
                </button>
                {form_error(action)}
            </PostForm>
            {sign_in(result, "Sign in again", false, false)}
        </div>
        <p class="muted" role="status">{still}</p>
    }
    .into_any()
}

/// People leave companies: the other person's login takes over what both manage. Both are named before the click.
fn take_over(result: &ConsentResult, signed_in: &str, belongs_to: &str, accounts: &[String], data: RwSignal<ConsentResult>) -> AnyView {
    let action = ServerAction::<TakeOver>::new();
    let consent = result.consent.to_string();
    let value = action.value();
    becomes(move || value.get(), data);
    let who = first_name(signed_in).to_owned();
    let about = format!(
        "{signed_in} manages {} too. Posts, history and settings stay; from then on they go out with the login of {signed_in} instead of {belongs_to}.",
        words::names(accounts, 3)
    );
    view! {
        <section class="stack stack--tight">
            <p>{about}</p>
            <PostForm action=action>
                {workspace_field()}
                <input type="hidden" name="consent" value=consent/>
                <button class="button" type="submit" data-testid="take-over">{format!("Let {who}’s login take over")}</button>
                {form_error(action)}
            </PostForm>
        </section>
    }
    .into_any()
}
