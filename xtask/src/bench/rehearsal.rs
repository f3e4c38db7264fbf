//! A demo of the release build, signed in: what most measurements start from.

use crate::build::Built;
use crate::http::{Client, Response};
use crate::running::{Running, free_port};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::PathBuf;

/// What the rehearsal is filled with.
pub(super) const SEED: &str = "agency";

/// The server, its data in a folder of its own, and the demo owner's cookie.
pub(super) struct Rehearsal {
    server: Running,
    data: PathBuf,
    /// `name=value`.
    pub(super) cookie: String,
}

impl Rehearsal {
    /// Starts a fresh demo with the given seed and signs in.
    pub(super) fn start(built: &Built, seed: &str) -> Result<Self> {
        let data = std::env::temp_dir().join(format!("stayposted-bench-{}", std::process::id()));
        let arguments = ["demo", "--fresh", "--seed", seed, "--data"].map(str::to_owned).into_iter().chain([data.display().to_string()]);
        let address = format!("127.0.0.1:{}", free_port()?);
        let server = Running::start(built, &arguments.collect::<Vec<_>>(), &address, &[("STAYPOSTED_LOG", "warn")])?;
        let mut rehearsal = Self { server, data, cookie: String::new() };
        rehearsal.server.wait_until_ready()?;
        let answer = rehearsal.client()?.post("/api/v1/demo/sign-in", &[], "{}")?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        rehearsal.cookie =
            cookie.with_context(|| format!("signing in to the demo answered {} without a cookie", answer.status))?.to_owned();
        Ok(rehearsal)
    }

    /// A new connection.
    pub(super) fn client(&self) -> Result<Client> {
        Client::connect(&self.server.address)
    }

    /// Reads JSON as the demo's owner.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        read_json(path, &self.client()?.get(path, &[("cookie", &self.cookie), ("accept", "application/json")])?)
    }

    /// The rows of the page of linked accounts.
    pub(super) fn accounts(&self) -> Result<Vec<Value>> {
        let mut page = self.get("/api/v1/accounts/list")?;
        let Value::Array(rows) = page["rows"].take() else { bail!("accounts/list has no `rows`") };
        Ok(rows)
    }

    /// Sends JSON as the demo's owner.
    pub(super) fn post(&self, path: &str, json: &Value) -> Result<Value> {
        let origin = format!("http://{}", self.server.address);
        let headers = [("cookie", self.cookie.as_str()), ("accept", "application/json"), ("origin", origin.as_str())];
        read_json(path, &self.client()?.post(path, &headers, &json.to_string())?)
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.server.stop();
        drop(std::fs::remove_dir_all(&self.data));
    }
}

fn read_json(path: &str, answer: &Response) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        bail!("{path} answered {}: {}", answer.status, answer.text());
    }
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body).with_context(|| format!("{path} answered something that is not JSON"))
}
