//! `byline keys`

use std::fmt::Write;

use clap::Subcommand;

use super::failure::Failure;
use crate::{
    credentials::token::keys::{self, KeyStatus, Rotation},
    site::Site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Make a new key; it signs in five minutes, and the old one verifies for another hour
    Rotate {
        /// For a stolen key: the new one signs at once, and all others are refused
        #[arg(long)]
        now: bool,
    },
    /// List the keys
    List,
}

pub(super) async fn run(site: &Site, command: Keys) -> Result<String, Failure> {
    let mut said = String::new();
    match command {
        Keys::Rotate { now } => {
            let rotation = if now { Rotation::Now } else { Rotation::InTurn };
            let kid = keys::rotate(site, rotation).await?;
            let _ = match rotation {
                Rotation::InTurn => writeln!(said, "{kid} is published now and signs in five minutes."),
                Rotation::Now => writeln!(said, "{kid} signs now; tokens by any other key are refused."),
            };
        }
        Keys::List => {
            for key in keys::list(site).await? {
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
