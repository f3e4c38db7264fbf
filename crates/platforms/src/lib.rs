#![doc = include_str!("../README.md")]

pub mod adapter;
pub mod answer;
pub mod callback;
mod facebook;
mod http;
mod json;
mod moment;
mod pinterest;
pub mod registry;
pub mod secret;
mod wording;

pub use crate::http::Patience;
pub use registry::{Registry, adapters, adapters_with, public_endpoints};
