#![doc = include_str!("../README.md")]

pub mod access;
pub mod accounts;
pub mod auth;
pub mod clocks;
pub mod compose;
pub mod consent;
pub mod error;
pub mod inbox;
mod lines;
pub mod live;
pub mod media;
pub mod missed;
pub mod moments;
pub mod overview;
pub mod posts;
pub mod services;

pub use error::ServiceError;
pub use services::{Clocks, Rehearsal, Services, Settings};
