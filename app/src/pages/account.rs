//! One account: status, login line, cause with what the platform said; posts that will not go out; 90 days; settings last.

use domain::id::AccountId;
use domain::summary::accounts::{AccountPage as Account, AccountRow, AccountStatus, HistoryLine, VerdictSummary};
use domain::summary::posts::PostLine;
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api::ApiError;
use crate::api::accounts::{CheckAccount, PauseAccount, UnlinkAccount, show_account};
use crate::components::account_row::{account_kind, account_status, refresh_of, status_code};
use crate::components::form::{PostForm, form_error, refresh_button, workspace_field};
use crate::components::frame::{link, page_title, slug};
use crate::components::health::health_strip;
use crate::components::icon::avatar;
use crate::components::load::load;
use crate::components::login_line::{axis, login_line};
use crate::components::story::{entry, verdict};
use crate::live::Live;
use crate::words::{self, ACCOUNTS, count, post_path};

/// One account.
#[component]
pub fn AccountPage() -> impl IntoView {
    let params = use_params_map();
    let key = move || (slug(), params.read().get("id").unwrap_or_default());
    load(key, fetch, &[EventKind::Accounts, EventKind::Posts], show)
}

async fn fetch((slug, id): (String, String)) -> Result<Account, ApiError> {
    let Ok(account) = id.parse::<AccountId>() else { return Err(ErrorCode::NotFound.into()) };
    show_account(slug, account).await
}

fn show(data: RwSignal<Account>) -> AnyView {
    let row = Memo::new(move |_| data.with(|page| page.row.clone()));
    let first = row.get_untracked();
    let said = Memo::new(move |_| data.with(|page| page.verdict.clone()));
    let at_risk = Memo::new(move |_| data.with(|page| page.at_risk.clone()));
    let health = Memo::new(move |_| data.with(|page| page.health.clone()));
    let history = Memo::new(move |_| data.with(|page| page.history.clone()));
    let may_refresh = Memo::new(move |_| data.with(|page| page.may_refresh));
    let paused = Memo::new(move |_| row.with(|row| row.is_paused));
    let planned = Memo::new(move |_| data.with(|page| page.planned_posts));
    let may_manage = Memo::new(move |_| data.with(|page| page.may_manage));
    let platform = first.platform;
    let refreshable = Memo::new(move |_| row.with(|row| (row.can_refresh, row.status.is_disconnected(), row.siblings.len())));
    let name = first.name.clone();
    view! {
        {page_title(move || row.with(|row| row.name.clone()))}
        <div class="page" data-testid="account-page" data-account=first.id.to_string()>
            <p class="breadcrumb"><a href=link(ACCOUNTS)>"Social › Settings › Linked Accounts"</a></p>
            <div class="account-head">
                {avatar(platform, "avatar--large")}
                <div>
                    <h1>{name}</h1>
                    <p class="small muted">{account_kind(&first)}</p>
                </div>
            </div>
            <div class="stack">
                <div role="status" data-testid="account-status" data-status=move || row.with(|row| status_code(row.status))>
                    {move || row.with(|row| account_status(row, ""))}
                </div>
                <p data-testid="account-cost">{move || said.with(|said| row.with(|row| cost(row, said.as_ref())))}</p>
                {move || {
                    refreshable.track();
                    row.with_untracked(|row| refresh_of(row).filter(|_| may_refresh.get()).map(|refresh| {
                        let note = words::refresh_note(row.platform, &row.login_of, row.siblings.len() + 1);
                        view! {
                            <div class="stack stack--tight">
                                <div class="actions">{refresh_button(refresh)}</div>
                                <p class="button-note">{note}</p>
                            </div>
                        }
                    }))
                }}
                <div>
                    {move || row.with(|row| login_line(row, ""))}
                    {move || row.with(|row| axis(&row.line, &[]))}
                </div>
                {move || said.get().map(|said| verdict(&said, platform))}
            </div>
            {move || at_risk.with(|posts| risk(posts))}
            <section class="block">
                <h2 class="block__title">"Last 90 days, able to post"</h2>
                {move || health.with(|days| health_strip(days))}
            </section>
            <section class="block">
                <h2 class="block__title">"The login"</h2>
                {move || row.with(login)}
                {move || history.with(|lines| story(lines, platform))}
            </section>
            {check(&first)}
            {move || may_manage.get().then(|| row.with_untracked(|row| settings(row, paused.get(), planned.get())))}
        </div>
    }
    .into_any()
}

/// Cost, and for a lost login the reason in a whole sentence.
fn cost(row: &AccountRow, said: Option<&VerdictSummary>) -> String {
    match row.status {
        AccountStatus::Disconnected { cause, .. } | AccountStatus::Blocked { cause, .. } => {
            let reason = words::cause_sentence(cause, row.platform);
            let cost = words::account_cost(row);
            // The list says the cause in two words; here it stands as a sentence.
            let rest = cost.split_once(". ").map_or("", |(_, rest)| rest);
            let since = said.map(|said| format!(" ({})", said.at.text)).unwrap_or_default();
            format!("{reason}{since}. {rest}")
        }
        _ => words::account_cost(row),
    }
}

fn risk(posts: &[PostLine]) -> AnyView {
    if posts.is_empty() {
        return ().into_any();
    }
    let slug = slug();
    let rows: Vec<_> = posts
        .iter()
        .map(|post| {
            let (tone, word) = words::post_end(post);
            let (time, day) = post.due.as_ref().map(|due| (due.time.clone(), due.day.clone())).unwrap_or_default();
            view! {
                <li class="timetable__row">
                    <time class="timetable__time">{time}</time>
                    <a class="timetable__what" href=post_path(&slug, post.id)>
                        <span class="timetable__title">{words::post_title(&post.text, post.images)}</span>
                        <span class="timetable__note">{day}</span>
                    </a>
                    <span class="timetable__end">{crate::components::status::status_mark(tone, word)}</span>
                </li>
            }
        })
        .collect();
    view! {
        <section class="block" data-testid="at-risk">
            <h2 class="block__title">"Will not go out"</h2>
            <div class="timetable"><ol>{rows}</ol></div>
        </section>
    }
    .into_any()
}

fn login(row: &AccountRow) -> AnyView {
    let siblings = (!row.siblings.is_empty()).then(|| {
        let verb = if row.siblings.len() == 1 { "uses" } else { "use" };
        view! { <p class="muted">{format!("{} {verb} the same login.", words::names(&row.siblings, 3))}</p> }
    });
    view! {
        <p>{format!("Login of {}. {}", row.login_of, words::renewal(row))}</p>
        {siblings}
    }
    .into_any()
}

fn story(lines: &[HistoryLine], platform: domain::platform::Platform) -> AnyView {
    let entries: Vec<_> = lines
        .iter()
        .map(|line| {
            let (tone, text) = words::history(line.what, platform);
            entry(line.at.text.clone(), tone, text, None)
        })
        .collect();
    view! { <ol class="story">{entries}</ol> }.into_any()
}

/// After a form of this page has done its work, what it changed is shown.
fn refetch<T: Send + Sync + 'static>(value: impl Fn() -> Option<Result<T, ApiError>> + 'static) {
    let live = use_context::<Live>();
    Effect::new(move |_| {
        if let (Some(Ok(_)), Some(live)) = (value(), live) {
            live.changed(EventKind::Accounts);
        }
    });
}

fn check(row: &AccountRow) -> AnyView {
    let action = ServerAction::<CheckAccount>::new();
    let (id, label) = (row.id.to_string(), format!("Ask {} now", row.platform.name()));
    let value = action.value();
    refetch(move || value.get());
    let pending = action.pending();
    view! {
        <section class="block stack stack--tight">
            <PostForm action=action>
                {workspace_field()}
                <input type="hidden" name="account" value=id/>
                <button class="button" type="submit" data-testid="check-account" aria-busy=move || pending.get().to_string()>
                    {label}
                </button>
                {form_error(action)}
            </PostForm>
            <p class="button-note">
                {move || {
                    if matches!(value.get(), Some(Ok(()))) { "Asked just now; what you see is true." } else { "We ask at least once a day anyway." }
                }}
            </p>
        </section>
    }
    .into_any()
}

fn settings(row: &AccountRow, is_paused: bool, planned: u32) -> AnyView {
    let pause = ServerAction::<PauseAccount>::new();
    let value = pause.value();
    refetch(move || value.get());
    let unlink = ServerAction::<UnlinkAccount>::new();
    let (label, about) = if is_paused {
        ("Go on posting", "Posts that came due meanwhile wait in Missed posts.")
    } else {
        ("Pause posting", "Posts that come due wait in Missed posts.")
    };
    let siblings = match row.siblings.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} uses the same login and keeps working."),
        many => format!(" {} use the same login and keep working.", words::names(many, 3)),
    };
    let drafts = match planned {
        0 => "No post is planned for it.".to_owned(),
        1 => "1 planned post becomes a draft.".to_owned(),
        n => format!("{} become drafts.", count(n, "planned post")),
    };
    let question = format!("Unlink {}?", row.name);
    let (id, same) = (row.id.to_string(), row.id.to_string());
    view! {
        <section class="section">
            <div class="section__about"><h2>{label}</h2><p>{about}</p></div>
            <div class="section__body">
                <PostForm action=pause>
                    {workspace_field()}
                    <input type="hidden" name="account" value=id/>
                    <input type="hidden" name="paused" value=(!is_paused).to_string()/>
                    <button class="button" type="submit" data-testid="pause-account">{label}</button>
                    {form_error(pause)}
                </PostForm>
            </div>
        </section>
        <section class="section section--danger">
            <div class="section__about"><h2>"Unlink"</h2><p>"Takes this account out of Stayposted."</p></div>
            <div class="section__body">
                // A question first: opens without script too.
                <details class="more">
                    <summary class="more__button" data-testid="unlink">"Unlink…"</summary>
                    <div class="stack">
                        <h3>{question}</h3>
                        <p>{format!("{drafts} What is published stays.{siblings}")}</p>
                        <PostForm action=unlink>
                            {workspace_field()}
                            <input type="hidden" name="account" value=same/>
                            <button class="button button--danger" type="submit" data-testid="unlink-confirm">"Unlink"</button>
                            {form_error(unlink)}
                        </PostForm>
                    </div>
                </details>
            </div>
        </section>
    }
    .into_any()
}
