//! One post: its text, its state per account with reason and button, and the proof of posting.

use domain::id::PostId;
use domain::post::PostStatus;
use domain::role::Action;
use domain::summary::compose::ClockChange;
use domain::summary::posts::{DeliveryStatus, PostPage as Post};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::api::ApiError;
use crate::api::posts::{CancelPost, ReschedulePost, show_post};
use crate::components::after::{leaves, posts_change};
use crate::components::delivery_list::delivery_list;
use crate::components::form::{PostForm, form_error, workspace_field};
use crate::components::frame::{may, page_title, slug};
use crate::components::icon::icon;
use crate::components::load::load;
use crate::components::proof::proof_of_posting;
use crate::components::status::status;
use crate::components::time_fields::{Wall, time_fields};
use crate::words::{self, COMPOSE, POSTS, href, posts};

/// One post.
#[component]
pub fn PostPage() -> impl IntoView {
    let params = use_params_map();
    let key = move || (slug(), params.read().get("id").unwrap_or_default());
    load(key, fetch, &[EventKind::Posts, EventKind::Accounts], show)
}

async fn fetch((slug, id): (String, String)) -> Result<Post, ApiError> {
    let Ok(post) = id.parse::<PostId>() else { return Err(ErrorCode::NotFound.into()) };
    show_post(slug, post).await
}

fn show(data: RwSignal<Post>) -> AnyView {
    let slug = slug();
    let may_write = may(Action::WritePosts);
    let wall = move || {
        data.with(|post| Wall {
            date: post.wall_date.clone().unwrap_or_default(),
            time: post.wall_time.clone().unwrap_or_default(),
            zone: post.zone.clone(),
        })
    };
    let line = Memo::new(move |_| data.with(|post| post.line.clone()));
    let proofs = Memo::new(move |_| data.with(|post| post.proofs.clone()));
    let rights = Memo::new(move |_| data.with(|post| (post.can_edit, post.can_reschedule)));
    let id = data.with_untracked(|post| post.line.id);
    let status = Memo::new(move |_| line.with(|line| line.status));
    let has_lost = Memo::new(move |_| {
        let is_lost = |status: &DeliveryStatus| matches!(status, DeliveryStatus::Missed { .. } | DeliveryStatus::Failed { .. });
        line.with(|line| line.deliveries.iter().any(|delivery| is_lost(&delivery.status)))
    });
    let head = {
        let slug = slug.clone();
        move || line.with(|line| head(&slug, line, rights.get().0 && may_write))
    };
    let deliveries = {
        let slug = slug.clone();
        move || proofs.with(|proofs| delivery_list(&slug, id, proofs, &untrack(wall), may_write))
    };
    let controls = move || {
        let (can_edit, can_reschedule) = rights.get();
        may_write.then(|| view! { {can_reschedule.then(|| reschedule(id, untrack(wall)))} {can_edit.then(|| cancel(id, status.get(), has_lost.get()))} })
    };
    let proof = move || {
        let planned = data.with(|post| post.line.due.as_ref().map(|due| format!("{}, {}", due.text, posts::zone_time(&post.zone))));
        let shown = proofs.with(|proofs| proofs.iter().map(|proof| proof_of_posting(proof.clone(), planned.clone())).collect_view());
        let is_any = proofs.with(|proofs| !proofs.is_empty());
        is_any.then(|| view! { <h2 class="block__title">"Proof of posting"</h2> {shown} })
    };
    view! {
        {page_title(move || line.with(|line| words::post_title(&line.text, line.images)))}
        <div class="page">
            {notice(&slug, data)} {head} <div class="columns">
                <div>
                    <div class="stack">{move || data.with(content)}</div>
                    <section class="block">
                        <h2 class="block__title">"Accounts"</h2>
                        {deliveries}
                    </section>
                    {controls}
                </div>
                <aside aria-label="Proof of posting">{proof}</aside>
            </div>
        </div>
    }
    .into_any()
}

fn head(slug: &str, line: &domain::summary::posts::PostLine, can_edit: bool) -> AnyView {
    let (tone, word) = words::post_end(line);
    let due = line.due.as_ref().map(|due| view! { <p class="muted">{due.text.clone()}</p> });
    let edit = can_edit.then(|| {
        view! {
            <a class="button" href=format!("{}?post={}", href(slug, COMPOSE), line.id) data-testid="edit-post">
                "Edit"
            </a>
        }
    });
    view! {
        <header class="page-head" data-testid="post" data-status=posts::post_code(line.status)>
            <div class="page-head__text">
                <p class="breadcrumb">
                    "Social › " <a href=href(slug, POSTS)>"Posts"</a>
                </p>
                <h1>{words::post_title(&line.text, line.images)}</h1>
                {status(tone, word)}
                {due}
            </div>
            <div class="page-head__actions">{edit}</div>
        </header>
    }
    .into_any()
}

/// What the post says. User text stands in text nodes only.
fn content(post: &Post) -> AnyView {
    let title = (!post.title.is_empty()).then(|| view! { <p class="strong">{post.title.clone()}</p> });
    let text = (!post.text.is_empty()).then(|| view! { <p class="preview__text" data-testid="post-text">{post.text.clone()}</p> });
    // The backend takes only http and https links; anything else would be a script's address.
    let link = domain::text::is_link(&post.link).then(|| {
        view! {
            <p>
                <a href=post.link.clone() rel="external noopener noreferrer">
                    {post.link.clone()}
                </a>
            </p>
        }
    });
    let image = |image: &domain::summary::posts::ImageView| {
        view! {
            <li>
                <img src=image.url.clone() alt=image.alt.clone() width="120" height="120" loading="lazy"/>
            </li>
        }
    };
    let images = (!post.images.is_empty()).then(|| view! { <ul class="media-strip">{post.images.iter().map(image).collect_view()}</ul> });
    let author = (!post.author.is_empty()).then(|| view! { <p class="small muted">{format!("Written by {}", post.author)}</p> });
    view! { {title} {text} {link} {images} {author} }.into_any()
}

/// A new time for what did not go out, or is still planned.
fn reschedule(post: PostId, wall: Wall) -> AnyView {
    let action = ServerAction::<ReschedulePost>::new();
    posts_change(action);
    view! {
        <section class="block" id="new-time">
            <h2 class="block__title">"New time"</h2>
            <PostForm action class="form" test="reschedule-form">
                {workspace_field()}
                <input type="hidden" name="post" value=post.to_string()/>
                {time_fields("new", wall)}
                {form_error(action)}
                <div class="form__end">
                    <button class="button" type="submit" aria-busy=move || action.pending().get().to_string()>
                        "Schedule at this time"
                    </button>
                </div>
            </PostForm>
        </section>
    }
    .into_any()
}

fn cancel(post: PostId, status: PostStatus, has_lost: bool) -> AnyView {
    let action = ServerAction::<CancelPost>::new();
    // A deleted draft cannot be fetched again; the browser is led to the others.
    if status == PostStatus::Draft {
        leaves(action);
    } else {
        posts_change(action);
    }
    let name = match status {
        PostStatus::Draft => "Delete this draft",
        _ if has_lost => "Dismiss what did not go out",
        _ => "Cancel this post",
    };
    view! {
        <section class="block">
            <PostForm action>
                {workspace_field()}
                <input type="hidden" name="post" value=post.to_string()/>
                <input type="hidden" name="draft" value=(status == PostStatus::Draft).to_string()/>
                <button class="button button--quiet" type="submit" data-testid="cancel-post">
                    {icon("close")}
                    {name}
                </button>
                {form_error(action)}
            </PostForm>
        </section>
    }
    .into_any()
}

/// What was just done, from the address that Compose leads to. Foreign words in it are not shown.
fn notice(slug: &str, data: RwSignal<Post>) -> AnyView {
    let query = use_query_map();
    let edit = href(slug, COMPOSE);
    let said = move || {
        let query = query.read();
        let done = query.get("done")?;
        let due = data.with(|post| post.line.due.as_ref().map(|due| due.text.clone()));
        let status = data.with(|post| post.line.status);
        // The address stays when the post goes on; then it says nothing.
        let first = match (done.as_str(), due, status) {
            ("scheduled" | "rescheduled", Some(due), PostStatus::Planned | PostStatus::Underway) => format!("Scheduled for {due}."),
            ("sent", _, PostStatus::Published) => "Published.".to_owned(),
            ("sent", _, PostStatus::Planned | PostStatus::Underway) => "Being sent now.".to_owned(),
            ("saved", _, PostStatus::Draft) => "Saved as a draft.".to_owned(),
            _ => return None,
        };
        let zone = data.with(|post| post.zone.clone());
        let change = change(query.get("gap"), query.get("becomes"), query.get("fold"));
        Some((first, change.map(|change| words::clock_change(&change, &zone))))
    };
    let is_draft = move || data.with(|post| post.line.status == PostStatus::Draft);
    view! {
        <div role="status" data-testid="notice">
            {move || {
                said()
                    .map(|(first, change)| {
                        let go_on = is_draft().then(|| {
                            let href = format!("{edit}?post={}", data.with(|post| post.line.id));
                            view! { <a class="note__action" href=href>"Go on writing"</a> }
                        });
                        view! {
                            <p class="note note--ok">
                                {icon("check")}<span>{first} {change.map(|change| format!(" {change}"))} " " {go_on}</span>
                            </p>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

fn change(gap: Option<String>, becomes: Option<String>, fold: Option<String>) -> Option<ClockChange> {
    let clock = |text: Option<String>| text.filter(|text| is_clock(text));
    match (clock(gap), clock(becomes), clock(fold)) {
        (Some(asked), Some(becomes), _) => Some(ClockChange::Gap { asked, becomes }),
        (_, _, Some(asked)) => Some(ClockChange::Fold { asked }),
        _ => None,
    }
}

/// Whether `text` is a time like "02:30" and nothing else.
fn is_clock(text: &str) -> bool {
    text.len() == 5 && text.char_indices().all(|(at, c)| if at == 2 { c == ':' } else { c.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_taken_from_the_address() {
        let text = |text: &str| Some(text.to_owned());
        let gap = ClockChange::Gap { asked: "02:30".to_owned(), becomes: "03:30".to_owned() };
        assert_eq!(change(text("02:30"), text("03:30"), None), Some(gap));
        assert_eq!(change(None, None, text("02:30")), Some(ClockChange::Fold { asked: "02:30".to_owned() }));
        assert_eq!(change(text("Call 0800"), text("03:30"), text("1234567")), None);
    }
}
