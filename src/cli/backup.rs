//! `byline backup`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{copy::database, failure::Failure, output};
use crate::{
    config::{AwsVariables, Config, Recipient, StartError},
    credentials::sealing,
    objects::Stores,
    ops::backup::{self, BackupError, Identity, Location, Made, Manifest, Secrets, Uploading, Wanted},
};

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Write the whole site into one file, or one object of an object store, and verify it; the site may be served meanwhile
    Create(Create),
    /// Restore a backup into a temporary database and compare all of it with its manifest
    Verify {
        /// The backup: a file, or s3://bucket/prefix/name
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        opening: Opening,
    },
    /// Verify a backup, then copy the site in it into an empty database
    Restore(Restore),
}

#[derive(Args, Debug)]
pub(super) struct Create {
    /// The file to write, or s3://bucket/prefix/name for an object in an object store; AWS_ENDPOINT_URL, AWS_REGION and AWS_ACCESS_KEY_ID say the rest
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Put the secret key into the backup: whoever has the file can then read what is sealed
    #[arg(long)]
    with_secret_key: bool,
    /// Replace an earlier backup of the same name
    #[arg(long)]
    replace: bool,
    /// Encrypt it for whoever has the secret key to this public key of age; may be repeated
    #[arg(long, value_name = "AGE_RECIPIENT")]
    encrypt_to: Vec<Recipient>,
}

#[derive(Args, Debug)]
pub(super) struct Opening {
    /// File with the secret key of age that opens an encrypted backup, as age-keygen writes it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl Opening {
    fn identities(&self) -> Result<Vec<Identity>, Failure> {
        Ok(self.identity.as_deref().map(backup::identities).transpose()?.unwrap_or_default())
    }
}

#[derive(Args, Debug)]
pub(super) struct Restore {
    /// The backup: a file, or s3://bucket/prefix/name
    file: PathBuf,
    /// An empty database that is not in use; a SQLite file is created if it is missing
    #[arg(long, value_name = "URL", required_unless_present = "to_file", conflicts_with = "to_file")]
    to: Option<String>,
    /// File with the URL of the empty database
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
    #[command(flatten)]
    opening: Opening,
}

pub(super) async fn run(
    command: Backup,
    configured: impl FnOnce() -> Result<Config, StartError>,
) -> Result<String, Failure> {
    match command {
        Backup::Create(Create { to, with_secret_key, replace, encrypt_to }) => {
            let config = configured()?;
            let sealer = sealing::to_read(&config.secret_key).map_err(StartError::from)?;
            let from = config.database.direct();
            let sealer = sealer.as_ref();
            let to = Location::of(&to).map_err(BackupError::from)?;
            let wanted = Wanted {
                from,
                sealer,
                with_key: with_secret_key,
                encrypt_to: &encrypt_to,
                stores: &Stores::new(config.aws.clone()),
                uploading: &Uploading::default(),
                id: &uuid::Uuid::new_v4().to_string(),
            };
            let Made { manifest, .. } = backup::create(wanted, &to, replace).await?;
            let encrypted = encrypted(encrypt_to.len());
            let said = format!(
                "{to} holds the site, and was read back and verified.\n{}{}{encrypted}",
                contents(&manifest),
                caution(&manifest, sealer.is_some())
            );
            let Some(lack) = manifest.problem() else { return Ok(said) };
            output::unless_closed(output::write(&said)).map_err(Failure::Output)?;
            Err(Failure::Incomplete { at: to.to_string(), lack })
        }
        Backup::Verify { file, opening } => {
            let at = Location::of(&file).map_err(BackupError::from)?;
            let manifest = backup::verify(&at, &reachable(), &opening.identities()?).await?;
            Ok(format!("{at} is a complete backup.\n{}{}", contents(&manifest), pictures(&manifest)))
        }
        Backup::Restore(Restore { file, to, to_file, opening }) => {
            let to = database("--to", to, to_file)?;
            let at = Location::of(&file).map_err(BackupError::from)?;
            let (manifest, _) = backup::restore(&at, &reachable(), &opening.identities()?, &to).await?;
            Ok(format!("{to} now holds the site in {at}.\n{}{}", contents(&manifest), missing(&manifest)))
        }
    }
}

/// The object stores that this process reaches. No other setting is needed to read a backup.
fn reachable() -> Stores {
    Stores::new(AwsVariables::of_environment())
}

fn contents(manifest: &Manifest) -> String {
    format!(
        "Made at {} by Byline {}: rows of users {}, posts {}, drafts {}, media {}.\n",
        manifest.made_at,
        manifest.byline,
        manifest.rows("users"),
        manifest.rows("posts"),
        manifest.rows("drafts"),
        manifest.rows("media")
    )
}

fn encrypted(keys: usize) -> String {
    match keys {
        0 => String::new(),
        1 => "It is encrypted: nobody opens it without the secret key of age to the one that was named.\n"
            .to_owned(),
        _ => format!(
            "It is encrypted: nobody opens it without one of the secret keys of age to the {keys} that were named.\n"
        ),
    }
}

/// What whoever keeps a new backup should know.
fn caution(manifest: &Manifest, key_is_known: bool) -> String {
    let key = match manifest.secrets {
        Secrets::Sealed if !key_is_known => {
            "The site has a secret key, which this command was not given: keep that one too, somewhere else. To have it in \
             the backup, name its file by --secret-key-file, or set BYLINE_SECRET_KEY, and add --with-secret-key.\n"
        }
        Secrets::Sealed => "The secret key is not in it: keep that one too, somewhere else.\n",
        Secrets::SealedWithKey => "The secret key is in it: keep the file where nobody else can read it.\n",
        Secrets::Open => {
            "The site has no secret key, so its secrets are in it as they are: keep the file where nobody else can read it.\n"
        }
    };
    key.to_owned()
}

/// What a restored site lacks.
fn missing(manifest: &Manifest) -> String {
    let key = match manifest.secrets {
        Secrets::Sealed => {
            "The secret key was not in the backup. Give the site the key that it had (beside a database of SQLite, \
             in the file of the same name plus .key). Without it, access tokens end, codes in mails that were sent no \
             longer work, mails that wait are lost, logins by SRP need a new password, and a site on which somebody \
             has an authenticator app does not start until `byline secrets reset`.\n"
        }
        Secrets::SealedWithKey | Secrets::Open => "",
    };
    format!("{key}{}", pictures(manifest))
}

fn pictures(manifest: &Manifest) -> String {
    let elsewhere = match manifest.files_elsewhere {
        0 => String::new(),
        files => format!("Not in the backup: {files} files of pictures, which are in the object store.\n"),
    };
    let missing = manifest.problem().map_or_else(String::new, |lack| format!("But {lack}.\n"));
    format!("{elsewhere}{missing}")
}
