//! Posts in a list: time in the strong left column, day by day.

use domain::summary::Moment;
use domain::summary::posts::PostLine;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::status::status_mark;
use crate::words::{self, posts};

/// Posts grouped by day, in the order given. The days on which something will not go out are hatched.
pub fn posts_by_day(slug: &str, rows: Vec<PostLine>) -> AnyView {
    by_day(slug, rows.into_iter().map(Entry::Post).collect())
}

/// Planned posts grouped by day, the ends of logins among them: when, and what ends.
pub fn agenda(slug: &str, rows: Vec<PostLine>, ends: Vec<(Moment, String)>) -> AnyView {
    let mut entries: Vec<Entry> = rows.into_iter().map(Entry::Post).collect();
    entries.extend(ends.into_iter().map(|(at, what)| Entry::End(at, what)));
    entries.sort_by_key(|entry| entry.moment().map_or(Timestamp(i64::MAX), |moment| moment.at));
    by_day(slug, entries)
}

enum Entry {
    Post(PostLine),
    End(Moment, String),
}

impl Entry {
    fn moment(&self) -> Option<&Moment> {
        match self {
            Self::Post(post) => post.due.as_ref(),
            Self::End(at, _) => Some(at),
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self, Self::Post(post) if post.deliveries.iter().any(|delivery| delivery.at_risk))
    }

    fn view(&self, slug: &str) -> AnyView {
        match self {
            Self::Post(post) => post_row(slug, post),
            Self::End(at, what) => view! {
                <li class="timetable__mark">
                    <span class="timetable__time">{at.time.clone()}</span>
                    <span>{what.clone()}</span>
                </li>
            }
            .into_any(),
        }
    }
}

fn by_day(slug: &str, entries: Vec<Entry>) -> AnyView {
    let mut days: Vec<(String, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let day = entry.moment().map_or_else(|| "No time yet".to_owned(), |moment| moment.day.clone());
        match days.last_mut() {
            Some((last, entries)) if *last == day => entries.push(entry),
            _ => days.push((day, vec![entry])),
        }
    }
    days.into_iter().map(|(name, entries)| day(slug, name, &entries)).collect_view().into_any()
}

fn day(slug: &str, name: String, entries: &[Entry]) -> AnyView {
    let near = entries.first().and_then(Entry::moment).map(|moment| moment.near.as_str()).unwrap_or_default();
    let note = ["today", "tomorrow"].into_iter().find(|word| near.starts_with(word));
    let hatch = entries.iter().any(Entry::is_lost).then(|| {
        view! {
            <svg class="timetable__hatch" aria-hidden="true">
                <rect width="100%" height="100%" fill="url(#hatch-stop)"></rect>
            </svg>
        }
    });
    view! {
        <section class="timetable">
            <h2 class="timetable__day">
                {hatch} <span>{name}</span> {note.map(|note| view! { <span class="timetable__day-note">{note}</span> })}
            </h2>
            <ol>{entries.iter().map(|entry| entry.view(slug)).collect_view()}</ol>
        </section>
    }
    .into_any()
}

/// One post of a list.
pub fn post_row(slug: &str, post: &PostLine) -> AnyView {
    let (tone, word) = words::post_end(post);
    view! {
        <li class="timetable__row" data-testid="post-row" data-status=posts::post_code(post.status)>
            <span class="timetable__time">{post.due.as_ref().map(|due| due.time.clone())}</span>
            <a class="timetable__what" href=words::post_path(slug, post.id)>
                <span class="timetable__title">{words::post_title(&post.text, post.images)}</span>
                <span class="timetable__note">{posts::accounts_line(post)}</span>
            </a>
            <span class="timetable__end">{status_mark(tone, word)}</span>
        </li>
    }
    .into_any()
}
