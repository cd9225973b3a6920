//! The logo and the icon of the site: where their files are found, in which sizes, and the SQL
//! of them. `media::domain::site_pictures` makes them. A file is named by a hash of what it was
//! made of, and its size, so it never changes.

use axum::body::Bytes;

use crate::{
    config::{SitePicture, SiteSetting, SiteSettings, size_within},
    database::{Db, execute, on_engine},
    error::{AppError, Field},
    site::Site,
    timestamp::Timestamp,
};

/// A setting that holds a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSetting {
    Logo,
    Icon,
}

/// What the whole logo fits into, in pixels: four times as large as it is shown at the head of
/// a page.
const LOGO_BOX: (u32, u32) = (1024, 128);
/// What the second file of a logo fits into.
const HALF_BOX: (u32, u32) = (512, 64);

/// The sides of the files of an icon in pixels. An icon is square.
pub const ICON_SIDES: [u32; 4] = [32, 180, 192, 512];
/// For the titles of pages, and `/favicon.ico`.
pub const SMALL_ICON: u32 = ICON_SIDES[0];
/// For the home screens of Apple's devices (`apple-touch-icon`), on white ground, because they
/// show what is transparent as black.
pub const TOUCH_ICON: u32 = ICON_SIDES[1];
/// For the home screens of others, and lists of feeds.
pub const LARGE_ICON: u32 = ICON_SIDES[2];
/// For programs that show it large.
pub const LARGEST_ICON: u32 = ICON_SIDES[3];

impl PictureSetting {
    pub const ALL: [Self; 2] = [Self::Logo, Self::Icon];

    /// The one that is stored as that setting.
    #[must_use]
    pub fn of(setting: SiteSetting) -> Option<Self> {
        Self::ALL.into_iter().find(|picture| picture.setting() == setting)
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|picture| picture.name() == name)
    }

    #[must_use]
    pub const fn setting(self) -> SiteSetting {
        match self {
            Self::Logo => SiteSetting::Logo,
            Self::Icon => SiteSetting::Icon,
        }
    }

    /// As the setting is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.setting().name()
    }

    /// The control that takes its file.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::Logo => Field::Logo,
            Self::Icon => Field::Icon,
        }
    }

    /// Below it, its files are served.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Logo => "/assets/logo/{file}",
            Self::Icon => "/assets/icon/{file}",
        }
    }

    /// The picture in force.
    #[must_use]
    pub const fn in_force(self, settings: &SiteSettings) -> Option<&SitePicture> {
        match self {
            Self::Logo => settings.logo.as_ref(),
            Self::Icon => settings.icon.as_ref(),
        }
    }

    /// The size in pixels of the largest file for a picture of that size.
    #[must_use]
    pub fn size_of(self, source: (u32, u32)) -> (u32, u32) {
        match self {
            Self::Logo => size_within(source, LOGO_BOX),
            Self::Icon => (LARGEST_ICON, LARGEST_ICON),
        }
    }

    /// The sizes in pixels of the files of a picture, the largest first.
    #[must_use]
    pub fn sizes(self, picture: &SitePicture) -> Vec<(u32, u32)> {
        match self {
            Self::Logo => {
                let mut sizes = vec![picture.size(), picture.within(HALF_BOX.0, HALF_BOX.1)];
                sizes.dedup();
                sizes
            }
            Self::Icon => ICON_SIDES.iter().rev().map(|side| (*side, *side)).collect(),
        }
    }

    /// The address of the file of that size.
    #[must_use]
    pub fn address(self, picture: &SitePicture, size: (u32, u32)) -> String {
        self.path().replace("{file}", &file_name(picture, size))
    }

    /// Where a file is by now that was served by that name before: the file of the same side,
    /// or the largest.
    #[must_use]
    pub fn present_address(self, picture: &SitePicture, file: &str) -> String {
        let sizes = self.sizes(picture);
        let same = sizes.iter().find(|(width, height)| file.ends_with(&format!("-{width}x{height}.png")));
        self.address(picture, same.copied().unwrap_or(sizes[0]))
    }
}

/// The name of a file. All are PNGs, because that keeps what is transparent and every program
/// reads it.
#[must_use]
pub fn file_name(picture: &SitePicture, (width, height): (u32, u32)) -> String {
    format!("{}-{width}x{height}.png", picture.hash())
}

/// The address of the icon with that side, one of [`ICON_SIDES`].
#[must_use]
pub fn icon_address(icon: &SitePicture, side: u32) -> String {
    PictureSetting::Icon.address(icon, (side, side))
}

/// The address of the whole logo, for programs.
#[must_use]
pub fn logo_address(logo: &SitePicture) -> String {
    PictureSetting::Logo.address(logo, logo.size())
}

/// A file that was made.
#[derive(Clone, Debug)]
pub struct PictureFile {
    pub name: String,
    /// A PNG.
    pub body: Bytes,
}

/// A picture that was made, and its files.
#[derive(Clone, Debug)]
pub struct MadePicture {
    pub picture: SitePicture,
    pub files: Vec<PictureFile>,
}

/// The picture with that hash, if its files are stored.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn with_hash(site: &Site, hash: &str) -> Result<Option<SitePicture>, AppError> {
    let db = &mut site.database.read().await?;
    let query = "SELECT picture FROM site_pictures WHERE hash = $1 LIMIT 1";
    let found: Option<String> =
        on_engine!(db => sqlx::query_scalar(query).bind(hash).fetch_optional(db).await?);
    Ok(found.and_then(|picture| picture.parse().ok()))
}

/// The file of that name.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Busy`].
pub async fn file(site: &Site, name: &str) -> Result<Bytes, AppError> {
    let db = &mut site.database.read().await?;
    let query = "SELECT body FROM site_pictures WHERE name = $1";
    let found: Option<Vec<u8>> =
        on_engine!(db => sqlx::query_scalar(query).bind(name).fetch_optional(db).await?);
    found.map(Bytes::from).ok_or(AppError::NotFound)
}

/// Stores the files of a picture; those that are there stay.
pub(super) async fn insert(db: &mut Db, made: &MadePicture, now: Timestamp) -> Result<(), AppError> {
    for file in &made.files {
        execute!(db => sqlx::query(
                "INSERT INTO site_pictures (name, picture, hash, body, created_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(&file.name)
            .bind(made.picture.to_string())
            .bind(made.picture.hash())
            .bind(&file.body[..])
            .bind(now.micros()))?;
    }
    Ok(())
}

/// Removes the files of pictures that no stored setting names. `kept` are the two of the
/// settings with which this process began; empty texts are none.
pub(super) async fn forget(db: &mut Db, kept: &[String; 2]) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "DELETE FROM site_pictures WHERE picture NOT IN ($1, $2)
             AND NOT EXISTS (SELECT 1 FROM site_settings WHERE name IN ($3, $4) AND value = picture)",
        )
        .bind(&kept[0])
        .bind(&kept[1])
        .bind(PictureSetting::Logo.name())
        .bind(PictureSetting::Icon.name()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> SitePicture {
        SitePicture::new("a".repeat(SitePicture::HASH_DIGITS), width, height)
    }

    #[test]
    fn an_address_of_before_leads_to_the_file_of_the_same_size() {
        let icon = picture(512, 512);
        for (file, side) in [("b-180x180.png", 180), ("b-32x32.png", 32), ("x", 512), ("b-33x33.png", 512)] {
            assert_eq!(
                PictureSetting::Icon.present_address(&icon, file),
                icon_address(&icon, side),
                "{file}"
            );
        }
        for picture in PictureSetting::ALL {
            assert_eq!(PictureSetting::named(picture.name()), Some(picture));
            assert_eq!(PictureSetting::of(picture.setting()), Some(picture));
        }
        assert_eq!(PictureSetting::named("css"), None);
    }
}
