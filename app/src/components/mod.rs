//! One file per component; props in, events out.

pub mod account_picker;
pub mod account_row;
pub mod after;
pub mod answer;
pub mod band;
pub mod countdown;
pub mod delivery_list;
pub mod empty;
pub mod form;
pub mod frame;
pub mod hatch;
pub mod health;
pub mod icon;
pub mod load;
pub mod login_line;
pub mod media_tiles;
pub mod nav;
pub mod post_line;
pub mod proof;
pub mod rehearsal;
pub mod status;
pub mod story;
pub mod time_fields;
