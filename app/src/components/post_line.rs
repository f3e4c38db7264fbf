//! Posts in a list: time in the strong left column, day by day.

use domain::summary::posts::PostLine;
use leptos::prelude::*;

use super::status::status_mark;
use crate::words::{self, posts};

/// Posts grouped by day, in the order given. The days on which something will not go out are hatched.
pub fn posts_by_day(slug: &str, rows: Vec<PostLine>) -> AnyView {
    let mut days: Vec<(String, Vec<PostLine>)> = Vec::new();
    for row in rows {
        let day = row.due.as_ref().map_or_else(|| "No time yet".to_owned(), |due| due.day.clone());
        match days.last_mut() {
            Some((last, posts)) if *last == day => posts.push(row),
            _ => days.push((day, vec![row])),
        }
    }
    days.into_iter().map(|(name, posts)| day(slug, name, posts)).collect_view().into_any()
}

fn day(slug: &str, name: String, posts: Vec<PostLine>) -> AnyView {
    let is_lost = posts.iter().any(|post| post.deliveries.iter().any(|delivery| delivery.at_risk));
    let near = posts.first().and_then(|post| post.due.as_ref()).map(|due| due.near.as_str()).unwrap_or_default();
    let note = ["today", "tomorrow"].into_iter().find(|word| near.starts_with(word));
    let hatch = is_lost.then(|| {
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
            <ol>{posts.iter().map(|post| post_row(slug, post)).collect_view()}</ol>
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
