//! `byline codegen`

use std::{fmt::Write, path::PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::{
    codegen::{Backend, Codegen, DefaultAuth, File},
    site::Site,
};

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Folder for the files, usually the project's `src`; created if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How calls of the front end prove who asks unless they name a mode
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    default_auth: DefaultAuth,
}

pub(super) async fn run(site: &Site, Options { out, default_auth }: Options) -> Result<String, Failure> {
    let backend = Backend::of(site, default_auth).await?;
    let has_public_key = backend.public_key.is_some();
    let codegen = Codegen::new(backend)?;
    let mut said = String::new();
    for file in File::ALL {
        let path = out.join(file.name());
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
            "There is no public API key, so only people who sign in can read. Make one with: {command}"
        );
    }
    Ok(said)
}
