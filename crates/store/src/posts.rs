//! Posts and their revisions.

use std::collections::HashMap;

use domain::delivery::{CanceledWhy, DeliveryEvent, DeliveryState};
use domain::id::{AccountId, AttemptId, PersonId, PostId, RevisionId, WorkspaceId};
use domain::post::Content;
use domain::summary::posts::PostsTab;
use domain::summary::shell::EventKind;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::deliveries::{Delivery, DeliveryRow, Record, columns};
use crate::error::{StoreError, contradiction};
use crate::threads::{id_bytes, json, parsed};

/// A post with its newest revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Id.
    pub id: PostId,
    /// Who wrote it.
    pub author: String,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// The newest revision.
    pub revision: RevisionId,
    /// What it says.
    pub content: Content,
    /// When it is due.
    pub due_at: Option<Timestamp>,
    /// The date, time and zone that the person picked.
    pub wall: Wall,
    /// Do not send after.
    pub not_after: Option<Timestamp>,
    /// The account whose unlinking made this draft.
    pub came_from: Option<AccountId>,
}

/// A wall time as a person picked it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wall {
    /// "2026-12-03".
    pub date: Option<String>,
    /// "09:00".
    pub time: Option<String>,
    /// "Europe/Berlin".
    pub zone: Option<String>,
}

#[derive(FromRow)]
struct PostRow {
    id: Vec<u8>,
    author: Option<String>,
    is_draft: bool,
    revision_id: Vec<u8>,
    content: String,
    due_at: Option<i64>,
    wall_date: Option<String>,
    wall_time: Option<String>,
    zone: Option<String>,
    not_after: Option<i64>,
    came_from: Option<Vec<u8>>,
}

impl PostRow {
    fn read(self) -> Result<Post, StoreError> {
        Ok(Post {
            id: PostId(id_bytes("posts", &self.id)?),
            author: self.author.unwrap_or_default(),
            is_draft: self.is_draft,
            revision: RevisionId(id_bytes("posts", &self.revision_id)?),
            content: parsed("post_revisions", &self.content)?,
            due_at: self.due_at.map(Timestamp),
            wall: Wall { date: self.wall_date, time: self.wall_time, zone: self.zone },
            not_after: self.not_after.map(Timestamp),
            came_from: self.came_from.map(|id| id_bytes("posts", &id)).transpose()?.map(AccountId),
        })
    }
}

macro_rules! posts {
    ($($rest:expr),+) => {
        concat!(
            "select p.id, m.name as author, p.is_draft, p.revision_id, r.content, p.due_at, p.wall_date, p.wall_time, p.zone, \
             p.not_after, p.came_from \
             from posts p join post_revisions r on r.id = p.revision_id left join people m on m.id = p.author_id ",
            $($rest),+
        )
    };
}

/// What is written of a post beside its content.
#[derive(Debug, Clone)]
pub struct PostTimes {
    /// Whether it is a draft.
    pub is_draft: bool,
    /// When it is due.
    pub due_at: Option<Timestamp>,
    /// As the person picked it.
    pub wall: Wall,
}

#[derive(FromRow)]
struct TabRow {
    id: Vec<u8>,
    due: Option<i64>,
}

const COUNTS: &str = "select \
    (select count(distinct post_id) from deliveries where workspace_id = $1 and state in \
      ('awaiting_approval', 'scheduled', 'preparing', 'committing', 'processing', 'confirming', 'waiting')), \
    (select count(distinct post_id) from deliveries where workspace_id = $1 and state in ('missed', 'failed', 'unconfirmed')), \
    (select count(distinct post_id) from deliveries where workspace_id = $1 and state = 'published'), \
    (select count(*) from posts where workspace_id = $1 and is_draft and not is_deleted)";

macro_rules! planned {
    () => {
        "select post_id as id, min(due_at) as due from deliveries where workspace_id = $1 and state in \
         ('awaiting_approval', 'scheduled', 'preparing', 'committing', 'processing', 'confirming', 'waiting') \
         group by post_id order by due, id limit $2"
    };
}
macro_rules! did_not_go_out {
    () => {
        "select post_id as id, max(due_at) as due from deliveries where workspace_id = $1 and state in \
         ('missed', 'failed', 'unconfirmed') group by post_id order by due desc, id desc limit $2"
    };
}
macro_rules! published {
    () => {
        "select post_id as id, max(due_at) as due from deliveries where workspace_id = $1 and state = 'published' \
         group by post_id order by due desc, id desc limit $2"
    };
}
macro_rules! drafts {
    () => {
        "select id, due_at as due from posts where workspace_id = $1 and is_draft and not is_deleted \
         order by updated_at desc, id desc limit $2"
    };
}
macro_rules! missed {
    () => {
        "select post_id as id, min(due_at) as due from deliveries where workspace_id = $1 and state = 'missed' \
         group by post_id order by due, id limit $2"
    };
}

/// A list of posts: its ids in order, its posts, its deliveries. Three statements, however long it is.
struct List {
    ids: &'static str,
    posts: &'static str,
    deliveries: &'static str,
}

macro_rules! list {
    ($ids:expr) => {
        List {
            ids: $ids,
            posts: posts!("where p.workspace_id = $1 and not p.is_deleted and p.id in (select id from (", $ids, ") listed)"),
            deliveries: columns!("where workspace_id = $1 and post_id in (select id from (", $ids, ") listed) order by created_at, id"),
        }
    };
}

const PLANNED: List = list!(planned!());
const DID_NOT_GO_OUT: List = list!(did_not_go_out!());
const PUBLISHED: List = list!(published!());
const DRAFTS: List = list!(drafts!());
const MISSED: List = list!(missed!());

/// A post in a list, with all its deliveries and the moment that counts there.
pub type Listed = (Post, Vec<Delivery>, Option<Timestamp>);

impl Store {
    /// A post of a workspace, unless it was deleted.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn post(&self, workspace: WorkspaceId, id: PostId) -> Result<Option<Post>, StoreError> {
        let row: Option<PostRow> =
            self.row(posts!("where p.workspace_id = $1 and p.id = $2 and not p.is_deleted"), args![workspace, id]).await?;
        row.map(PostRow::read).transpose()
    }

    /// Number of posts per tab, in the order of the enum.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn post_counts(&self, workspace: WorkspaceId) -> Result<[u32; 4], StoreError> {
        let row: Option<(i64, i64, i64, i64)> = self.row(COUNTS, args![workspace]).await?;
        let (a, b, c, d) = row.unwrap_or_default();
        Ok([a, b, c, d].map(|n| u32::try_from(n).unwrap_or(u32::MAX)))
    }

    /// The posts of a tab in its order, at most `most`.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn posts_of_tab(&self, workspace: WorkspaceId, tab: PostsTab, most: i64) -> Result<Vec<Listed>, StoreError> {
        let list = match tab {
            PostsTab::Planned => &PLANNED,
            PostsTab::DidNotGoOut => &DID_NOT_GO_OUT,
            PostsTab::Published => &PUBLISHED,
            PostsTab::Drafts => &DRAFTS,
        };
        self.listed(list, workspace, most).await
    }

    /// The posts with a missed delivery, oldest first, at most `most`.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn posts_missed(&self, workspace: WorkspaceId, most: i64) -> Result<Vec<Listed>, StoreError> {
        self.listed(&MISSED, workspace, most).await
    }

    async fn listed(&self, list: &List, workspace: WorkspaceId, most: i64) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<TabRow> = self.rows(list.ids, args![workspace, most]).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let posts: Vec<PostRow> = self.rows(list.posts, args![workspace, most]).await?;
        let mut posts: HashMap<PostId, Post> =
            posts.into_iter().map(|row| row.read().map(|post| (post.id, post))).collect::<Result<_, _>>()?;
        let rows: Vec<DeliveryRow> = self.rows(list.deliveries, args![workspace, most]).await?;
        let mut deliveries: HashMap<PostId, Vec<Delivery>> = HashMap::new();
        for row in rows {
            let delivery = row.read()?;
            deliveries.entry(delivery.post).or_default().push(delivery);
        }
        let mut found = Vec::with_capacity(ids.len());
        for row in ids {
            let id = PostId(id_bytes("posts", &row.id)?);
            // Between the statements a post may have gone.
            if let Some(post) = posts.remove(&id) {
                found.push((post, deliveries.remove(&id).unwrap_or_default(), row.due.map(Timestamp)));
            }
        }
        Ok(found)
    }

    /// The content of a revision.
    ///
    /// # Errors
    /// As [`Store::post`].
    pub async fn revision(&self, workspace: WorkspaceId, id: RevisionId) -> Result<Option<Content>, StoreError> {
        let row: Option<(String,)> =
            self.row("select content from post_revisions where workspace_id = $1 and id = $2", args![workspace, id]).await?;
        row.map(|row| parsed("post_revisions", &row.0)).transpose()
    }

    /// The content of a revision of one post; none when the post has no such revision.
    ///
    /// # Errors
    /// As [`Store::post`].
    pub async fn revision_of(&self, workspace: WorkspaceId, post: PostId, id: RevisionId) -> Result<Option<Content>, StoreError> {
        let row: Option<(String,)> = self
            .row("select content from post_revisions where workspace_id = $1 and post_id = $2 and id = $3", args![workspace, post, id])
            .await?;
        row.map(|row| parsed("post_revisions", &row.0)).transpose()
    }

    /// The zone of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspace_zone(&self, workspace: WorkspaceId) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self.row("select zone from workspaces where id = $1", args![workspace]).await?;
        Ok(row.map(|row| row.0))
    }
}

impl Tx {
    /// A post of a workspace, unless it was deleted; held until this transaction ends.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn post(&mut self, workspace: WorkspaceId, id: PostId) -> Result<Option<Post>, StoreError> {
        let sql = if self.is_shared() {
            posts!("where p.workspace_id = $1 and p.id = $2 and not p.is_deleted for update of p")
        } else {
            posts!("where p.workspace_id = $1 and p.id = $2 and not p.is_deleted")
        };
        let row: Option<PostRow> = self.row(sql, args![workspace, id]).await?;
        row.map(PostRow::read).transpose()
    }

    /// Makes a post with its first revision.
    ///
    /// # Errors
    /// When the database fails.
    #[expect(clippy::too_many_arguments, reason = "each is a column of its own")]
    pub async fn insert_post(
        &mut self,
        workspace: WorkspaceId,
        id: PostId,
        revision: RevisionId,
        content: &Content,
        times: &PostTimes,
        came_from: Option<AccountId>,
        by: PersonId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "insert into posts (id, workspace_id, author_id, is_draft, is_deleted, revision_id, due_at, wall_date, wall_time, zone, came_from, \
             created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
            args![
                id,
                workspace,
                by,
                times.is_draft,
                false,
                revision,
                times.due_at,
                times.wall.date.clone(),
                times.wall.time.clone(),
                times.wall.zone.clone(),
                came_from,
                now
            ],
        )
        .await?;
        self.add_revision(workspace, id, revision, content, by, now).await
    }

    /// Adds an unchangeable revision; `post` is held by this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_revision(
        &mut self,
        workspace: WorkspaceId,
        post: PostId,
        id: RevisionId,
        content: &Content,
        by: PersonId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "insert into post_revisions (id, workspace_id, post_id, number, content, created_by, created_at) \
             values ($1, $2, $3, (select coalesce(max(number), 0) + 1 from post_revisions where post_id = $3), $4, $5, $6)",
            args![id, workspace, post, json("post_revisions", content)?, by, now],
        )
        .await?;
        Ok(())
    }

    /// Points a post to its newest revision and its times. A draft that came from an unlinking is one's own from here on.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when there is no such post.
    pub async fn update_post(
        &mut self,
        workspace: WorkspaceId,
        id: PostId,
        revision: RevisionId,
        times: &PostTimes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let count = self
            .run(
                "update posts set revision_id = $3, is_draft = $4, due_at = $5, wall_date = $6, wall_time = $7, zone = $8, \
                 came_from = null, updated_at = $9 where workspace_id = $1 and id = $2",
                args![
                    workspace,
                    id,
                    revision,
                    times.is_draft,
                    times.due_at,
                    times.wall.date.clone(),
                    times.wall.time.clone(),
                    times.wall.zone.clone(),
                    now
                ],
            )
            .await?;
        if count == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Deletes a draft; its text stays in the database until the workspace goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_post(&mut self, workspace: WorkspaceId, id: PostId, now: Timestamp) -> Result<(), StoreError> {
        self.run("update posts set is_deleted = $3, updated_at = $4 where workspace_id = $1 and id = $2", args![workspace, id, true, now])
            .await?;
        Ok(())
    }

    /// Turns what is planned for an account into drafts: a post that goes nowhere else becomes a draft and keeps its
    /// time as a wish; of a post with other targets a copy for this account alone is made. Returns how many drafts came
    /// of it. What is under way goes on; what was missed or refused is taken out.
    ///
    /// # Errors
    /// When the database fails or a row contradicts itself.
    pub async fn unlink_deliveries(
        &mut self,
        workspace: WorkspaceId,
        account: AccountId,
        by: PersonId,
        ids: &mut (dyn FnMut() -> [u8; 16] + Send),
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let posts: Vec<(Vec<u8>,)> = self
            .rows(
                "select distinct post_id from deliveries where workspace_id = $1 and account_id = $2 \
                 and state in ('awaiting_approval', 'scheduled', 'waiting', 'missed', 'failed') order by post_id",
                args![workspace, account],
            )
            .await?;
        let mut drafts = 0;
        for (post,) in posts {
            let id = PostId(id_bytes("deliveries", &post)?);
            let Some(post) = self.post(workspace, id).await? else { continue };
            drafts += self.unlink_from_post(workspace, &post, account, by, ids, now).await?;
        }
        if drafts > 0 {
            self.event(workspace, EventKind::Posts, now).await?;
        }
        Ok(drafts)
    }

    async fn unlink_from_post(
        &mut self,
        workspace: WorkspaceId,
        post: &Post,
        account: AccountId,
        by: PersonId,
        ids: &mut (dyn FnMut() -> [u8; 16] + Send),
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let all = self.deliveries_of_post(workspace, post.id).await?;
        let (here, elsewhere): (Vec<_>, Vec<_>) = all.into_iter().partition(|delivery| delivery.account == account);
        let mut was_planned = false;
        for delivery in here {
            let event = DeliveryEvent::Cancel(CanceledWhy::Unlinked);
            // Held up by the platform, it is certainly not sent; it is missed first, because only that can be taken out.
            let state = match delivery.state {
                DeliveryState::Waiting { .. } => delivery.state.after(DeliveryEvent::Miss(domain::delivery::MissedWhy::Disconnected), now),
                _ => Ok(delivery.state.clone()),
            };
            let Ok(state) = state.and_then(|state| state.after(event, now)) else { continue };
            was_planned |= matches!(
                delivery.state,
                DeliveryState::AwaitingApproval | DeliveryState::Scheduled | DeliveryState::Waiting { .. } | DeliveryState::Missed { .. }
            );
            let changed = Delivery { state, work_at: None, ..delivery.clone() };
            self.change_delivery(workspace, &delivery, &changed, now).await?;
            self.record(workspace, delivery.id, 0, &Record::moment(AttemptId(ids()), "cancel", "unlinked", now)).await?;
        }
        if !was_planned {
            return Ok(0);
        }
        let is_alone = elsewhere.iter().all(|delivery| matches!(delivery.state, DeliveryState::Canceled { .. }));
        if is_alone {
            self.run(
                "update posts set is_draft = $3, came_from = $4, updated_at = $5 where workspace_id = $1 and id = $2",
                args![workspace, post.id, true, account, now],
            )
            .await?;
        } else {
            let mut content = post.content.clone();
            content.targets.retain(|target| target.account == account);
            let times = PostTimes { is_draft: true, due_at: post.due_at, wall: post.wall.clone() };
            let (copy, revision) = (PostId(ids()), RevisionId(ids()));
            self.insert_post(workspace, copy, revision, &content, &times, Some(account), by, now).await?;
        }
        Ok(1)
    }
}

/// The content of a revision as stored, for those who have the column already.
pub(crate) fn content(text: &str) -> Result<Content, StoreError> {
    serde_json::from_str(text).map_err(|error| contradiction("post_revisions", error))
}
