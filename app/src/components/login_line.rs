//! The login line: when a login ends, what we renew, and which posts lie behind the end. Geometry is SVG attributes in
//! percent, because the page's policy forbids inline style.

use domain::summary::Moment;
use domain::summary::accounts::{AccountRow, AccountStatus, LoginLine};
use domain::time::{Timestamp, days};
use leptos::prelude::*;

use crate::words;

const DAY: i64 = 86_400_000_000;

/// A moment on the axis, in hundredths of a percent.
fn at(line: &LoginLine, moment: Timestamp) -> i64 {
    let width = (line.to.0 - line.from.0).max(1);
    let along = moment.0.clamp(line.from.0, line.to.0.max(line.from.0)) - line.from.0;
    // Millionths of the width would overflow for centuries only; seconds are exact enough here.
    (along / 1_000_000) * 10_000 / (width / 1_000_000).max(1)
}

fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Posts as one path in a box as wide as the axis has days.
fn ticks(line: &LoginLine, is_lost: bool) -> String {
    let mut path = String::new();
    for post in line.posts.iter().filter(|post| **post >= line.from && **post <= line.to) {
        if line.end.is_some_and(|end| *post >= end) == is_lost {
            let tenths = (post.0 - line.from.0) * 10 / DAY;
            path.push_str(&format!("M{}.{} 0v1", tenths / 10, tenths % 10));
        }
    }
    path
}

/// The line of one account. `class` is added to the svg's own.
pub fn login_line(row: &AccountRow, class: &'static str) -> AnyView {
    let line = &row.line;
    let (now, began) = (at(line, line.now), at(line, line.began));
    let end = line.end.map(|end| (at(line, end), end <= line.now, end <= line.now + days(14)));
    let past_to = end.map_or(now, |(end, is_past, _)| if is_past { end } else { now });
    let ahead_to = match end {
        Some((_, true, _)) => now,
        Some((end, false, _)) => end,
        None if matches!(row.status, AccountStatus::Blocked { .. } | AccountStatus::Gone { .. }) => now,
        None => 10_000,
    };
    let view_box = format!("0 0 {} 1", ((line.to.0 - line.from.0) / DAY).max(1));
    let hatch = end.map(|(end, is_past, _)| {
        let fill = if is_past { "url(#hatch-stop)" } else { "url(#hatch-need)" };
        view! { <rect x=percent(end) width=percent(10_000 - end) y="6" height="9" fill=fill></rect> }
    });
    let end_bar = end.map(|(end, is_past, is_near)| {
        let class = match (is_past, is_near) {
            (true, _) => "login-line__end login-line__end--stop",
            (false, true) => "login-line__end login-line__end--need",
            (false, false) => "login-line__end",
        };
        view! { <rect class=class x=percent(end) width="3" y="1" height="19"></rect> }
    });
    let renewed: Vec<_> = line
        .renewals
        .iter()
        .map(|moment| view! { <circle class="login-line__renewed" cx=percent(at(line, *moment)) cy="10.5" r="2.5"></circle> })
        .collect();
    let renews = line
        .next_renewal
        .filter(|next| *next <= line.to && !row.status.is_disconnected())
        .map(|next| view! { <circle class="login-line__renews" cx=percent(at(line, next)) cy="10.5" r="5"></circle> });
    let drawn = |path: String, class: &'static str, height: &'static str| {
        let view_box = view_box.clone();
        (!path.is_empty()).then(|| {
            view! {
                <svg x="0" y="22" width="100%" height=height viewBox=view_box preserveAspectRatio="none"><path class=class d=path></path></svg>
            }
        })
    };
    view! {
        <svg class=format!("login-line {class}") width="100%" height="34" role="img" aria-label=words::line_label(row)>
            <rect class="login-line__past" x=percent(began.min(past_to)) width=percent((past_to - began).max(0)) y="9" height="3"></rect>
            <rect class="login-line__ahead" x=percent(now) width=percent((ahead_to - now).max(0)) y="8.5" height="4"></rect>
            {hatch}
            {end_bar}
            <rect class="login-line__today" x=percent(now) width="1.5" y="0" height="30"></rect>
            {renewed}
            {renews}
            {drawn(ticks(line, false), "login-line__ticks", "5")}
            {drawn(ticks(line, true), "login-line__lost", "9")}
        </svg>
    }
    .into_any()
}

/// The labels of the axis, once above the rows.
pub fn axis(line: &LoginLine, labels: &[Moment]) -> AnyView {
    let today = at(line, line.now);
    let shown: Vec<_> = labels
        .iter()
        .filter_map(|label| {
            let x = at(line, label.at);
            // No room beside "today", nor at the right edge.
            if (x - today).abs() < 800 || x > 9_200 {
                return None;
            }
            let text = label.day.split_once(' ').map_or(label.day.as_str(), |(_, date)| date).to_owned();
            Some(view! { <text class="axis__label" x=percent(x) y="12">{text}</text> })
        })
        .collect();
    view! {
        <svg class="axis" width="100%" height="16" aria-hidden="true">
            {shown}
            <text class="axis__label axis__label--today" x=percent(today) y="12">"today"</text>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> LoginLine {
        let day = |n: i64| Timestamp(n * DAY);
        LoginLine {
            from: day(0),
            now: day(15),
            to: day(75),
            began: day(-10),
            end: Some(day(45)),
            renewals: Vec::new(),
            next_renewal: None,
            posts: vec![day(16), day(50), day(99)],
        }
    }

    #[test]
    fn today_stands_at_a_fifth() {
        let line = line();
        assert_eq!(percent(at(&line, line.now)), "20.00%");
        assert_eq!(percent(at(&line, line.began)), "0.00%");
        assert_eq!(percent(at(&line, Timestamp(i64::MAX))), "100.00%");
    }

    #[test]
    fn posts_behind_the_end_are_lost() {
        assert_eq!(ticks(&line(), false), "M16.0 0v1");
        assert_eq!(ticks(&line(), true), "M50.0 0v1");
    }
}
