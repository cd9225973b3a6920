//! `byline export`

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use crate::{
    ops::export::{
        folder,
        static_site::{self, Written},
    },
    router,
    site::Site,
    text::counted,
};

#[derive(Args, Debug)]
pub(super) struct Export {
    /// A folder that is new, empty, or has an earlier export, which is replaced
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Write the pages, as files that any file server can serve, in place of Markdown and JSON
    #[arg(long = "static")]
    is_static: bool,
}

pub(super) async fn run(site: &Site, options: Export) -> Result<String, Failure> {
    let Export { to, is_static } = options;
    if !is_static {
        let authors = folder::write(site, &to).await?;
        return Ok(format!("Everything of {} is in {}.\n", counted(authors, "author"), to.display()));
    }
    let Written { pages, files, failed } =
        static_site::write(site, router::router(site.clone()), &to).await?;
    let said = format!("{pages} pages and {files} files are in {}.", to.display());
    match failed.first() {
        None => Ok(format!("{said}\n")),
        Some(first) => {
            Err(Failure::Refused(format!("{said} {} could not be made, {first} among them.", failed.len())))
        }
    }
}
