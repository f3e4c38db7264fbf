//! `/events?after=seq`: numbered events as they are committed (design sections 6 and 9).

use std::convert::Infallible;
use std::time::Duration;

use app::context::Visitor;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::role::Caller;
use domain::summary::refusal::ErrorCode;
use futures::stream::{self, Stream};
use serde::Deserialize;
use store::db::Announced;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Web, refuse};

/// How often a silent stream asks whether its session still lives.
const CHECK: Duration = Duration::from_secs(2);

/// The query of the stream.
#[derive(Debug, Deserialize)]
pub(crate) struct After {
    /// The number of the last event that the page knows.
    #[serde(default)]
    after: i64,
    /// The workspace's slug; empty: the last used one.
    #[serde(default)]
    workspace: String,
}

struct Open {
    web: Web,
    token: String,
    caller: Caller,
    slug: Option<String>,
    after: i64,
    announced: Receiver<Announced>,
    waiting: std::collections::VecDeque<SseEvent>,
}

/// Streams the events of one workspace until its session ends.
pub(crate) async fn stream(State(web): State<Web>, Extension(visitor): Extension<Visitor>, Query(query): Query<After>) -> Response {
    let Some(token) = visitor.token else { return refuse::code(ErrorCode::NotSignedIn) };
    // Listening begins before the first look into the table, so nothing falls between.
    let announced = web.services.store.announcements();
    let slug = Some(query.workspace).filter(|slug| !slug.is_empty());
    let caller = match web.services.caller_of_session(&token, slug.as_deref()).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return refuse::code(ErrorCode::NotSignedIn),
        Err(error) => return refuse::failed(&error),
    };
    let state = Open { web, token, caller, slug, after: query.after, announced, waiting: Default::default() };
    Sse::new(events(state)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

fn events(state: Open) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Some((Ok(event), state))
    })
}

impl Open {
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            match self.web.services.events_after(&self.caller, self.after).await {
                Ok(events) => {
                    for event in events {
                        self.after = self.after.max(event.seq);
                        let sent = SseEvent::default().id(event.seq.to_string()).event("change").json_data(&event);
                        self.waiting.extend(sent.ok());
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the event stream cannot read");
                    return None;
                }
            }
            if self.waiting.is_empty() {
                self.wait().await?;
            }
        }
    }

    /// Waits for something of this workspace to be announced. `None` ends the stream.
    async fn wait(&mut self) -> Option<()> {
        loop {
            let stopping = self.web.stopping.clone();
            tokio::select! {
                () = stopping.cancelled() => return None,
                announced = self.announced.recv() => match announced {
                    Ok(announced) if announced.workspace != self.caller.workspace => {}
                    // A page that lags reads what it missed from the table.
                    Ok(_) | Err(RecvError::Lagged(_)) => return self.still_signed_in().await,
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(CHECK) => {
                    self.still_signed_in().await?;
                }
            }
        }
    }

    async fn still_signed_in(&mut self) -> Option<()> {
        let caller = self.web.services.caller_of_session(&self.token, self.slug.as_deref()).await.ok()??;
        (caller.workspace == self.caller.workspace).then(|| self.caller = caller)
    }
}
