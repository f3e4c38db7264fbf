//! Each guard is needed: without it the model finds a way to break the promise.
#![allow(missing_docs, clippy::print_stdout, reason = "tests that show the way")]

use model::{Engine, Guards, Login, NAMES};
use stateright::{Checker, HasDiscoveries, Model};

/// A way to break a promise, which must be `promise`; and with all guards it stays whole.
fn breaks(engine: Engine, promise: &'static str) {
    assert!(NAMES.contains(&promise));
    let broken = engine.checker().finish_when(HasDiscoveries::AnyOf([promise].into())).spawn_bfs().join();
    let path = broken.discovery(promise);
    let path = path.unwrap_or_else(|| panic!("{:?}: nothing breaks the promise: {promise}", engine.guards));
    println!("without a guard of {:?}, not so: {promise}\n{:?}", engine.guards, path.into_actions());

    let whole = Engine { guards: Guards::ALL, ..engine }.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    assert!(whole.discovery(promise).is_none(), "with all guards the promise holds");
}

const TWICE: &str = NAMES[0];
const OLDER: &str = NAMES[4];
const FAMILY: &str = NAMES[5];
const LIVING: &str = NAMES[6];

#[test]
fn without_the_fence_a_stopped_worker_sends_what_another_one_has_sent() {
    let guards = Guards { fence: false, ..Guards::ALL };
    breaks(Engine { guards, ..Engine::new(Login::Lasting, 1, 1) }, TWICE);
}

#[test]
fn without_the_write_ahead_a_crash_leads_to_a_second_commit() {
    let guards = Guards { write_ahead: false, ..Guards::ALL };
    breaks(Engine { guards, ..Engine::new(Login::Lasting, 1, 1) }, TWICE);
}

#[test]
fn without_the_trust_window_a_stopped_worker_sends_after_the_person_said_no() {
    let guards = Guards { trust_window: false, ..Guards::ALL };
    breaks(Engine { guards, ..Engine::new(Login::Lasting, 1, 1) }, TWICE);
}

#[test]
fn without_the_trust_window_a_stopped_worker_shows_a_spent_pair() {
    let guards = Guards { trust_window: false, ..Guards::ALL };
    breaks(Engine { guards, ..Engine::new(Login::Strict, 0, 1) }, FAMILY);
}

#[test]
fn without_the_re_read_a_refusal_of_the_old_pair_ends_the_login_that_was_just_renewed() {
    let guards = Guards { re_read: false, ..Guards::ALL };
    breaks(Engine { guards, consents: 1, ..Engine::new(Login::Lasting, 1, 1) }, LIVING);
}

#[test]
fn without_the_re_read_a_late_pair_replaces_the_one_of_a_new_sign_in() {
    let guards = Guards { re_read: false, ..Guards::ALL };
    breaks(Engine { guards, consents: 1, ..Engine::new(Login::Strict, 0, 1) }, OLDER);
}
