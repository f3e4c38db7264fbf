//! One file per component; props in, events out.

pub mod account_row;
pub mod band;
pub mod empty;
pub mod form;
pub mod frame;
pub mod health;
pub mod icon;
pub mod load;
pub mod login_line;
pub mod nav;
pub mod post_row;
pub mod rehearsal;
pub mod status;
pub mod story;
