//! The yellow sheet: at most one per screen, only where somebody is needed.

use domain::inbox::Stage;
use domain::role::Action;
use domain::summary::inbox::{About, ThreadRow};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::form::{Refresh, refresh_button};
use super::frame::{link, may, slug};
use crate::words::{self, INBOX, MISSED, account_path, post_path};

/// The band of a thread that needs somebody; `more` is how many others do. With `is_heading` its title is the page's.
pub fn band(row: &ThreadRow, more: usize, is_heading: bool) -> AnyView {
    let title = words::thread_title(row);
    let heading = if is_heading {
        view! { <h1 class="band__title" id="band-title">{title}</h1> }.into_any()
    } else {
        view! { <h2 class="band__title" id="band-title">{title}</h2> }.into_any()
    };
    view! {
        <section class="band" aria-labelledby="band-title" data-testid="band">
            {heading}
            <p class="band__text">{words::thread_cost(row)}</p>
            <div class="band__actions">{thread_actions(row)}</div>
            {refresh_note(row).map(|note| view! { <p class="band__note">{note}</p> })}
            {(more > 0).then(|| view! { <a class="band__more" href=link(INBOX)>{format!("and {more} more")}</a> })}
        </section>
    }
    .into_any()
}

/// Whether a new sign-in is what this thread asks for.
fn wants_sign_in(row: &ThreadRow) -> bool {
    use domain::cause::Cause;
    if row.is_resolved || row.stage == Stage::Back {
        return false;
    }
    match &row.about {
        About::Login { may_sign_in_now, .. } => match row.stage {
            Stage::EndsSoon { .. } => *may_sign_in_now,
            Stage::Trouble => false,
            _ => true,
        },
        About::Account { cause, .. } => !matches!(cause, Some(Cause::PolicyViolation | Cause::AccountDeletion)),
        _ => false,
    }
}

/// What Refresh Credentials of a thread does, where it offers it.
pub fn refresh_note(row: &ThreadRow) -> Option<String> {
    match &row.about {
        About::Login { platform, login_of, accounts, .. } if wants_sign_in(row) && may(Action::RefreshLogin) => {
            Some(words::refresh_note(*platform, login_of, accounts.len()))
        }
        _ => None,
    }
}

/// The buttons of a thread: the one that solves it first.
pub fn thread_actions(row: &ThreadRow) -> AnyView {
    let mut buttons: Vec<AnyView> = Vec::new();
    if wants_sign_in(row) && may(Action::RefreshLogin) {
        match &row.about {
            About::Login { grant, platform, .. } | About::Account { grant, platform, .. } => {
                buttons.push(refresh_button(Refresh::new(*grant, *platform, "")));
            }
            _ => {}
        }
    }
    let slug = slug();
    // A button that leads to where one is already would be none; addresses may leave the workspace out.
    let here = use_location().pathname.get_untracked();
    let here = if here.starts_with("/w/") { here } else { link(&here) };
    let mut lead = |text: String, href: String| {
        if href == here {
            return;
        }
        let class = if buttons.is_empty() { "button button--primary" } else { "button" };
        buttons.push(view! { <a class=class href=href>{text}</a> }.into_any());
    };
    let missed = || link(MISSED);
    match &row.about {
        About::Login { accounts, platform, .. } => {
            if row.missed > 0 {
                let is_back = row.is_resolved || row.stage == Stage::Back;
                lead(if is_back { "Choose new times" } else { "See posts" }.to_owned(), missed());
            }
            // Two buttons fit beside one another on a phone.
            if let (false, 0, Some((account, _))) = (row.is_resolved, row.missed, accounts.first()) {
                let text = if matches!(row.stage, Stage::Lost { .. } | Stage::Missed { .. }) {
                    format!("What {} said", platform.name())
                } else {
                    "Details".to_owned()
                };
                lead(text, account_path(&slug, *account));
            }
        }
        About::Account { account, platform, .. } => {
            if row.missed > 0 {
                lead("See posts".to_owned(), missed());
            }
            lead(format!("What {} said", platform.name()), account_path(&slug, *account));
        }
        About::Absence { waiting, .. } if *waiting > 0 => lead(format!("See {}", words::count(*waiting, "post")), missed()),
        About::Failed { post, .. } => lead("Fix and send".to_owned(), post_path(&slug, *post)),
        About::NeedsAnswer { post, look_url, platform, .. } => {
            lead("Answer".to_owned(), post_path(&slug, *post));
            if let Some(url) = look_url.clone() {
                let text = format!("Open {}", platform.name());
                buttons.push(view! { <a class="button" href=url target="_blank" rel="noopener noreferrer">{text}</a> }.into_any());
            }
        }
        About::Platform { .. } | About::App { .. } | About::Absence { .. } => {}
    }
    buttons.into_any()
}
