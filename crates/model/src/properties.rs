//! What must hold in every state.

use domain::delivery::{ASK_WITHIN, DeliveryState};
use domain::grant::GrantState;
use stateright::Property;

use crate::engine::Engine;
use crate::state::State;

/// The names of the properties that must hold always.
pub const NAMES: [&str; 8] = [TWICE, ONLINE, WAY_OUT, SILENTLY, OLDER, FAMILY, LIVING, NOTICED];

const TWICE: &str = "no delivery is accepted twice";
const ONLINE: &str = "what is called published is online";
const WAY_OUT: &str = "no state is without a way out";
const SILENTLY: &str = "in the end everything due is sent, missed and told, or asked about";
const OLDER: &str = "no older pair of tokens replaces a newer one";
const FAMILY: &str = "no login is lost by showing a pair twice whose answer could be had";
const LIVING: &str = "no living login is called lost";
const NOTICED: &str = "every incident is told, once";

pub(crate) fn all() -> Vec<Property<Engine>> {
    vec![
        Property::always(TWICE, |_, state: &State| (0..2).all(|delivery| accepted(state, delivery) <= 1)),
        Property::always(ONLINE, is_online),
        Property::always(WAY_OUT, has_way_out),
        Property::always(SILENTLY, |engine: &Engine, state| !engine.is_at_rest(state) || is_done(state)),
        Property::always(OLDER, |_, state: &State| state.login.pair >= state.login.best),
        Property::always(FAMILY, |_, state: &State| !state.platform.is_lost_by_us),
        Property::always(LIVING, is_truly_lost),
        Property::always(NOTICED, is_noticed),
        Property::sometimes("both are published", |_, state: &State| {
            state.rows.iter().all(|row| matches!(row.state, DeliveryState::Published { .. }))
        }),
        Property::sometimes("a person is asked", |_, state: &State| {
            is_in(state, |state| matches!(state, DeliveryState::Unconfirmed { .. }))
        }),
        Property::sometimes("a lost answer is found", |_, state: &State| {
            is_in(state, |state| matches!(state, DeliveryState::Published { known_by: domain::delivery::KnownBy::Found, .. }))
        }),
        Property::sometimes("a login is lost", |_, state: &State| matches!(state.login.state, GrantState::SignInNeeded { .. })),
    ]
}

fn accepted(state: &State, delivery: usize) -> usize {
    state.platform.posts.iter().filter(|of| **of == delivery).count()
}

fn is_in(state: &State, which: impl Fn(&DeliveryState) -> bool) -> bool {
    state.rows.iter().any(|row| which(&row.state))
}

/// With equal words nobody can tell whose post is whose, but their number must be right.
fn is_online(engine: &Engine, state: &State) -> bool {
    let published = |delivery: usize| matches!(state.rows[delivery].state, DeliveryState::Published { .. });
    if engine.same_words {
        return (0..2).filter(|delivery| published(*delivery)).count() <= state.platform.posts.len();
    }
    (0..2).all(|delivery| !published(delivery) || accepted(state, delivery) > 0)
}

/// Somebody has something to do with it, now or later, or a person was asked. And whoever works, asks in time.
fn has_way_out(_: &Engine, state: &State) -> bool {
    state.rows.iter().all(|row| {
        let is_asked = matches!(row.state, DeliveryState::Unconfirmed { .. });
        let is_in_time = match row.state {
            DeliveryState::Confirming { since } => {
                row.lease.is_some() || row.work_at.is_some_and(|look| look <= state.now.max(since + ASK_WITHIN))
            }
            _ => true,
        };
        (row.is_settled() || is_asked || row.work_at.is_some()) && is_in_time
    })
}

fn is_done(state: &State) -> bool {
    state.rows.iter().all(|row| row.is_settled() || matches!(row.state, DeliveryState::Unconfirmed { .. }))
}

fn is_truly_lost(_: &Engine, state: &State) -> bool {
    let is_usable = state.login.pair == state.platform.live && !state.platform.is_revoked;
    !(matches!(state.login.state, GrantState::SignInNeeded { .. }) && is_usable)
}

fn is_noticed(_: &Engine, state: &State) -> bool {
    let rows = state.rows.iter().enumerate().all(|(number, row)| match row.state {
        DeliveryState::Unconfirmed { .. } => state.told.asked[number] == 1,
        DeliveryState::Missed { .. } => state.told.missed[number] == 1,
        _ => true,
    });
    rows && (state.told.lost > 0 || !matches!(state.login.state, GrantState::SignInNeeded { .. }))
}
