//! The health strip: 90 days, able to post. The height says it before the colour does.

use domain::summary::accounts::{Health, HealthDay};
use leptos::prelude::*;

use crate::words::count;

const fn word(health: Health) -> &'static str {
    match health {
        Health::NoData => "not known",
        Health::Fine => "fine",
        Health::Handled => "trouble that we handled",
        Health::CouldNotPost => "could not post",
    }
}

fn bars(days: &[HealthDay], health: Health, height: u32) -> String {
    let offset = 90usize.saturating_sub(days.len());
    let mut path = String::new();
    for (at, _) in days.iter().enumerate().filter(|(_, day)| day.health == health) {
        path.push_str(&format!("M{} 24v-{height}h.7v{height}z", at + offset));
    }
    path
}

/// "Able to post 85 of 87 days".
pub fn health_words(days: &[HealthDay]) -> String {
    let known = days.iter().filter(|day| day.health != Health::NoData).count();
    let able = days.iter().filter(|day| matches!(day.health, Health::Fine | Health::Handled)).count();
    format!("Able to post {able} of {}", count(u32::try_from(known).unwrap_or(u32::MAX), "day"))
}

/// The strip with the same data as a table below.
pub fn health_strip(days: &[HealthDay]) -> AnyView {
    let said = health_words(days);
    // The table names only what was not fine: ninety equal lines tell nothing.
    let rows: Vec<_> = days
        .iter()
        .filter(|day| matches!(day.health, Health::Handled | Health::CouldNotPost))
        .map(|day| view! { <tr><td>{day.day.clone()}</td><td>{word(day.health)}</td></tr> })
        .collect();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary class="more__button">"As a table"</summary>
                <table class="table">
                    <thead><tr><th scope="col">"Day"</th><th scope="col">"How it was"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
    });
    view! {
        <figure class="health">
            <svg class="health__bars" width="100%" height="24" viewBox="0 0 90 24" preserveAspectRatio="none" role="img" aria-label=said.clone()>
                <path class="health__none" d=bars(days, Health::NoData, 2)></path>
                <path class="health__fine" d=bars(days, Health::Fine, 6)></path>
                <path class="health__handled" d=bars(days, Health::Handled, 13)></path>
                <path class="health__lost" d=bars(days, Health::CouldNotPost, 22)></path>
            </svg>
            <figcaption class="health__text">{said}</figcaption>
            {table}
        </figure>
    }
    .into_any()
}
