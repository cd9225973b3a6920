//! The logo and the icon of the site: what becomes of a file that whoever is in charge gives.
//! The pictures are no author's, so no quota counts them and nothing removes them as unused.

use std::{io::Read, path::Path};

use axum::body::Bytes;
use tokio::task::spawn_blocking;

use super::{MAX_BYTES, Refused, reading, site_picture_files};
use crate::{
    accounts::domain::running::InCharge,
    config::{SiteFiles, SiteValues, StartError},
    credentials::UserId,
    database::require_regular,
    error::AppError,
    site::Site,
    site_settings::{
        self,
        pictures::{self, MadePicture, PictureSetting},
    },
};

/// Why a picture is not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PictureError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    App(#[from] AppError),
}

/// Makes the picture of a file, and the site shows it from now on, in every process.
///
/// # Errors
/// [`PictureError`].
pub async fn set(
    site: &Site,
    setting: PictureSetting,
    file: Bytes,
    by: &InCharge,
) -> Result<(), PictureError> {
    let made = made(site, setting, file, by.user().map(|user| &user.id)).await?;
    Ok(site_settings::set_picture(site, by, setting, made).await?)
}

/// The values with which the site begins, and in them the pictures of these files, which are
/// stored. A file that was made into a picture before is only read.
///
/// # Errors
/// [`StartError`] with what is wrong with a file.
pub async fn with_files(
    site: &Site,
    mut values: SiteValues,
    files: &SiteFiles,
) -> Result<SiteValues, StartError> {
    for (setting, path) in named(files) {
        let problem = |error: &dyn std::fmt::Display| problem(setting, path, error);
        let file = read(path).await.map_err(|error| problem(&error))?;
        let hash = site_picture_files::hash(setting, &file);
        let known = pictures::with_hash(site, &hash).await.map_err(StartError::SiteSettings)?;
        let picture = match known {
            Some(picture) => picture,
            None => {
                let made = made(site, setting, file, None).await.map_err(|error| problem(&error))?;
                let picture = made.picture.clone();
                site_settings::keep_picture(site, made).await.map_err(StartError::SiteSettings)?;
                picture
            }
        };
        values.set(setting.setting(), picture.to_string());
    }
    Ok(values)
}

/// Looks at the files, and makes no pictures of them: what is wrong with each.
pub async fn look_at(files: &SiteFiles) -> Vec<StartError> {
    let mut wrong = Vec::new();
    for (setting, path) in named(files) {
        match read(path).await {
            Err(error) => wrong.push(problem(setting, path, &error)),
            Ok(file) => wrong.extend(refuse(&file).err().map(|refused| problem(setting, path, &refused))),
        }
    }
    wrong
}

/// The files that are set.
fn named(files: &SiteFiles) -> impl Iterator<Item = (PictureSetting, &Path)> {
    [(PictureSetting::Logo, files.logo.as_deref()), (PictureSetting::Icon, files.icon.as_deref())]
        .into_iter()
        .filter_map(|(setting, path)| Some((setting, path.filter(|path| !path.as_os_str().is_empty())?)))
}

fn problem(setting: PictureSetting, path: &Path, error: &dyn std::fmt::Display) -> StartError {
    StartError::Value {
        setting: setting.setting().in_file(),
        problem: format!("{}: {error}", path.display()),
    }
}

/// Refuses what is no picture, by its size and its first bytes.
fn refuse(file: &[u8]) -> Result<(), Refused> {
    if file.len() > MAX_BYTES {
        return Err(Refused::TooManyBytes);
    }
    reading::format(file)?;
    Ok(())
}

/// The bytes of a file: those that a picture may have, and one more if there are more.
async fn read(path: &Path) -> std::io::Result<Bytes> {
    let path = path.to_owned();
    let read = spawn_blocking(move || {
        let mut bytes = Vec::new();
        require_regular(&path)?;
        std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Bytes::from(bytes))
    });
    read.await.map_err(std::io::Error::other)?
}

async fn made(
    site: &Site,
    setting: PictureSetting,
    file: Bytes,
    by: Option<&UserId>,
) -> Result<MadePicture, PictureError> {
    // What is no picture costs no turn.
    refuse(&file)?;
    let hash = site_picture_files::hash(setting, &file);
    let make = move || site_picture_files::make(setting, &file, hash);
    Ok(site.studio().run(by, make).await??)
}

impl PictureError {
    /// As the form of that picture shows it.
    #[must_use]
    pub fn in_form(self, setting: PictureSetting) -> AppError {
        match self {
            Self::Refused(refused) => AppError::invalid(setting.field(), refused),
            Self::App(error) => error,
        }
    }
}
