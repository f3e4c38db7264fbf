#![doc = include_str!("../README.md")]

mod canonical;
mod engine;
mod keeper;
mod platform;
mod properties;
mod publisher;
mod state;

pub use engine::{Engine, Event, Guards, Login};
pub use properties::NAMES;
pub use state::State;
