//! One file per page; it loads data and arranges components.

pub mod account;
pub mod accounts;
pub mod calendar;
pub mod compose;
pub mod consent_result;
pub mod going_to;
pub mod inbox;
pub mod missed;
pub mod not_found;
pub mod overview;
pub mod post;
pub mod posts;
pub mod sign_in;
pub mod stopped;
pub mod thread;
pub mod welcome;
