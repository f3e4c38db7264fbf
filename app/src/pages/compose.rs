//! Compose: one form. It works before WASM arrives; then it counts, checks the time, shows a preview and uploads.

use std::sync::Arc;

use domain::id::PostId;
use domain::policy;
use domain::summary::compose::{ComposeAccount, ComposePage as Data, ComposeStart};
use domain::summary::posts::ImageView;
use domain::summary::refusal::{ErrorCode, Refusal};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use leptos_router::hooks::use_query_map;
use web_sys::{FormData, HtmlFormElement};

use crate::api::ApiError;
use crate::api::compose::{Compose, When, load_compose, resolve_time};
use crate::api::media;
use crate::components::account_picker::account_picker;
use crate::components::form::{PostForm, error_line, workspace_field};
use crate::components::frame::{here, page_title, slug};
use crate::components::icon::{avatar, icon};
use crate::components::load::load;
use crate::components::media_tiles::media_tiles;
use crate::words::posts::Field;
use crate::words::{self, count, posts, thousands};

/// Compose.
#[component]
pub fn ComposePage() -> impl IntoView {
    let query = use_query_map();
    let asked = move |name: &str| query.read().get(name).unwrap_or_default();
    let key = move || Asked {
        slug: slug(),
        post: asked("post"),
        image: asked("image"),
        kept: asked("kept"),
        wall: (asked("date"), asked("time"), asked("zone")),
    };
    let title = move || if asked("post").is_empty() { "New post" } else { "Edit post" };
    view! {
        {page_title(move || title().to_owned())}
        <div class="page">
            <header class="page-head">
                <div class="page-head__text">
                    <p class="breadcrumb">{workspace_name()}</p>
                    <h1>{title}</h1>
                </div>
            </header>
            {load(key, fetch, &[], |data| form(data.get_untracked()))}
        </div>
    }
}

/// The workspace that is written for stays visible while composing (ux.md section 2).
fn workspace_name() -> String {
    here().workspace.name
}

/// What the address asks for.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    slug: String,
    post: String,
    image: String,
    /// An edit that was refused, with the time that was picked: the address of a form without script.
    kept: String,
    wall: (String, String, String),
}

async fn fetch(asked: Asked) -> Result<Data, ApiError> {
    let Asked { slug, post, image, kept, wall } = asked;
    let post = match post.as_str() {
        "" => None,
        id => Some(id.parse::<PostId>().map_err(|_| ApiError::from(ErrorCode::NotFound))?),
    };
    let mut page = load_compose(slug.clone(), post, kept.parse().ok()).await?;
    let start = &mut page.start;
    for (shown, (asked, most)) in
        [&mut start.date, &mut start.time, &mut start.zone].into_iter().zip([(wall.0, 10), (wall.1, 8), (wall.2, 64)])
    {
        if !asked.is_empty() && asked.len() <= most {
            *shown = asked;
        }
    }
    // An upload without script leads back here with the image's id.
    if let Ok(id) = image.parse()
        && start.images.iter().all(|image| image.id != id)
    {
        start.images.push(media::by_id(&slug, id));
    }
    Ok(page)
}

/// What the form holds, read from it after every change: the browser owns the fields, so nothing that was typed before
/// WASM arrived is lost.
#[derive(Debug, Clone, Default, PartialEq)]
struct Typed {
    text: String,
    title: String,
    link: String,
    accounts: Vec<String>,
    date: String,
    time: String,
    zone: String,
}

impl Typed {
    fn at_first(start: &ComposeStart) -> Self {
        Self {
            text: start.text.clone(),
            title: start.title.clone(),
            link: start.link.clone(),
            accounts: start.targets.iter().map(|target| target.account.to_string()).collect(),
            date: start.date.clone(),
            time: start.time.clone(),
            zone: start.zone.clone(),
        }
    }

    fn read(form: &HtmlFormElement) -> Self {
        let Ok(data) = FormData::new_with_form(form) else { return Self::default() };
        let one = |name: &str| data.get(name).as_string().unwrap_or_default().replace("\r\n", "\n");
        let accounts = data.get_all("accounts[]").iter().filter_map(|value| value.as_string()).collect();
        Self {
            text: one("text"),
            title: one("title"),
            link: one("link"),
            accounts,
            date: one("date"),
            time: one("time"),
            zone: one("zone"),
        }
    }

    fn wall(&self) -> (String, String, String) {
        (self.date.clone(), self.time.clone(), self.zone.clone())
    }
}

/// What everything in the form looks at.
#[derive(Clone, Copy)]
struct Draft {
    typed: RwSignal<Typed>,
    images: RwSignal<Vec<ImageView>>,
    accounts: StoredValue<Arc<[ComposeAccount]>>,
    /// What the server says about the chosen time; none before it was asked.
    when: RwSignal<Option<Result<When, Refusal>>>,
    action: ServerAction<Compose>,
}

impl Draft {
    fn picked<T>(self, fact: impl Fn(&ComposeAccount) -> T) -> Vec<T> {
        let typed = self.typed.read();
        let accounts = self.accounts.get_value();
        accounts.iter().filter(|account| typed.accounts.contains(&account.id.to_string())).map(fact).collect()
    }

    /// The sentences beside a field.
    fn wrong(self, field: Field) -> Vec<String> {
        self.refused(|refusal| {
            let found = refusal.problems.iter().filter(|problem| Field::of(problem) == field);
            let mut said: Vec<String> = Vec::new();
            for problem in found {
                let sentence = words::problem(&problem.problem, problem.platform);
                if !said.contains(&sentence) {
                    said.push(sentence);
                }
            }
            if field == Field::Accounts && refusal.code == ErrorCode::NoAccounts {
                said.push(words::refusal(refusal));
            }
            said
        })
        .unwrap_or_default()
    }

    fn wrong_time(self) -> Option<String> {
        self.refused(|refusal| is_about_time(refusal.code).then(|| words::refusal(refusal))).flatten()
    }

    fn wrong_otherwise(self) -> Option<String> {
        self.refused(|refusal| {
            let has_field = is_about_time(refusal.code) || refusal.code == ErrorCode::NoAccounts || !refusal.problems.is_empty();
            (!has_field).then(|| words::refusal(refusal))
        })
        .flatten()
    }

    fn refused<T>(self, say: impl FnOnce(&Refusal) -> T) -> Option<T> {
        self.action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().err()).map(|error| say(&error.0)))
    }
}

const fn is_about_time(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::BadTime | ErrorCode::BadZone | ErrorCode::TimePassed | ErrorCode::TimeTooFar)
}

fn form(page: Data) -> AnyView {
    let Data { accounts, start, zones } = page;
    if accounts.is_empty() {
        let button = view! {
            <a class="button button--primary" href=words::href(&slug(), words::ACCOUNTS)>
                "Link an account"
            </a>
        };
        return crate::components::empty::empty("No account is linked yet.", button);
    }
    let draft = Draft {
        typed: RwSignal::new(Typed::at_first(&start)),
        images: RwSignal::new(start.images.clone()),
        accounts: StoredValue::new(accounts.into()),
        when: RwSignal::new(None),
        action: ServerAction::new(),
    };
    let (is_awake, wake) = signal(false);
    let main = NodeRef::<html::Div>::new();
    let read = move || {
        if let Some(form) = main.get_untracked().and_then(|main| main.closest("form").ok().flatten()) {
            let typed = Typed::read(form.unchecked_ref());
            if draft.typed.with_untracked(|old| *old != typed) {
                draft.typed.set(typed);
            }
        }
    };
    Effect::new(move |_| {
        read();
        wake.set(true);
    });
    ask_when(draft);
    let post = start.post.map(|post| post.to_string()).unwrap_or_default();
    let upload = without_script(&slug(), start.post);
    view! {
        <PostForm action=draft.action class="compose" test="compose-form" on:input=move |_| read() on:change=move |_| read()>
            {workspace_field()} <input type="hidden" name="post" value=post/> <div class="compose__main" node_ref=main>
                {pick(draft, &start, is_awake)}
                {write(draft, &start)}
                {media_tiles(slug(), draft.images, is_awake)}
                {lines(move || draft.wrong(Field::Images))}
                {timing(draft, &start, zones)}
                {lines(move || draft.wrong_otherwise().into_iter().collect())}
            </div> <aside class="compose__side" aria-label="Preview">
                {move || preview(draft)}
            </aside> {buttons(draft)}
        </PostForm>
        <noscript inner_html=upload></noscript>
    }
    .into_any()
}

/// Sentences beside a field, each on its own line.
fn lines(said: impl Fn() -> Vec<String> + Send + Sync + 'static) -> AnyView {
    let said = Memo::new(move |_| Some(said().join(" ")).filter(|said| !said.is_empty()));
    error_line(said.into())
}

fn invalid(draft: Draft, field: Field) -> Option<&'static str> {
    (!draft.wrong(field).is_empty()).then_some("true")
}

fn pick(draft: Draft, start: &ComposeStart, is_awake: ReadSignal<bool>) -> AnyView {
    let name = workspace_name();
    // Without script the number would not follow the ticks.
    let legend = move || match is_awake.get() {
        true => format!("{} of {name}", draft.typed.with(|typed| typed.accounts.len())),
        false => format!("Accounts of {name}"),
    };
    let chips = account_picker(&draft.accounts.get_value(), &start.targets);
    view! {
        <fieldset class="field">
            <legend class="field__label">{legend}</legend>
            <div class="picker">{chips}</div>
            {lines(move || draft.wrong(Field::Accounts))}
        </fieldset>
    }
    .into_any()
}

fn write(draft: Draft, start: &ComposeStart) -> AnyView {
    // Children of a textarea are not escaped by Leptos (stack.md 4.1).
    let text = escaped(&start.text);
    view! {
        <div class="field">
            <label class="field__label" for="compose-text">
                "Text"
            </label>
            <textarea
                class="input input--text"
                id="compose-text"
                name="text"
                rows="5"
                aria-describedby="compose-count"
                aria-invalid=move || invalid(draft, Field::Text)
                data-testid="compose-text"
                inner_html=text
            ></textarea>
            {counter(draft)}
            {lines(move || draft.wrong(Field::Text))}
        </div>
        <div class="field compose__title">
            <label class="field__label" for="compose-title">
                "Title"
            </label>
            <input
                class="input"
                id="compose-title"
                name="title"
                value=start.title.clone()
                aria-invalid=move || invalid(draft, Field::Title)
                data-testid="compose-title"
            />
            {lines(move || draft.wrong(Field::Title))}
        </div>
        <div class="field">
            <label class="field__label" for="compose-link">
                "Link"
            </label>
            <input
                class="input"
                id="compose-link"
                name="link"
                type="url"
                inputmode="url"
                placeholder="https://"
                value=start.link.clone()
                aria-invalid=move || invalid(draft, Field::Link)
                data-testid="compose-link"
            />
            {lines(move || draft.wrong(Field::Link))}
        </div>
    }
    .into_any()
}

/// Text as it may stand inside a `textarea`. The parser of a page drops one line end at its beginning, so there the
/// server puts one; what the browser sets later is taken as it is.
fn escaped(text: &str) -> String {
    let first = if cfg!(feature = "ssr") { "\n" } else { "" };
    format!("{first}{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// The smallest number of characters that is left, and where.
fn counter(draft: Draft) -> AnyView {
    let smallest = Memo::new(move |_| {
        let mut platforms = draft.picked(|account| account.platform);
        platforms.dedup();
        let left = |platform| {
            let limits = &policy::of(platform).limits;
            let has = draft.typed.with(|typed| limits.counting.count(&typed.text));
            (i64::try_from(limits.text).unwrap_or(i64::MAX) - i64::try_from(has).unwrap_or(i64::MAX), platform.name())
        };
        platforms.into_iter().map(left).min()
    });
    let said = move || {
        smallest.get().map(|(left, name)| {
            let n = thousands(usize::try_from(left.unsigned_abs()).unwrap_or(usize::MAX));
            if left < 0 { format!("{name}: {n} too many") } else { format!("{name}: {n} left") }
        })
    };
    let class = move || {
        if smallest.get().is_some_and(|(left, _)| left < 0) { "field__counter field__counter--over" } else { "field__counter" }
    };
    view! {
        <p class=class id="compose-count" data-testid="compose-count">
            {said}
        </p>
    }
    .into_any()
}

fn timing(draft: Draft, start: &ComposeStart, zones: Vec<String>) -> AnyView {
    let chosen = start.zone.clone();
    let mut zones = zones;
    if !chosen.is_empty() && !zones.contains(&chosen) {
        zones.insert(0, chosen.clone());
    }
    let zone = |zone: String| {
        let is_chosen = zone == chosen;
        view! { <option value=zone.clone() selected=is_chosen>{posts::zone_time(&zone)}</option> }
    };
    view! {
        <div class="field-row">
            <div class="field">
                <label class="field__label" for="compose-date">
                    "Day"
                </label>
                <input class="input" id="compose-date" type="date" name="date" value=start.date.clone() data-testid="compose-date"/>
            </div>
            <div class="field">
                <label class="field__label" for="compose-time">
                    "Time"
                </label>
                <input class="input" id="compose-time" type="time" name="time" value=start.time.clone() data-testid="compose-time"/>
            </div>
            <div class="field">
                <label class="field__label" for="compose-zone">
                    "Zone"
                </label>
                <select class="input" id="compose-zone" name="zone" data-testid="compose-zone">
                    {zones.into_iter().map(zone).collect_view()}
                </select>
            </div>
        </div>
        <div role="status" data-testid="compose-when">
            {move || when_line(draft)}
        </div>
        {lines(move || draft.wrong_time().into_iter().collect())}
    }
    .into_any()
}

/// What the chosen time means, and what stands in its way.
fn when_line(draft: Draft) -> AnyView {
    let zone = draft.typed.with(|typed| typed.zone.clone());
    let (line, due) = match draft.when.get() {
        None => (None, None),
        Some(Err(refusal)) => (Some(view! { <p class="field__error">{icon("warning")}{words::refusal(&refusal)}</p> }.into_any()), None),
        Some(Ok(when)) if when.is_past => {
            (Some(view! { <p class="field__error">{icon("warning")}"This time has passed."</p> }.into_any()), None)
        }
        Some(Ok(when)) => {
            let change = when.clock_change.as_ref().map(|change| {
                view! { <p class="note note--wait">{icon("clock")}<span>{words::clock_change(change, &zone)}</span></p> }
            });
            let line = view! {
                <div class="when">
                    <span class="when__time">{when.due.text.clone()}</span>
                    <span class="when__zone">{posts::zone_time(&zone)}</span>
                </div>
                {change}
            };
            (Some(line.into_any()), Some(when.due.at))
        }
    };
    let mut warnings = draft.picked(|account| warning(account, due));
    warnings.dedup();
    let warning = |text: String| {
        view! {
            <p class="note note--need" data-testid="compose-warning">
                {icon("clock")}
                <span>{text}</span>
            </p>
        }
    };
    view! { {line} {warnings.into_iter().flatten().map(warning).collect_view()} }.into_any()
}

/// Why a post to this account will not go out at that time unless somebody acts.
fn warning(account: &ComposeAccount, due: Option<domain::time::Timestamp>) -> Option<String> {
    let (name, who) = (account.platform.name(), words::first_name(&account.login_of));
    if !account.can_post {
        return Some(format!("{name} is disconnected: {}. It will not go out unless {who} signs in before.", account.name));
    }
    let end = account.end.as_ref().filter(|end| due.is_some_and(|due| due > end.moment.at))?;
    let by = if end.is_stated { end.moment.text.clone() } else { format!("about {}", end.moment.day) };
    Some(format!("The {name} login ends before this. It will not go out unless {who} refreshes by {by}."))
}

/// Asks the server what the chosen time means whenever it changes; only the newest question's answer counts.
fn ask_when(draft: Draft) {
    let wall = Memo::new(move |_| draft.typed.with(Typed::wall));
    let slug = slug();
    Effect::new(move |_| {
        let (date, time, zone) = wall.get();
        if date.is_empty() || time.is_empty() {
            draft.when.set(None);
            return;
        }
        let question = resolve_time(slug.clone(), date, time, zone);
        let asked = wall.get_untracked();
        spawn_local(async move {
            let answer = question.await.map_err(|error| *error.0);
            if wall.try_get_untracked().as_ref() == Some(&asked) {
                draft.when.set(Some(answer));
            }
        });
    });
}

fn preview(draft: Draft) -> AnyView {
    let first = draft.picked(|account| (account.platform, account.name.clone())).into_iter().next();
    let Some((platform, name)) = first else {
        return view! { <p class="muted">"Pick an account to see the post as it will stand there."</p> }.into_any();
    };
    let due = draft.when.with(|when| match when {
        Some(Ok(when)) if !when.is_past => Some(when.due.text.clone()),
        _ => None,
    });
    let place = due.map_or_else(|| platform.account_word().to_owned(), |due| format!("{}, {due}", platform.account_word()));
    let (text, title, link) = draft.typed.with(|typed| (typed.text.clone(), typed.title.clone(), typed.link.clone()));
    let has_title = policy::of(platform).limits.title.is_some();
    let images = draft.images.with(|images| images.iter().map(|image| image.url.clone()).collect::<Vec<_>>());
    let image = images.first().map(|url| view! { <img class="preview__media" src=url.clone() alt=""/> });
    let more = images.len().saturating_sub(1);
    let more = (more > 0).then(|| {
        view! { <p class="preview__note">{format!("and {}", count(u32::try_from(more).unwrap_or(u32::MAX), "more picture"))}</p> }
    });
    view! {
        <article class="preview">
            <header class="preview__head">
                {avatar(platform, "")} <div>
                    <strong>{name}</strong>
                    <p class="small muted">{place}</p>
                </div>
            </header>
            {(has_title && !title.is_empty()).then(|| view! { <p class="strong">{title}</p> })}
            <p class="preview__text">{text}</p>
            {(!link.is_empty()).then(|| view! { <p class="preview__note">{link}</p> })}
            {image}
            {more}
        </article>
    }
    .into_any()
}

fn buttons(draft: Draft) -> AnyView {
    let pending = draft.action.pending();
    let busy = move || pending.get().to_string();
    let dialog = NodeRef::<html::Dialog>::new();
    let picked = move || draft.typed.with(|typed| typed.accounts.len());
    // A question first only on more than one account (ux.md rule 8).
    let ask = move |event: leptos::ev::MouseEvent| {
        if picked() > 1
            && let Some(dialog) = dialog.get_untracked()
        {
            event.prevent_default();
            _ = dialog.show_modal();
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let question = move || format!("Publish now on {}?", count(u32::try_from(picked()).unwrap_or(u32::MAX), "account"));
    view! {
        <div class="actionbar compose__end">
            <button class="button button--primary" type="submit" name="then" value="schedule" data-testid="schedule" aria-busy=busy>
                "Schedule"
            </button>
            <button class="button" type="submit" name="then" value="now" data-testid="publish-now" aria-busy=busy on:click=ask>
                "Publish now"
            </button>
            <button class="button button--quiet" type="submit" name="then" value="draft" data-testid="save-draft" aria-busy=busy>
                "Save draft"
            </button>
        </div>
        <dialog class="dialog" node_ref=dialog aria-labelledby="publish-now-title">
            <h2 class="dialog__title" id="publish-now-title">
                {question}
            </h2>
            <div class="dialog__body">
                <p>"What is published stands there for everybody."</p>
            </div>
            <div class="dialog__actions">
                <button
                    class="button button--primary"
                    type="submit"
                    name="then"
                    value="now"
                    data-testid="publish-now-yes"
                    on:click=close
                >
                    "Publish now"
                </button>
                <button class="button" type="button" on:click=close>
                    "Cancel"
                </button>
            </div>
        </dialog>
    }
    .into_any()
}

/// The upload for a browser without script: a form of its own, because a browser sends files only as multipart. The
/// server leads back here with the image's id. It is written as text, because a browser with script sees no elements
/// inside `noscript`.
fn without_script(slug: &str, post: Option<PostId>) -> String {
    // Both are ours: letters, digits and hyphens, so nothing in the address needs an escape but its own signs.
    let slug: String = slug.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let then = words::href(&slug, words::COMPOSE) + &post.map(|post| format!("%3Fpost%3D{post}")).unwrap_or_default();
    format!(
        concat!(
            r#"<form class="form" method="post" enctype="multipart/form-data" action="{upload}?workspace={slug}&amp;then={then}">"#,
            r#"<div class="field"><label class="field__label" for="plain-image">Add a picture first; the text comes after it</label>"#,
            r#"<input class="input" id="plain-image" type="file" name="file" accept="image/jpeg,image/png" required></div>"#,
            r#"<div class="form__end"><button class="button">Upload</button></div></form>"#,
        ),
        upload = media::UPLOAD,
        slug = slug,
        then = then,
    )
}

#[cfg(test)]
mod tests {
    use domain::summary::{End, Moment};
    use domain::time::Timestamp;

    use super::*;

    #[test]
    fn hostile_text_cannot_leave_the_textarea() {
        let hostile = "</textarea><script>alert(1)</script>&amp;";
        assert_eq!(escaped(hostile).trim_start(), "&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;");
    }

    fn draft(start: &ComposeStart) -> Draft {
        Draft {
            typed: RwSignal::new(Typed::at_first(start)),
            images: RwSignal::new(Vec::new()),
            accounts: StoredValue::new(Vec::new().into()),
            when: RwSignal::new(None),
            action: ServerAction::new(),
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn hostile_text_is_text_in_every_field() {
        let hostile = r#"</textarea><script>alert(1)</script>""#.to_owned();
        let start = ComposeStart { text: hostile.clone(), title: format!("\"{hostile}"), link: hostile, ..ComposeStart::default() };
        let html = Owner::new().with(|| write(draft(&start), &start).to_html());
        assert!(!html.contains("<script>"), "{html}");
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
        assert!(html.contains("\n&lt;/textarea&gt;&lt;script&gt;"), "{html}");
    }

    #[test]
    fn a_time_after_the_logins_end_is_said_with_name_and_day() {
        let day = "Thu 3 Dec".to_owned();
        let moment = Moment { at: Timestamp(10), text: "Thu 3 Dec, 14:02".to_owned(), near: day.clone(), time: "14:02".to_owned(), day };
        let account = ComposeAccount {
            id: domain::id::AccountId([1; 16]),
            name: "Blumen Jung".to_owned(),
            platform: domain::platform::Platform::Facebook,
            boards: Vec::new(),
            can_post: true,
            ends_soon: false,
            end: Some(End { moment, is_stated: true, is_past: false }),
            login_of: "Mara Jung".to_owned(),
        };
        assert_eq!(warning(&account, Some(Timestamp(9))), None);
        let said = "The Facebook login ends before this. It will not go out unless Mara refreshes by Thu 3 Dec, 14:02.";
        assert_eq!(warning(&account, Some(Timestamp(11))).as_deref(), Some(said));
    }
}
