//! Workspaces and who belongs to them.

use domain::id::{PersonId, WorkspaceId};
use domain::role::Role;
use domain::time::Timestamp;
use sqlx::FromRow;

use crate::args;
use crate::db::{Store, Tx};
use crate::error::{StoreError, contradiction};
use crate::records::id_bytes;

/// A workspace as one of its people sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// What the person may do in it.
    pub role: Role,
}

/// A workspace to be made.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its data key, wrapped.
    pub data_key: Vec<u8>,
}

#[derive(FromRow)]
struct MembershipRow {
    workspace_id: Vec<u8>,
    slug: String,
    name: String,
    zone: String,
    role: String,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;
    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        Ok(Self {
            workspace: WorkspaceId(id_bytes("memberships", &row.workspace_id)?),
            slug: row.slug,
            name: row.name,
            zone: row.zone,
            role: row.role.parse().map_err(|_| contradiction("memberships", row.role))?,
        })
    }
}

impl Store {
    /// All workspaces of a person, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn memberships(&self, person: PersonId) -> Result<Vec<Membership>, StoreError> {
        let rows: Vec<MembershipRow> = self
            .rows(
                "select m.workspace_id, w.slug, w.name, w.zone, m.role from memberships m join workspaces w on w.id = m.workspace_id \
                 where m.person_id = $1 order by w.name, w.slug",
                args![person],
            )
            .await?;
        rows.into_iter().map(Membership::try_from).collect()
    }

    /// Zone of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn zone_of(&self, workspace: WorkspaceId) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self.row("select zone from workspaces where id = $1", args![workspace]).await?;
        Ok(row.map(|row| row.0))
    }

    /// The name of a workspace in addresses.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn slug_of(&self, workspace: WorkspaceId) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self.row("select slug from workspaces where id = $1", args![workspace]).await?;
        Ok(row.map(|row| row.0))
    }

    /// The wrapped data key of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn data_key_of(&self, workspace: WorkspaceId) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = self.row("select data_key from workspaces where id = $1", args![workspace]).await?;
        Ok(row.map(|row| row.0))
    }

    /// Every workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspace_ids(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = self.rows("select id from workspaces order by id", args![]).await?;
        rows.iter().map(|row| id_bytes("workspaces", &row.0).map(WorkspaceId)).collect()
    }
}

impl Tx {
    /// Makes a workspace. Its slug is `wish`, or `wish-2` and so on where that is taken; returned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_workspace(&mut self, new: &NewWorkspace, wish: &str, now: Timestamp) -> Result<String, StoreError> {
        for number in 1..10_000_u32 {
            let slug = if number == 1 { wish.to_owned() } else { format!("{wish}-{number}") };
            let made = self
                .run(
                    "insert into workspaces (id, slug, name, zone, data_key, created_at) values ($1, $2, $3, $4, $5, $6) \
                     on conflict (slug) do nothing",
                    args![new.id, &slug, &new.name, &new.zone, new.data_key.clone(), now],
                )
                .await?;
            if made == 1 {
                return Ok(slug);
            }
        }
        Err(StoreError::Exists)
    }

    /// Makes a person a member.
    ///
    /// # Errors
    /// [`StoreError::is_duplicate`] when they are one.
    pub async fn add_membership(&mut self, workspace: WorkspaceId, person: PersonId, role: Role, now: Timestamp) -> Result<(), StoreError> {
        self.run(
            "insert into memberships (workspace_id, person_id, role, created_at) values ($1, $2, $3, $4)",
            args![workspace, person, role.code(), now],
        )
        .await?;
        Ok(())
    }
}
