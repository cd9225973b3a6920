//! `byline import`

use std::path::PathBuf;

use clap::Args;

use super::{
    failure::{Failure, refused},
    output,
};
use crate::{
    accounts::domain::{Login, store},
    ops::import::{self, Format, Totals},
    site::Site,
};

#[derive(Args, Debug)]
pub(super) struct Import {
    /// The folder or the file with the export
    path: PathBuf,
    /// Whose posts they become: username or e-mail address
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The form of the export, where it is not found from what is there
    #[arg(long, value_enum)]
    from: Option<Format>,
}

pub(super) async fn run(site: &Site, options: Import) -> Result<String, Failure> {
    let Import { path, user, dry_run: is_dry_run, from: format } = options;
    let login = Login::parse(&user).map_err(refused)?;
    let found = store::find(&mut site.database.read().await?, &login).await?;
    let Some((user, _)) = found else {
        return Err(Failure::Refused(format!("There is no account named {user}.")));
    };
    let import = import::Import { user, path, format, is_dry_run };
    // Nobody has to read it for the posts to be imported.
    let say = |line: &str| drop(output::write(&format!("{line}\n")));
    let totals = import::run(site, &import, say).await?;
    let Totals { imported, updated, unchanged, skipped, refused, without_pictures } = totals;
    let done = if is_dry_run { "This would be done: " } else { "" };
    let said = format!(
        "{done}{imported} imported, {updated} updated, {unchanged} unchanged, {skipped} skipped, {refused} refused, {without_pictures} with refused pictures."
    );
    match refused + without_pictures {
        0 => Ok(format!("{said}\n")),
        lost => {
            say(&said);
            Err(Failure::Refused(format!(
                "{lost} of the export could not be taken as they are; their lines say why."
            )))
        }
    }
}
