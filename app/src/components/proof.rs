//! Proof of posting: the stamp, the facts, and the story of one delivery down to the read-back.

use domain::platform::Platform;
use domain::summary::Moment;
use domain::summary::posts::{DeliveryStatus, Proof, ProofStep, ProofWhat};
use leptos::prelude::*;

use crate::words::{self, Tone, posts};

/// The proof of one delivery. `planned`: when, with the zone: "Thu 3 Dec, 09:00, Berlin time".
pub fn proof_of_posting(proof: Proof, planned: Option<String>) -> AnyView {
    let Proof { look_url: _, delivery, remote_id, steps } = proof;
    let platform = delivery.platform;
    let clock = |wanted: &ProofWhat| steps.iter().rev().find(|step| step.what == *wanted).map(|step| step.clock.clone());
    let (stamp, link) = match &delivery.status {
        // The address comes from the platform: only a web address becomes a link.
        DeliveryStatus::Published { at, link, .. } => {
            (Some(stamp(platform, at, &delivery.id.to_string())), link.clone().filter(|link| domain::text::is_link(link)))
        }
        _ => (None, None),
    };
    let facts = [
        planned.map(|planned| ("Planned", planned)),
        clock(&ProofWhat::Sent).map(|at| ("Sent", at)),
        clock(&ProofWhat::SeenOnline).map(|at| ("Seen online", at)),
        remote_id.map(|id| ("Number there", id)),
    ];
    let fact = |(name, value): (&'static str, String)| {
        view! {
            <div class="facts__row">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let address = link.map(|link| {
        view! {
            <div class="facts__row">
                <dt>"Link"</dt>
                <dd>
                    <a href=link.clone() rel="external noopener noreferrer">
                        {link.clone()}
                    </a>
                </dd>
            </div>
        }
    });
    view! {
        <section class="proof">
            {stamp.map(|stamp| view! { <div class="proof__stamp">{stamp}</div> })} <div class="proof__body">
                <h3>{format!("{}, {}", delivery.account_name, platform.account_word())}</h3>
                <dl class="facts">{facts.into_iter().flatten().map(fact).collect_view()} {address}</dl>
                {story(steps, platform)}
            </div>
        </section>
    }
    .into_any()
}

/// The story, newest first.
fn story(steps: Vec<ProofStep>, platform: Platform) -> AnyView {
    let step = |step: ProofStep| {
        let (tone, text) = words::proof_step(&step.what, platform);
        let class = match tone {
            Tone::Stop => "story__entry story__entry--stop",
            Tone::Need | Tone::Ask => "story__entry story__entry--need",
            Tone::Wait => "story__entry story__entry--wait",
            Tone::Ok => "story__entry story__entry--ok",
            Tone::Pause | Tone::Plain => "story__entry",
        };
        view! {
            <li class=class data-testid="proof-step" data-what=posts::proof_code(&step.what)>
                <span class="story__time">{format!("{}, {}", step.at.day, step.clock)}</span>
                <p class="story__text">{text}</p>
            </li>
        }
    };
    view! { <ol class="story">{steps.into_iter().rev().map(step).collect_view()}</ol> }.into_any()
}

/// The postmark of a published post. Its words are ours, none of them from outside.
fn stamp(platform: Platform, at: &Moment, id: &str) -> AnyView {
    let label = format!("Published on {}, {}", platform.name(), at.text);
    view! { <svg class="stamp" viewBox="0 0 120 120" role="img" aria-label=label inner_html=drawing(platform, at, id)></svg> }.into_any()
}

fn drawing(platform: Platform, at: &Moment, id: &str) -> String {
    let (weekday, day) = at.day.split_once(' ').unwrap_or(("", &at.day));
    let [name, weekday, day] = [platform.name(), weekday, day].map(str::to_uppercase);
    format!(
        concat!(
            r#"<circle class="stamp__ring" cx="60" cy="60" r="57"/><circle class="stamp__ring stamp__ring--thin" cx="60" cy="60" r="38"/>"#,
            r#"<path id="arc-{id}" class="stamp__arc" d="M17 60a43 43 0 0 1 86 0"/><path id="low-{id}" class="stamp__arc" d="M8.5 60a51.5 51.5 0 0 0 103 0"/>"#,
            r##"<text class="stamp__word"><textPath href="#arc-{id}" startOffset="50%">PUBLISHED</textPath></text>"##,
            r##"<text class="stamp__word"><textPath href="#low-{id}" startOffset="50%">{name}</textPath></text>"##,
            r#"<text class="stamp__date" x="60" y="49">{day}</text><text class="stamp__time" x="60" y="68">{time}</text><text class="stamp__date" x="60" y="83">{weekday}</text>"#,
        ),
        id = id,
        name = name,
        day = day,
        time = at.time,
        weekday = weekday,
    )
}
