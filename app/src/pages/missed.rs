//! Missed posts: rows are posts, each with a proposed time. Works before the reconnect too, and without script.

use domain::id::PostId;
use domain::missed::CatchUpRule;
use domain::role::Action;
use domain::summary::posts::{MissedPage as Missed, MissedRow, UndoOffer};
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::hooks::use_query_map;
use web_sys::{FormData, HtmlFormElement};

use crate::api::missed::{ApplyMissed, DropMissed, NOW, UndoMissed, list_missed};
use crate::components::after::posts_change;
use crate::components::band::band;
use crate::components::empty::empty;
use crate::components::form::{PostForm, form_error, workspace_field};
use crate::components::frame::{may, page_title, slug};
use crate::components::icon::icon;
use crate::components::load::load;
use crate::words::{self, MISSED, count, href, posts};

/// Missed posts.
#[component]
pub fn MissedPage() -> impl IntoView {
    let query = use_query_map();
    let number = move |name: &str| query.read().get(name).and_then(|text| text.parse::<u32>().ok());
    let key = move || (slug(), number("per_day"), number("from_day"));
    view! {
        {page_title(|| "Missed posts".to_owned())}
        <div class="page">
            <header class="page-head">
                <div class="page-head__text">
                    <p class="breadcrumb">"Social"</p>
                    <h1>"Missed posts"</h1>
                </div>
            </header>
            {load(
                key,
                |(slug, per_day, from_day)| list_missed(slug, per_day, from_day),
                &[EventKind::Posts, EventKind::Accounts],
                show,
            )}
        </div>
    }
}

/// Rows are kept by post, so that a change elsewhere takes neither ticks nor typed times; one that is left out for another
/// reason now, or for none, is built anew.
#[derive(Clone, PartialEq)]
struct Rows {
    send_now: Vec<MissedRow>,
    later: Vec<MissedRow>,
}

fn show(data: RwSignal<Missed>) -> AnyView {
    let is_empty = Memo::new(move |_| data.with(|page| page.posts == 0));
    let undo = Memo::new(move |_| data.with(|page| page.undo.clone()));
    let needs = Memo::new(move |_| data.with(|page| page.needs.clone()));
    let apply = ServerAction::<ApplyMissed>::new();
    let drop = ServerAction::<DropMissed>::new();
    posts_change(apply);
    posts_change(drop);
    let said = done(apply, drop);
    let nothing = move || {
        let is_over = said.with(Option::is_some) || undo.with(Option::is_some);
        if is_over { "Nothing more is waiting here." } else { "Nothing was missed in the last 30 days." }
    };
    view! {
        {move || needs.with(|needs| needs.first().map(|first| band(first, needs.len() - 1, false)))}
        <div role="status" data-testid="missed-done">
            {move || said.get().map(|said| view! { <p class="note note--ok">{icon("check")}<span>{said}</span></p> })}
        </div>
        {move || undo.get().map(undo_bar)}
        {move || if is_empty.get() { empty(nothing(), ()) } else { table(data, apply, drop) }}
    }
    .into_any()
}

/// What was just done and cannot be undone; new times are told by their undo. Without script the address tells it.
fn done(apply: ServerAction<ApplyMissed>, drop: ServerAction<DropMissed>) -> Memo<Option<String>> {
    let query = use_query_map();
    let (applied, dropped) = (apply.value(), drop.value());
    Memo::new(move |_| {
        if let Some(Ok(applied)) = &*applied.read() {
            return (applied.now > 0).then(|| posts::sent_now(applied.now, applied.posts.saturating_sub(applied.now)));
        }
        if matches!(&*dropped.read(), Some(Ok(()))) {
            return Some("Dismissed.".to_owned());
        }
        let number = |name: &str| query.read().get(name).and_then(|text| text.parse::<u32>().ok());
        let sent = number("sent").filter(|sent| *sent > 0)?;
        Some(posts::sent_now(sent, number("moved").unwrap_or_default()))
    })
}

fn table(data: RwSignal<Missed>, apply: ServerAction<ApplyMissed>, drop: ServerAction<DropMissed>) -> AnyView {
    let lead = move || {
        data.with(|page| {
            let lead = posts::missed_lead(page.posts, page.accounts);
            match &page.span {
                Some((from, to)) if from != to => format!("{lead}, {} to {}.", from.near, to.near),
                Some((at, _)) => format!("{lead}, {}.", at.near),
                None => format!("{lead}."),
            }
        })
    };
    let rule = Memo::new(move |_| data.with(|page| page.rule));
    let rows = Memo::new(move |_| data.with(|page| Rows { send_now: page.send_now.clone(), later: page.rows.clone() }));
    let zone = Memo::new(move |_| data.with(|page| posts::zone_time(&page.zone)));
    let may_write = may(Action::WritePosts);
    // What is ticked is the form's own state; only its number is ours.
    let first = rows.with_untracked(|rows| rows.send_now.iter().chain(&rows.later).filter(|row| row.left_out.is_none()).count());
    let ticked = RwSignal::new(first);
    let (is_awake, wake) = signal(false);
    let form = NodeRef::<leptos::html::Div>::new();
    let recount = move || {
        if let Some(form) = form.get_untracked().and_then(|list| list.closest("form").ok().flatten()) {
            ticked.set(count_ticks(form.unchecked_ref()));
        }
    };
    Effect::new(move |_| {
        rows.track();
        wake.set(true);
        request_animation_frame(recount);
    });
    let has_now = Memo::new(move |_| rows.with(|rows| !rows.send_now.is_empty()));
    let has_later = Memo::new(move |_| rows.with(|rows| !rows.later.is_empty()));
    let label = move || match (u32::try_from(ticked.get()).unwrap_or(u32::MAX), has_later.get()) {
        (0, _) => "Schedule ticked posts".to_owned(),
        (n, true) => format!("Schedule {}", count(n, "post")),
        (n, false) => format!("Send {} now", count(n, "post")),
    };
    view! {
        <p class="missed-lead">{lead}</p>
        {move || rule_form(rule.get())}
        <PostForm action=apply>
            {workspace_field()} <input type="hidden" name="ticked[]" value=""/> <div node_ref=form on:change=move |_| recount()>
                {move || {
                    has_now.get().then(|| view! { <h2 class="missed__group">"Send now: less than 3 hours late"</h2> })
                }}
                <ul class="missed">
                    <For each=move || rows.with(|rows| rows.send_now.clone()) key=|row| (row.post.id, row.left_out) let:row>
                        {missed_row(&slug(), row, true, may_write)}
                    </For>
                </ul>
                {move || {
                    (has_now.get() && has_later.get()).then(|| view! { <h2 class="missed__group">"At a new time"</h2> })
                }}
                <ul class="missed">
                    <For each=move || rows.with(|rows| rows.later.clone()) key=|row| (row.post.id, row.left_out) let:row>
                        {missed_row(&slug(), row, false, may_write)}
                    </For>
                </ul>
                <p class="small muted">{move || format!("Times are {}.", zone.get())}</p>
            </div>
            {form_error(apply)}
            {form_error(drop)}
            {may_write
                .then(|| {
                    view! {
                        <div class="actionbar">
                            <button
                                class="button button--primary"
                                type="submit"
                                data-testid="apply-missed"
                                // Without script the ticks cannot be counted, and the answer says that none is set.
                                disabled=move || is_awake.get() && ticked.get() == 0
                                aria-busy=move || apply.pending().get().to_string()
                            >
                                {label}
                            </button>
                            <a class="button" href="#rule">
                                "Change rule"
                            </a>
                        </div>
                    }
                })}
        </PostForm>
        // The buttons [Dismiss] of the rows belong to this form: forms cannot stand in one another.
        <PostForm action=drop id=DROP>
            {workspace_field()}
        </PostForm>
    }
    .into_any()
}

const DROP: &str = "drop-missed";

fn count_ticks(form: &HtmlFormElement) -> usize {
    FormData::new_with_form(form).map_or(0, |data| {
        let ticks = data.get_all("ticked[]");
        ticks.iter().filter(|value| value.as_string().is_some_and(|value| !value.is_empty())).count()
    })
}

fn missed_row(slug: &str, row: MissedRow, is_now: bool, may_write: bool) -> AnyView {
    let MissedRow { post, was_due, why, suggestion, date, time, left_out } = row;
    let id: PostId = post.id;
    let platform = post.deliveries.first().map(|delivery| delivery.platform);
    let accounts = posts::missed_accounts(&post);
    let said = platform.map_or_else(String::new, |platform| format!("{accounts}: {}", words::missed_why(why, platform)));
    let is_edited = RwSignal::new(false);
    let suggestion = match (is_now, suggestion) {
        (true, _) => Some("now".to_owned()),
        (false, moment) => moment.map(|moment| moment.near),
    };
    let class = if left_out.is_some() { "missed__row missed__row--left-out" } else { "missed__row" };
    let title = words::post_title(&post.text, post.images);
    let fields = if is_now {
        view! {
            <input type="hidden" name="dates[]" value=NOW/>
            <input type="hidden" name="times[]" value=NOW/>
        }
        .into_any()
    } else {
        view! {
            <div class="missed__new" on:input=move |_| is_edited.set(true)>
                <input class="input" type="date" name="dates[]" value=date aria-label=format!("New day: {title}")/>
                <input class="input" type="time" name="times[]" value=time aria-label=format!("New time: {title}")/>
            </div>
        }
        .into_any()
    };
    let dismiss = may_write.then(|| {
        view! {
            <button
                class="button button--quiet button--small"
                type="submit"
                form=DROP
                name="posts[]"
                value=id.to_string()
                aria-label=format!("Dismiss: {title}")
                data-testid="drop-missed"
            >
                "Dismiss"
            </button>
        }
    });
    view! {
        <li data-testid="missed-row" data-post=id.to_string() data-left-out=left_out.is_some().to_string()>
            <label class=class>
                <input class="check__box" type="checkbox" name="ticked[]" value=id.to_string() checked=left_out.is_none()/>
                <span class="missed__title">{title.clone()}</span>
                <span class="missed__times">
                    <s>
                        <span class="visually-hidden">"Was due "</span>
                        {was_due.near}
                    </s>
                    " "
                    {move || (!is_edited.get()).then(|| view! { <strong>{suggestion.clone()}</strong> })}
                </span>
                <span class="missed__accounts">{said}</span>
                {left_out.map(|why| view! { <span class="missed__why">{words::left_out(why)}</span> })}
            </label>
            <input type="hidden" name="posts[]" value=id.to_string()/>
            {fields}
            {dismiss}
            <a class="missed__open button button--quiet button--small" href=words::post_path(slug, id)>
                "Open" <span class="visually-hidden">{format!(": {title}")}</span>
            </a>
        </li>
    }
    .into_any()
}

/// The sentence of the rule, and how to change it: a plain GET, since it changes nothing but the page.
fn rule_form(rule: CatchUpRule) -> AnyView {
    let per_day = (1..=5).map(|n| view! { <option value=n.to_string() selected=n == rule.per_day>{n.to_string()}</option> });
    let days = (0..=7).map(|n| {
        let from = posts::rule_start(n);
        view! { <option value=n.to_string() selected=n == rule.from_day>{from}</option> }
    });
    view! {
        <p class="missed-rule">{posts::rule(rule)}</p>
        <details class="more" id="rule">
            <summary class="more__button">"Change rule"</summary>
            <form class="form" method="get" action=href(&slug(), MISSED)>
                <div class="field-row">
                    <div class="field">
                        <label class="field__label" for="per-day">
                            "Extra posts a day and account"
                        </label>
                        <select class="input" id="per-day" name="per_day">
                            {per_day.collect_view()}
                        </select>
                    </div>
                    <div class="field">
                        <label class="field__label" for="from-day">
                            "Beginning"
                        </label>
                        <select class="input" id="from-day" name="from_day">
                            {days.collect_view()}
                        </select>
                    </div>
                </div>
                <div class="form__end">
                    <button class="button" type="submit">
                        "Suggest times"
                    </button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn undo_bar(offer: UndoOffer) -> AnyView {
    let undo = ServerAction::<UndoMissed>::new();
    posts_change(undo);
    let have = if offer.posts == 1 { "has a new time:" } else { "have new times, the first" };
    view! {
        <div class="toasts" role="status">
            <PostForm action=undo class="toast">
                {workspace_field()}
                <input type="hidden" name="id" value=offer.id.to_string()/>
                <p class="toast__text">{format!("{} {have} {}.", count(offer.posts, "post"), offer.first.near)}</p>
                <button class="toast__action" type="submit" data-testid="undo-missed">
                    "Undo"
                </button>
            </PostForm>
        </div>
        {form_error(undo)}
    }
    .into_any()
}
