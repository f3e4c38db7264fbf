//! Inbox and threads. (Owner: logins)

use domain::id::ThreadId;
use domain::summary::inbox::{InboxPage, ThreadPage, ThreadRow};
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

impl Services {
    /// The inbox: `all` false shows what needs somebody.
    pub async fn inbox(&self, caller: &Caller, all: bool) -> Answer<InboxPage> { todo!() }
    /// One thread with its story. Does not mark it read: a GET changes nothing.
    pub async fn thread(&self, caller: &Caller, thread: ThreadId) -> Answer<ThreadPage> { todo!() }
    /// Marks a thread read for this person.
    pub async fn mark_read(&self, caller: &Caller, thread: ThreadId) -> Answer<()> { todo!() }
    /// Open threads that need somebody, worst first (for Overview).
    pub async fn needs(&self, caller: &Caller) -> Answer<Vec<ThreadRow>> { todo!() }
}
