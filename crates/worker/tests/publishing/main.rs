//! The publisher against a platform that does as it is told, on every database that is there.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod fake;
mod world;

mod absence;
mod answers;
mod burst;
mod chaos;
mod crashes;
mod order;
mod people;
mod roles;
mod sending;
mod storm;
mod withdrawn;
