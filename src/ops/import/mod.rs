//! `byline import`: posts from elsewhere become those of an author here.
//!
//! Every format gives [`item::Item`]s, and one loop stores them: pictures first, then the
//! post with the paths at which it was read, in one transaction. So whatever ends an import
//! in between leaves whole posts, and the next one goes on: what is there already is
//! recognised by its id, which is made of where it came from.

mod bear;
mod exports;
mod fields;
mod files;
mod folder;
mod footnotes;
mod format;
mod html;
mod item;
mod json;
mod links;
mod pictures;
mod tree;
mod wordpress;

use std::{collections::HashSet, path::PathBuf};

pub use self::format::{Format, ImportError};

use self::{
    files::{Folder, on_one_line},
    item::{Item, Left},
    pictures::Mode,
};
use crate::{
    config::SiteTimeZone,
    credentials::{Actor, User},
    error::AppError,
    posts::{
        PostId,
        domain::importing::{self, Outcome},
    },
    site::Site,
};

/// How posts are brought.
#[derive(Clone, Debug)]
pub struct Import {
    /// Whose posts they become.
    pub user: User,
    /// A folder, or a file.
    pub path: PathBuf,
    /// Without one, it is found from what is there.
    pub format: Option<Format>,
    /// Whether nothing is changed.
    pub is_dry_run: bool,
}

/// What an import has done, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub imported: usize,
    pub updated: usize,
    pub unchanged: usize,
    /// Left alone for a reason that is no fault.
    pub skipped: usize,
    /// What should have been taken and was not.
    pub refused: usize,
    /// Posts that were taken without a picture that this site refuses.
    pub without_pictures: usize,
}

/// What an import has done so far.
#[derive(Debug, Default)]
struct Progress {
    totals: Totals,
    /// Where its posts are read. A dry run stores none, so each would find its address free.
    paths: HashSet<String>,
    /// The ids of its posts: a second post with the id of a first one would overwrite it.
    ids: HashSet<PostId>,
}

/// Brings the posts of an export. `say` gets one line for each of them.
///
/// # Errors
/// [`ImportError`] before anything is done; what goes wrong with a post is said in its line.
pub async fn run(site: &Site, import: &Import, mut say: impl FnMut(&str)) -> Result<Totals, ImportError> {
    let (folder, items) = exports::open(&import.path, import.format)?;
    let actor = Actor::User(import.user.clone());
    let mut progress = Progress::default();
    for item in items {
        let line = match item {
            Ok(item) if !progress.ids.insert(item.post_id(&import.user.id)) => {
                skip(&Left::lost(item.source, SAME_ID), &mut progress.totals)
            }
            Ok(item) => one(site, &actor, import, &folder, item, &mut progress).await,
            Err(left) => skip(&left, &mut progress.totals),
        };
        say(&line);
    }
    Ok(progress.totals)
}

fn skip(left: &Left, totals: &mut Totals) -> String {
    let (count, what) = match left.is_lost {
        true => (&mut totals.refused, REFUSED),
        false => (&mut totals.skipped, SKIPPED),
    };
    *count += 1;
    format!("{what:<9} {}, because {}", on_one_line(&left.source), on_one_line(&left.why))
}

/// How the line of something begins that was left alone for a reason that is no fault.
const SKIPPED: &str = "skipped";
/// How the line of something begins that should have been taken and was not.
const REFUSED: &str = "refused";

/// Why a post is refused that would overwrite another one of the same export.
const SAME_ID: &str = "an earlier post of this export has the same id or address there";

/// Brings one post; its line of the report.
async fn one(
    site: &Site,
    actor: &Actor,
    import: &Import,
    folder: &Folder,
    mut item: Item,
    progress: &mut Progress,
) -> String {
    let source = on_one_line(&item.source);
    match store(site, actor, import, folder, &mut item, progress).await {
        Ok((Deed { what, of_it }, notes)) => {
            let notes: String = notes.iter().map(|note| format!("; {}", on_one_line(note))).collect();
            let would =
                if import.is_dry_run && ["imported", "updated"].contains(&what) { "would be " } else { "" };
            format!("{would}{what:<9} {source}{of_it}{notes}")
        }
        Err(error) => {
            let why = error.sentences();
            let why = why.trim_end_matches('.');
            skip(&Left::lost(source, why), &mut progress.totals)
        }
    }
}

/// What a line says: a verb, and what comes behind the name.
struct Deed {
    what: &'static str,
    of_it: String,
}

async fn store(
    site: &Site,
    actor: &Actor,
    import: &Import,
    folder: &Folder,
    item: &mut Item,
    progress: &mut Progress,
) -> Result<(Deed, Vec<String>), AppError> {
    let Import { user, is_dry_run, .. } = import;
    // What cannot become a post costs no picture.
    item.checked(&user.id)?;
    let mode = if *is_dry_run { Mode::Look } else { Mode::Upload };
    let pictures = pictures::take(site, actor, folder, item, mode).await?;
    let (incoming, tags_left) = item.checked(&user.id)?;
    let outcome = match is_dry_run {
        true => importing::preview(site, user, &incoming).await?,
        false => importing::take(site, user, incoming).await?,
    };
    let mut notes = Vec::new();
    if let Some(why) = item.why_draft.filter(|_| matches!(outcome, Outcome::Draft)) {
        notes.push(why.to_owned());
    }
    if !tags_left.is_empty() {
        notes.push(format!("without the tags {}", tags_left.join(", ")));
    }
    if pictures.taken > 0 {
        notes.push(format!("pictures: {}", pictures.taken));
    }
    if !pictures.missing.is_empty() {
        notes.push(format!("not in the export: {}", pictures.missing.join(", ")));
    }
    for (name, why) in &pictures.refused {
        notes.push(format!("{name} was not taken, because {}", why.trim_end_matches('.')));
    }
    progress.totals.without_pictures += usize::from(!pictures.refused.is_empty());
    Ok((deed(outcome, progress), notes))
}

fn deed(outcome: Outcome, progress: &mut Progress) -> Deed {
    let Progress { totals, paths, .. } = progress;
    let count = match &outcome {
        Outcome::Published(_) | Outcome::Draft | Outcome::Scheduled(_) => &mut totals.imported,
        Outcome::Updated => &mut totals.updated,
        Outcome::Unchanged => &mut totals.unchanged,
        Outcome::ChangedHere | Outcome::DeletedHere => &mut totals.skipped,
        Outcome::IdTaken => &mut totals.refused,
    };
    *count += 1;
    let (what, of_it) = match outcome {
        Outcome::Published(path) => {
            let of_it = format!(" → {path}");
            let is_first = paths.insert(path);
            ("imported", if is_first { of_it } else { of_it + " with a number behind it" })
        }
        Outcome::Draft => ("imported", " as a draft".to_owned()),
        Outcome::Scheduled(at) => {
            ("imported", format!(" as a draft that is published on {}", SiteTimeZone::default().moment(at)))
        }
        Outcome::Updated => ("updated", String::new()),
        Outcome::Unchanged => ("unchanged", String::new()),
        Outcome::ChangedHere => (SKIPPED, ", because it was changed here since it was imported".to_owned()),
        Outcome::DeletedHere => (SKIPPED, ", because it was deleted here since it was imported".to_owned()),
        Outcome::IdTaken => (REFUSED, ", because something of another author has its id".to_owned()),
    };
    Deed { what, of_it }
}
