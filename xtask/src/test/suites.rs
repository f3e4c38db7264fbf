//! The test suites: Rust's, its documentation's, and the browser's.

use super::outcome::Outcome;
use super::postgres::PostgreSql;
use crate::process::{cargo, not_started, run, words};
use crate::workspace::{END2END, Workspace, leptos_env};
use crate::{build, setup};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Unit and integration tests, those of the store on both databases.
pub(super) fn tests(workspace: &Workspace) -> Result<Outcome> {
    let ours = ["xtask".to_owned()];
    nextest(workspace, &[&workspace.server_packages[..], &ours[..]], |command| {
        command.arg("--status-level=skip");
    })
}

/// The proofs that `tests` tells in short, in full: one more fault in the model, many more stories on the real databases,
/// storms of ten thousand.
pub(super) fn proof(workspace: &Workspace) -> Result<Outcome> {
    nextest(workspace, &[&workspace.server_packages[..]], |command| {
        // All other tests are left out here, and that is no news.
        command
            .args(["--no-capture", "--status-level=pass", "--filterset", "binary(explored) or binary(machine) or test(storm)"])
            .env("STAYPOSTED_TEST_LONG", "1");
    })
}

fn nextest(workspace: &Workspace, groups: &[&[String]], change: fn(&mut Command)) -> Result<Outcome> {
    let nextest = match setup::nextest(workspace) {
        Ok(nextest) => nextest,
        Err(error) => return Ok(Outcome::without_tool(&error)),
    };
    let (postgres, mut outcome) = match PostgreSql::start() {
        Ok(postgres) => (Some(postgres), Outcome::default()),
        Err(error) => (None, Outcome::without_tool(&error.context("no test ran on PostgreSQL"))),
    };
    for packages in groups {
        let mut command = Command::new(&nextest);
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass", "--final-status-level=fail"]);
        command.args(["--cargo-quiet", "--color=never"]);
        command.args(package_flags(packages));
        command.env_remove("STAYPOSTED_TEST_POSTGRES_URL");
        if let Some(postgres) = &postgres {
            command.env("STAYPOSTED_TEST_POSTGRES_URL", &postgres.url);
        }
        change(&mut command);
        let (success, lines) = watched(&mut command)?;
        let counted = read_nextest(&lines);
        if !success && counted.failed.is_empty() {
            outcome.failed.push(format!("`{}` failed before it ran a test", words(&command)));
        }
        outcome.passed += counted.passed;
        outcome.failed.extend(counted.failed);
        outcome.skipped.extend(counted.skipped);
    }
    Ok(outcome)
}

/// Reads `PASS [   0.005s] crate test::name` and its kin.
fn read_nextest(lines: &[String]) -> Outcome {
    let mut outcome = Outcome::default();
    for line in lines {
        if line.trim_start().starts_with("Summary") {
            // What follows is a list of the failures we have seen already.
            break;
        }
        let Some((verdict, rest)) = line.trim().split_once(" [") else { continue };
        let Some((_, name)) = rest.split_once("] ") else { continue };
        let name = name.trim().to_owned();
        match verdict.trim() {
            "PASS" | "LEAK" => outcome.passed += 1,
            "SKIP" => outcome.skipped.push(name),
            "FAIL" | "TIMEOUT" | "ABORT" | "LEAK-FAIL" => outcome.failed.push(name),
            verdict if verdict.starts_with("SIG") => outcome.failed.push(format!("{name} ({verdict})")),
            _ => {}
        }
    }
    outcome
}

/// Wall times of every zone, compared with Python's.
pub(super) fn zones(workspace: &Workspace) -> Result<Outcome> {
    let python = match setup::python(workspace) {
        Ok(python) => python,
        Err(error) => return Ok(Outcome::without_tool(&error)),
    };
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "service", "--test", "zones", "--", "--ignored", "--nocapture"]);
    run(test.env("STAYPOSTED_TEST_PYTHON", python))?;
    Ok(Outcome::passed(1))
}

/// The examples in documentation comments.
pub(super) fn doctests(workspace: &Workspace) -> Result<Outcome> {
    let mut command = cargo();
    command.args(["test", "--quiet", "--doc", "--no-fail-fast"]).args(package_flags(&workspace.server_packages));
    let (success, lines) = watched(&mut command)?;
    let mut outcome = Outcome::default();
    for line in lines.iter().filter_map(|line| line.strip_prefix("test result: ")) {
        let count = |word: &str| {
            let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
            words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse::<usize>().ok()).unwrap_or(0)
        };
        outcome.passed += count("passed");
        outcome.failed.extend((0..count("failed")).map(|_| "an example in the documentation, see above".to_owned()));
        outcome.skipped.extend((0..count("ignored")).map(|_| "an example marked `ignore`".to_owned()));
    }
    if !success && outcome.failed.is_empty() {
        outcome.failed.push(format!("`{}` failed before it ran an example", words(&command)));
    }
    Ok(outcome)
}

/// The journeys of `end2end/`, in Chromium, against the build of the demo.
pub(super) fn browser(workspace: &Workspace) -> Result<Outcome> {
    let chromium = match setup::npm(workspace).and_then(|()| setup::chromium()) {
        Ok(chromium) => chromium,
        Err(error) => return Ok(Outcome::without_tool(&error)),
    };
    if !["ts", "js", "mjs"].iter().any(|kind| Path::new(END2END).join(format!("playwright.config.{kind}")).exists()) {
        return Ok(Outcome::failed("end2end/ has no playwright.config.ts, so there are no browser tests".to_owned()));
    }
    let built = build::dev(workspace)?;
    let results = workspace.scratch()?.join("playwright.json");
    drop(std::fs::remove_file(&results));
    let mut playwright = setup::npm_program("playwright")?;
    playwright
        .args(["test", "--reporter=list,json"])
        .current_dir(END2END)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &results)
        .env("STAYPOSTED_BIN", &built.binary)
        .env("CHROMIUM", chromium)
        .envs(leptos_env(&built.site));
    let ran = run(&mut playwright);
    let text = match (&ran, std::fs::read_to_string(&results)) {
        (_, Ok(text)) => text,
        (Err(_), Err(_)) => return ran.map(|()| Outcome::default()).context("no browser test ran"),
        (Ok(()), Err(error)) => return Err(error).context("Playwright left no results"),
    };
    let report: Value = serde_json::from_str(&text).context("Playwright's results are not JSON")?;
    let mut outcome = Outcome::default();
    for suite in report["suites"].as_array().into_iter().flatten() {
        read_suite(suite, &mut outcome);
    }
    if ran.is_err() && outcome.failed.is_empty() {
        outcome.failed.push("Playwright failed outside of a test, see above".to_owned());
    }
    Ok(outcome)
}

/// Reads one suite of Playwright's JSON report, and the suites in it.
fn read_suite(suite: &Value, outcome: &mut Outcome) {
    for spec in suite["specs"].as_array().into_iter().flatten() {
        for test in spec["tests"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
            let name = format!("{} › {} › {}", text(&test["projectName"]), text(&spec["file"]), text(&spec["title"]));
            match test["status"].as_str() {
                Some("expected" | "flaky") => outcome.passed += 1,
                Some("skipped") => outcome.skipped.push(name),
                _ => outcome.failed.push(name),
            }
        }
    }
    for inner in suite["suites"].as_array().into_iter().flatten() {
        read_suite(inner, outcome);
    }
}

fn package_flags(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().flat_map(|name| ["--package", name])
}

/// Runs a command whose lines we show and also read.
fn watched(command: &mut Command) -> Result<(bool, Vec<String>)> {
    let (reader, writer) = std::io::pipe()?;
    let spawned = command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).spawn();
    let mut child = spawned.map_err(|error| not_started(command, error))?;
    // The command keeps copies of the pipe's writing end, and reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = Vec::new();
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        lines.push(line);
    }
    Ok((child.wait()?.success(), lines))
}

#[cfg(test)]
mod tests {
    use super::{read_nextest, read_suite};
    use crate::test::outcome::Outcome;
    use serde_json::json;

    #[test]
    fn nextest_lines_are_counted_once() {
        let lines = "    Starting 3 tests across 2 binaries (1 test skipped)
        PASS [   0.004s] (1/3) domain posts::a_post_has_text
        FAIL [   0.010s] (2/3) store grants::a_lease_ends
     SIGABRT [   0.010s] (3/3) store grants::a_lease_crashes
        SKIP [         ] (3/3) store slow::soak
     Summary [   0.020s] 3 tests run: 1 passed, 2 failed, 1 skipped
        FAIL [   0.010s] (2/3) store grants::a_lease_ends";
        let outcome = read_nextest(&lines.lines().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(outcome.to_string(), "1 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn playwright_suites_are_read_to_the_innermost() {
        let spec = |status: &str| json!({"title": "t", "file": "a.ts", "tests": [{"projectName": "p", "status": status}]});
        let suite = json!({"specs": [spec("expected")], "suites": [{"specs": [spec("skipped"), spec("unexpected")]}]});
        let mut outcome = Outcome::default();
        read_suite(&suite, &mut outcome);
        assert_eq!(outcome.to_string(), "1 passed, 1 failed, 1 skipped");
    }
}
