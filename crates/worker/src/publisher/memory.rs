//! What this process remembers between claims, so that a thousand posts at one instant do not open one login a thousand
//! times, nor note a thousand times that it works. Nothing here decides anything: it may be forgotten at any moment.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::id::{AccountId, WorkspaceId};
use domain::platform::Platform;
use domain::time::Timestamp;

use super::load::SharedAccess;

/// That a call worked is noted this often.
const NOTED_EVERY: Duration = Duration::from_secs(60);
/// More accounts than this are not kept in mind.
const MOST: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Opened logins by account, each with the generation of its tokens: newer ones are opened anew.
    access: HashMap<AccountId, (i64, SharedAccess)>,
    good: HashMap<AccountId, Timestamp>,
    answering: HashMap<(WorkspaceId, Platform), Timestamp>,
}

impl Memory {
    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The opened login of an account, as long as its tokens are those of `generation`.
    pub(super) fn access(&self, account: AccountId, generation: i64) -> SharedAccess {
        self.with(|kept| {
            if kept.access.len() > MOST {
                kept.access.clear();
            }
            let (known, access) = kept.access.entry(account).or_insert_with(|| (generation, SharedAccess::default()));
            if *known != generation {
                (*known, *access) = (generation, SharedAccess::default());
            }
            access.clone()
        })
    }

    /// Forgets opened logins: tokens lie in memory only while something is being sent.
    pub(super) fn forget_access(&self) {
        self.with(|kept| kept.access.clear());
    }

    /// Forgets the opened login of one account, whose own token is another one now.
    pub(super) fn forget(&self, account: AccountId) {
        self.with(|kept| kept.access.remove(&account));
    }

    /// Whether it is time to note that an account works.
    pub(super) fn is_good_news(&self, account: AccountId, now: Timestamp) -> bool {
        self.with(|kept| is_news(&mut kept.good, account, now))
    }

    /// Whether it is time to note that a platform answers.
    pub(super) fn is_answering_news(&self, workspace: WorkspaceId, platform: Platform, now: Timestamp) -> bool {
        self.with(|kept| is_news(&mut kept.answering, (workspace, platform), now))
    }
}

fn is_news<K: std::hash::Hash + Eq>(noted: &mut HashMap<K, Timestamp>, key: K, now: Timestamp) -> bool {
    if noted.len() > MOST {
        noted.clear();
    }
    // A clock that went back makes news, too.
    let is_news = noted.get(&key).is_none_or(|last| now.since(*last) >= NOTED_EVERY || *last > now);
    if is_news {
        noted.insert(key, now);
    }
    is_news
}
