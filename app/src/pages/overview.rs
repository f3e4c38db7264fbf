//! The start page: what needs somebody, the week, the next posts.

use domain::summary::overview::{ComingUp, OverviewPage as Overview, WeekDay};
use domain::summary::posts::PostLine;
use domain::summary::shell::EventKind;
use leptos::prelude::*;

use crate::api::shell::overview;
use crate::components::band::band;
use crate::components::empty::empty;
use crate::components::frame::{link, page_title, slug};
use crate::components::load::load;
use crate::components::status::status_mark;
use crate::words::{self, ACCOUNTS, CALENDAR, COMPOSE, account_path, post_path};

/// The start page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    view! {
        {page_title(|| "Overview".to_owned())}
        {load(slug, overview, &[EventKind::Accounts, EventKind::Posts, EventKind::Inbox], show)}
    }
}

fn show(data: RwSignal<Overview>) -> AnyView {
    let needs = Memo::new(move |_| data.with(|page| page.needs.clone()));
    let calm = Memo::new(move |_| data.with(|page| page.needs.is_empty().then(|| calm(page))));
    let week = Memo::new(move |_| data.with(|page| page.week.clone()));
    let next = Memo::new(move |_| data.with(|page| page.next.clone()));
    let coming = Memo::new(move |_| data.with(|page| page.coming_up.clone()));
    view! {
        <div class="page">
            {move || needs.with(|needs| needs.first().map(|first| band(first, needs.len() - 1, false)))}
            <h1 class="visually-hidden">"Overview"</h1>
            {move || calm.get().map(|calm| view! { <p data-testid="calm">{calm}</p> })}
            <div class="columns">
                <div>
                    <section class="block">
                        <h2 class="block__title">"This week"</h2>
                        {move || week.with(|days| week_strip(days))}
                    </section>
                    <section class="block">
                        <h2 class="block__title">"Next posts"</h2>
                        {move || next.with(|posts| next_posts(posts))}
                    </section>
                </div>
                <aside>{move || coming.with(|coming| coming_up(coming))}</aside>
            </div>
        </div>
    }
    .into_any()
}

/// One sentence of calm.
fn calm(page: &Overview) -> String {
    let connected = match (page.accounts, page.connected) {
        (0, _) => return "No account is linked yet.".to_owned(),
        (1, 1) => "Your account is connected.".to_owned(),
        (all, connected) if all == connected => format!("All {all} accounts are connected."),
        (all, connected) => format!("{connected} of {all} accounts are connected."),
    };
    match page.next.first().and_then(|post| post.due.as_ref()) {
        Some(due) => format!("{connected} Next post {}.", due.near),
        None => format!("{connected} Nothing is planned."),
    }
}

fn week_strip(days: &[WeekDay]) -> AnyView {
    let calendar = link(CALENDAR);
    let days: Vec<_> = days
        .iter()
        .map(|day| {
            let mut class = "week__day".to_owned();
            if day.is_today {
                class.push_str(" week__day--today");
            }
            if day.will_not_go_out > 0 {
                class.push_str(" week__day--lost");
            }
            let lost = if day.will_not_go_out > 0 { format!(", {} will not go out", day.will_not_go_out) } else { String::new() };
            // What stands in sight and what is heard are one text.
            let date = day.day.strip_prefix(day.weekday.as_str()).unwrap_or_default().to_owned();
            let posts = if day.posts == 1 { " post" } else { " posts" };
            let foot = (day.will_not_go_out > 0).then(|| {
                view! {
                    <svg class="week__foot" width="100%" height="8" aria-hidden="true">
                        <rect width="100%" height="8" fill="url(#hatch-stop)"></rect>
                    </svg>
                }
            });
            view! {
                <li class=class>
                    <a class="week__link" href=calendar.clone()>
                        <span class="week__name">{day.weekday.clone()}<span class="visually-hidden">{date}": "</span></span>
                        <span class="week__count">{day.posts}<span class="visually-hidden">{posts}{lost}</span></span>
                    </a>
                    {foot}
                </li>
            }
        })
        .collect();
    view! { <ol class="week" data-testid="week">{days}</ol> }.into_any()
}

fn next_posts(posts: &[PostLine]) -> AnyView {
    if posts.is_empty() {
        let action = view! { <a class="button button--primary" href=link(COMPOSE)>"New post"</a> };
        return empty("Nothing planned this week.", action);
    }
    let slug = slug();
    let rows: Vec<_> = posts.iter().map(|post| next_post(&slug, post)).collect();
    view! { <div class="timetable"><ol>{rows}</ol></div> }.into_any()
}

fn next_post(slug: &str, post: &PostLine) -> AnyView {
    let (tone, word) = words::post_end(post);
    let time = post.due.as_ref().map(|due| due.time.clone()).unwrap_or_default();
    // The day stands before the accounts unless it is today: the column holds times only.
    let day = post.due.as_ref().and_then(|due| due.near.rsplit_once(' ')).map(|(day, _)| day.trim_end_matches(',').to_owned());
    let accounts = words::posts::accounts_line(post);
    let note = match day.filter(|day| day != "today") {
        Some(day) => format!("{day}, {accounts}"),
        None => accounts,
    };
    view! {
        <li class="timetable__row">
            <time class="timetable__time">{time}</time>
            <a class="timetable__what" href=post_path(slug, post.id)>
                <span class="timetable__title">{words::post_title(&post.text, post.images)}</span>
                <span class="timetable__note">{note}</span>
            </a>
            <span class="timetable__end">{status_mark(tone, word)}</span>
        </li>
    }
    .into_any()
}

fn coming_up(coming: &[ComingUp]) -> AnyView {
    if coming.is_empty() {
        return ().into_any();
    }
    let slug = slug();
    let rows: Vec<_> = coming
        .iter()
        .map(|login| {
            let when = if login.end.is_stated { login.end.moment.text.clone() } else { format!("about {}", login.end.moment.day) };
            let lost = match login.posts_after {
                0 => String::new(),
                1 => ", 1 post after it".to_owned(),
                n => format!(", {n} posts after it"),
            };
            view! {
                <li class="setting">
                    <div class="setting__text">
                        <strong>{words::names(&login.accounts, 2)}</strong>
                        <p class="small muted">{format!("{} login ends {when}{lost}", login.platform.name())}</p>
                    </div>
                    <a class="button button--small" href=account_path(&slug, login.account)>"Open"</a>
                </li>
            }
        })
        .collect();
    view! {
        <section class="block" data-testid="coming-up">
            <h2 class="block__title">"Coming up"</h2>
            <ul>{rows}</ul>
            <p><a href=link(ACCOUNTS)>"All accounts"</a></p>
        </section>
    }
    .into_any()
}
