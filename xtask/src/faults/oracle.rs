//! What must hold in the end, whatever happened: the platforms' own lists against what we say.

use super::stage::{Scenario, Stage};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::HashMap;

/// A person is asked within this time, in microseconds.
const ASK_WITHIN: i64 = 60_000_000;

/// What may be, because of what was done to this world.
#[derive(Clone, Copy, Default)]
pub(super) struct Allowed {
    /// How often something happened that can lose an answer: a death, a cut connection.
    pub(super) losses: usize,
    /// A platform was in trouble, and may be told of.
    pub(super) trouble: bool,
    /// A platform refused: what did not go out for it is told.
    pub(super) refusals: bool,
    /// A list may hide what is online.
    pub(super) hidden: bool,
}

impl Allowed {
    /// So many deaths and nothing else.
    pub(super) fn deaths(losses: usize) -> Self {
        Self { losses, ..Self::default() }
    }
}

/// What the platforms and we say.
struct Evidence {
    truth: Value,
    /// Public posts by their text.
    online: HashMap<String, Vec<Value>>,
    /// API calls since the play began, both platforms.
    calls: Vec<Value>,
    allowed: Allowed,
    complaints: Vec<String>,
}

/// Everything that must not be. `before`: calls that Pinterest had taken before the play.
pub(super) fn judge(stage: &mut Stage<'_>, rounds: i64, before: usize, allowed: Allowed) -> Result<Vec<String>> {
    let mut online: HashMap<String, Vec<Value>> = HashMap::new();
    for platform in ["facebook", "pinterest"] {
        for post in stage.feed(platform)? {
            online.entry(post["text"].as_str().unwrap_or_default().to_owned()).or_default().push(post);
        }
    }
    let mut calls = stage.calls("pinterest")?.split_off(before);
    calls.extend(stage.calls("facebook")?);
    let mut evidence = Evidence { truth: stage.truth()?, online, calls, allowed, complaints: Vec::new() };
    evidence.leases_and_events();
    match stage.scenario {
        Scenario::Posts => evidence.posts(),
        Scenario::Renewals => evidence.logins(rounds, false)?,
        Scenario::RenewalsWithGrace => evidence.logins(rounds, true)?,
    }
    evidence.threads();
    Ok(evidence.complaints)
}

/// How posts and logins ended, counted.
pub(super) fn ends(truth: &Value) -> Vec<(String, usize)> {
    let deliveries = list(&truth["deliveries"]);
    let mut names: Vec<String> = deliveries
        .iter()
        .map(|delivery| {
            let state = &delivery["state"];
            format!("{} {}", text(&state["state"]), state["known_by"].as_str().unwrap_or_default()).trim_end().to_owned()
        })
        .collect();
    if names.is_empty() {
        names = list(&truth["logins"]).iter().map(|login| text(&login["state"]).to_owned()).collect();
    }
    let mut counted: HashMap<String, usize> = HashMap::new();
    for name in names {
        *counted.entry(name).or_default() += 1;
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort();
    counted
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

impl Evidence {
    fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }

    /// No lease older than its time, no hole in the numbered events.
    fn leases_and_events(&mut self) {
        if self.truth["overdue_leases"] != 0 {
            self.complain(format!("{} leases are older than their time", self.truth["overdue_leases"]));
        }
        for workspace in list(&self.truth["events"].clone()) {
            let number = |name: &str| workspace[name].as_i64().unwrap_or_default();
            if number("count") != number("last") - number("first") + 1 {
                self.complain(format!("events have holes: {workspace}"));
            }
        }
    }

    /// Never two, and nothing silently unsent.
    fn posts(&mut self) {
        let deliveries = list(&self.truth["deliveries"]).to_vec();
        if deliveries.len() != 20 {
            self.complain(format!("{} deliveries, and 20 were planned", deliveries.len()));
        }
        for (words, posts) in self.online.clone() {
            if posts.len() > 1 {
                self.complain(format!("TWICE: {words:?} is online {} times", posts.len()));
            }
            if !deliveries.iter().any(|delivery| delivery["text"] == words.as_str()) {
                self.complain(format!("{words:?} is online and nobody planned it"));
            }
        }
        let mut unclear = 0;
        for delivery in deliveries {
            let words = text(&delivery["text"]);
            let state = &delivery["state"];
            let posts = self.online.get(words).cloned().unwrap_or_default();
            let may_repeat = self.allowed.trouble || self.allowed.refusals;
            if !may_repeat && delivery["commits"].as_i64().is_none_or(|commits| commits > 1) {
                self.complain(format!("{words:?} was committed {} times", delivery["commits"]));
            }
            if delivery["open_commits"] != 0 {
                self.complain(format!("{words:?}: a commit's end was never written"));
            }
            match state["state"].as_str() {
                Some("published") => match posts.first() {
                    None => self.complain(format!("LOST: {words:?} is called published and is not online")),
                    Some(post) => {
                        if post["id"] != state["remote_id"] {
                            self.complain(format!("{words:?} is bound to {} and online as {}", state["remote_id"], post["id"]));
                        }
                        if list(&post["media"]).len() != delivery["images"].as_u64().map_or(0, |images| images as usize) {
                            self.complain(format!(
                                "{words:?} went out with {} images of {}",
                                list(&post["media"]).len(),
                                delivery["images"]
                            ));
                        }
                        if state["seen_at"].is_null() && !self.allowed.trouble {
                            self.complain(format!("{words:?} was never read back"));
                        }
                    }
                },
                Some("unconfirmed") => {
                    unclear += 1;
                    if !posts.is_empty() && !self.allowed.hidden {
                        self.complain(format!("{words:?} is asked about, and stands in a list that hides nothing"));
                    }
                    let (asked, since) = (state["asked_at"].as_i64(), state["since"].as_i64());
                    if asked.zip(since).is_none_or(|(asked, since)| asked - since > ASK_WITHIN) {
                        self.complain(format!("{words:?} was asked about too late: {state}"));
                    }
                }
                Some("missed" | "failed") if self.allowed.refusals => {
                    if !posts.is_empty() {
                        self.complain(format!("{words:?} is online and called {}", state["state"]));
                    }
                }
                other => self.complain(format!("UNSENT: {words:?} is {other:?} in the end: {state}")),
            }
        }
        // Each death can leave what was between intent and request; more than that was never sent for another reason.
        if unclear > 0 && self.allowed.losses == 0 {
            self.complain(format!("{unclear} posts are asked about, and no answer can have been lost"));
        }
        let accepted = self.calls.iter().filter(|call| call["op"] == "commit" && is_done(call)).count();
        let online: usize = self.online.values().map(Vec::len).sum();
        if accepted != online {
            self.complain(format!("{accepted} commits were accepted, and {online} posts are online"));
        }
    }

    /// Every rotated token is kept or truthfully explained.
    fn logins(&mut self, rounds: i64, has_grace: bool) -> Result<()> {
        let logins = list(&self.truth["logins"]).to_vec();
        if logins.len() != 20 {
            self.complain(format!("{} logins, and 20 were linked", logins.len()));
        }
        let mut all_lost = 0;
        for login in logins {
            let person = text(&login["person"]);
            let renewals = self.calls.iter().filter(|call| call["op"] == "token" && call["account"] == person);
            let accepted = i64::try_from(renewals.filter(|call| is_done(call)).count())?;
            // The consent brought the first generation.
            let kept = login["generation"].as_i64().context("a login without generation")? - 1;
            let lost = accepted - kept;
            all_lost += lost;
            let state = text(&login["state"]);
            if lost < 0 {
                self.complain(format!("{person} has {kept} new pairs, and the platform gave {accepted}"));
            }
            if lost == 0 || has_grace {
                if state != "live" || kept != rounds {
                    self.complain(format!(
                        "{person} is {state} with {kept} of {rounds} renewals, and no answer was lost for good: {login}"
                    ));
                }
            } else if state != "sign_in_needed" || login["cause"]["technical_issue"] != "lost_answer" {
                self.complain(format!("{person} lost {lost} answers and is {state}: {login}"));
            }
            let outcomes = list(&login["renewals"]);
            if !self.allowed.trouble && outcomes.len() as i64 > 2 * rounds + 2 * i64::try_from(self.allowed.losses)? {
                self.complain(format!("{person} was asked for {} times", outcomes.len()));
            }
        }
        if all_lost > 0 && self.allowed.losses == 0 {
            self.complain(format!("{all_lost} answers were lost, and nobody can have lost them"));
        }
        Ok(())
    }

    /// One story for each thing that a person must know, and none for anything else.
    fn threads(&mut self) {
        let threads = list(&self.truth["threads"]).to_vec();
        let mut open: HashMap<String, usize> = HashMap::new();
        for thread in &threads {
            let root = &thread["root"];
            let stages: Vec<&str> = list(&thread["stages"]).iter().map(|stage| text(&stage["stage"])).collect();
            let about = ["delivery", "grant", "account", "platform"].into_iter().find_map(|field| root[field].as_str());
            let key = format!("{} {}", text(&root["root"]), about.unwrap_or_default());
            *open.entry(key).or_default() += 1;
            let expected: &[&str] = match text(&root["root"]) {
                "delivery" => &["needs_answer", "refused"],
                "login" | "account" => &["lost", "missed"],
                "platform" | "app" if self.allowed.trouble || self.allowed.refusals => continue,
                other => {
                    self.complain(format!("a thread about {other} that nothing explains: {thread}"));
                    continue;
                }
            };
            let told = stages.iter().filter(|stage| expected.contains(stage)).count();
            if told != 1 && !(told > 1 && self.allowed.refusals) {
                self.complain(format!("a thread tells {told} times what happened once: {stages:?}"));
            }
        }
        for (root, count) in open {
            if count > 1 {
                self.complain(format!("{count} threads for {root}"));
            }
        }
        let is_told = |id: &Value, field: &str| threads.iter().any(|thread| thread["root"][field] == *id && thread["is_over"] == false);
        let mut untold = Vec::new();
        for delivery in list(&self.truth["deliveries"]) {
            let needs = delivery["state"]["state"] == "unconfirmed";
            if needs != is_told(&delivery["id"], "delivery") && !self.allowed.refusals {
                untold.push(format!("UNTOLD: {} is {} and its thread says otherwise", delivery["text"], delivery["state"]["state"]));
            }
        }
        for login in list(&self.truth["logins"]) {
            let needs = login["state"] == "sign_in_needed";
            if needs != is_told(&login["id"], "grant") && !self.allowed.refusals {
                untold.push(format!("UNTOLD: login of {} is {} and its thread says otherwise", login["person"], login["state"]));
            }
        }
        let unsent = |delivery: &&Value| matches!(delivery["state"]["state"].as_str(), Some("missed" | "failed" | "unconfirmed"));
        let needs_somebody = list(&self.truth["deliveries"]).iter().filter(unsent).count();
        if needs_somebody > 0 && threads.iter().all(|thread| thread["is_over"] == true) {
            untold.push(format!("UNTOLD: {needs_somebody} posts need somebody, and no thread is open"));
        }
        self.complaints.extend(untold);
    }
}

/// Whether the platform did what the call asked for, whatever became of its answer.
fn is_done(call: &Value) -> bool {
    let has = |kind: &str| list(&call["faults"]).iter().any(|fault| fault == kind);
    if has("drop_after_accept") || has("error_after_accept") {
        return true;
    }
    let is_good = call["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
    // Only of a commit that damaged answer tells what has happened.
    is_good && (call["op"] == "commit" || !has("broken_json"))
}
