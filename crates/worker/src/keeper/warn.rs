//! Tells ahead of time that a person must act, where we cannot renew.

use domain::grant::GrantState;
use domain::id::LeaseId;
use domain::inbox::{Root, Stage};
use domain::summary::shell::EventKind;
use store::StoreError;
use store::grants::Grant;

use super::Inner;
use crate::WorkerError;

/// Opens the thread "ends soon", unless its story is a worse one already.
pub(super) async fn warn(inner: &Inner, grant: &Grant, lease: LeaseId) -> Result<(), WorkerError> {
    let now = inner.now();
    let mut tx = inner.services.store.begin().await?;
    let mut grant = tx.lock_leased(grant.id, lease).await?.ok_or(StoreError::LeaseLost)?;
    grant.warn_at = None;
    tx.save_grant(&grant).await?;
    let root = Root::Login { grant: grant.id };
    let is_worse = matches!(tx.open_stage(grant.workspace, &root).await?, Some(Stage::Lost { .. } | Stage::Missed { .. }));
    if let (GrantState::Live | GrantState::Retrying { .. }, Some(act_by), false) = (grant.state, grant.schedule.act_by, is_worse) {
        let stage = Stage::EndsSoon { act_by, is_stated: grant.schedule.act_by_is_stated };
        tx.tell(grant.workspace, &root, &stage, inner.thread_id(), now).await?;
        tx.event(grant.workspace, EventKind::Accounts, now).await?;
    }
    Ok(tx.commit().await?)
}
