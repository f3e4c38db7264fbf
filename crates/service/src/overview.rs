//! The start page. (Owner: posts)

use domain::summary::overview::OverviewPage;
use domain::role::Caller;
use crate::{ServiceError, Services};
type Answer<T> = Result<T, ServiceError>;

impl Services {
    /// Everything Overview shows.
    pub async fn overview(&self, caller: &Caller) -> Answer<OverviewPage> { todo!() }
}
