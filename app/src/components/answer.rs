//! "Did this post appear?": the answers to an outcome that no machine can tell.

use domain::id::DeliveryId;
use domain::platform::Platform;
use leptos::prelude::*;

use super::after::posts_change;
use super::form::{PostForm, form_error, workspace_field};
use super::time_fields::{Wall, time_fields};
use crate::api::posts::AnswerDelivery;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its platform.
    pub platform: Platform,
    /// Where a person can look.
    pub look: Option<String>,
    /// The time at which it was planned, where the page knows it.
    pub wall: Wall,
}

/// [It is there] [It is not there] [Open Facebook]. "Not there" unfolds what to do then; it works without script.
pub fn answer_form(asked: Question) -> AnyView {
    let Question { delivery, platform, look, wall } = asked;
    let action = ServerAction::<AnswerDelivery>::new();
    posts_change(action);
    let hidden = move || {
        view! {
            {workspace_field()}
            <input type="hidden" name="delivery" value=delivery.to_string()/>
        }
    };
    let look = look.map(|look| {
        view! {
            <a class="button button--small" href=look target="_blank" rel="external noopener noreferrer" data-testid="look">
                {format!("Open {}", platform.name())}
            </a>
        }
    });
    // Without a known zone a new time would be a guess; the page of the post knows it.
    let new_time = (!wall.zone.is_empty()).then(|| {
        view! {
            {time_fields(&format!("again-{delivery}"), wall)}
            <button class="button button--small" name="answer" value="new_time" data-testid="answer-new-time">
                "New time"
            </button>
        }
    });
    view! {
        <div class="stack stack--tight">
            <div class="actions">
                <PostForm action>
                    {hidden()} <button class="button button--small" name="answer" value="there" data-testid="answer-there">
                        "It is there"
                    </button>
                </PostForm>
                {look}
            </div>
            <details class="more">
                <summary class="more__button" data-testid="answer-not-there">
                    "It is not there"
                </summary>
                <PostForm action class="form">
                    {hidden()} <p class="small muted">{format!("We look at {} once more before anything is sent.", platform.name())}</p>
                    <button class="button button--small" name="answer" value="send_again" data-testid="answer-send-again">
                        "Send it again"
                    </button> {new_time}
                </PostForm>
            </details>
            {form_error(action)}
        </div>
    }
    .into_any()
}
