#![doc = include_str!("../README.md")]

mod call;
mod consent;
mod default_world;
mod drive;
mod facebook;
mod faults;
mod feed;
mod knobs;
mod media;
mod moment;
mod page;
mod pinterest;
mod routes;
mod secret;
mod seed;
mod simulator;
mod strike;
mod surface;
mod table;
mod world;

pub use default_world::{FACEBOOK_CLIENT_ID, FACEBOOK_CLIENT_SECRET, PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET};
pub use seed::{SeedError, SeedPost, SeededGrant, SeededPage};
pub use simulator::{Simulator, SimulatorConfig, SimulatorError};
