//! Logging: readable by default, JSON on request.

use anyhow::Context;
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// What is logged, and how.
#[derive(Debug, Args)]
pub(crate) struct LogSettings {
    /// What to log: a level (error, warn, info, debug, trace) or filters such as worker=debug.
    #[arg(long, env = "STAYPOSTED_LOG", default_value = "info", global = true)]
    log: String,
    /// How to write it.
    #[arg(long, env = "STAYPOSTED_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Some platforms demand tokens in addresses, and these crates log addresses: they never log more than this, whatever
/// is asked for (stack.md section 5).
const CAPPED: &[&str] = &["hyper=info", "hyper_util=info", "reqwest=info", "h2=info", "rustls=info", "sqlx=info", "tower_http=info"];

/// Starts logging to standard error.
///
/// # Errors
/// When a filter cannot be read.
pub(crate) fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let mut filter = EnvFilter::try_new(&settings.log).context("STAYPOSTED_LOG cannot be read")?;
    for cap in CAPPED {
        filter = filter.add_directive(cap.parse()?);
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
