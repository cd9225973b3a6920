//! `byline media`

use clap::Subcommand;

use super::failure::Failure;
use crate::{
    media::domain::{
        Originals,
        moving::{self, Moved},
    },
    site::Site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Media {
    /// Move the files of all pictures to where --media-url points, or without it into the database; the site may be served meanwhile
    Move {
        /// Leave the objects where they were, because another site has them as well
        #[arg(long)]
        keep: bool,
    },
}

pub(super) async fn run(site: &Site, command: Media) -> Result<String, Failure> {
    let Media::Move { keep } = command;
    let originals = if keep { Originals::Kept } else { Originals::Removed };
    let place = site.objects().place().map_or_else(|| "the database".to_owned(), ToString::to_string);
    let mut moved = Moved::default();
    let outcome = moving::run(site, originals, &mut moved).await;
    let Moved { files, missing } = moved;
    if let Err(error) = outcome {
        return Err(Failure::Refused(format!(
            "{files} files were moved to {place}, then it ended: {} Run it again to go on.",
            error.sentences()
        )));
    }
    let lost = match missing {
        0 => String::new(),
        missing => {
            format!(" {missing} are not in the object store that they should be in; the log names them.")
        }
    };
    Ok(format!("{files} files were moved to {place}.{lost}\n"))
}
