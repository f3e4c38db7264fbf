#![doc = include_str!("../README.md")]

pub mod db;
pub mod error;
pub mod events;
pub mod threads;

pub use db::{Arg, Store, Tx};
pub use error::StoreError;
