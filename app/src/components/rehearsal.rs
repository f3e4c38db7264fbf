//! The strip and drawer of a rehearsal: the clock, faults, and what the platforms show.

use domain::platform::Platform;
use domain::summary::shell::{EventKind, Rehearsal};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement, SubmitEvent};

use crate::api::send;
use crate::api::shell::shell as load_shell;
use crate::live::Live;

/// What can go wrong, by the simulator's names, with the words for it.
const FAULTS: &[(&str, &str)] = &[
    ("expire", "The login expires"),
    ("revoke", "The app is removed at the platform"),
    ("change_password", "The password is changed"),
    ("remove_scope", "A permission is taken away"),
    ("remove_role", "The person loses the role on the account"),
    ("checkpoint", "The platform wants to see the person"),
    ("delete_account", "The account is deleted"),
    ("policy_block", "The account is suspended"),
    ("retire_version", "The API version is retired"),
    ("rate_limit", "Too many calls"),
    ("server_error", "The platform answers with errors"),
    ("slow", "The platform is slow"),
    ("broken_json", "The answers are broken"),
    ("drop_before_accept", "The connection breaks before it is accepted"),
    ("drop_after_accept", "Accepted, but the answer is lost"),
    ("error_after_accept", "Accepted, but the answer is an error"),
    ("rotate_and_lose", "New tokens are made, and their answer is lost"),
    ("listing_lag", "New posts appear late in lists"),
];

const OPS: &[(&str, &str)] = &[
    ("", "Any call"),
    ("token", "Signing in and renewing"),
    ("profile", "Asking who it is"),
    ("prepare", "Uploading"),
    ("commit", "Publishing"),
    ("read", "Reading back"),
];

const STEPS: &[(&str, i64)] = &[("+ 1 hour", 3_600), ("+ 1 day", 86_400), ("+ 7 days", 604_800)];

/// The strip on top of every page of a rehearsal; it opens into the drawer.
pub fn strip(rehearsal: Rehearsal) -> AnyView {
    let Rehearsal { clock, platforms_url } = rehearsal;
    let clock = RwSignal::new(clock);
    keep_clock(clock);
    view! {
        <aside aria-label="Rehearsal">
            <details class="rehearsal" data-testid="rehearsal-strip">
                <summary class="rehearsal__strip">
                    <strong>"Rehearsal"</strong>
                    <span class="rehearsal__text">
                        "Nothing leaves this computer. Clock: " <span data-testid="rehearsal-clock">{move || clock.read().text.clone()}</span>
                    </span>
                    <svg class="icon rehearsal__arrow" aria-hidden="true">
                        <use_ href={"/icons.svg#chevron-down".to_owned()}></use_>
                    </svg>
                </summary>
                <div class="rehearsal__drawer">{clock_part()} {fault_part()} {platforms_part(&platforms_url)}</div>
            </details>
        </aside>
    }
    .into_any()
}

/// The strip's clock follows what moves it.
fn keep_clock(clock: RwSignal<domain::summary::Moment>) {
    let Some(live) = use_context::<Live>() else { return };
    Effect::new(move |seen: Option<u32>| {
        let version = live.version(&[EventKind::Clock]);
        if seen.is_some_and(|seen| seen != version) {
            spawn_local(async move {
                if let Ok(shell) = load_shell(String::new()).await
                    && let Some(rehearsal) = shell.rehearsal
                {
                    _ = clock.try_set(rehearsal.clock);
                }
            });
        }
        version
    });
}

/// What a part of the drawer last said.
#[derive(Clone, Copy)]
struct Said(RwSignal<Option<String>>);

impl Said {
    fn new() -> Self {
        Self(RwSignal::new(None))
    }

    fn say(self, text: String) {
        _ = self.0.try_set(Some(text));
    }

    fn view(self) -> AnyView {
        view! {
            <p class="small muted" role="status">
                {move || self.0.get()}
            </p>
        }
        .into_any()
    }
}

/// Sends to the simulator, and says what came of it.
fn send_with(live: Option<Live>, said: Said, method: &'static str, url: &str, body: &str, done: String) {
    send::json(method, url, body, move |(status, answer)| {
        if (200..300).contains(&status) {
            said.say(if answer.contains("\"settled\":false") { format!("{done} Some work is still going on.") } else { done });
            if let Some(live) = live {
                live.changed(EventKind::Clock);
            }
        } else {
            let answer: String = answer.chars().take(300).collect();
            said.say(format!("That did not work ({status}). {answer}"));
        }
    });
}

fn clock_part() -> AnyView {
    let said = Said::new();
    let live = use_context::<Live>();
    let advance = move |seconds: i64| {
        said.say("Working …".to_owned());
        let body = format!(r#"{{"seconds":{seconds}}}"#);
        send_with(live, said, "POST", "/sim/clock/advance", &body, "The clock was moved.".to_owned());
    };
    let step = move |(name, seconds): &(&'static str, i64)| {
        let seconds = *seconds;
        view! {
            <button
                class="button button--small"
                type="submit"
                name="seconds"
                value=seconds.to_string()
                data-testid="rehearsal-advance"
                data-seconds=seconds.to_string()
                on:click=move |event| {
                    event.prevent_default();
                    advance(seconds);
                }
            >
                {*name}
            </button>
        }
    };
    let to_date = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(data) = form_of(&event) else { return };
        // A day and time in this browser's zone; the rehearsal's clock is moved, never set back.
        let text = format!("{}T{}", value(&data, "date"), value(&data, "time"));
        let wanted = js_sys::Date::parse(&text);
        match live.and_then(|live| untrack(move || live.now())) {
            #[expect(clippy::cast_possible_truncation, reason = "seconds of a date that a field can hold")]
            Some(now) if wanted.is_finite() => {
                let seconds = (wanted / 1000.0) as i64 - now.as_seconds();
                if seconds > 0 { advance(seconds) } else { said.say("The clock only moves forward.".to_owned()) }
            }
            _ => said.say("Date or time cannot be read.".to_owned()),
        }
    };
    view! {
        <section class="rehearsal__part stack stack--tight">
            <h2 class="rehearsal__title">"Clock"</h2>
            <form class="actions" method="post" action="/sim/clock/advance">
                {STEPS.iter().map(step).collect_view()}
            </form>
            <form class="form" on:submit=to_date>
                <div class="field-row">
                    <div class="field">
                        <label class="field__label" for="rehearsal-date">
                            "To the day"
                        </label>
                        <input class="input" id="rehearsal-date" type="date" name="date" required/>
                    </div>
                    <div class="field">
                        <label class="field__label" for="rehearsal-time">
                            "at"
                        </label>
                        <input class="input" id="rehearsal-time" type="time" name="time" value="09:00" required/>
                    </div>
                </div>
                <div class="form__end">
                    <button class="button button--small" type="submit" data-testid="rehearsal-advance-to">
                        "Move the clock"
                    </button>
                </div>
            </form>
            {said.view()}
        </section>
    }
    .into_any()
}

fn fault_part() -> AnyView {
    let said = Said::new();
    let live = use_context::<Live>();
    let make = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(data) = form_of(&event) else { return };
        let (platform, kind) = (value(&data, "platform"), value(&data, "kind"));
        let mut fault = serde_json::Map::new();
        fault.insert("kind".to_owned(), kind.clone().into());
        for name in ["op", "account"] {
            let text = value(&data, name);
            if !text.trim().is_empty() {
                fault.insert(name.to_owned(), text.trim().into());
            }
        }
        if let Ok(times) = value(&data, "times").parse::<u32>() {
            fault.insert("times".to_owned(), times.into());
        }
        let word = FAULTS.iter().find(|(code, _)| *code == kind).map_or("", |(_, word)| *word);
        let body = serde_json::Value::Object(fault).to_string();
        send_with(live, said, "POST", &format!("/sim/{platform}/faults"), &body, format!("Done: {word}."));
    };
    let clear = move |_| {
        for platform in Platform::ALL {
            send_with(
                live,
                said,
                "DELETE",
                &format!("/sim/{platform}/faults"),
                "",
                "All faults are over. Dead logins stay dead.".to_owned(),
            );
        }
    };
    let options = |pairs: &'static [(&'static str, &'static str)]| {
        pairs.iter().map(|(code, word)| view! { <option value=*code>{*word}</option> }).collect_view()
    };
    let platforms = Platform::ALL.iter().map(|platform| view! { <option value=platform.code()>{platform.name()}</option> });
    view! {
        <section class="rehearsal__part stack stack--tight">
            <h2 class="rehearsal__title">"Make something go wrong"</h2>
            <noscript inner_html="<p class=\"small\">This part needs JavaScript.</p>"></noscript>
            <form class="form" on:submit=make data-testid="rehearsal-fault">
                <div class="field-row">
                    <div class="field">
                        <label class="field__label" for="fault-platform">
                            "Platform"
                        </label>
                        <select class="input" id="fault-platform" name="platform">
                            {platforms.collect_view()}
                        </select>
                    </div>
                    <div class="field">
                        <label class="field__label" for="fault-kind">
                            "What happens"
                        </label>
                        <select class="input" id="fault-kind" name="kind">
                            {options(FAULTS)}
                        </select>
                    </div>
                </div>
                <details class="more">
                    <summary class="more__button">"Only for some calls"</summary>
                    <div class="field-row">
                        <div class="field">
                            <label class="field__label" for="fault-op">
                                "When"
                            </label>
                            <select class="input" id="fault-op" name="op">
                                {options(OPS)}
                            </select>
                        </div>
                        <div class="field">
                            <label class="field__label" for="fault-account">
                                "Account number there"
                            </label>
                            <input class="input" id="fault-account" name="account" autocomplete="off"/>
                        </div>
                        <div class="field">
                            <label class="field__label" for="fault-times">
                                "How often"
                            </label>
                            <input class="input" id="fault-times" name="times" type="number" min="1" max="1000"/>
                        </div>
                    </div>
                </details>
                <div class="form__end">
                    <button class="button button--small" type="submit" data-testid="rehearsal-make-fault">
                        "Make it happen"
                    </button>
                    <button class="button button--small button--quiet" type="button" on:click=clear>
                        "End all faults"
                    </button>
                </div>
            </form>
            {said.view()}
        </section>
    }
    .into_any()
}

/// The platforms' pages stand on another origin, so these open as documents of their own.
fn platforms_part(url: &str) -> AnyView {
    let feed = |platform: &Platform| {
        view! {
            <p>
                <a href=format!("{url}/sim/{platform}/feed") rel="external" target="_blank">
                    {format!("See the public feed of {}", platform.name())}
                </a>
            </p>
        }
    };
    view! {
        <section class="rehearsal__part stack stack--tight">
            <h2 class="rehearsal__title">"What the platforms show"</h2>
            {Platform::ALL.iter().map(feed).collect_view()}
        </section>
    }
    .into_any()
}

fn form_of(event: &SubmitEvent) -> Option<FormData> {
    let form = event.target()?.dyn_into::<HtmlFormElement>().ok()?;
    FormData::new_with_form(&form).ok()
}

fn value(data: &FormData, name: &str) -> String {
    data.get(name).as_string().unwrap_or_default()
}
