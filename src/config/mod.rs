//! Settings: from flags, the environment (`BYLINE_…`) and `byline.toml`, in that order.

mod accent;
mod accounts;
mod allowed_origins;
mod argon2;
mod backup;
mod cognito;
mod credential;
mod database_url;
mod difference;
mod error;
mod file;
mod flags;
mod footer_links;
mod hsts;
mod limits;
mod mail;
mod media;
mod object_store;
mod origin;
mod page_memory;
mod reading;
mod secret_key;
mod site;
mod site_css;
mod site_picture;
mod time_zone;
mod traces;
pub mod variables;

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use ipnet::IpNet;

use crate::database::DatabaseConfig;
pub use accent::{Accent, Colour, Shades};
pub use accounts::Unverified;
pub use allowed_origins::{OriginPattern, Origins, OriginsError};
pub use argon2::{Cost, CostError};
pub use backup::{BackupPlace, BackupSettings, Recipient, is_in_a_store};
pub use cognito::Srp;
pub use database_url::read_database_url;
use database_url::{DATABASE_LISTEN_URL, DATABASE_URL, READ_DATABASE_URL, database_url};
pub use error::StartError;
use file::read_file;
pub use flags::Flags;
pub use footer_links::{FooterLink, FooterLinks};
pub use hsts::Hsts;
pub use limits::AuthorLimits;
pub use mail::{MailSettings, MailTransport, MailUrlError, Security, Smtp};
pub use media::MediaQuota;
pub use object_store::{AwsVariables, S3, StoreUrl, StoreUrlError};
pub use origin::{Origin, PublicUrl};
pub use page_memory::PageMemory;
use reading::Reading;
pub use secret_key::{SecretKeyError, SecretKeySource};
pub use site::{
    AiCrawlers, Approval, Faces, Identity, NoSuchSetting, SignUpPolicy, SiteFiles, SiteName, SiteSetting,
    SiteSettingError, SiteSettings, SiteValues,
};
pub use site_css::SiteCss;
pub use site_picture::{SitePicture, size_within};
pub use time_zone::SiteTimeZone;
pub use traces::{OtlpEndpoint, OtlpEndpointError};
use variables::{PREFIX, is_of_an_orchestrator, nearest};

/// Paths of PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate of the site, then its chain.
    pub cert: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// Whether programs name the version that their change started from, as
/// Amplify's DataStore does (setting `graphql.conflict-detection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictDetection {
    /// The last change wins.
    #[default]
    Off,
    /// A change of an old version is refused.
    On,
}

impl From<bool> for ConflictDetection {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where `/metrics` is, if it is anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Who is told of each request, if anybody is.
    pub otlp_endpoint: Option<OtlpEndpoint>,
    pub database: DatabaseConfig,
    /// Listeners to `/events`, and WebSockets, at a time.
    pub max_listeners: usize,
    /// Memory for cached answers.
    pub page_memory: PageMemory,
    /// The certificate, if the site serves TLS itself.
    pub tls: Option<TlsFiles>,
    pub public_url: PublicUrl,
    pub argon2: Cost,
    /// Proxies that are trusted to name the client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether changes by the GraphQL API name the version that they are based on.
    pub conflict_detection: ConflictDetection,
    /// Origins whose scripts may use the API.
    pub cors_origins: Origins,
    /// How much an author may publish in an hour.
    pub author_limits: AuthorLimits,
    /// Where the key is that seals secrets in the database.
    pub secret_key: SecretKeySource,
    /// How mail is sent, if it is.
    pub mail: Option<MailSettings>,
    /// What people may do whose address is not confirmed.
    pub unverified: Unverified,
    /// Whether clients of Amazon Cognito may log in by SRP.
    pub srp: Srp,
    /// What the site calls itself, how it looks, whom it takes: the values with which it begins.
    pub site: SiteValues,
    /// Files of which the pictures of the site are made with which it begins.
    pub site_files: SiteFiles,
    /// How much an author's pictures may take.
    pub media_quota: MediaQuota,
    /// Where the files of new pictures are stored, if not in the database.
    pub media_url: Option<StoreUrl>,
    /// When and where the site makes backups of itself, if it does.
    pub backup: Option<BackupSettings>,
    /// How an object store is reached.
    pub aws: AwsVariables,
}

/// Variables that are read elsewhere than in [`Flags`].
const OTHER_VARIABLES: &[&str] = &["BYLINE_LOG", "BYLINE_LOG_FORMAT", secret_key::VARIABLE];

impl Config {
    /// Listeners to `/events`, and WebSockets, at a time, unless set otherwise: a quarter of
    /// the connections that are taken at all.
    pub const MAX_LISTENERS: usize = 1000;
    /// No process ever needs more.
    const MOST_LISTENERS: usize = 1_000_000;

    /// The real address of the listener, once the system has chosen a port.
    pub fn listens_to(&mut self, address: SocketAddr) {
        self.listen = address;
        self.public_url.listens_to(address);
    }

    /// Puts the three sources together.
    ///
    /// # Errors
    /// [`StartError`] names the setting, the variable or the key.
    pub fn load(flags: Flags) -> Result<Self, StartError> {
        Self::read(flags, Reading::AtStart)
    }

    /// [`Self::load`] while the site is served. A file that is not a regular one is not read.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_again(flags: Flags) -> Result<Self, StartError> {
        Self::read(flags, Reading::WhileServed)
    }

    fn read(flags: Flags, reading: Reading) -> Result<Self, StartError> {
        let variables = std::env::vars_os();
        refuse_unknown_variables(variables.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }))?;
        let file = read_file(flags.config.as_deref(), reading)?;
        let listen: SocketAddr = value("listen", flags.listen.or(file.listen), "127.0.0.1:3000")?;
        let metrics_listen = flags.metrics_listen.or(file.metrics_listen);
        let metrics_listen =
            metrics_listen.map(|given| value("metrics-listen", Some(given), "")).transpose()?;
        let otlp_endpoint = flags.otlp_endpoint.or(file.otlp_endpoint);
        let otlp_endpoint = otlp_endpoint.map(|given| traces::endpoint(&given)).transpose()?;
        let tls = tls_files(flags.tls_cert.or(file.tls.cert), flags.tls_key.or(file.tls.key))?;
        let public_url = match flags.public_url.or(file.public_url) {
            Some(given) => value("public-url", Some(given), "")?,
            None => PublicUrl::of_listener(tls.is_some(), listen),
        };
        let urls =
            [(flags.database_url, flags.database_url_file), (file.database_url, file.database_url_file)];
        let url = DATABASE_URL.first(urls, reading, database_url)?;
        let listen_urls = [
            (flags.database_listen_url, flags.database_listen_url_file),
            (file.database_listen_url, file.database_listen_url_file),
        ];
        let listen_url = DATABASE_LISTEN_URL.first(listen_urls, reading, database_url)?;
        let replicas = [
            (flags.read_database_url, flags.read_database_url_file),
            (file.read_database_url, file.read_database_url_file),
        ];
        let replica = READ_DATABASE_URL.first(replicas, reading, database_url)?;
        let trusted_proxies = flags.trusted_proxies.or(file.trusted_proxies).unwrap_or_default();
        let conflict_detection = flags.graphql_conflict_detection.or(file.graphql.conflict_detection);
        let cors_origins = flags.graphql_cors_origins.or(file.graphql.cors_origins);
        let url = url.map_or_else(|| DATABASE_URL.value("sqlite://byline.db", database_url), Ok)?;
        let secret_key =
            SecretKeySource::of_environment(flags.secret_key_file.or(file.secret_key_file), &url);
        let mail = mail::settings(flags.mail, file.mail, reading)?;
        let site_files = file.site.files();
        let site = site::values(flags.site, file.site)?;
        let (media_quota, media_url) = media::settings(flags.media, file.media)?;
        let backup = backup::settings(flags.backup, file.backup)?;
        let unverified = accounts::unverified(flags.accounts, file.accounts, mail.is_some())?;
        Ok(Self {
            listen,
            metrics_listen,
            otlp_endpoint,
            secret_key,
            author_limits: limits::author_limits(flags.limits, file.limits),
            database: DatabaseConfig {
                url,
                listen: listen_url,
                replica,
                // A site without a connection serves nobody; with one it could wait for itself.
                connections: within(
                    "database-connections",
                    flags.database_connections.or(file.database_connections),
                    DatabaseConfig::CONNECTIONS,
                    (2, DatabaseConfig::MAX_CONNECTIONS),
                )?,
            },
            max_listeners: within(
                "max-listeners",
                flags.max_listeners.or(file.max_listeners),
                Config::MAX_LISTENERS,
                (1, Config::MOST_LISTENERS),
            )?,
            page_memory: PageMemory::of_mib(within(
                "page-memory",
                flags.page_memory.or(file.page_memory),
                PageMemory::DEFAULT,
                (1, PageMemory::MAX),
            )?),
            tls,
            public_url,
            argon2: Cost {
                memory: flags.argon2_memory.or(file.argon2.memory).unwrap_or(Cost::DEFAULT.memory),
                iterations: flags
                    .argon2_iterations
                    .or(file.argon2.iterations)
                    .unwrap_or(Cost::DEFAULT.iterations),
                parallelism: flags
                    .argon2_parallelism
                    .or(file.argon2.parallelism)
                    .unwrap_or(Cost::DEFAULT.parallelism),
            },
            trusted_proxies: trusted_proxies.iter().map(|raw| network(raw)).collect::<Result<_, _>>()?,
            conflict_detection: conflict_detection.map_or(ConflictDetection::Off, ConflictDetection::from),
            cors_origins: cors_origins.map_or(Ok(Origins::Any), |raw| origins(&raw))?,
            mail,
            unverified,
            srp: flags.cognito_srp.or(file.cognito.srp).map_or(Srp::On, Srp::from),
            site,
            site_files,
            media_quota,
            media_url,
            backup,
            aws: AwsVariables::of_environment(),
        })
    }
}

fn value<T: FromStr<Err: fmt::Display>>(
    setting: &'static str,
    given: Option<String>,
    default: &str,
) -> Result<T, StartError> {
    let raw = given.as_deref().unwrap_or(default);
    raw.parse().map_err(|error: T::Err| {
        let problem = error.to_string();
        let problem = if problem.contains(raw) { problem } else { format!("\"{raw}\": {problem}") };
        StartError::Value { setting, problem }
    })
}

/// The scheme that the listener itself speaks.
#[must_use]
pub const fn scheme(tls: Option<&TlsFiles>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

fn tls_files(cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsFiles>, StartError> {
    let alone =
        |setting, other: &str| StartError::Value { setting, problem: format!("goes with {other} alone") };
    match (cert, key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (Some(_), None) => Err(alone("tls-cert", "tls-key")),
        (None, Some(_)) => Err(alone("tls-key", "tls-cert")),
    }
}

/// Refuses a number with which the site cannot work.
fn within<T: Copy + PartialOrd + fmt::Display>(
    setting: &'static str,
    given: Option<T>,
    default: T,
    (least, most): (T, T),
) -> Result<T, StartError> {
    let number = given.unwrap_or(default);
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(StartError::Value {
            setting,
            problem: format!("{number} must be {least} or more, and {most} at most"),
        })
    }
}

fn origins(raw: &[String]) -> Result<Origins, StartError> {
    Origins::parse(raw)
        .map_err(|error| StartError::Value { setting: "graphql.cors-origins", problem: error.to_string() })
}

fn network(raw: &str) -> Result<IpNet, StartError> {
    let raw = raw.trim();
    raw.parse::<IpNet>().or_else(|_| raw.parse::<std::net::IpAddr>().map(IpNet::from)).map_err(|_| {
        StartError::Value {
            setting: "trusted-proxies",
            problem: format!("\"{raw}\" is neither an address nor a network like 10.0.0.0/8"),
        }
    })
}

fn refuse_unknown_variables(variables: impl Iterator<Item = (String, String)>) -> Result<(), StartError> {
    #[derive(clap::Parser)]
    struct Known {
        #[command(flatten)]
        flags: Flags,
    }
    let command = <Known as clap::CommandFactory>::command();
    let of_flags = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
    let known: Vec<&str> = of_flags.chain(OTHER_VARIABLES.iter().copied()).collect();
    let mut unknown = variables.filter(|(name, value)| {
        name.starts_with(PREFIX) && !known.contains(&name.as_str()) && !is_of_an_orchestrator(name, value)
    });
    match unknown.next() {
        Some((name, _)) => {
            let meant = nearest(&name, known.iter().copied()).map(str::to_owned);
            Err(StartError::UnknownVariable { name, meant })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Flags) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("byline.toml");
        std::fs::write(&path, text).unwrap();
        (folder, Flags { config: Some(path), ..Flags::default() })
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let (_folder, flags) = file("listen = \"127.0.0.1:4000\"\n[argon2]\nmemory = 20000\n");
        let config = Config::load(flags.clone()).unwrap();
        assert_eq!(config.listen.port(), 4000);
        assert_eq!(config.public_url.to_string(), "http://127.0.0.1:4000");
        assert_eq!(config.argon2, Cost { memory: 20000, ..Cost::DEFAULT });
        let config = Config::load(Flags { listen: Some("[::1]:5000".into()), ..flags }).unwrap();
        assert_eq!(config.listen.port(), 5000);
        assert_eq!(config.database.url.to_string(), "sqlite://byline.db");
    }

    #[test]
    fn an_address_that_stands_for_all_of_a_machine_is_none_to_be_reached_by() {
        for (listen, reached) in [
            ("127.0.0.1:3000", true),
            ("[::1]:3000", true),
            ("192.0.2.1:80", true),
            ("0.0.0.0:3000", false),
            ("[::]:3000", false),
            ("[::ffff:0.0.0.0]:3000", false),
            ("127.0.0.1:0", false),
        ] {
            let flags = Flags { listen: Some(listen.into()), ..Flags::default() };
            let config = Config::load(flags.clone()).unwrap();
            assert_eq!(config.public_url.can_be_reached(), reached, "{listen}");
            let public_url = Some("https://byline.example".into());
            let config = Config::load(Flags { public_url, ..flags }).unwrap();
            assert!(config.public_url.can_be_reached(), "{listen}");
        }
    }

    #[test]
    fn the_port_that_the_system_has_chosen_stands_in_the_address() {
        let load = |public_url: Option<&str>| {
            let listen = Some("127.0.0.1:0".to_owned());
            let public_url = public_url.map(str::to_owned);
            let mut config = Config::load(Flags { listen, public_url, ..Flags::default() }).unwrap();
            config.listens_to("127.0.0.1:4321".parse().unwrap());
            (config.public_url.to_string(), config.listen.port())
        };
        assert_eq!(load(None), ("http://127.0.0.1:4321".to_owned(), 4321));
        assert_eq!(load(Some("https://byline.example")), ("https://byline.example".to_owned(), 4321));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let (_folder, flags) = file("\nlisten-on = \"x\"\n");
        let said = Config::load(flags).unwrap_err().to_string();
        assert!(said.contains("listen-on") && said.contains("line 2"), "{said}");
        let names = ["PATH", "BYLINE_LISTEN", "BYLINE_LISTN"].map(|name| (name.to_owned(), String::new()));
        let said = refuse_unknown_variables(names.into_iter()).unwrap_err().to_string();
        assert!(said.contains("BYLINE_LISTN,"), "{said}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_setting() {
        let flags = |set: fn(&mut Flags)| {
            let mut flags = Flags::default();
            set(&mut flags);
            Config::load(flags).unwrap_err().to_string()
        };
        assert!(flags(|f| f.listen = Some("here".into())).starts_with("listen: \"here\""));
        assert!(flags(|f| f.metrics_listen = Some("9464".into())).starts_with("metrics-listen: \"9464\""));
        assert!(flags(|f| f.database_url = Some("mysql://x".into())).contains("mysql://x"));
        for said in [
            flags(|f| f.database_url = Some("postgres://ada:s3cret@db.example".into())),
            flags(|f| f.read_database_url = Some("postgres://db.example:54x/b?password=s3cret".into())),
        ] {
            assert!(said.contains("db.example") && !said.contains("s3cret"), "{said}");
        }
        assert!(
            flags(|f| f.public_url = Some("https://example.org/blog".into())).starts_with("public-url: ")
        );
        assert!(
            flags(|f| f.trusted_proxies = Some(vec!["10.0.0.0/99".into()])).starts_with("trusted-proxies: ")
        );
        assert!(
            flags(|f| f.graphql_cors_origins = Some(vec!["app.example".into()]))
                .starts_with("graphql.cors-origins: \"app.example\"")
        );
    }
}
