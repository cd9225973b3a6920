//! The command line. Each command has its own file: `serve`, `migrate`, `copy`, `backup`,
//! `codegen`, `audit`, `user`, `api-key`, `keys`, `secrets`, `mail`, `media`,
//! `site`, `post`, `import`, `export`, `doctor`, `health`; `completions` and `man` are in `manual`.

mod api_key;
mod audit;
mod backup;
mod codegen;
mod copy;
mod doctor;
mod export;
mod failure;
mod health;
mod import;
mod input;
mod keys;
mod mail;
mod manual;
mod media;
mod migrate;
mod output;
mod post;
mod reload;
mod secrets;
mod serve;
#[cfg_attr(not(target_os = "linux"), path = "service_elsewhere.rs")]
mod service;
mod site;
mod user;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use self::failure::Failure;
use crate::{
    config::{Config, Flags},
    media::domain::avif,
    site::Site,
    telemetry::{self, LogFormat},
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
    /// Format of the log
    #[arg(long, global = true, env = "BYLINE_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the site until told to stop (SIGTERM or Ctrl-C)
    Serve(serve::Serve),
    /// Create or migrate the database, then stop
    Migrate,
    /// Copy a site into an empty database, of SQLite or PostgreSQL
    Copy(copy::Copy),
    /// Make backups, verify and restore them
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Write what a front end of AWS Amplify needs: aws-exports.js, schema, statements, types
    Codegen(codegen::Options),
    /// Manage accounts
    #[command(subcommand)]
    User(user::User),
    /// Manage API keys, with which programs read
    #[command(subcommand)]
    ApiKey(api_key::ApiKey),
    /// Manage the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Show the audit log: logins, refusals and changes of accounts, oldest first
    Audit(audit::Audit),
    /// Manage the key that seals secrets in the database
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Try the mail server, and see which mails wait
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Hide posts, and restore them
    #[command(subcommand)]
    Post(post::Post),
    /// Show and change the settings of the site: its name, its look, whom it takes
    #[command(subcommand)]
    Site(site::Settings),
    /// Manage the files of pictures
    #[command(subcommand)]
    Media(media::Media),
    /// Bring posts from elsewhere: an export of another site becomes posts of an author here
    Import(import::Import),
    /// Write the whole site into a folder, as Markdown and JSON or as pages
    Export(export::Export),
    /// Look at everything that the site needs, and say what to do; change no data, send nothing
    Doctor,
    /// Ask the site that is served on this machine whether it is ready
    Health,
    /// Write a script to standard output by which a shell completes this command line
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual into a folder, one page for each command
    Man {
        /// The folder; it is made if it is missing
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

#[must_use]
pub fn run() -> ExitCode {
    // Before all else: it reads a stranger's file, and needs nothing that is set up below.
    if avif::is_asked_for(std::env::args_os().nth(1).as_deref()) {
        return avif::reader::run();
    }
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
            let code = failure.exit_code();
            output::print_error(failure);
            code
        }
    }
}

/// The help, the version, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| output::write(""));
    match output::unless_closed(printed) {
        Err(cause) if !error.use_stderr() => {
            output::print_error(format!("standard output cannot be written: {cause}"));
            ExitCode::FAILURE
        }
        _ => u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

/// Runs the command; what it has to say on standard output.
async fn command(cli: Cli) -> Result<String, Failure> {
    ignore_file_size_signal()?;
    let secret_key_file = cli.settings.secret_key_file.clone();
    let flags = cli.settings.clone();
    let configured = || Config::load(cli.settings);
    match cli.command {
        Command::Serve(options) => serve::run(configured()?, flags, &options).await.map(|()| String::new()),
        Command::Doctor => doctor::run(configured()).await,
        Command::Health => health::run(&configured()?).await,
        Command::Completions { shell } => Ok(manual::completions(Cli::command(), shell)),
        Command::Man { to } => manual::write(&Cli::command(), &to),
        // Names both databases itself; the configured one may be either, or neither.
        Command::Copy(databases) => copy::run(databases, secret_key_file).await,
        Command::Backup(command) => backup::run(command, configured).await,
        Command::Migrate => {
            let config = configured()?;
            on_site(&config, async |_| Ok(migrate::run(&config))).await
        }
        Command::Codegen(options) => {
            on_site(&configured()?, async |site| codegen::run(site, options).await).await
        }
        Command::User(command) => on_site(&configured()?, async |site| user::run(site, command).await).await,
        Command::Mail(command) => on_site(&configured()?, async |site| mail::run(site, command).await).await,
        Command::Post(command) => on_site(&configured()?, async |site| post::run(site, command).await).await,
        Command::Site(command) => on_site(&configured()?, async |site| site::run(site, command).await).await,
        Command::Media(command) => {
            on_site(&configured()?, async |site| media::run(site, command).await).await
        }
        Command::Import(options) => {
            on_site(&configured()?, async |site| import::run(site, options).await).await
        }
        Command::Export(options) => {
            on_site(&configured()?, async |site| export::run(site, options).await).await
        }
        Command::Keys(command) => on_site(&configured()?, async |site| keys::run(site, command).await).await,
        Command::Audit(options) => {
            on_site(&configured()?, async |site| audit::run(site, options).await).await
        }
        Command::Secrets(command) => {
            on_site(&configured()?, async |site| secrets::run(site, command).await).await
        }
        Command::ApiKey(command) => {
            on_site(&configured()?, async |site| api_key::run(site, command).await).await
        }
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

/// Makes a write beyond a limit on file sizes (`ulimit -f`) fail like a write to a
/// full disk. By default the signal would end the process.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn ignore_file_size_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    const SIGXFSZ: i32 = 25;
    // From now on the signal has a handler, even if nothing waits for it.
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn ignore_file_size_signal() -> std::io::Result<()> {
    Ok(())
}
