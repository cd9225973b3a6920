//! Moves the files of pictures to where new ones are stored, while the site is served.
//!
//! One file after the other is written at its new place, and then a transaction says that
//! it is there. So readers find each file at any time, and what was interrupted goes on
//! when it is begun again.

use super::{
    files::{self, NewFile, Originals, Place},
    leftovers,
    reading::MadeFile,
};
use crate::{database::internal, error::AppError, media::address, objects::ObjectError, site::Site};

/// Names of files that are read at a time.
const NAMES: i64 = 100;

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub files: u64,
    /// Files that are in no object store, although the database says so.
    pub missing: u64,
}

/// Moves all files that are elsewhere. `moved` counts them, also where the work ends early.
///
/// # Errors
/// [`AppError::PicturesAway`]; [`AppError::Busy`].
pub async fn run(site: &Site, originals: Originals, moved: &mut Moved) -> Result<(), AppError> {
    let start = site.objects().place().map(|place| place.start());
    let mut after = String::new();
    loop {
        let names = {
            let db = &mut site.database.read().await?;
            files::elsewhere(db, start.as_deref(), &after, NAMES).await?
        };
        let Some(last) = names.last() else { break };
        after = last.clone();
        for name in names {
            match move_one(site, name, originals).await? {
                Outcome::Moved => moved.files += 1,
                Outcome::Missing => moved.missing += 1,
                Outcome::Gone => {}
            }
        }
    }
    leftovers::remove(site).await
}

enum Outcome {
    Moved,
    Missing,
    /// The picture was deleted meanwhile.
    Gone,
}

async fn move_one(site: &Site, name: String, originals: Originals) -> Result<Outcome, AppError> {
    let found = files::find(&mut site.database.read().await?, &name).await?;
    let (from, body) = match found {
        None => return Ok(Outcome::Gone),
        Some(Place::Database(body)) => (Place::Database(()), body.into()),
        Some(Place::Object(url)) => match site.objects().read(&url).await {
            Ok(body) => (Place::Object(url), body),
            Err(ObjectError::Missing) => {
                tracing::warn!(%url, "a file of a picture is not in the object store");
                return Ok(Outcome::Missing);
            }
            Err(error) => return Err(error.into()),
        },
    };
    let hash = address::hash_of(&name).ok_or_else(|| internal("a stored file has the name of none"))?;
    let new: Vec<NewFile> = files::bring(site, &hash, vec![MadeFile { name, body }]).await?;
    let is_moved = site.database.write_in_order(
        (from, new),
        move |db, (from, new)| {
            Box::pin(async move {
                let mut is_moved = false;
                for file in new {
                    is_moved = files::settle(db, &from, &file, originals).await?;
                }
                Ok(is_moved)
            })
        },
        |_| (),
    );
    Ok(if is_moved.await? { Outcome::Moved } else { Outcome::Gone })
}
