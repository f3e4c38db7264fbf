#![doc = include_str!("../README.md")]

pub mod absence;
mod error;
pub mod keeper;
pub mod publisher;
pub mod runner;
pub mod tidy;
mod whose;

pub use error::WorkerError;
pub use runner::Worker;
