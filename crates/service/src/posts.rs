//! Posts and their proofs.

use domain::delivery::{CanceledWhy, DeliveryEvent, DeliveryState, KEEP_LOOKING, MissedWhy, Sighting};
use domain::id::{AccountId, DeliveryId, PostId};
use domain::inbox::Root;
use domain::media::ImageFacts;
use domain::role::{Action, Caller};
use domain::summary::compose::Composed;
use domain::summary::posts::{PostPage, PostsPage, PostsTab, Proof, ProofStep, ProofWhat};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use platforms::adapter::{AccountAccess, Image, Job, Looked, RemotePost, Step};
use store::deliveries::{Delivery, Told, first_work};
use store::posts::PostTimes;
use store::{StoreError, Tx};

use crate::compose::{is_open, is_underway, read_due, wall_of};
use crate::lines::{View, shown};
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// The most rows of a list.
const ROWS: usize = 100;

/// What a person answers to "Did this post appear?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostAnswer {
    /// It is there.
    There,
    /// It is not there: send it again (after one more look).
    SendAgain,
    /// It is not there: at a new time ("2026-12-03", "09:00", zone).
    NewTime {
        /// Date.
        date: String,
        /// Time.
        time: String,
        /// Zone.
        zone: String,
    },
}

impl Services {
    /// A tab of Posts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posts_page(&self, caller: &Caller, tab: PostsTab) -> Answer<PostsPage> {
        caller.may(Action::See)?;
        let view = self.posts_view(caller.workspace).await?;
        let counts = self.store.post_counts(caller.workspace).await?;
        let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
        let found = self.store.posts_of_tab(caller.workspace, tab, most).await?;
        let has_more = found.len() > ROWS;
        let rows = found.iter().take(ROWS).map(|(post, deliveries, due)| view.line(post, deliveries, *due)).collect();
        Ok(PostsPage { tab, counts, rows, has_more })
    }

    /// One post with its proof of posting.
    ///
    /// # Errors
    /// `NotFound` when there is none, or it belongs to somebody else.
    pub async fn post_page(&self, caller: &Caller, post: PostId) -> Answer<PostPage> {
        caller.may(Action::See)?;
        let view = self.posts_view(caller.workspace).await?;
        let post = self.store.post(caller.workspace, post).await?.ok_or(ErrorCode::NotFound)?;
        let deliveries = self.store.deliveries_of_post(caller.workspace, post.id).await?;
        let story = self.store.story_of_post(caller.workspace, post.id).await?;
        let images = self.image_views(caller.workspace, &post.content.images).await?;
        let has_open = deliveries.iter().any(|delivery| is_open(&delivery.state));
        let has_underway = deliveries.iter().any(|delivery| is_underway(&delivery.state));
        let mut proofs = Vec::with_capacity(deliveries.len());
        for delivery in shown(&deliveries) {
            let look_url = match delivery.state {
                DeliveryState::Unconfirmed { .. } => {
                    self.store.account(caller.workspace, delivery.account).await?.and_then(|account| self.look_url(&account))
                }
                _ => None,
            };
            proofs.push(Proof { look_url, ..proof(&view, delivery, &story) });
        }
        let is_unsettled = |delivery: &&Delivery| is_open(&delivery.state) || matches!(delivery.state, DeliveryState::Unconfirmed { .. });
        let unsettled: Vec<AccountId> = deliveries.iter().filter(is_unsettled).map(|delivery| delivery.account).collect();
        let (date, time) = match unsettled.is_empty() {
            true => (post.wall.date.clone(), post.wall.time.clone()),
            false => self.next_wall(caller, &view, &post, &unsettled).await.map(|(date, time)| (Some(date), Some(time)))?,
        };
        Ok(PostPage {
            line: view.line(&post, &deliveries, None),
            text: post.content.text,
            title: post.content.title,
            link: post.content.link,
            images,
            author: post.author,
            zone: post.wall.zone.unwrap_or_else(|| view.zone_name.clone()),
            wall_date: date,
            wall_time: time,
            proofs,
            can_edit: post.is_draft || (has_open && !has_underway),
            can_reschedule: !post.is_draft && has_open,
        })
    }

    /// Dismisses what did not go out of a post; where all is still ahead, cancels it; deletes a draft.
    ///
    /// # Errors
    /// `AlreadyBeingSent` after the claim, `Outdated` when nothing of it can be taken out, `NotFound`.
    pub async fn cancel_post(&self, caller: &Caller, post: PostId) -> Answer<()> {
        caller.may(Action::WritePosts)?;
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let post = tx.post(caller.workspace, post).await?.ok_or(ErrorCode::NotFound)?;
        let deliveries = tx.deliveries_of_post(caller.workspace, post.id).await?;
        if post.is_draft {
            tx.delete_post(caller.workspace, post.id, now).await?;
        } else {
            let open = || deliveries.iter().filter(|delivery| is_open(&delivery.state));
            let has_lost = open().any(|delivery| !delivery.state.is_planned());
            let why = if has_lost { CanceledWhy::Dropped } else { CanceledWhy::Person };
            let chosen: Vec<&Delivery> = open().filter(|delivery| delivery.state.is_planned() != has_lost).collect();
            if chosen.is_empty() {
                let is_underway = deliveries.iter().any(|delivery| is_underway(&delivery.state));
                return Err(if is_underway { ErrorCode::AlreadyBeingSent } else { ErrorCode::Outdated }.into());
            }
            for before in chosen {
                self.take_out(&mut tx, caller, before, why, now).await?;
            }
            self.end_absence(&mut tx, caller, now).await?;
        }
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        Ok(tx.commit().await?)
    }

    /// Takes one delivery out.
    pub(crate) async fn take_out(&self, tx: &mut Tx, caller: &Caller, before: &Delivery, why: CanceledWhy, now: Timestamp) -> Answer<()> {
        let state = before.state.after(DeliveryEvent::Cancel(why), now).map_err(|_| ErrorCode::Outdated)?;
        let changed = Delivery { state, work_at: None, ..before.clone() };
        tx.change_delivery(caller.workspace, before, &changed, now).await?;
        self.add_line(tx, caller, before.id, "cancel", if why == CanceledWhy::Dropped { "dropped" } else { "person" }, now).await?;
        tx.back_to_normal(caller.workspace, &Root::Delivery { delivery: before.id, post: before.post }, now).await?;
        Ok(())
    }

    /// Gives what did not go out (missed, failed), or what is still planned, a new time.
    ///
    /// # Errors
    /// `BadTime`, `BadZone`, `TimePassed`, `TimeTooFar`; `AlreadyBeingSent` or `Outdated` when nothing of it can get a new
    /// time; `NotFound`.
    pub async fn reschedule_post(&self, caller: &Caller, post: PostId, date: &str, time: &str, zone: &str) -> Answer<Composed> {
        caller.may(Action::WritePosts)?;
        let view = self.posts_view(caller.workspace).await?;
        let due = read_due(&view, date, time, zone)?;
        let mut tx = self.store.begin().await?;
        let post = tx.post(caller.workspace, post).await?.ok_or(ErrorCode::NotFound)?;
        let deliveries = tx.deliveries_of_post(caller.workspace, post.id).await?;
        let open: Vec<&Delivery> = deliveries.iter().filter(|delivery| is_open(&delivery.state)).collect();
        if open.is_empty() || post.is_draft {
            let is_underway = deliveries.iter().any(|delivery| is_underway(&delivery.state));
            return Err(if is_underway { ErrorCode::AlreadyBeingSent } else { ErrorCode::Outdated }.into());
        }
        for before in open {
            self.reschedule(&mut tx, caller, before, due.at, None, view.now).await?;
        }
        let times = PostTimes { is_draft: false, due_at: Some(due.at), wall: due.wall };
        tx.update_post(caller.workspace, post.id, post.revision, &times, view.now).await?;
        self.end_absence(&mut tx, caller, view.now).await?;
        tx.event(caller.workspace, EventKind::Posts, view.now).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(Composed { post: post.id, due: Some(view.moment(due.at)), clock_change: due.change })
    }

    /// Ends the thread of our absence once nothing that it left behind waits for a decision.
    pub(crate) async fn end_absence(&self, tx: &mut Tx, caller: &Caller, now: Timestamp) -> Answer<()> {
        if !tx.has_missed(caller.workspace, MissedWhy::WeWereOff).await? {
            tx.back_to_normal(caller.workspace, &Root::Absence, now).await?;
        }
        Ok(())
    }

    /// Takes a person's answer to an unconfirmed delivery. "Not there" looks once more first.
    ///
    /// # Errors
    /// `Outdated` when it is not asked about any more, also because the look has just found it; `NotFound`; the errors of
    /// a new time.
    pub async fn answer_delivery(&self, caller: &Caller, delivery: DeliveryId, answer: PostAnswer) -> Answer<()> {
        caller.may(Action::WritePosts)?;
        let view = self.posts_view(caller.workspace).await?;
        let before = self.store.delivery(caller.workspace, delivery).await?.ok_or(ErrorCode::NotFound)?;
        if !matches!(before.state, DeliveryState::Unconfirmed { .. }) {
            return Err(ErrorCode::Outdated.into());
        }
        let due = match &answer {
            PostAnswer::There => None,
            PostAnswer::SendAgain => Some((view.now, wall_of(&view.zone, &view.zone_name, view.now))),
            PostAnswer::NewTime { date, time, zone } => {
                let due = read_due(&view, date, time, zone)?;
                Some((due.at, due.wall))
            }
        };
        if due.is_some()
            && let Some(found) = self.look_once_more(caller, &before).await
        {
            self.bind_found(caller, &before, found).await?;
            return Err(ErrorCode::Outdated.into());
        }
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let before = tx.delivery(caller.workspace, delivery).await?.ok_or(ErrorCode::NotFound)?;
        let event = if due.is_none() { DeliveryEvent::PersonSaysThere } else { DeliveryEvent::PersonSaysAbsent };
        let state = before.state.after(event, now).map_err(|_| ErrorCode::Outdated)?;
        let changed = match &due {
            None => Delivery { state, work_at: None, ..before.clone() },
            Some((at, _)) => Delivery { state, due_at: *at, work_at: Some(first_work(*at, now)), ..before.clone() },
        };
        tx.change_delivery(caller.workspace, &before, &changed, now).await.map_err(outdated)?;
        self.add_line(&mut tx, caller, delivery, "answer", if due.is_none() { "there" } else { "absent" }, now).await?;
        if let Some((at, wall)) = due {
            tx.forget_steps(delivery).await?;
            let post = tx.post(caller.workspace, before.post).await?.ok_or(ErrorCode::NotFound)?;
            let times = PostTimes { is_draft: false, due_at: Some(at), wall };
            tx.update_post(caller.workspace, post.id, post.revision, &times, now).await?;
        }
        tx.back_to_normal(caller.workspace, &Root::Delivery { delivery, post: before.post }, now).await?;
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }

    /// One more look before something is sent again. Whatever hinders it leaves the person's word to count.
    async fn look_once_more(&self, caller: &Caller, delivery: &Delivery) -> Option<RemotePost> {
        match self.try_look(caller, delivery).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(delivery.id = %delivery.id, error = &error as &dyn std::error::Error, "the last look did not work");
                None
            }
        }
    }

    async fn try_look(&self, caller: &Caller, delivery: &Delivery) -> Answer<Option<RemotePost>> {
        let workspace = caller.workspace;
        let Some(acting) = self.acting(workspace, delivery.account).await? else { return Ok(None) };
        let Some(content) = self.store.revision(workspace, delivery.revision).await? else { return Ok(None) };
        let mut images = Vec::new();
        for image in content.images {
            let Some((facts, bytes)) = self.stored_image(workspace, image.id).await? else { return Ok(None) };
            let facts: ImageFacts = facts;
            images.push(Image { facts, bytes, alt: image.alt });
        }
        let steps = self.store.steps(delivery.id).await?;
        let done: Vec<Step> = steps.into_iter().map(|(_, kind, result)| Step { kind, result }).collect();
        let attempted_at = self.store.last_commit(workspace, delivery.id).await?.unwrap_or(delivery.due_at);
        let job = Job {
            delivery: delivery.id,
            account: AccountAccess { remote_id: acting.account.remote_id.clone(), access: acting.account.access.clone() },
            text: content.text,
            title: content.title,
            link: content.link,
            board: content.targets.into_iter().find(|target| target.account == delivery.account).and_then(|target| target.board),
            images,
        };
        let looked = acting.adapter.look(&acting.app, &job, &done, attempted_at, self.now()).await.map_err(ServiceError::Platform)?;
        let Looked::Matches(matches) = looked else { return Ok(None) };
        let before = attempted_at - KEEP_LOOKING;
        let has_twin = !matches.is_empty() && self.store.has_twin(delivery.account, &job.text, before, delivery.id).await?;
        let mut free = Vec::new();
        for found in matches {
            if !self.store.is_bound(delivery.account, &found.remote_id, delivery.id).await? {
                free.push(found);
            }
        }
        // Where no machine can tell whose it is, the person has already judged.
        Ok(if Sighting::of(free.len(), has_twin) == Sighting::Found { free.pop() } else { None })
    }

    async fn bind_found(&self, caller: &Caller, before: &Delivery, found: RemotePost) -> Answer<()> {
        let now = self.now();
        let RemotePost { remote_id, link, created_at } = found;
        let state = before.state.after(DeliveryEvent::Found { remote_id, link, created_at }, now).map_err(|_| ErrorCode::Outdated)?;
        let changed = Delivery { state, work_at: None, ..before.clone() };
        let mut tx = self.store.begin().await?;
        tx.change_delivery(caller.workspace, before, &changed, now).await.map_err(outdated)?;
        self.add_line(&mut tx, caller, before.id, "look", "found", now).await?;
        tx.back_to_normal(caller.workspace, &Root::Delivery { delivery: before.id, post: before.post }, now).await?;
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        Ok(tx.commit().await?)
    }
}

/// Somebody, or the machine, was faster.
pub(crate) fn outdated(error: StoreError) -> ServiceError {
    if matches!(error, StoreError::Changed) || error.is_duplicate() { ErrorCode::Outdated.into() } else { error.into() }
}

fn proof(view: &View, delivery: &Delivery, story: &[Told]) -> Proof {
    let mut steps: Vec<(Timestamp, ProofWhat)> = Vec::new();
    for told in story.iter().filter(|told| told.delivery == delivery.id) {
        let ended_at = told.ended_at.unwrap_or(told.at);
        let outcome = told.outcome.as_deref().unwrap_or_default();
        match (told.kind.as_str(), outcome) {
            ("planned", _) => steps.push((told.at, ProofWhat::Planned)),
            ("check", "done") => steps.push((told.at, ProofWhat::Checked)),
            ("prepare", "done") => steps.push((told.at, ProofWhat::Uploaded)),
            ("prepare", "refused") => steps.push((ended_at, ProofWhat::Refused)),
            ("prepare", _) => steps.push((ended_at, ProofWhat::NotSent)),
            ("commit", outcome) => {
                steps.push((told.at, ProofWhat::Sent));
                match outcome {
                    "done" => steps.push((ended_at, ProofWhat::Accepted)),
                    "unknown" => steps.push((ended_at, ProofWhat::NoAnswer)),
                    "refused" => steps.push((ended_at, ProofWhat::Refused)),
                    "not_done" => steps.push((ended_at, ProofWhat::NotSent)),
                    _ => {}
                }
            }
            ("look", "found") => steps.push((told.at, ProofWhat::LookedFound)),
            ("look", "refused") => steps.push((told.at, ProofWhat::Refused)),
            ("look", "not_found" | "failed" | "several" | "absent") => steps.push((told.at, ProofWhat::LookedNotFound)),
            ("read_back", "done") => steps.push((told.at, ProofWhat::SeenOnline)),
            ("ask", _) => steps.push((told.at, ProofWhat::Asked)),
            ("answer", "there") => steps.push((told.at, ProofWhat::PersonSaidThere)),
            ("answer", _) => steps.push((told.at, ProofWhat::PersonSaidAbsent)),
            ("miss", _) => {
                let why = told.detail.as_deref().and_then(|detail| serde_json::from_str(detail).ok());
                steps.push((told.at, ProofWhat::Missed { why: why.unwrap_or(MissedWhy::PlatformDown) }));
            }
            ("reschedule", _) => steps.push((told.at, ProofWhat::Rescheduled)),
            ("cancel", _) => steps.push((told.at, ProofWhat::Canceled)),
            _ => {}
        }
    }
    // Stable: what happened at one moment stays in the order in which it was written.
    steps.sort_by_key(|(at, _)| *at);
    let remote_id = match &delivery.state {
        DeliveryState::Published { remote_id, .. } => remote_id.clone(),
        _ => None,
    };
    let step = |(at, what)| ProofStep { at: view.moment(at), clock: view.zone.clock(at), what };
    Proof { delivery: view.delivery(delivery), remote_id, look_url: None, steps: steps.into_iter().map(step).collect() }
}
