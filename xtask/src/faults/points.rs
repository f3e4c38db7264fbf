//! The cuts by name: which there are, which were passed, at which somebody died.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What a scenario must pass.
#[derive(Default, Clone)]
pub(super) struct Reached {
    /// Cut and place to how often it was passed.
    passed: BTreeMap<String, usize>,
    /// Cuts that were the last ones of a process.
    pub(super) last: BTreeSet<String>,
}

impl Reached {
    /// Reads the lines `number TAB cut TAB place` of one or more processes.
    pub(super) fn read(&mut self, log: &str) {
        let mut before: Option<String> = None;
        for line in log.lines() {
            let mut fields = line.split('\t');
            let (Some(number), Some(cut), Some(place)) = (fields.next(), fields.next(), fields.next()) else { continue };
            let name = format!("{cut}: {}", place_name(place));
            *self.passed.entry(name.clone()).or_default() += 1;
            // A process that begins to count anew follows one that died at its last cut.
            if number == "1" {
                self.last.extend(before.take());
            }
            before = Some(name);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (name, count) in other.passed {
            *self.passed.entry(name).or_default() += count;
        }
        self.last.extend(other.last);
    }

    /// The names of the cuts that were passed.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.passed.keys()
    }
}

/// `crates/worker/src/keeper/renew.rs:52:40` as `worker::keeper::renew::renewed`: lines change, functions are found again.
fn place_name(place: &str) -> String {
    static NAMES: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(place.to_owned()).or_insert_with(|| found_name(place)).clone()
}

fn found_name(place: &str) -> String {
    let mut fields = place.rsplitn(3, ':');
    let line = fields.nth(1).and_then(|line| line.parse::<usize>().ok());
    let (Some(file), Some(line)) = (fields.next(), line) else { return place.to_owned() };
    let function = fs::read_to_string(file).ok().and_then(|text| function_around(&text, line)).unwrap_or_else(|| line.to_string());
    format!("{}::{function}", module_of(file))
}

fn module_of(file: &str) -> String {
    file.trim_start_matches("crates/").replace("/src/", "::").trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
}

/// The last `fn` that begins at or before a line.
fn function_around(text: &str, line: usize) -> Option<String> {
    text.lines().take(line).filter_map(function_of).last()
}

fn function_of(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with("//")).collect();
    let at = words.iter().position(|word| *word == "fn")?;
    let is_item = words[..at].iter().all(|word| word.starts_with("pub") || *word == "async" || *word == "const");
    let name = words.get(at + 1)?.split(['(', '<']).next()?;
    is_item.then(|| name.to_owned())
}

/// Where the scenarios commit; somebody dies before and after each.
const COMMITS: &[&str] = &[
    // The start, and what tidies up.
    "service::access::set_platform_app",
    "store::installation::set_installation",
    "store::grants::release_grants_of",
    "store::publishing::reclaim_deliveries",
    "store::consents::tidy_consents",
    "store::events::tidy_events",
    "store::people::tidy_tries",
    "store::publishing::tidy_limits",
    "store::sessions::tidy_sessions",
    // A post: claimed; its steps, intent and outcome written; told to open pages.
    "worker::publisher::claim::claim_some",
    "worker::publisher::write::write_all",
    "store::publishing::announce_posts",
    // A login: leased, held; the intent to renew, the new pair, the refusal of an old one; the daily check.
    "store::grants::lease_grants",
    "store::grants::keep_grant",
    "worker::keeper::renew::renew",
    "worker::keeper::renew::renewed",
    "worker::keeper::renew::failed",
    "worker::keeper::probe::write",
];

/// What the scenarios ask of platforms; somebody dies before, in the middle of and after each.
const REQUESTS: &[&str] = &[
    "POST {id}/photos",
    "POST {id}/feed",
    "GET {id}/published_posts",
    "GET {id}",
    "GET me",
    "GET debug_token",
    "POST pins",
    "GET boards/{id}/pins",
    "GET pins/{id}",
    "POST oauth/token",
    "GET user_account",
    "GET boards",
];

/// The files that the scenarios write. Images are written when people bring them, before a scenario begins.
const FILES: &[&str] = &["before file: node id", "before file: node id, renamed", "after file: node id"];

/// Places that the scenarios do not pass, or not each time, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("worker::absence::tell", "an absence of more than two minutes by the wall clock: worker/tests/publishing/absence.rs"),
    ("worker::keeper::put_off", "a platform in trouble, with somebody else asking: worker/tests/storms.rs"),
    ("worker::keeper::release", "a login in whose row nothing is left to do when its lease begins: worker/tests/keeper.rs"),
    ("worker::keeper::renew::lose_to_our_fault", "a token that does not open: worker/tests/hostile_tokens.rs"),
    ("worker::keeper::warn::warn", "a login that only a person renews, two weeks before its end: worker/tests/keeper.rs"),
    ("store::publishing::keep_delivery", "work that takes longer than ten seconds: `--around`, slow"),
    ("worker::publisher::held::put_back", "more posts to be looked for than there are slots: no test passes it yet"),
];

/// The names that must be passed, each with its sides.
pub(super) fn known() -> BTreeSet<String> {
    let sided = |sides: &'static [&str], names: &'static [&str]| {
        names.iter().flat_map(move |name| sides.iter().map(move |side| format!("{side}: {name}")))
    };
    sided(&["before commit", "after commit"], COMMITS)
        .chain(sided(&["before request", "after request", "answer read"], REQUESTS))
        .chain(FILES.iter().map(|name| (*name).to_owned()))
        .collect()
}

/// Every function of the worker in which a transaction begins.
fn transactions_of_the_worker() -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for file in crate::process::files_below(Path::new("crates/worker/src"))? {
        let text = fs::read_to_string(&file)?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| line.contains("store.begin().await")) {
            let function = function_around(&text, index + 1).with_context(|| format!("no function around {line}"))?;
            found.insert(format!("{}::{function}", module_of(&file.display().to_string())));
        }
    }
    Ok(found)
}

/// What the lists above do not know, or know of and is gone. A whole run must also have passed everything, and have
/// seen somebody die there.
pub(super) fn complaints(reached: &Reached, is_whole: bool) -> Result<Vec<String>> {
    let known = known();
    let mut complaints = Vec::new();
    let is_elsewhere = |name: &str| ELSEWHERE.iter().any(|(place, _)| name.ends_with(&format!(": {place}")));
    for name in reached.passed.keys().filter(|name| !known.contains(*name) && !is_elsewhere(name)) {
        complaints.push(format!("{name} was passed and stands in no list of points.rs"));
    }
    for name in known.iter().filter(|_| is_whole) {
        if !reached.passed.contains_key(name) {
            complaints.push(format!("{name} was never passed"));
        } else if !reached.last.contains(name) {
            complaints.push(format!("nobody died at {name}"));
        }
    }
    for place in transactions_of_the_worker()? {
        let is_known = COMMITS.contains(&place.as_str());
        if !is_known && !ELSEWHERE.iter().any(|(name, _)| *name == place) {
            complaints.push(format!("{place} begins a transaction and stands in no list of points.rs"));
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_are_the_cuts_before_a_new_count() {
        let mut reached = Reached::default();
        reached.read("1\tbefore commit\ta\n2\tafter commit\ta\n1\tbefore commit\ta\n2\tafter commit\tb\n");
        assert_eq!(reached.last.iter().collect::<Vec<_>>(), ["after commit: a"]);
        assert_eq!(reached.passed["before commit: a"], 2);
    }

    #[test]
    fn a_function_is_found_by_a_line_in_it() {
        let text =
            "impl A {\n    pub(super) async fn one(&self) {\n        let fn_name = 1;\n    }\n}\nfn two<T>() {\n    // the fn three\n}";
        assert_eq!(function_around(text, 3).as_deref(), Some("one"));
        assert_eq!(function_around(text, 7).as_deref(), Some("two"));
        assert_eq!(module_of("crates/worker/src/keeper/mod.rs"), "worker::keeper");
    }
}
