//! The state of a post per account, with reason and what can be done.

use domain::delivery::MissedWhy;
use domain::id::PostId;
use domain::summary::posts::{DeliveryLine, DeliveryStatus, Proof, ProofWhat};
use domain::text::is_link;
use leptos::prelude::*;

use super::answer::{Question, answer_form};
use super::icon::avatar;
use super::status::status;
use super::time_fields::Wall;
use crate::words::{self, posts};

/// The deliveries of a post. `wall`: its date and time as form values, and their zone.
pub fn delivery_list(slug: &str, post: PostId, proofs: &[Proof], wall: &Wall, may_write: bool) -> AnyView {
    let row = |proof: &Proof| {
        let sent = proof.steps.iter().rev().find(|step| step.what == ProofWhat::Sent).map(|step| step.clock.as_str());
        delivery_row(slug, post, proof, sent, wall, may_write)
    };
    view! { <ul class="deliveries">{proofs.iter().map(row).collect_view()}</ul> }.into_any()
}

fn delivery_row(slug: &str, post: PostId, proof: &Proof, sent: Option<&str>, wall: &Wall, may_write: bool) -> AnyView {
    let line: &DeliveryLine = &proof.delivery;
    let (tone, word) = words::delivery_status(line);
    let platform = line.platform;
    let why = match &line.status {
        DeliveryStatus::Failed { why, .. } => Some(words::failed_why(why, platform)),
        DeliveryStatus::Planned if line.at_risk => Some(format!("{} is disconnected, or its login ends before this.", platform.name())),
        DeliveryStatus::NeedsAnswer { asked } => Some(format!("We sent it at {} and got no answer.", sent.unwrap_or(&asked.time))),
        _ => None,
    };
    let lead = |text: String, href: String| {
        view! {
            <a class="button button--small" href=href>
                {text}
            </a>
        }
        .into_any()
    };
    let account = || lead("See account".to_owned(), words::account_path(slug, line.account));
    let action = match &line.status {
        // The address comes from the platform: only a web address becomes a link.
        DeliveryStatus::Published { link: Some(link), .. } if is_link(link) => Some(
            view! {
                <a class="button button--small" href=link.clone() rel="external noopener noreferrer">
                    {format!("Open {}", platform.name())}
                </a>
            }
            .into_any(),
        ),
        DeliveryStatus::Planned if line.at_risk => Some(account()),
        DeliveryStatus::Missed { why: MissedWhy::Disconnected | MissedWhy::AccountBlocked | MissedWhy::Paused, .. } => Some(account()),
        DeliveryStatus::Missed { .. } if may_write => Some(lead("New time".to_owned(), "#new-time".to_owned())),
        DeliveryStatus::Failed { .. } if may_write => {
            Some(lead("Fix and send".to_owned(), format!("{}?post={post}", words::href(slug, words::COMPOSE))))
        }
        _ => None,
    };
    // The address is of our own making, from the platform's id of the account.
    let look = proof.look_url.clone().filter(|url| is_link(url));
    let question = matches!(line.status, DeliveryStatus::NeedsAnswer { .. }) && may_write;
    let question = question.then(|| answer_form(Question { delivery: line.id, platform, look, wall: wall.clone() }));
    view! {
        <li
            class="delivery"
            data-testid="delivery"
            data-status=posts::delivery_code(&line.status)
            data-platform=platform.code()
            data-account=line.account.to_string()
        >
            {avatar(platform, "")}
            <div class="delivery__text">
                <p class="delivery__name">{format!("{}, {}", line.account_name, platform.account_word())}</p>
                {status(tone, word)}
                {why.map(|why| view! { <p class="delivery__why">{why}</p> })}
                {question}
            </div>
            <div class="delivery__actions">{action}</div>
        </li>
    }
    .into_any()
}
