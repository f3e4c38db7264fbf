//! Compose: write, schedule, publish now, keep as draft.
//!
//! A post that is planned already is changed in place: its planned, missed and refused deliveries get the new revision
//! and the new time, deliveries to accounts no longer picked are taken out, new ones are made. What is online or may be
//! online is never sent again.

use std::str::FromStr;
use std::time::Duration;

use domain::delivery::{CanceledWhy, DeliveryEvent, DeliveryState};
use domain::id::{AccountId, AttemptId, DeliveryId, MediaId, PostId, RevisionId};
use domain::inbox::Root;
use domain::media::ImageFacts;
use domain::policy;
use domain::post::{Content, PostImage, Target};
use domain::role::{Action, Caller};
use domain::summary::compose::{AccountProblem, ClockChange, ComposeAccount, ComposeInput, ComposePage, ComposeStart, Composed};
use domain::summary::refusal::{ErrorCode, Refusal};
use domain::summary::shell::EventKind;
use domain::text::{self, Problem, problems};
use domain::time::{Timestamp, days, hours, minutes};
use platforms::adapter::Board;
use store::Tx;
use store::deliveries::{Delivery, NewDelivery, Record, first_work};
use store::posts::{Post, PostTimes, Wall};

use crate::lines::View;
use crate::moments::Zone;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// No post is planned farther ahead.
const AHEAD_AT_MOST: Duration = days(2 * 365 + 1);
/// Longer texts are no posts, not even drafts.
const TEXT_MOST: usize = 200_000;
/// More accounts or images than any form has.
const LIST_MOST: usize = 1000;

/// What is done with the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Schedule,
    Now,
    Draft,
}

/// When a post is due, and how that was decided.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) wall: Wall,
    pub(crate) change: Option<ClockChange>,
}

impl Services {
    /// What Compose offers, for a new post or for editing one; `kept` is what [`Services::keep_refused`] kept of an edit.
    ///
    /// # Errors
    /// `NotFound` when there is no such post, or it has no such edit.
    pub async fn compose_page(&self, caller: &Caller, post: Option<PostId>, kept: Option<RevisionId>) -> Answer<ComposePage> {
        caller.may(Action::See)?;
        let view = self.posts_view(caller.workspace).await?;
        let start = match post {
            Some(id) => {
                let mut post = self.store.post(caller.workspace, id).await?.ok_or(ErrorCode::NotFound)?;
                if let Some(kept) = kept {
                    post.content = self.store.revision_of(caller.workspace, id, kept).await?.ok_or(ErrorCode::NotFound)?;
                }
                self.start_of(caller, &view, post).await?
            }
            None => {
                let (date, time) = view.zone.wall(soon(view.now));
                ComposeStart { date, time, zone: view.zone_name.clone(), ..ComposeStart::default() }
            }
        };
        let mut zones = Zone::names();
        zones.retain(|zone| *zone != view.zone_name);
        zones.insert(0, view.zone_name.clone());
        let accounts = self.store.standings(caller.workspace).await?;
        let accounts = accounts
            .iter()
            .filter(|standing| standing.is_linked())
            .map(|standing| ComposeAccount {
                id: standing.account,
                name: standing.name.clone(),
                platform: standing.platform,
                boards: boards(&standing.boards).into_iter().map(|board| (board.id, board.name)).collect(),
                can_post: standing.can_post(view.now),
                end: view.end(standing),
                ends_soon: view.ends_soon(standing),
                login_of: standing.login_of.clone(),
            })
            .collect();
        Ok(ComposePage { accounts, start, zones })
    }

    async fn start_of(&self, caller: &Caller, view: &View, post: Post) -> Answer<ComposeStart> {
        let images = self.image_views(caller.workspace, &post.content.images).await?;
        let accounts: Vec<AccountId> = post.content.targets.iter().map(|target| target.account).collect();
        let (date, time) = self.next_wall(caller, view, &post, &accounts).await?;
        Ok(ComposeStart {
            post: Some(post.id),
            text: post.content.text,
            title: post.content.title,
            link: post.content.link,
            images,
            targets: post.content.targets,
            date,
            time,
            zone: post.wall.zone.unwrap_or_else(|| view.zone_name.clone()),
        })
    }

    /// Saves what the person wrote.
    ///
    /// # Errors
    /// Refuses with `Content`, `NoAccounts`, `BadTime`, `BadZone`, `TimePassed` (with `instead`), `TimeTooFar`,
    /// `AlreadyBeingSent`, `Outdated`, `NotFound`, and then nothing is changed.
    pub async fn compose(&self, caller: &Caller, input: ComposeInput) -> Answer<Composed> {
        caller.may(Action::WritePosts)?;
        let then = match input.then.as_str() {
            "schedule" => Then::Schedule,
            "now" => Then::Now,
            "draft" => Then::Draft,
            _ => return Err(ErrorCode::BadArguments.into()),
        };
        let view = self.posts_view(caller.workspace).await?;
        let post = if input.post.is_empty() { None } else { Some(input.post.parse::<PostId>().map_err(|_| ErrorCode::NotFound)?) };
        let (content, images) = self.read_content(caller, &view, &input).await?;
        let due = match then {
            Then::Now => Some(Due { at: view.now, wall: wall_of(&view.zone, &view.zone_name, view.now), change: None }),
            Then::Schedule => Some(read_due(&view, &input.date, &input.time, &input.zone)?),
            Then::Draft => read_wish(&view, &input)?,
        };
        let found = content_problems(&view, &content, &images);
        if then == Then::Draft {
            let is_empty = content.text.trim().is_empty() && content.link.is_empty() && content.images.is_empty();
            if is_empty {
                return Err(refused_content(vec![AccountProblem { account: None, platform: None, problem: Problem::Empty }]));
            }
        } else if content.targets.is_empty() {
            return Err(ErrorCode::NoAccounts.into());
        } else if !found.is_empty() {
            return Err(refused_content(found));
        }

        let saved = self.save(caller, &view, post, &content, due.as_ref(), then).await?;
        if then != Then::Draft {
            self.wake.notify_one();
        }
        Ok(Composed {
            post: saved,
            due: due.as_ref().filter(|_| then != Then::Draft).map(|due| view.moment(due.at)),
            clock_change: due.and_then(|due| due.change),
        })
    }

    /// Keeps an edit that was refused, for a plain form, which comes back empty otherwise: as a revision that the post does
    /// not point to and no delivery sends.
    ///
    /// # Errors
    /// `NotFound` when the post or something that it names does not exist; `BadArguments`.
    pub async fn keep_refused(&self, caller: &Caller, input: &ComposeInput) -> Answer<RevisionId> {
        caller.may(Action::WritePosts)?;
        let id: PostId = read_id(&input.post)?;
        let view = self.posts_view(caller.workspace).await?;
        let (content, _) = self.read_content(caller, &view, input).await?;
        let revision = RevisionId(self.new_id());
        let mut tx = self.store.begin().await?;
        tx.post(caller.workspace, id).await?.ok_or(ErrorCode::NotFound)?;
        tx.add_revision(caller.workspace, id, revision, &content, caller.person, view.now).await?;
        tx.commit().await?;
        Ok(revision)
    }

    /// Reads what the form sent: ids are checked against the workspace, so that no foreign one gets in.
    async fn read_content(&self, caller: &Caller, view: &View, input: &ComposeInput) -> Answer<(Content, Vec<(ImageFacts, String)>)> {
        let is_huge = [&input.text, &input.title, &input.link].iter().any(|text| text.len() > TEXT_MOST)
            || [&input.accounts, &input.images, &input.boards, &input.alts].iter().any(|list| list.len() > LIST_MOST);
        if is_huge {
            return Err(ErrorCode::BadArguments.into());
        }
        let mut targets: Vec<Target> = Vec::new();
        for id in input.accounts.iter().filter(|id| !id.is_empty()) {
            let account: AccountId = read_id(id)?;
            let standing = view.standings.get(&account).filter(|standing| standing.is_linked()).ok_or(ErrorCode::NotFound)?;
            if targets.iter().any(|target| target.account == account) {
                continue;
            }
            let board = input.boards.iter().filter_map(|choice| choice.split_once(':')).find(|(account, _)| account == id);
            let known = boards(&standing.boards);
            let board = board.map(|(_, board)| board.to_owned()).filter(|board| known.iter().any(|known| known.id == *board));
            targets.push(Target { account, board });
        }
        let mut images = Vec::new();
        let mut facts = Vec::new();
        for (number, id) in input.images.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
            let id: MediaId = read_id(id)?;
            let alt = input.alts.get(number).cloned().unwrap_or_default();
            let known = self.store.media(caller.workspace, id).await?.ok_or(ErrorCode::NotFound)?;
            facts.push((known, alt.clone()));
            images.push(PostImage { id, alt });
        }
        let unix = |text: &str| text.replace("\r\n", "\n");
        let content =
            Content { text: unix(&input.text), title: input.title.trim().to_owned(), link: input.link.trim().to_owned(), images, targets };
        Ok((content, facts))
    }

    async fn save(
        &self,
        caller: &Caller,
        view: &View,
        post: Option<PostId>,
        content: &Content,
        due: Option<&Due>,
        then: Then,
    ) -> Answer<PostId> {
        let now = view.now;
        let times = PostTimes {
            is_draft: then == Then::Draft,
            due_at: due.map(|due| due.at),
            wall: due.map(|due| due.wall.clone()).unwrap_or_default(),
        };
        let revision = RevisionId(self.new_id());
        let mut tx = self.store.begin().await?;
        let (id, deliveries) = match post {
            None => {
                let id = PostId(self.new_id());
                tx.insert_post(caller.workspace, id, revision, content, &times, None, caller.person, now).await?;
                (id, Vec::new())
            }
            Some(id) => {
                let post = tx.post(caller.workspace, id).await?.ok_or(ErrorCode::NotFound)?;
                let deliveries = tx.deliveries_of_post(caller.workspace, id).await?;
                if !post.is_draft {
                    may_edit(&deliveries, then)?;
                }
                tx.add_revision(caller.workspace, id, revision, content, caller.person, now).await?;
                tx.update_post(caller.workspace, id, revision, &times, now).await?;
                (id, deliveries)
            }
        };
        let plan = due.filter(|_| then != Then::Draft).map(|due| due.at);
        self.replan(&mut tx, caller, id, revision, content, deliveries, plan, now).await?;
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Brings the deliveries of a post in step with its new revision; `plan` is none for a draft.
    #[expect(clippy::too_many_arguments, reason = "one call, and each says something else")]
    async fn replan(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        post: PostId,
        revision: RevisionId,
        content: &Content,
        deliveries: Vec<Delivery>,
        plan: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<()> {
        let is_target = |account: AccountId| content.targets.iter().any(|target| target.account == account);
        // Accounts that have a delivery which is changed in place, or one that must not be sent twice.
        let mut served: Vec<AccountId> = Vec::new();
        for before in deliveries {
            match plan.filter(|_| is_target(before.account)) {
                _ if matches!(before.state, DeliveryState::Canceled { .. }) => continue,
                _ if !is_open(&before.state) => {}
                Some(due) => self.reschedule(tx, caller, &before, due, Some(revision), now).await?,
                None => {
                    let state = before.state.after(DeliveryEvent::Cancel(CanceledWhy::Replaced), now).map_err(|_| ErrorCode::Outdated)?;
                    let changed = Delivery { state, work_at: None, ..before.clone() };
                    tx.change_delivery(caller.workspace, &before, &changed, now).await?;
                    self.add_line(tx, caller, before.id, "cancel", "replaced", now).await?;
                    tx.back_to_normal(caller.workspace, &Root::Delivery { delivery: before.id, post }, now).await?;
                    continue;
                }
            }
            served.push(before.account);
        }
        let Some(due_at) = plan else { return Ok(()) };
        for target in content.targets.iter().filter(|target| !served.contains(&target.account)) {
            let Some(standing) = tx.standing(caller.workspace, target.account).await?.filter(|standing| standing.is_linked()) else {
                return Err(ErrorCode::NotFound.into());
            };
            let new =
                NewDelivery { id: DeliveryId(self.new_id()), post, revision, account: target.account, platform: standing.platform, due_at };
            tx.insert_delivery(caller.workspace, &new, now).await?;
            self.add_line(tx, caller, new.id, "planned", "done", now).await?;
        }
        Ok(())
    }

    /// Gives one delivery a new time, and a new revision where there is one.
    pub(crate) async fn reschedule(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        before: &Delivery,
        due: Timestamp,
        revision: Option<RevisionId>,
        now: Timestamp,
    ) -> Answer<()> {
        let state = before.state.after(DeliveryEvent::Reschedule, now).map_err(|_| ErrorCode::Outdated)?;
        let changed = Delivery {
            state,
            due_at: due,
            work_at: Some(first_work(due, now)),
            revision: revision.unwrap_or(before.revision),
            ..before.clone()
        };
        tx.change_delivery(caller.workspace, before, &changed, now).await?;
        // Uploads of an earlier try may be of other images by now, or gone at the platform.
        tx.forget_steps(before.id).await?;
        if before.due_at != due || !before.state.is_planned() {
            self.add_line(tx, caller, before.id, "reschedule", "done", now).await?;
        }
        tx.back_to_normal(caller.workspace, &Root::Delivery { delivery: before.id, post: before.post }, now).await?;
        Ok(())
    }

    /// A line in the story of a delivery.
    pub(crate) async fn add_line(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        delivery: DeliveryId,
        kind: &'static str,
        outcome: &'static str,
        now: Timestamp,
    ) -> Answer<()> {
        let line = Record::moment(AttemptId(self.new_id()), kind, outcome, now);
        Ok(tx.record(caller.workspace, delivery, 0, &line).await?)
    }
}

/// Whether a delivery can still be changed in place.
pub(crate) const fn is_open(state: &DeliveryState) -> bool {
    state.is_planned() || matches!(state, DeliveryState::Missed { .. } | DeliveryState::Failed { .. })
}

/// Whether a worker has it, or will have it again by itself.
pub(crate) const fn is_underway(state: &DeliveryState) -> bool {
    matches!(
        state,
        DeliveryState::Preparing { .. }
            | DeliveryState::Committing { .. }
            | DeliveryState::Processing { .. }
            | DeliveryState::Confirming { .. }
            | DeliveryState::Waiting { .. }
    )
}

fn may_edit(deliveries: &[Delivery], then: Then) -> Result<(), ErrorCode> {
    if deliveries.iter().any(|delivery| is_underway(&delivery.state)) {
        return Err(ErrorCode::AlreadyBeingSent);
    }
    if !deliveries.iter().any(|delivery| is_open(&delivery.state)) {
        return Err(ErrorCode::Outdated);
    }
    let is_partly_out =
        deliveries.iter().any(|delivery| matches!(delivery.state, DeliveryState::Published { .. } | DeliveryState::Unconfirmed { .. }));
    // What is online somewhere is no draft any more.
    if then == Then::Draft && is_partly_out { Err(ErrorCode::Outdated) } else { Ok(()) }
}

fn read_id<T: FromStr>(text: &str) -> Result<T, ErrorCode> {
    // An id that cannot be one is one that does not exist.
    text.parse().map_err(|_| ErrorCode::NotFound)
}

fn boards(json: &str) -> Vec<Board> {
    serde_json::from_str(json).unwrap_or_default()
}

fn refused_content(problems: Vec<AccountProblem>) -> ServiceError {
    Refusal { problems, ..ErrorCode::Content.into() }.into()
}

/// What the platforms would refuse, per account.
fn content_problems(view: &View, content: &Content, images: &[(ImageFacts, String)]) -> Vec<AccountProblem> {
    let mut found = Vec::new();
    for target in &content.targets {
        let Some(standing) = view.standings.get(&target.account) else { continue };
        let judged =
            text::Content { text: &content.text, title: &content.title, link: &content.link, images, board: target.board.as_deref() };
        for problem in problems(&policy::of(standing.platform).limits, &judged) {
            found.push(AccountProblem { account: Some(target.account), platform: Some(standing.platform), problem });
        }
    }
    found
}

/// A time to begin with where nothing speaks for another: the next full hour that leaves half an hour to write.
pub(crate) fn soon(now: Timestamp) -> Timestamp {
    next_full(now + minutes(30), hours(1))
}

/// The next moment at or after `from` that is a multiple of `step` since midnight UTC.
pub(crate) fn next_full(from: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_micros()).unwrap_or(1).max(1);
    Timestamp(from.0.div_euclid(step).saturating_add(i64::from(from.0.rem_euclid(step) != 0)).saturating_mul(step))
}

pub(crate) fn wall_of(zone: &Zone, name: &str, at: Timestamp) -> Wall {
    let (date, time) = zone.wall(at);
    Wall { date: Some(date), time: Some(time), zone: Some(name.to_owned()) }
}

/// A wall time that lies ahead, in the zone that was picked.
pub(crate) fn read_due(view: &View, date: &str, time: &str, zone_name: &str) -> Answer<Due> {
    let zone_name = if zone_name.is_empty() { view.zone_name.as_str() } else { zone_name };
    let zone = Zone::named(zone_name)?;
    let (at, change) = zone.resolve(date, time)?;
    if at <= view.now {
        let instead = next_full(view.now + minutes(5), minutes(15));
        return Err(Refusal { instead: Some(zone.moment(instead, view.now)), ..ErrorCode::TimePassed.into() }.into());
    }
    if at > view.now + AHEAD_AT_MOST {
        return Err(ErrorCode::TimeTooFar.into());
    }
    let wall = Wall { date: Some(date.trim().to_owned()), time: Some(time.trim().to_owned()), zone: Some(zone_name.to_owned()) };
    Ok(Due { at, wall, change })
}

/// The time of a draft is a wish: it may be missing, and it may have passed.
fn read_wish(view: &View, input: &ComposeInput) -> Answer<Option<Due>> {
    if input.date.is_empty() || input.time.is_empty() {
        return Ok(None);
    }
    let zone_name = if input.zone.is_empty() { view.zone_name.as_str() } else { input.zone.as_str() };
    let (at, _) = Zone::named(zone_name)?.resolve(&input.date, &input.time)?;
    let wall = Wall { date: Some(input.date.clone()), time: Some(input.time.clone()), zone: Some(zone_name.to_owned()) };
    Ok(Some(Due { at, wall, change: None }))
}
