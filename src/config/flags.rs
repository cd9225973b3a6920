//! The settings as flags and environment variables.

use std::path::PathBuf;

use clap::Args;

use super::{accounts, backup, limits, mail, media, site};

/// The settings as flags or environment variables.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// File of settings [default: byline.toml, if it exists]
    #[arg(long, global = true, env = "BYLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:3000]
    #[arg(long, global = true, env = "BYLINE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Address and port for /metrics, in the text format of Prometheus; whoever reaches it needs no password [default: none]
    #[arg(long, global = true, env = "BYLINE_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// Collector of OpenTelemetry that is told of each request, such as http://127.0.0.1:4318 [default: none]
    #[arg(long, global = true, env = "BYLINE_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Database: sqlite://FILE, which is created if it is missing, or postgres://… [default: sqlite://byline.db]
    #[arg(long, global = true, env = "BYLINE_DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,
    /// File with the database's URL, so that its password is not in the list of processes [default: none]
    #[arg(long, global = true, env = "BYLINE_DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,
    /// The PostgreSQL server itself, where database-url leads to it through a pooler in transaction mode, such as PgBouncer [default: none]
    #[arg(long, global = true, env = "BYLINE_DATABASE_LISTEN_URL", value_name = "URL")]
    pub database_listen_url: Option<String>,
    /// File with the URL of the server itself [default: none]
    #[arg(long, global = true, env = "BYLINE_DATABASE_LISTEN_URL_FILE", value_name = "FILE")]
    pub database_listen_url_file: Option<PathBuf>,
    /// Read replica of a PostgreSQL for readers who are not signed in [default: none]
    #[arg(long, global = true, env = "BYLINE_READ_DATABASE_URL", value_name = "URL")]
    pub read_database_url: Option<String>,
    /// File with the replica's URL [default: none]
    #[arg(long, global = true, env = "BYLINE_READ_DATABASE_URL_FILE", value_name = "FILE")]
    pub read_database_url_file: Option<PathBuf>,
    /// Most connections to a PostgreSQL server [default: 16]
    #[arg(long, global = true, env = "BYLINE_DATABASE_CONNECTIONS", value_name = "N")]
    pub database_connections: Option<u32>,
    /// Most listeners of /events and WebSockets at a time [default: 1000]
    #[arg(long, global = true, env = "BYLINE_MAX_LISTENERS", value_name = "N")]
    pub max_listeners: Option<usize>,
    /// Memory for cached pages and answers, in MiB [default: 64]
    #[arg(long, global = true, env = "BYLINE_PAGE_MEMORY", value_name = "MIB")]
    pub page_memory: Option<usize>,
    /// Certificate chain in PEM, to serve TLS without a proxy; read again once a minute [default: none]
    #[arg(long, global = true, env = "BYLINE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM [default: none]
    #[arg(long, global = true, env = "BYLINE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// How browsers reach the site; https makes cookies Secure [default: http:// (with TLS https://) and the listening address]
    #[arg(long, global = true, env = "BYLINE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Memory of one password hash in KiB, 19456 or more [default: 65536]
    #[arg(long, global = true, env = "BYLINE_ARGON2_MEMORY", value_name = "KIB")]
    pub argon2_memory: Option<u32>,
    /// Passes of one password hash, 2 or more [default: 3]
    #[arg(long, global = true, env = "BYLINE_ARGON2_ITERATIONS", value_name = "N")]
    pub argon2_iterations: Option<u32>,
    /// Lanes of one password hash [default: 1]
    #[arg(long, global = true, env = "BYLINE_ARGON2_PARALLELISM", value_name = "N")]
    pub argon2_parallelism: Option<u32>,
    /// File with the key that seals secrets in the database; made if the file beside the database is missing [default: the SQLite file and .key]
    #[arg(long, global = true, env = "BYLINE_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// Reverse proxies (addresses or networks, comma separated) whose X-Forwarded-For is trusted [default: none]
    #[arg(
        long,
        global = true,
        env = "BYLINE_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    pub trusted_proxies: Option<Vec<String>>,
    /// Whether GraphQL mutations must name the `_version` that they change [default: false]
    #[arg(long, global = true, env = "BYLINE_GRAPHQL_CONFLICT_DETECTION", value_name = "BOOL")]
    pub graphql_conflict_detection: Option<bool>,
    /// Origins (comma separated, like https://app.example) whose scripts may use the API [default: *, all]
    #[arg(
        long,
        global = true,
        env = "BYLINE_GRAPHQL_CORS_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ','
    )]
    pub graphql_cors_origins: Option<Vec<String>>,
    /// Whether clients of Amazon Cognito may log in by SRP, which stores more than a hash of each password [default: true, where there is a secret key]
    #[arg(long, global = true, env = "BYLINE_COGNITO_SRP", value_name = "BOOL")]
    pub cognito_srp: Option<bool>,
    #[command(flatten)]
    pub mail: mail::MailFlags,
    #[command(flatten)]
    pub accounts: accounts::AccountsFlags,
    #[command(flatten)]
    pub limits: limits::LimitsFlags,
    #[command(flatten)]
    pub site: site::SiteFlags,
    #[command(flatten)]
    pub media: media::MediaFlags,
    #[command(flatten)]
    pub backup: backup::BackupFlags,
}
