//! The start page.

use std::collections::{BTreeMap, BTreeSet};

use domain::grant::{GrantState, RenewedBy};
use domain::id::{GrantId, PostId};
use domain::role::{Action, Caller};
use domain::summary::overview::{ComingUp, OverviewPage, WeekDay};
use domain::summary::posts::PostLine;
use domain::time::{Timestamp, days};
use store::deliveries::{Delivery, Standing};

use crate::lines::View;
use crate::{ServiceError, Services};

type Answer<T> = Result<T, ServiceError>;

/// How far ahead ends of logins are shown.
const COMING_UP: std::time::Duration = days(60);
/// How many of the next posts are shown.
const NEXT: usize = 3;
/// So many rows are read at a time to find them.
const AT_A_TIME: i64 = 100;

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
        // Only the days that are shown: a workspace may have years of posts ahead.
        let planned = self.store.planned_deliveries(caller.workspace, view.zone.day_start(view.now, 7)).await?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(OverviewPage {
            now: view.moment(view.now),
            needs,
            accounts: count(linked.len()),
            connected: count(linked.len() - broken),
            week: week(&view, &planned),
            next: self.next_posts(caller, &view).await?,
            coming_up: self.coming_up(caller, &view, &linked).await?,
        })
    }

    async fn next_posts(&self, caller: &Caller, view: &View) -> Answer<Vec<PostLine>> {
        let mut next: Vec<(PostId, Timestamp)> = Vec::new();
        let mut from = view.now;
        // A post may go to many accounts at one moment, so the next three posts may stand far apart in the rows.
        while next.len() < NEXT {
            let rows = self.store.next_deliveries(caller.workspace, from, AT_A_TIME).await?;
            let Some(last) = rows.last().map(|delivery| delivery.due_at) else { break };
            for delivery in &rows {
                if next.len() < NEXT && !next.iter().any(|(post, _)| *post == delivery.post) {
                    next.push((delivery.post, delivery.due_at));
                }
            }
            if i64::try_from(rows.len()).unwrap_or(i64::MAX) < AT_A_TIME {
                break;
            }
            from = if last == from { Timestamp(last.0 + 1) } else { last };
        }
        let mut lines = Vec::with_capacity(next.len());
        for (id, due) in next {
            let Some(post) = self.store.post(caller.workspace, id).await? else { continue };
            let deliveries = self.store.deliveries_of_post(caller.workspace, id).await?;
            lines.push(view.line(&post, &deliveries, Some(due)));
        }
        Ok(lines)
    }

    async fn coming_up(&self, caller: &Caller, view: &View, linked: &[&Standing]) -> Answer<Vec<ComingUp>> {
        let mut by_login: BTreeMap<(Timestamp, GrantId), Vec<&Standing>> = BTreeMap::new();
        for standing in linked {
            let is_alive = matches!(standing.login, GrantState::Live | GrantState::Retrying { .. });
            let end = standing.act_by.filter(|end| is_alive && *end > view.now && *end <= view.now + COMING_UP);
            if let Some(end) = end.filter(|_| standing.renewed_by == RenewedBy::Person) {
                by_login.entry((end, standing.grant)).or_default().push(standing);
            }
        }
        let mut coming = Vec::with_capacity(by_login.len());
        for ((at, grant), mut accounts) in by_login {
            accounts.sort_by(|a, b| (&a.name, a.account).cmp(&(&b.name, b.account)));
            let Some((first, end)) = accounts.first().and_then(|first| Some((*first, view.end(first)?))) else { continue };
            coming.push(ComingUp {
                accounts: accounts.iter().map(|standing| standing.name.clone()).collect(),
                platform: first.platform,
                end,
                posts_after: self.store.posts_behind(caller.workspace, grant, at).await?,
                account: first.account,
            });
        }
        Ok(coming)
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
