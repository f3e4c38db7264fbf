//! The start page.

use std::collections::{BTreeMap, BTreeSet};

use domain::grant::{GrantState, RenewedBy};
use domain::id::{GrantId, PostId};
use domain::role::{Action, Caller};
use domain::summary::overview::{ComingUp, OverviewPage, WeekDay};
use domain::time::{Timestamp, days};
use store::deliveries::{Delivery, Standing};

use crate::lines::View;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// How far ahead ends of logins are shown.
const COMING_UP: std::time::Duration = days(60);
/// How many of the next posts are shown.
const NEXT: usize = 3;

impl Services {
    /// Everything Overview shows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(&self, caller: &Caller) -> Answer<OverviewPage> {
        caller.may(Action::See)?;
        let view = self.posts_view(caller.workspace).await?;
        let needs = self.needs(caller).await?;
        let linked: Vec<&Standing> = view.standings.values().filter(|standing| standing.is_linked()).collect();
        let broken = linked.iter().filter(|standing| domain::account::is_disconnected(standing.state, standing.login)).count();
        let planned = self.store.planned_deliveries(caller.workspace, Timestamp(i64::MAX)).await?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(OverviewPage {
            now: view.moment(view.now),
            needs,
            accounts: count(linked.len()),
            connected: count(linked.len() - broken),
            week: week(&view, &planned),
            next: self.next_posts(caller, &view, &planned).await?,
            coming_up: coming_up(&view, &linked, &planned),
        })
    }

    async fn next_posts(&self, caller: &Caller, view: &View, planned: &[Delivery]) -> Answer<Vec<domain::summary::posts::PostLine>> {
        let mut next: Vec<(PostId, Timestamp)> = Vec::new();
        for delivery in planned.iter().filter(|delivery| delivery.due_at >= view.now) {
            if next.len() == NEXT {
                break;
            }
            if !next.iter().any(|(post, _)| *post == delivery.post) {
                next.push((delivery.post, delivery.due_at));
            }
        }
        let mut lines = Vec::with_capacity(next.len());
        for (id, due) in next {
            let Some(post) = self.store.post(caller.workspace, id).await? else { continue };
            let deliveries = self.store.deliveries_of_post(caller.workspace, id).await?;
            lines.push(view.line(&post, &deliveries, Some(due)));
        }
        Ok(lines)
    }
}

fn week(view: &View, planned: &[Delivery]) -> Vec<WeekDay> {
    (0..7)
        .map(|day| {
            let (from, to) = (view.zone.day_start(view.now, day), view.zone.day_start(view.now, day + 1));
            let here = || planned.iter().filter(|delivery| delivery.due_at >= from && delivery.due_at < to);
            let posts: BTreeSet<PostId> = here().map(|delivery| delivery.post).collect();
            let lost: BTreeSet<PostId> = here().filter(|delivery| view.is_at_risk(delivery)).map(|delivery| delivery.post).collect();
            WeekDay {
                weekday: view.zone.weekday(from),
                day: view.moment(from).day,
                posts: u32::try_from(posts.len()).unwrap_or(u32::MAX),
                will_not_go_out: u32::try_from(lost.len()).unwrap_or(u32::MAX),
                is_today: day == 0,
            }
        })
        .collect()
}

fn coming_up(view: &View, linked: &[&Standing], planned: &[Delivery]) -> Vec<ComingUp> {
    let mut by_login: BTreeMap<(Timestamp, GrantId), Vec<&Standing>> = BTreeMap::new();
    for standing in linked {
        let is_alive = matches!(standing.login, GrantState::Live | GrantState::Retrying { .. });
        let end = standing.act_by.filter(|end| is_alive && *end > view.now && *end <= view.now + COMING_UP);
        if let Some(end) = end.filter(|_| standing.renewed_by == RenewedBy::Person) {
            by_login.entry((end, standing.grant)).or_default().push(standing);
        }
    }
    by_login
        .into_iter()
        .filter_map(|((end, _), mut accounts)| {
            accounts.sort_by(|a, b| (&a.name, a.account).cmp(&(&b.name, b.account)));
            let first = *accounts.first()?;
            let after: BTreeSet<PostId> = planned
                .iter()
                .filter(|delivery| delivery.due_at >= end && accounts.iter().any(|standing| standing.account == delivery.account))
                .map(|delivery| delivery.post)
                .collect();
            Some(ComingUp {
                accounts: accounts.iter().map(|standing| standing.name.clone()).collect(),
                platform: first.platform,
                end: view.end(first)?,
                posts_after: u32::try_from(after.len()).unwrap_or(u32::MAX),
                account: first.account,
            })
        })
        .collect()
}
