//! Missed posts: suggest, apply, undo.
//!
//! The rule behind the suggestions is one that can be read: "At most one extra post a day per account, at its usual
//! times, from today." Extra posts stand two hours apart from all others of their account, between 7 and 21 hours.

use std::collections::{BTreeSet, HashMap};

use domain::delivery::{CanceledWhy, DeliveryEvent, DeliveryState, LATE_AT_MOST, MissedWhy};
use domain::id::{AccountId, AttemptId, CatchUpId, PostId};
use domain::missed::{APART_HOURS, CatchUpRule, DAY_FROM_HOUR, DAY_TO_HOUR, DAYS_AHEAD, LeftOut, STALE_DAYS};
use domain::role::{Action, Caller};
use domain::summary::inbox::{About, ThreadRow};
use domain::summary::posts::{Applied, MissedPage, MissedRow, UndoOffer};
use domain::summary::refusal::ErrorCode;
use domain::summary::shell::EventKind;
use domain::time::{Timestamp, days, hours, minutes};
use store::catch_ups::{CatchUp, Moved, MovedDelivery};
use store::deliveries::{Delivery, Record};
use store::posts::{Post, PostTimes};

use crate::compose::{read_due, soon, wall_of};
use crate::lines::View;
use crate::moments::Zone;
use crate::posts::outdated;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// A proposal lies at least this far ahead.
const SOON: std::time::Duration = minutes(5);
/// More posts than one application takes.
const MOST: usize = 1000;

/// A new time for one missed post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTime {
    /// The post.
    pub post: PostId,
    /// "2026-12-03" in the workspace's zone; empty with empty time: send now.
    pub date: String,
    /// "09:00".
    pub time: String,
}

/// A missed post that wants a new time.
#[derive(Debug)]
struct Candidate {
    accounts: Vec<AccountId>,
    /// Minutes since midnight.
    usual: i32,
}

impl Services {
    /// The page Missed posts, with times proposed by the rule.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_page(&self, caller: &Caller, rule: CatchUpRule) -> Answer<MissedPage> {
        caller.may(Action::See)?;
        let rule = CatchUpRule { per_day: rule.per_day.clamp(1, 10), from_day: rule.from_day.min(DAYS_AHEAD) };
        let view = self.posts_view(caller.workspace).await?;
        let listed = self.store.posts_missed(caller.workspace, i64::try_from(MOST).unwrap_or(i64::MAX)).await?;
        let missed: Vec<(Post, Vec<Delivery>, Vec<Delivery>)> = listed
            .into_iter()
            .map(|(post, all, _)| {
                let missed = all.iter().filter(|delivery| matches!(delivery.state, DeliveryState::Missed { .. })).cloned().collect();
                (post, all, missed)
            })
            .collect();
        let accounts: BTreeSet<AccountId> = missed.iter().flat_map(|(_, _, here)| here.iter().map(|delivery| delivery.account)).collect();
        let dues: Vec<Timestamp> = missed.iter().flat_map(|(_, _, here)| here.iter().map(|delivery| delivery.due_at)).collect();
        let span = dues.iter().min().zip(dues.iter().max()).map(|(first, last)| (view.moment(*first), view.moment(*last)));

        let (mut send_now, mut later) = (Vec::new(), Vec::new());
        for (post, all, deliveries) in &missed {
            let is_fresh = deliveries.iter().all(|delivery| view.now.since(delivery.due_at) < LATE_AT_MOST);
            if is_fresh && is_connected(&view, deliveries) {
                send_now.push(row(&view, post, all, deliveries, None, left_out_now(&view, post)));
            } else {
                later.push((post, all, deliveries));
            }
        }
        let usual = self.usual_times(caller, &view, &accounts).await?;
        let candidates: Vec<Candidate> = later
            .iter()
            .map(|(_, _, deliveries)| {
                let accounts = deliveries.iter().map(|delivery| delivery.account).collect();
                candidate(&view, accounts, deliveries.first().map(|delivery| delivery.due_at), &usual)
            })
            .collect();
        let proposed = propose(&view.zone, view.now, rule, &candidates, self.taken(caller, &view).await?);
        let rows = later
            .iter()
            .zip(proposed)
            .map(|((post, all, deliveries), at)| row(&view, post, all, deliveries, at, left_out(&view, post, deliveries, at)))
            .collect();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(MissedPage {
            posts: count(missed.len()),
            accounts: count(accounts.len()),
            span,
            rule,
            send_now,
            rows,
            undo: self.store.open_catch_up(caller.workspace, view.now).await?.map(|done| offer(&view, &done)),
            needs: if missed.is_empty() { Vec::new() } else { self.needs(caller).await?.into_iter().filter(holds_back).collect() },
            zone: view.zone_name,
        })
    }

    /// What each account has planned already, as far ahead as times are proposed.
    async fn taken(&self, caller: &Caller, view: &View) -> Answer<HashMap<AccountId, Vec<Timestamp>>> {
        let planned = self.store.planned_deliveries(caller.workspace, view.now + days(u64::from(DAYS_AHEAD) + 2)).await?;
        let mut taken: HashMap<AccountId, Vec<Timestamp>> = HashMap::new();
        for delivery in &planned {
            taken.entry(delivery.account).or_default().push(delivery.due_at);
        }
        Ok(taken)
    }

    /// What a new time of a post to these accounts begins with: the picked one while it lies ahead, else the next free
    /// one by the usual rule. Date and time in the post's zone.
    pub(crate) async fn next_wall(&self, caller: &Caller, view: &View, post: &Post, accounts: &[AccountId]) -> Answer<(String, String)> {
        if let (Some(date), Some(time)) = (&post.wall.date, &post.wall.time)
            && post.due_at.is_none_or(|due| due > view.now)
        {
            return Ok((date.clone(), time.clone()));
        }
        let distinct: BTreeSet<AccountId> = accounts.iter().copied().collect();
        let free = if distinct.is_empty() {
            None
        } else {
            let usual = self.usual_times(caller, view, &distinct).await?;
            let candidate = candidate(view, distinct.into_iter().collect(), post.due_at, &usual);
            let proposed = propose(&view.zone, view.now, CatchUpRule::default(), &[candidate], self.taken(caller, view).await?);
            proposed.into_iter().next().flatten()
        };
        let zone = post.wall.zone.as_deref().map_or_else(|| view.zone.clone(), Zone::stored);
        Ok(zone.wall(free.unwrap_or_else(|| soon(view.now))))
    }

    /// The usual posting time of each account: the median of its last posts, in minutes since midnight.
    async fn usual_times(&self, caller: &Caller, view: &View, accounts: &BTreeSet<AccountId>) -> Answer<HashMap<AccountId, i32>> {
        let mut usual = HashMap::new();
        for account in accounts {
            let times = self.store.last_posting_times(caller.workspace, *account).await?;
            let mut minutes: Vec<i32> = times.into_iter().map(|at| view.zone.minute_of_day(at)).collect();
            minutes.sort_unstable();
            if let Some(median) = minutes.get(minutes.len() / 2) {
                usual.insert(*account, *median);
            }
        }
        Ok(usual)
    }

    /// Gives missed posts new times, all or none.
    ///
    /// # Errors
    /// `NoPosts`; `Outdated` when one of them is not missed any more; the errors of a new time; `NotFound`. Then nothing is
    /// changed.
    pub async fn apply_missed(&self, caller: &Caller, times: Vec<NewTime>) -> Answer<Applied> {
        caller.may(Action::WritePosts)?;
        let distinct: BTreeSet<PostId> = times.iter().map(|time| time.post).collect();
        if times.is_empty() {
            return Err(ErrorCode::NoPosts.into());
        }
        if times.len() > MOST || distinct.len() != times.len() {
            return Err(ErrorCode::BadArguments.into());
        }
        let view = self.posts_view(caller.workspace).await?;
        let now = view.now;
        let mut moves = Vec::with_capacity(times.len());
        let (mut first, mut sent_now) = (Timestamp(i64::MAX), 0);
        let mut tx = self.store.begin().await?;
        for time in times {
            let (due, wall) = if time.date.is_empty() && time.time.is_empty() {
                sent_now += 1;
                (now, wall_of(&view.zone, &view.zone_name, now))
            } else {
                let due = read_due(&view, &time.date, &time.time, &view.zone_name)?;
                (due.at, due.wall)
            };
            let post = tx.post(caller.workspace, time.post).await?.ok_or(ErrorCode::NotFound)?;
            let mut moved = Vec::new();
            for before in tx.deliveries_of_post(caller.workspace, time.post).await? {
                if let DeliveryState::Missed { why, .. } = before.state {
                    self.reschedule(&mut tx, caller, &before, due, None, now).await?;
                    moved.push(MovedDelivery { id: before.id, was_due: before.due_at, why, due });
                }
            }
            if moved.is_empty() {
                return Err(ErrorCode::Outdated.into());
            }
            first = first.min(due);
            let was_wall = (post.wall.date.clone(), post.wall.time.clone(), post.wall.zone.clone());
            moves.push(Moved { post: post.id, was_due: post.due_at, was_wall, deliveries: moved });
            let times = PostTimes { is_draft: false, due_at: Some(due), wall };
            tx.update_post(caller.workspace, post.id, post.revision, &times, now).await?;
        }
        let posts = u32::try_from(moves.len()).unwrap_or(u32::MAX);
        let done = CatchUp { id: CatchUpId(self.new_id()), moves, first_due_at: first };
        tx.insert_catch_up(caller.workspace, caller.person, &done, now).await?;
        self.end_absence(&mut tx, caller, now).await?;
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(Applied { posts, now: sent_now, undo: (first > now).then(|| offer(&view, &done)) })
    }

    /// Takes an application back, until the first of its posts has gone out. What a person has changed since stays.
    ///
    /// # Errors
    /// `UndoOver` when the first of the new times has passed; `NotFound`.
    pub async fn undo_missed(&self, caller: &Caller, id: CatchUpId) -> Answer<()> {
        caller.may(Action::WritePosts)?;
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let done = tx.take_catch_up(caller.workspace, id, now).await?.ok_or(ErrorCode::NotFound)?;
        if now >= done.first_due_at {
            return Err(ErrorCode::UndoOver.into());
        }
        for moved in &done.moves {
            let Some(post) = tx.post(caller.workspace, moved.post).await? else { continue };
            let mut was_undone = false;
            for delivery in &moved.deliveries {
                let Some(before) = tx.delivery(caller.workspace, delivery.id).await? else { continue };
                if before.state != DeliveryState::Scheduled || before.due_at != delivery.due {
                    continue;
                }
                let state = before.state.after(DeliveryEvent::Miss(delivery.why), now).map_err(|_| ErrorCode::Outdated)?;
                let changed = Delivery { state, due_at: delivery.was_due, work_at: None, ..before.clone() };
                tx.change_delivery(caller.workspace, &before, &changed, now).await.map_err(outdated)?;
                self.note_missed(&mut tx, caller, &changed, delivery.why, now).await?;
                was_undone = true;
            }
            if was_undone {
                let times = PostTimes { is_draft: post.is_draft, due_at: moved.was_due, wall: moved.wall() };
                tx.update_post(caller.workspace, post.id, post.revision, &times, now).await?;
            }
        }
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        Ok(tx.commit().await?)
    }

    async fn note_missed(&self, tx: &mut store::Tx, caller: &Caller, delivery: &Delivery, why: MissedWhy, now: Timestamp) -> Answer<()> {
        let detail = serde_json::to_string(&why).map_err(|_| ServiceError::Contradiction("a reason that cannot be written"))?;
        let line = Record::moment(AttemptId(self.new_id()), "miss", why.code(), now).with(detail);
        Ok(tx.record(caller.workspace, delivery.id, 0, &line).await?)
    }

    /// Dismisses missed posts.
    ///
    /// # Errors
    /// `Outdated` when one of them is not missed any more; `NotFound`. Then nothing is changed.
    pub async fn drop_missed(&self, caller: &Caller, posts: Vec<PostId>) -> Answer<()> {
        caller.may(Action::WritePosts)?;
        if posts.is_empty() || posts.len() > MOST {
            return Err(ErrorCode::BadArguments.into());
        }
        let now = self.now();
        let mut tx = self.store.begin().await?;
        for id in posts {
            let post = tx.post(caller.workspace, id).await?.ok_or(ErrorCode::NotFound)?;
            let deliveries = tx.deliveries_of_post(caller.workspace, post.id).await?;
            let missed: Vec<&Delivery> =
                deliveries.iter().filter(|delivery| matches!(delivery.state, DeliveryState::Missed { .. })).collect();
            if missed.is_empty() {
                return Err(ErrorCode::Outdated.into());
            }
            for before in missed {
                self.take_out(&mut tx, caller, before, CanceledWhy::Dropped, now).await?;
            }
        }
        self.end_absence(&mut tx, caller, now).await?;
        tx.event(caller.workspace, EventKind::Posts, now).await?;
        Ok(tx.commit().await?)
    }
}

fn is_connected(view: &View, deliveries: &[Delivery]) -> bool {
    deliveries.iter().all(|delivery| view.standings.get(&delivery.account).is_some_and(|standing| standing.can_post(view.now)))
}

fn left_out_now(view: &View, post: &Post) -> Option<LeftOut> {
    post.not_after.is_some_and(|end| end < view.now).then_some(LeftOut::TooLate)
}

/// Why a post is not ticked by itself; the hardest reason first.
fn left_out(view: &View, post: &Post, deliveries: &[Delivery], at: Option<Timestamp>) -> Option<LeftOut> {
    let was_due = deliveries.iter().map(|delivery| delivery.due_at).min().unwrap_or(view.now);
    match at {
        _ if post.not_after.is_some_and(|end| end < at.unwrap_or(view.now)) => Some(LeftOut::TooLate),
        None => Some(LeftOut::NoFreeTime),
        Some(_) if view.now.since(was_due) > days(STALE_DAYS) => Some(LeftOut::Old),
        Some(_) if !is_connected(view, deliveries) => Some(LeftOut::StillDisconnected),
        Some(_) if names_a_past_day(&view.zone, &post.content.text, was_due, view.now) => Some(LeftOut::NamesAPastDay),
        Some(_) => None,
    }
}

fn row(view: &View, post: &Post, all: &[Delivery], missed: &[Delivery], at: Option<Timestamp>, left_out: Option<LeftOut>) -> MissedRow {
    let was_due = missed.iter().map(|delivery| delivery.due_at).min();
    let why = missed.iter().find_map(|delivery| match delivery.state {
        DeliveryState::Missed { why, .. } => Some(why),
        _ => None,
    });
    let (date, time) = at.map(|at| view.zone.wall(at)).unwrap_or_default();
    MissedRow {
        post: view.line(post, all, was_due),
        was_due: view.moment(was_due.unwrap_or(view.now)),
        why: why.unwrap_or(MissedWhy::Disconnected),
        suggestion: at.map(|at| view.moment(at)),
        date,
        time,
        left_out,
    }
}

fn offer(view: &View, done: &CatchUp) -> UndoOffer {
    UndoOffer { id: done.id, posts: u32::try_from(done.moves.len()).unwrap_or(u32::MAX), first: view.moment(done.first_due_at) }
}

/// Whether a thread keeps missed posts from going out until somebody acts.
fn holds_back(row: &ThreadRow) -> bool {
    row.missed > 0 && matches!(row.about, About::Login { .. } | About::Account { .. })
}

fn candidate(view: &View, accounts: Vec<AccountId>, was_due: Option<Timestamp>, usual: &HashMap<AccountId, i32>) -> Candidate {
    let known = accounts.iter().find_map(|account| usual.get(account).copied());
    let original = was_due.map_or(9 * 60, |due| view.zone.minute_of_day(due));
    Candidate { accounts, usual: known.unwrap_or(original) }
}

/// Times for `candidates`, in order. `taken` is what each account has planned already.
fn propose(
    zone: &Zone,
    now: Timestamp,
    rule: CatchUpRule,
    candidates: &[Candidate],
    mut taken: HashMap<AccountId, Vec<Timestamp>>,
) -> Vec<Option<Timestamp>> {
    let mut extras: HashMap<(AccountId, u32), u32> = HashMap::new();
    let mut proposed = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let found = (rule.from_day..=DAYS_AHEAD).find_map(|day| {
            let is_full = |account: &AccountId| extras.get(&(*account, day)).is_some_and(|count| *count >= rule.per_day);
            if candidate.accounts.iter().any(is_full) {
                return None;
            }
            times_of_day(zone, now, day, candidate.usual)
                .into_iter()
                .find(|at| *at >= now + SOON && candidate.accounts.iter().all(|account| is_free(taken.get(account), *at)))
                .map(|at| (day, at))
        });
        if let Some((day, at)) = found {
            for account in &candidate.accounts {
                taken.entry(*account).or_default().push(at);
                *extras.entry((*account, day)).or_default() += 1;
            }
        }
        proposed.push(found.map(|(_, at)| at));
    }
    proposed
}

fn is_free(taken: Option<&Vec<Timestamp>>, at: Timestamp) -> bool {
    let apart = hours(u64::from(APART_HOURS));
    taken.is_none_or(|taken| taken.iter().all(|other| at.since(*other) >= apart || other.since(at) >= apart))
}

/// The moments of a day at which an extra post may go out: the usual time first, then every two hours after and before it.
fn times_of_day(zone: &Zone, now: Timestamp, day: u32, usual: i32) -> Vec<Timestamp> {
    let (from, to) = (i32::from(DAY_FROM_HOUR) * 60, i32::from(DAY_TO_HOUR) * 60);
    let usual = usual.clamp(from, to);
    let step = usize::try_from(APART_HOURS * 60).unwrap_or(120);
    let after = (usual..=to).step_by(step);
    let before = (from..usual).rev().filter(|minute| (usual - minute) % 120 == 0);
    let (date, _) = zone.wall(zone.day_start(now, i32::try_from(day).unwrap_or(0)));
    after
        .chain(before)
        .filter_map(|minute| zone.resolve(&date, &format!("{:02}:{:02}", minute / 60, minute % 60)).ok())
        .map(|(at, _)| at)
        .collect()
}

/// Whether the text names a day that lay ahead when it was due and has passed by now. Only a hint, so a few plain words
/// in the two languages of our users are enough.
fn names_a_past_day(zone: &Zone, text: &str, was_due: Timestamp, now: Timestamp) -> bool {
    const DAYS: [&[&str]; 7] = [
        &["monday", "montag"],
        &["tuesday", "dienstag"],
        &["wednesday", "mittwoch"],
        &["thursday", "donnerstag"],
        &["friday", "freitag"],
        &["saturday", "samstag", "sonnabend"],
        &["sunday", "sonntag"],
    ];
    const SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let lower = text.to_lowercase();
    let words: BTreeSet<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |names: &[&str]| names.iter().any(|name| words.contains(name));
    let today = zone.day_start(now, 0);
    let is_over = |ahead: i32| zone.day_start(was_due, ahead + 1) <= today;
    if has(&["today", "tonight", "heute"]) && is_over(0) || has(&["tomorrow", "morgen"]) && is_over(1) {
        return true;
    }
    (0..7).any(|ahead| {
        let weekday = zone.weekday(zone.day_start(was_due, ahead));
        let index = SHORT.iter().position(|short| *short == weekday).unwrap_or(0);
        has(DAYS[index]) && is_over(ahead)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fri 20 Nov 2026, 08:00 UTC: 09:00 in Berlin.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);
    const A: AccountId = AccountId([1; 16]);
    const B: AccountId = AccountId([2; 16]);

    fn berlin() -> Zone {
        Zone::named("Europe/Berlin").expect("a zone")
    }

    fn walls(rule: CatchUpRule, candidates: &[Candidate], taken: HashMap<AccountId, Vec<Timestamp>>) -> Vec<String> {
        let proposed = propose(&berlin(), NOW, rule, candidates, taken);
        proposed.into_iter().map(|at| at.map_or("-".to_owned(), |at| berlin().moment(at, NOW).text)).collect()
    }

    fn one(accounts: &[AccountId], usual: i32) -> Candidate {
        Candidate { accounts: accounts.to_vec(), usual }
    }

    #[test]
    fn at_most_one_extra_post_a_day_per_account_at_its_usual_time() {
        let three = [one(&[A], 10 * 60), one(&[A], 10 * 60), one(&[A], 10 * 60)];
        let expected = ["Fri 20 Nov, 10:00", "Sat 21 Nov, 10:00", "Sun 22 Nov, 10:00"];
        assert_eq!(walls(CatchUpRule::default(), &three, HashMap::new()), expected);
    }

    #[test]
    fn accounts_do_not_stand_in_each_others_way_unless_a_post_goes_to_both() {
        let posts = [one(&[A], 600), one(&[B], 600), one(&[A, B], 600)];
        let expected = ["Fri 20 Nov, 10:00", "Fri 20 Nov, 10:00", "Sat 21 Nov, 10:00"];
        assert_eq!(walls(CatchUpRule::default(), &posts, HashMap::new()), expected);
    }

    #[test]
    fn several_a_day_stand_two_hours_apart_and_inside_the_day() {
        let rule = CatchUpRule { per_day: 3, from_day: 1 };
        let posts: Vec<Candidate> = (0..4).map(|_| one(&[A], 18 * 60)).collect();
        let expected = ["Sat 21 Nov, 18:00", "Sat 21 Nov, 20:00", "Sat 21 Nov, 16:00", "Sun 22 Nov, 18:00"];
        assert_eq!(walls(rule, &posts, HashMap::new()), expected);
    }

    #[test]
    fn what_is_planned_keeps_its_distance() {
        let (planned, _) = berlin().resolve("2026-11-20", "11:00").expect("a time");
        let taken = HashMap::from([(A, vec![planned])]);
        assert_eq!(walls(CatchUpRule::default(), &[one(&[A], 600)], taken), ["Fri 20 Nov, 14:00"]);
    }

    #[test]
    fn a_usual_time_at_night_moves_into_the_day_and_one_that_has_passed_today_moves_on() {
        assert_eq!(walls(CatchUpRule::default(), &[one(&[A], 2 * 60)], HashMap::new()), ["Fri 20 Nov, 11:00"]);
        assert_eq!(walls(CatchUpRule::default(), &[one(&[A], 23 * 60)], HashMap::new()), ["Fri 20 Nov, 21:00"]);
        assert_eq!(walls(CatchUpRule { per_day: 1, from_day: 1 }, &[one(&[A], 8 * 60)], HashMap::new()), ["Sat 21 Nov, 08:00"]);
    }

    #[test]
    fn after_fourteen_days_there_is_no_free_time() {
        let posts: Vec<Candidate> = (0..16).map(|_| one(&[A], 600)).collect();
        let proposed = walls(CatchUpRule::default(), &posts, HashMap::new());
        assert_eq!(proposed[14], "Fri 4 Dec, 10:00");
        assert_eq!(proposed[15], "-");
    }

    #[test]
    fn a_text_that_names_a_day_gone_by_is_noticed() {
        let due = NOW - days(2); // Wed 18 Nov
        for (text, expected) in [
            ("See you on Thursday!", true),
            ("Am Donnerstag ist offen", true),
            ("Open on Friday", false),
            ("Wreaths from today", true),
            ("Tomorrow only", true),
            ("Guten Morgen", true),
            ("Wreaths", false),
            ("Thursdayish", false),
        ] {
            assert_eq!(names_a_past_day(&berlin(), text, due, NOW), expected, "{text}");
        }
        assert!(!names_a_past_day(&berlin(), "today and tomorrow", NOW, NOW));
    }
}
