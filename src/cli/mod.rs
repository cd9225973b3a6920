//! The command line: `serve`, `migrate`, `copy`, `codegen`, `user`, `api-key`, `keys`.

mod output;

use std::{
    fmt::Write,
    io::{BufRead, Read},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;

use crate::{
    accounts::{
        ApiKeyDays, ApiKeyName,
        domain::{
            Email, Login, NewAccount, NewPassword,
            api_keys::{self, Wanted},
            service, store,
        },
    },
    codegen::{Backend, Codegen, DefaultAuth, File},
    config::{Config, Flags, StartError, read_database_url, scheme},
    credentials::{
        Actor,
        api_key::{ApiKeyId, store as api_key_store},
        token::keys::{self, KeyStatus, Rotation},
    },
    database::DatabaseUrl,
    error::AppError,
    http::{listener, tls::Tls},
    ops::{
        copy::{self, CopyError},
        demo, housekeeping,
    },
    posts::events,
    router,
    site::Site,
    telemetry::{self, LogFormat},
    timestamp::Timestamp,
    username::Username,
};

/// A place to publish posts that one person can run.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Settings come from flags, then from the environment, then from byline.toml."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Flags,
    /// How log lines look
    #[arg(long, global = true, env = "BYLINE_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the site until told to stop (SIGTERM or Ctrl-C)
    Serve(Serve),
    /// Create the database or bring it up to date, and stop
    Migrate,
    /// Copy a site into an empty database, of SQLite or PostgreSQL
    Copy(Copy),
    /// Write what a front end of AWS Amplify needs: aws-exports.js, schema, statements, types
    Codegen {
        /// The folder, most often the project's `src`; it is created where it is missing
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// What calls of the front end show that name no mode
        #[arg(long, value_name = "MODE", value_enum, default_value_t)]
        default_auth: DefaultAuth,
    },
    /// Look after accounts
    #[command(subcommand)]
    User(User),
    /// Look after API keys, with which programs read
    #[command(subcommand)]
    ApiKey(ApiKey),
    /// Look after the keys that access tokens are signed with
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[derive(Args, Debug)]
struct Copy {
    /// The database of the site; it is only read, and may be in use
    #[arg(long, value_name = "URL", required_unless_present = "from_file", conflicts_with = "from_file")]
    from: Option<String>,
    /// File that has the URL of the site's database
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// An empty database that nobody uses yet; a file of SQLite is created where it is missing
    #[arg(long, value_name = "URL", required_unless_present = "to_file", conflicts_with = "to_file")]
    to: Option<String>,
    /// File that has the URL of the empty database
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a new key; it signs in five minutes, and the old one is believed for another hour
    Rotate {
        /// A key is in wrong hands: the new one signs at once, and no other is believed any more
        #[arg(long)]
        now: bool,
    },
    /// List the keys
    List,
}

#[derive(Args, Debug)]
struct Serve {
    /// Fill an empty database with a few authors and posts to look at
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Subcommand)]
enum User {
    /// Make an account; the password is read from standard input
    Create {
        /// Stands under the posts
        username: String,
        /// To log in with
        email: String,
    },
    /// Set a new password, read from standard input, and end all sessions and tokens of the account
    SetPassword {
        /// Username or e-mail address
        who: String,
    },
    /// List the accounts
    List,
}

#[derive(Debug, Subcommand)]
enum ApiKey {
    /// Make a key; it alone is written to standard output, this once
    Create(NewKey),
    /// List the keys: id, whose, how it begins, made, expires, last used, name
    List,
    /// Revoke a key, which is refused from then on
    Revoke {
        /// As in the list
        id: String,
    },
}

#[derive(Args, Debug)]
struct NewKey {
    #[command(flatten)]
    owner: Owner,
    /// What the key is called
    #[arg(long, default_value = "Command line", value_name = "NAME")]
    name: String,
    /// How long it holds, 1 to 365 [default: 90, with --public 365]
    #[arg(long, value_name = "DAYS")]
    days: Option<String>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Owner {
    /// Whose key it is: a username or an e-mail address
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// A key of the site itself, which everyone may know and the site shows
    #[arg(long)]
    public: bool,
}

/// Why a command failed: one sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error("{0}")]
    Refused(String),
    #[error("standard input: {0}")]
    Input(std::io::Error),
    #[error("standard output cannot be written: {0}; all else is done")]
    Output(std::io::Error),
    #[error("the key could not be written to standard output ({0}), so it was revoked")]
    LostKey(std::io::Error),
    #[error("key {id} could not be written to standard output ({cause}); revoke it, it holds")]
    LostKeyHolds { id: String, cause: std::io::Error },
    #[error("standard output is thrown away, and it is the only place where the key is shown")]
    NowhereToShow,
    #[error("the system does not let Byline start: {0}")]
    System(#[from] std::io::Error),
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::Refused(match error {
            AppError::NotFound => "There is no such account.".to_owned(),
            AppError::Busy { .. } => {
                "The database did not take it: it is busy, full or cannot be written; the log says which."
                    .to_owned()
            }
            other => other.sentences(),
        })
    }
}

#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let _log = telemetry::start(cli.log_format);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(command(cli)))
        .and_then(|said| output::unless_closed(output::write(&said)).map_err(Failure::Output));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(failure);
            ExitCode::FAILURE
        }
    }
}

/// The help, the version, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| output::write(""));
    match output::unless_closed(printed) {
        Err(cause) if !error.use_stderr() => {
            output::complain(format!("standard output cannot be written: {cause}"));
            ExitCode::FAILURE
        }
        _ => u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

/// Runs the command; what it has to say on standard output.
async fn command(cli: Cli) -> Result<String, Failure> {
    outlive_file_size_limit()?;
    let configured = || Config::load(cli.settings);
    match cli.command {
        Command::Serve(options) => serve(configured()?, &options).await.map(|()| String::new()),
        // Names both databases itself; the configured one may be either, or neither.
        Command::Copy(databases) => copy(databases).await,
        Command::Migrate => {
            let config = configured()?;
            on_site(&config, async |_| Ok(format!("{} is up to date.\n", config.database.url))).await
        }
        Command::Codegen { out, default_auth } => {
            on_site(&configured()?, async |site| codegen(site, &out, default_auth).await).await
        }
        Command::User(command) => on_site(&configured()?, async |site| user(site, command).await).await,
        Command::Keys(command) => on_site(&configured()?, async |site| keys(site, command).await).await,
        Command::ApiKey(command) => on_site(&configured()?, async |site| api_key(site, command).await).await,
    }
}

async fn on_site(
    config: &Config,
    command: impl AsyncFnOnce(&Site) -> Result<String, Failure>,
) -> Result<String, Failure> {
    let site = Site::open(config).await?;
    let outcome = command(&site).await;
    site.database.close().await;
    outcome
}

/// Everybody with an account on this machine can read the command line of a
/// running process.
fn warn_of_passwords(arguments: impl Iterator<Item = String>) {
    let has_password = |argument: String| {
        let value = argument.split_once('=').filter(|(flag, _)| flag.starts_with("--"));
        let url = value.map_or(argument.as_str(), |(_, value)| value).parse::<DatabaseUrl>();
        url.is_ok_and(|url| url.has_password())
    };
    if arguments.filter(|argument| argument.contains("://")).any(has_password) {
        tracing::warn!(
            "a password stands on the command line, where everybody on this machine can read it: \
             write the URL into a file, and name that by --database-url-file or --read-database-url-file"
        );
    }
}

async fn serve(mut config: Config, options: &Serve) -> Result<(), Failure> {
    let stop = listener::stop_signal()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|cause| StartError::Listen { address: config.listen, cause })?;
    let tls = config.tls.clone().map(Tls::load).transpose()?.map(Arc::new);
    let wanted = config.listen;
    let address = listener.local_addr()?;
    config.listens_to(address);
    let site = Site::open_to_serve(&config).await?;
    warn_of_passwords(std::env::args_os().filter_map(|argument| argument.into_string().ok()));
    // Nobody has to read what is said here for the site to be served.
    let say = |line: &str| drop(output::write(&format!("{line}\n")));
    if options.demo {
        match demo::fill(&site).await? {
            Some(filled) => say(&filled.to_string()),
            None => say("The database already has accounts; --demo left it alone."),
        }
    }
    let cleaning = tokio::spawn(housekeeping::run(site.clone()));
    let following = events::follow::start(&site).await;
    let here = format!("{}://{}", scheme(config.tls.as_ref()), on_this_machine(address));
    if !config.public_url.can_be_reached() {
        say(&format!("Byline is at {here}"));
        say("It listens on every address of this machine; name the one that others use by --public-url.");
    } else if wanted.port() == 0 {
        say(&format!("Byline is at {here}"));
    } else {
        say(&format!("Byline is at {}", config.public_url));
    }
    let bus = Arc::clone(site.bus());
    let stop = async move {
        stop.await;
        bus.close();
    };
    let renewing = tls.clone().map(|tls| tokio::spawn(tls.keep_up()));
    listener::serve(listener, tls, router::router(site.clone()), &site.trusted_proxies, stop).await;
    cleaning.abort();
    if let Some(renewing) = renewing {
        renewing.abort();
    }
    drop(following);
    site.database.close().await;
    Ok(())
}

/// Where the size of files is limited (`ulimit -f`), a write beyond that is to
/// fail as one on a full disk does, not to end the process.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn outlive_file_size_limit() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    const SIGXFSZ: i32 = 25;
    // From now on the signal is caught, whether somebody waits for it or not.
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn outlive_file_size_limit() -> std::io::Result<()> {
    Ok(())
}

/// The address by which this machine itself reaches a listener.
fn on_this_machine(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

async fn copy(databases: Copy) -> Result<String, Failure> {
    // Parsed here, since clap would show a password that stands in a wrong one.
    let database = |flag: &'static str, url: Option<String>, file: Option<PathBuf>| match file {
        Some(file) => Ok(read_database_url(flag, &file)?),
        None => {
            let url = url.unwrap_or_default().parse::<DatabaseUrl>();
            url.map_err(|error| Failure::Refused(format!("{flag}: {error}")))
        }
    };
    let from = database("--from", databases.from, databases.from_file)?;
    let to = database("--to", databases.to, databases.to_file)?;
    let copied = copy::copy(&from, &to).await?;
    let mut said = String::new();
    for table in copied {
        let _ = writeln!(said, "{}: {}", table.table.name, table.checksum);
    }
    let _ = writeln!(said, "{to} now holds the site as it was in {from} when the copy began.");
    Ok(said)
}

async fn codegen(site: &Site, folder: &Path, default_auth: DefaultAuth) -> Result<String, Failure> {
    let backend = Backend::of(site, default_auth).await?;
    let has_public_key = backend.public_key.is_some();
    let codegen = Codegen::new(backend)?;
    let mut said = String::new();
    for file in File::ALL {
        let path = folder.join(file.name());
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&path, codegen.contents(file))
        };
        write()
            .map_err(|cause| Failure::Refused(format!("{} cannot be written: {cause}", path.display())))?;
        let _ = writeln!(said, "{}", path.display());
    }
    if !has_public_key {
        let command = Backend::MAKE_PUBLIC_KEY;
        let _ = writeln!(
            said,
            "There is no public API key, so only who signs in can read. Make one with: {command}"
        );
    }
    Ok(said)
}

async fn user(site: &Site, command: User) -> Result<String, Failure> {
    let mut said = String::new();
    match command {
        User::Create { username, email } => {
            let password = NewPassword::parse(&password()?, &[&username, &email]).map_err(refused)?;
            let username = Username::parse(&username).map_err(refused)?;
            let email = Email::parse(&email).map_err(refused)?;
            let user = service::sign_up(site, NewAccount { username, email, password }, None).await?;
            let _ = writeln!(said, "{} can log in.", user.username);
        }
        User::SetPassword { who } => {
            let login = Login::parse(&who).map_err(refused)?;
            let password = NewPassword::parse(&password()?, &[&who]).map_err(refused)?;
            service::set_password(site, &login, password).await?;
            let _ = writeln!(
                said,
                "The new password holds; every session and every token of the account has ended."
            );
        }
        User::List => {
            for user in store::list(&mut site.database.read().await?).await? {
                let since = Timestamp::from_micros(user.created_at).rfc3339();
                let _ = writeln!(said, "{}\t{}\t{since}\t{} posts", user.username, user.email, user.posts);
            }
        }
    }
    Ok(said)
}

async fn keys(site: &Site, command: KeysCommand) -> Result<String, Failure> {
    let mut said = String::new();
    match command {
        KeysCommand::Rotate { now } => {
            let rotation = if now { Rotation::Now } else { Rotation::InTurn };
            let kid = keys::rotate(site, rotation).await?;
            let _ = match rotation {
                Rotation::InTurn => writeln!(said, "{kid} is published now and signs in five minutes."),
                Rotation::Now => writeln!(said, "{kid} signs now; tokens by any other key are refused."),
            };
        }
        KeysCommand::List => {
            for key in keys::list(&mut site.database.read().await?).await? {
                let duty = match key.status {
                    KeyStatus::Announced => "announced",
                    KeyStatus::Signs => "signs",
                    KeyStatus::Verifies => "verifies",
                };
                let _ = writeln!(said, "{}\t{}\t{}\t{duty}", key.kid, key.created_at, key.signs_from);
            }
        }
    }
    Ok(said)
}

async fn api_key(site: &Site, command: ApiKey) -> Result<String, Failure> {
    let mut said = String::new();
    match command {
        ApiKey::Create(NewKey { owner, name, days }) => {
            let name = ApiKeyName::parse(&name).map_err(refused)?;
            let longest = owner.public.then(|| ApiKeyDays::MAX.to_string());
            let days = match days.or(longest) {
                Some(days) => ApiKeyDays::parse(&days).map_err(refused)?,
                None => ApiKeyDays::DEFAULT,
            };
            let wanted = Wanted { name, days };
            if owner.user.is_some() && output::is_thrown_away() {
                return Err(Failure::NowhereToShow);
            }
            let made = match owner.user {
                Some(who) => {
                    let login = Login::parse(&who).map_err(refused)?;
                    let found = store::find(&mut site.database.read().await?, &login).await?;
                    let (user, _) = found.ok_or(AppError::NotFound)?;
                    api_keys::create(site, &Actor::User(user), wanted, None).await?
                }
                None => api_keys::create_public(site, wanted).await?,
            };
            // What is written here is the only copy, so it is written before all else is over.
            if let Err(cause) = output::write(&format!("{}\n", made.key)) {
                let id = made.listed.id;
                let revoked = match ApiKeyId::parse(&id) {
                    Some(id) => api_keys::revoke_any(site, id).await,
                    None => Err(AppError::NotFound),
                };
                return Err(match revoked {
                    Ok(()) => Failure::LostKey(cause),
                    Err(_) => Failure::LostKeyHolds { id, cause },
                });
            }
        }
        ApiKey::List => {
            let time = |micros| Timestamp::from_micros(micros).rfc3339();
            for key in api_key_store::list_all(&mut site.database.read().await?).await? {
                let (id, hint, name) = (key.id, key.hint, key.name);
                let owner = key.username.unwrap_or_else(|| "(public)".to_owned());
                let (made, expires) = (time(key.created_at), time(key.expires_at));
                let used = key.last_used_at.map_or_else(|| "never".to_owned(), time);
                let _ = writeln!(said, "{id}\t{owner}\t{hint}\t{made}\t{expires}\t{used}\t{name}");
            }
        }
        ApiKey::Revoke { id } => {
            let revoked = match ApiKeyId::parse(&id) {
                Some(id) => api_keys::revoke_any(site, id).await,
                None => Err(AppError::NotFound),
            };
            if revoked == Err(AppError::NotFound) {
                return Err(Failure::Refused("There is no such key; `byline api-key list` has them.".into()));
            }
            revoked?;
            let _ = writeln!(said, "The key is refused from now on.");
        }
    }
    Ok(said)
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("{error}."))
}

/// One line of standard input, without its end.
fn password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().lock().take(4096).read_line(&mut line).map_err(Failure::Input)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
