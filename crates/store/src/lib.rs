#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod audit;
pub mod catch_ups;
pub mod consents;
pub mod db;
pub mod deliveries;
pub mod error;
pub mod events;
pub mod grants;
pub mod inbox_reads;
pub mod installation;
pub mod media_rows;
pub mod people;
pub mod platform_apps;
pub mod posts;
pub mod publishing;
mod records;
pub mod sessions;
pub mod stakes;
pub mod threads;
#[cfg(feature = "cuts")]
pub mod truth;
pub mod verdicts;
pub mod work;
pub mod workspaces;

pub use db::{Arg, Store, Tx};
pub use error::StoreError;
