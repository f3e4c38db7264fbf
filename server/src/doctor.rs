//! `stayposted doctor`: what is wrong with this installation, and what to do.

use std::time::Duration;

use domain::platform::Platform;
use domain::time::{Clock, Timestamp};
use service::clocks::SystemClock;

use crate::config::{Serve, ServeRole};
use crate::start::{self, World};

enum Finding {
    Fine(String),
    /// Works, with something the operator should know.
    Note(String),
    /// Does not work: what is wrong, and what to do.
    Wrong(String),
}

/// Before this moment the clock of a machine is certainly wrong: Mon 23 Nov 2026.
const EARLIEST: Timestamp = Timestamp::from_seconds(1_795_392_000);

/// Looks at configuration, database, key, clock, platform apps and public address.
///
/// # Errors
/// When something is wrong, so that a script can tell.
pub(crate) async fn run(settings: &Serve) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    address(settings, &mut findings);
    clock(&mut findings);
    backend(settings, &mut findings).await;
    let wrong = findings.iter().filter(|finding| matches!(finding, Finding::Wrong(_))).count();
    for finding in &findings {
        match finding {
            Finding::Fine(text) => println!("fine   {text}"),
            Finding::Note(text) => println!("note   {text}"),
            Finding::Wrong(text) => println!("WRONG  {text}"),
        }
    }
    anyhow::ensure!(wrong == 0, "{wrong} of {} checks failed", findings.len());
    Ok(())
}

fn address(settings: &Serve, findings: &mut Vec<Finding>) {
    let public = settings.public();
    let is_loopback = matches!(public.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    findings.push(match (settings.public_url.is_some(), public.scheme(), is_loopback) {
        (false, ..) => Finding::Note(format!(
            "STAYPOSTED_PUBLIC_URL is not set: platforms send people back to {public}, which works on this machine only"
        )),
        (true, "http", false) => Finding::Wrong(format!(
            "STAYPOSTED_PUBLIC_URL is {public}: platforms refuse http addresses; put a reverse proxy with TLS in front and use https://"
        )),
        (true, ..) => Finding::Fine(format!("public address {public}")),
    });
    for platform in Platform::ALL {
        findings.push(Finding::Note(format!("register at {} as redirect address: {public}oauth/{platform}/callback", platform.name())));
    }
    if !settings.addr.ip().is_loopback() && settings.public_url.is_none() {
        findings.push(Finding::Note(format!("listening on {} without TLS: anybody on that network can read along", settings.addr)));
    }
    if settings.role != ServeRole::All && settings.data.database_url.is_none() {
        findings.push(Finding::Wrong(
            "STAYPOSTED_ROLE splits the work, which needs PostgreSQL: set STAYPOSTED_DATABASE_URL or use the role all".to_owned(),
        ));
    }
    let site = settings.site_folder();
    findings.push(if site.join("pkg").is_dir() {
        Finding::Fine(format!("the site lies in {}", site.display()))
    } else {
        Finding::Wrong(format!("the site is not in {}: build it (cargo xtask build) or set STAYPOSTED_SITE", site.display()))
    });
}

fn clock(findings: &mut Vec<Finding>) {
    let now = SystemClock.now();
    findings.push(if now < EARLIEST {
        Finding::Wrong(
            "this machine's clock is in the past: set it (systemd-timesyncd or chrony); posts would go out at wrong times".to_owned(),
        )
    } else {
        Finding::Fine("the clock is plausible".to_owned())
    });
}

async fn backend(settings: &Serve, findings: &mut Vec<Finding>) {
    let opening = start::backend(&settings.data, settings.public(), World::real());
    let backend = match tokio::time::timeout(Duration::from_secs(20), opening).await {
        Ok(Ok(backend)) => backend,
        Ok(Err(error)) => return findings.push(Finding::Wrong(format!("{error:#}"))),
        Err(_) => return findings.push(Finding::Wrong("the database does not answer within 20 seconds".to_owned())),
    };
    let kind = if backend.services.store.is_shared() { "PostgreSQL" } else { "SQLite" };
    findings.push(Finding::Fine(format!("{kind} is open and up to date; the key opens what it sealed")));
    if let Err(error) = start::set_apps(&backend.services, &settings.apps).await {
        findings.push(Finding::Wrong(format!("the platform apps cannot be stored: {error:#}")));
    }
    match backend.services.store.platform_apps().await {
        Ok(apps) => findings.extend(Platform::ALL.iter().map(|platform| {
            if apps.iter().any(|app| app.platform == *platform) {
                Finding::Fine(format!("an app is registered for {}", platform.name()))
            } else {
                let name = platform.code().to_uppercase();
                Finding::Note(format!(
                    "no app for {}: set STAYPOSTED_{name}_CLIENT_ID and STAYPOSTED_{name}_CLIENT_SECRET",
                    platform.name()
                ))
            }
        })),
        Err(error) => findings.push(Finding::Wrong(format!("the platform apps cannot be read: {error}"))),
    }
    match backend.services.has_owner().await {
        Ok(true) => findings.push(Finding::Fine("there is an owner".to_owned())),
        Ok(false) => findings.push(Finding::Note(
            "there is no owner yet: start the app and use the printed code, or run stayposted owner create".to_owned(),
        )),
        Err(error) => findings.push(Finding::Wrong(format!("the owners cannot be read: {error}"))),
    }
    backend.services.store.close().await;
}
