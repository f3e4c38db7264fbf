//! Slows down when a platform is in trouble (reliability B6): ten thousand logins that come due while it is away cost it a
//! few calls and not ten thousand. Those that may not ask are put off like those whose platform could not be reached.
//!
//! It belongs to one process and may be forgotten at any moment: it decides who asks, never what an answer means. It counts
//! by platform and not by app: apps of one platform meet the same servers.

use std::collections::HashSet;
use std::time::Duration;

use domain::backoff::Backoff;
use domain::id::GrantId;
use domain::time::{Timestamp, hours, minutes};

/// This many logins in a row, each another one, met trouble: then it is the platform's. One login's own trouble holds up
/// nobody else.
const MANY: usize = 8;
/// How long nobody asks; each further failure doubles it. Short in the end, so that what a person asks for waits little.
const WAITS: Backoff = Backoff { first: Duration::from_secs(30), longest: minutes(2) };
/// A wait that the platform asks for is obeyed up to this.
const LONGEST_ASKED: Duration = hours(1);

/// One platform's brake.
#[derive(Debug, Default)]
pub(super) struct Brake {
    /// Logins in trouble since the last good answer.
    failing: HashSet<GrantId>,
    on: Option<On>,
}

#[derive(Debug, Clone, Copy)]
struct On {
    /// Waits since the last good answer.
    times: u32,
    /// Until when nobody asks.
    until: Timestamp,
    /// Who asks for all since then.
    asks: Option<GrantId>,
}

impl Brake {
    /// How long a login must wait that wants to ask the platform; none: it may ask. After each wait one asks for all.
    pub(super) fn wait(&mut self, grant: GrantId, now: Timestamp) -> Option<Duration> {
        let on = self.on.as_mut()?;
        if on.until > now {
            return Some(on.until.since(now));
        }
        // Should its answer never be noted, the next one asks after the shortest wait.
        (on.until, on.asks) = (now + WAITS.first, Some(grant));
        None
    }

    /// The platform answered, be it with a refusal.
    pub(super) fn good(&mut self) {
        *self = Self::default();
    }

    /// A login met trouble that may pass. `asked` is the wait that the platform asked for, `chance` in `0.0..1.0` spreads ours.
    pub(super) fn failed(&mut self, grant: GrantId, asked: Option<Duration>, chance: f64, now: Timestamp) {
        let times = match self.on {
            Some(on) if on.asks == Some(grant) => on.times + 1,
            // Those that were under way when it was put on tell nothing new.
            Some(_) => return,
            None => {
                self.failing.insert(grant);
                if self.failing.len() < MANY {
                    return;
                }
                1
            }
        };
        let wait = WAITS.wait(times, chance, asked.map(|asked| asked.min(LONGEST_ASKED)));
        self.on = Some(On { times, until: now + wait, asks: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);
    const HALF: Duration = Duration::from_secs(30);

    fn grant(number: u8) -> GrantId {
        GrantId([number; 16])
    }

    fn in_trouble(asked: Option<Duration>) -> Brake {
        let mut brake = Brake::default();
        for number in 0..8 {
            assert_eq!(brake.wait(grant(number), NOW), None, "after {number}");
            brake.failed(grant(number), asked, 0.5, NOW);
        }
        brake
    }

    #[test]
    fn one_login_in_trouble_holds_up_nobody() {
        let mut brake = Brake::default();
        for _ in 0..100 {
            brake.failed(grant(1), Some(hours(1)), 0.5, NOW);
        }
        assert_eq!(brake.wait(grant(2), NOW), None);
    }

    #[test]
    fn many_in_a_row_put_it_on_and_then_one_asks_for_all() {
        let mut brake = in_trouble(None);
        assert_eq!(brake.wait(grant(20), NOW), Some(HALF));
        assert_eq!(brake.wait(grant(20), NOW + HALF), None);
        assert_eq!(brake.wait(grant(21), NOW + HALF), Some(HALF), "the others wait for its answer");
    }

    #[test]
    fn those_under_way_do_not_make_it_longer_and_the_one_that_asks_does() {
        let mut brake = in_trouble(None);
        brake.failed(grant(9), None, 0.5, NOW);
        assert_eq!(brake.wait(grant(9), NOW), Some(HALF));
        assert_eq!(brake.wait(grant(9), NOW + HALF), None);
        brake.failed(grant(9), None, 0.5, NOW + HALF);
        assert_eq!(brake.wait(grant(9), NOW + HALF), Some(2 * HALF));
    }

    #[test]
    fn the_wait_that_was_asked_for_is_obeyed_up_to_an_hour() {
        assert_eq!(in_trouble(Some(minutes(10))).wait(grant(9), NOW), Some(minutes(10)));
        assert_eq!(in_trouble(Some(hours(1_000))).wait(grant(9), NOW), Some(hours(1)));
    }

    #[test]
    fn a_good_answer_lets_everybody_go_on() {
        let mut brake = in_trouble(None);
        brake.good();
        assert_eq!(brake.wait(grant(9), NOW), None);
        brake.failed(grant(1), None, 0.5, NOW);
        assert_eq!(brake.wait(grant(9), NOW), None);
    }
}
