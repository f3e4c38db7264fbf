//! Every state that two workers can reach, in each of six worlds. `STAYPOSTED_TEST_LONG=1` (set by `cargo xtask test --all`) lets
//! one more fault happen.
#![allow(missing_docs, clippy::print_stdout, reason = "tests that say how much they have seen")]

use std::time::Instant;

use model::{Engine, Login};
use stateright::{Checker, Expectation, Model};

fn is_long() -> bool {
    std::env::var_os("STAYPOSTED_TEST_LONG").is_some()
}

/// Explores everything; what must hold holds, and what should be reachable is reached.
fn explore(name: &str, engine: Engine, reached: &[&str]) {
    let start = Instant::now();
    let checker = engine.checker().threads(2).spawn_dfs().join();
    println!(
        "{name}, {} faults: {} states ({} with repetitions), {:.1} s",
        engine.faults,
        checker.unique_state_count(),
        checker.state_count(),
        start.elapsed().as_secs_f64()
    );
    assert!(checker.is_done(), "{name}: not all states were explored");
    for property in engine.properties() {
        match (property.expectation, checker.discovery(property.name)) {
            (Expectation::Always, Some(path)) => {
                panic!("{name}: not so: {}\nafter {:?}\nthen {:?}", property.name, path.clone().into_actions(), path.last_state())
            }
            (Expectation::Sometimes, None) if reached.contains(&property.name) => panic!("{name}: never so: {}", property.name),
            _ => {}
        }
    }
}

#[test]
fn a_login_renewed_by_two_workers_at_a_strict_platform() {
    let engine = Engine { consents: 1, ..Engine::new(Login::Strict, 0, if is_long() { 4 } else { 3 }) };
    explore("renewal, strict", engine, &["a login is lost"]);
}

#[test]
fn a_login_renewed_by_two_workers_at_a_platform_that_gives_the_same_pair_again() {
    let engine = Engine { consents: 1, ..Engine::new(Login::Forgiving, 0, if is_long() { 4 } else { 3 }) };
    explore("renewal, forgiving", engine, &[]);
}

#[test]
fn one_delivery_behind_a_login_that_only_a_person_renews() {
    let engine = Engine { consents: 1, ..Engine::new(Login::Lasting, 1, if is_long() { 3 } else { 2 }) };
    explore("one delivery, consents", engine, &["a person is asked", "a lost answer is found", "a login is lost"]);
}

#[test]
fn two_deliveries_to_one_account() {
    let engine = Engine::new(Login::Lasting, 2, if is_long() { 3 } else { 2 });
    explore("two deliveries", engine, &["both are published", "a person is asked", "a lost answer is found", "a login is lost"]);
}

#[test]
fn two_deliveries_with_the_same_words_to_one_account() {
    let engine = Engine { same_words: true, ..Engine::new(Login::Lasting, 2, if is_long() { 2 } else { 1 }) };
    explore("two deliveries, same words", engine, &["both are published", "a person is asked", "a lost answer is found"]);
}

#[test]
fn deliveries_while_their_login_is_renewed() {
    let (deliveries, faults) = if is_long() { (2, 1) } else { (1, 1) };
    explore("deliveries and renewal", Engine::new(Login::Strict, deliveries, faults), &["a person is asked", "a lost answer is found"]);
}
