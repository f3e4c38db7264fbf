//! Every setting, read once. A bad value stops the start with its name; `--help` is the reference.
#![allow(rustdoc::bare_urls, reason = "the texts are shown by `--help`, where brackets would only confuse")]

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

/// Where the process listens, what it is called from outside, and where its data lies.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on. Loopback unless told otherwise: put a reverse proxy with TLS in front.
    #[arg(long, env = "STAYPOSTED_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,

    /// Our address as browsers and platforms see it, such as https://posts.example.org. Makes the redirect addresses
    /// and decides cookie names and flags. Default: http:// and the listen address.
    #[arg(long, env = "STAYPOSTED_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<Url>,

    #[command(flatten)]
    pub data: Data,

    /// Which half of the work this process does. Split it only on PostgreSQL.
    #[arg(long, env = "STAYPOSTED_ROLE", value_enum, default_value = "all")]
    pub role: ServeRole,

    /// Reverse proxies whose X-Forwarded-For header is believed (comma-separated addresses). Default: none.
    #[arg(long, env = "STAYPOSTED_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpAddr>,

    /// The built site: pages' scripts, styles and public files. Default: `site` beside the program, else target/site.
    #[arg(long, env = "STAYPOSTED_SITE")]
    pub site: Option<PathBuf>,

    #[command(flatten)]
    pub apps: Apps,
}

/// The database and the keys.
#[derive(Debug, Clone, Args)]
pub(crate) struct Data {
    /// The data folder: the SQLite file, images, and the key file unless one is configured. Made with mode 0700.
    #[arg(long = "data", env = "STAYPOSTED_DATA", default_value = "data")]
    pub folder: PathBuf,

    /// postgres://user:password@host/name for PostgreSQL. Default: SQLite in the data folder.
    #[arg(long, env = "STAYPOSTED_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Hidden>,

    /// The file with the root keys that seal all tokens. Default: `root.key` in the data folder, made on first start.
    #[arg(long, env = "STAYPOSTED_KEY_FILE")]
    pub key_file: Option<PathBuf>,
}

/// Our registrations at the platforms. Id and secret belong together.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Apps {
    /// App id of the Facebook app.
    #[arg(long, env = "STAYPOSTED_FACEBOOK_CLIENT_ID", requires = "facebook_client_secret")]
    pub facebook_client_id: Option<String>,
    /// App secret of the Facebook app.
    #[arg(long, env = "STAYPOSTED_FACEBOOK_CLIENT_SECRET", hide_env_values = true, requires = "facebook_client_id")]
    pub facebook_client_secret: Option<Hidden>,
    /// App id of the Pinterest app.
    #[arg(long, env = "STAYPOSTED_PINTEREST_CLIENT_ID", requires = "pinterest_client_secret")]
    pub pinterest_client_id: Option<String>,
    /// App secret of the Pinterest app.
    #[arg(long, env = "STAYPOSTED_PINTEREST_CLIENT_SECRET", hide_env_values = true, requires = "pinterest_client_id")]
    pub pinterest_client_secret: Option<Hidden>,
}

/// A secret on its way from the command line to where it is used.
#[derive(Clone)]
pub(crate) struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

impl std::str::FromStr for Hidden {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Which half of the work a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServeRole {
    /// Pages and API only.
    Web,
    /// Renewals and publishing only.
    Worker,
    /// Both.
    All,
}

impl ServeRole {
    /// Whether this process works unasked.
    pub(crate) fn works(self) -> bool {
        self != Self::Web
    }
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with https:// (or http:// for a try on this machine)".to_owned());
    }
    if url.host().is_none() || url.query().is_some() || url.fragment().is_some() || url.path() != "/" {
        return Err("it must be a plain origin such as https://posts.example.org, without a path".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not contain a user name or password".to_owned());
    }
    Ok(url)
}

impl Serve {
    /// The public address, configured or derived from the listen address.
    pub(crate) fn public(&self) -> Url {
        let fallback = || Url::parse(&format!("http://{}", self.addr)).ok();
        self.public_url.clone().or_else(fallback).unwrap_or_else(|| unreachable!("an address and port make an address"))
    }

    /// The folder of the built site.
    pub(crate) fn site_folder(&self) -> PathBuf {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.join("site")).filter(|folder| folder.is_dir());
        let leptos = || std::env::var_os("LEPTOS_SITE_ROOT").map(PathBuf::from);
        self.site.clone().or_else(leptos).or_else(beside).unwrap_or_else(|| PathBuf::from("target/site"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k6_no_secret_of_a_setting_prints_itself() {
        #[derive(Debug, clap::Parser)]
        struct Command {
            #[command(flatten)]
            serve: Serve,
        }
        let secrets = [
            ["--database-url", "postgres://user:fake-canary-1@db.example/x"],
            ["--facebook-client-secret", "fake-canary-2"],
            ["--pinterest-client-secret", "fake-canary-3"],
        ];
        let ids = ["--facebook-client-id", "1", "--pinterest-client-id", "2"];
        let command = <Command as clap::Parser>::parse_from(["x"].into_iter().chain(secrets.into_iter().flatten()).chain(ids));
        assert_eq!(command.serve.data.database_url.as_ref().map(|url| url.0.as_str()), Some(secrets[0][1]));
        let printed = format!("{command:?} {command:#?}");
        assert!(!printed.contains("fake-canary"), "{printed}");
    }

    #[test]
    fn only_a_plain_origin_is_a_public_address() {
        for good in ["https://posts.example.org", "http://127.0.0.1:3000/"] {
            assert!(public_url(good).is_ok(), "{good}");
        }
        for bad in ["posts.example.org", "ftp://a", "https://a/b", "https://a?b", "https://u:p@a", ""] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Hidden("not-a-real-secret".into())), "Hidden(…)");
    }
}
