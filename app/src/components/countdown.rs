//! "in 3 h", "in 12:04": how long until a moment. Nothing stands there before the page has woken up, because the server
//! renders no clock; listeners never hear it.

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::live::Live;

/// Hours within a day, minutes and seconds within the last hour, else nothing.
fn until(to: Timestamp, now: Timestamp) -> String {
    let seconds = to.since(now).as_secs();
    match seconds {
        0 => String::new(),
        1..3_600 => format!("in {}:{:02}", seconds / 60, seconds % 60),
        3_600..86_400 => format!("in {} h", seconds / 3_600),
        _ => String::new(),
    }
}

/// The time left until `to`, by the server's clock.
pub fn countdown(to: Timestamp) -> AnyView {
    let text = RwSignal::new(String::new());
    let live = use_context::<Live>();
    Effect::new(move |_| {
        // Follows the server's clock: a rehearsal moves it.
        let Some(live) = live else { return };
        if live.now().is_none() {
            return;
        }
        let show = move || {
            let left = live.now_untracked().map(|now| until(to, now)).unwrap_or_default();
            if text.try_with_untracked(|shown| *shown != left) == Some(true) {
                text.set(left);
            }
        };
        show();
        tick(show);
    });
    let left = move || (!text.read().is_empty()).then(|| view! { <span class="num" aria-hidden="true">{move || text.get()}</span> });
    left.into_any()
}

/// Calls `show` every second while the page is seen; stops with its owner.
#[cfg(not(feature = "ssr"))]
fn tick(show: impl Fn() + 'static) {
    let timer = gloo_timers::callback::Interval::new(1_000, move || {
        if !document().hidden() {
            show();
        }
    });
    let timer = StoredValue::new_local(Some(timer));
    on_cleanup(move || {
        timer.try_update_value(Option::take);
    });
}

#[cfg(feature = "ssr")]
fn tick(_: impl Fn() + 'static) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_tick_only_in_the_last_hour() {
        let left = |seconds| until(Timestamp::from_seconds(seconds), Timestamp(0));
        assert_eq!(
            [left(0), left(-5), left(5), left(724), left(3_600), left(11_000), left(90_000)],
            ["", "", "in 0:05", "in 12:04", "in 1 h", "in 3 h", ""]
        );
    }
}
