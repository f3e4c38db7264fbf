//! The simulator over a real socket, as the app's adapters meet it.

#![allow(missing_docs)]

mod consent_pages;
mod facebook;
mod faults;
mod hostile;
mod pinterest;
mod stage;
mod state;
