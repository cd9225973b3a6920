//! `byline secrets`

use clap::Subcommand;

use super::failure::{Failure, refused};
use crate::{credentials::sealing, site::Site};

#[derive(Debug, Subcommand)]
pub(super) enum Secrets {
    /// Make a new secret key and seal everything anew; with a key from the environment, seal with the first one
    Rotate,
    /// For a lost key: delete what was sealed with it. Programs log in again, and authenticator apps are set up anew
    Reset,
}

pub(super) async fn run(site: &Site, command: Secrets) -> Result<String, Failure> {
    match command {
        Secrets::Reset => {
            sealing::reset(&site.database).await?;
            Ok("The sealed secrets are deleted. Restart every process of the site.\n".to_owned())
        }
        Secrets::Rotate => {
            let sealer = site.sealer().ok_or_else(|| {
                refused(
                    "there is no secret key: set secret-key-file, or BYLINE_SECRET_KEY in the environment",
                )
            })?;
            let count = sealing::rotate(sealer, &site.database).await.map_err(refused)?;
            Ok(format!(
                "{count} secrets are sealed with the new key. The key before it still opens what a running \
                 process seals meanwhile; it goes with the next rotation.\n"
            ))
        }
    }
}
