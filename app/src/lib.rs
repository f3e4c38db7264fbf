//! The UI of Stayposted, compiled twice: `ssr` for the server, `hydrate` for the browser.

pub mod api;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod live;
pub mod pages;
pub mod words;
