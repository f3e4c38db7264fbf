//! Date and time in a zone, as a form sends them.

use leptos::prelude::*;

use crate::words::posts;

/// A wall time as form values.
#[derive(Debug, Clone, Default)]
pub struct Wall {
    /// "2026-12-03".
    pub date: String,
    /// "09:00".
    pub time: String,
    /// "Europe/Berlin".
    pub zone: String,
}

/// Fields for date and time; the zone stays as it is. `id` begins the ids of the fields.
pub fn time_fields(id: &str, wall: Wall) -> AnyView {
    let (date_id, time_id) = (format!("{id}-date"), format!("{id}-time"));
    view! {
        <div class="field-row">
            <div class="field">
                <label class="field__label" for=date_id.clone()>
                    "Day"
                </label>
                <input class="input" id=date_id type="date" name="date" value=wall.date/>
            </div>
            <div class="field">
                <label class="field__label" for=time_id.clone()>
                    {format!("Time, {}", posts::zone_time(&wall.zone))}
                </label>
                <input class="input" id=time_id type="time" name="time" value=wall.time/>
            </div>
            <input type="hidden" name="zone" value=wall.zone/>
        </div>
    }
    .into_any()
}
