//! Settings of the site that change while it runs, by `byline site set`. They are in the
//! database, and every process that serves the site takes them within a second.

pub mod css;
pub mod logo;
pub mod pictures;
mod store;

use pictures::{MadePicture, PictureSetting};
pub use store::{CHANNEL, StoredState, state};

use crate::{
    accounts::domain::{audit::AuditKind, running::InCharge},
    clock,
    config::{SiteSetting, SiteSettingError, SiteSettings, SiteValues},
    error::AppError,
    site::Site,
};

/// Why a setting is not stored.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error(transparent)]
    Value(#[from] SiteSettingError),
    #[error(transparent)]
    App(#[from] AppError),
}

/// The values that are set in the database.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn stored(site: &Site) -> Result<SiteValues, AppError> {
    store::values(&mut site.database.read().await?).await
}

/// The values in force: those that are set, and below them those with which this process began.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn in_force(site: &Site) -> Result<SiteValues, AppError> {
    Ok(site.seed().below(&stored(site).await?))
}

/// Stores a value.
///
/// # Errors
/// [`SetError::Value`] where it does not fit the setting; [`AppError::Busy`].
pub async fn set(site: &Site, by: &InCharge, setting: SiteSetting, value: &str) -> Result<(), SetError> {
    let mut values = SiteValues::default();
    values.set(setting, value);
    SiteSettings::of(&values)?;
    change(site, by, vec![(setting, Some(value.to_owned()))], None).await?;
    Ok(())
}

/// Forgets a stored value: from now on that of flags, variables and `byline.toml` counts, or
/// the default.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn unset(site: &Site, by: &InCharge, setting: SiteSetting) -> Result<(), AppError> {
    change(site, by, vec![(setting, None)], None).await
}

/// Stores what of these values is another than what is in force, all of it or nothing, and
/// forgets what is as flags, variables and `byline.toml` have it. The values were checked before.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn save(site: &Site, by: &InCharge, values: &SiteValues) -> Result<(), AppError> {
    let in_force = in_force(site).await?;
    let changes: Vec<_> = SiteSetting::ALL
        .into_iter()
        .filter_map(|setting| Some((setting, values.get(setting)?.to_owned())))
        .filter(|(setting, value)| in_force.or_default(*setting) != value)
        .map(|(setting, value)| (setting, (site.seed().or_default(setting) != value).then_some(value)))
        .collect();
    if changes.is_empty() { Ok(()) } else { change(site, by, changes, None).await }
}

/// Stores a picture that was made, and that the site shows it from now on.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn set_picture(
    site: &Site,
    by: &InCharge,
    setting: PictureSetting,
    made: MadePicture,
) -> Result<(), AppError> {
    let value = made.picture.to_string();
    change(site, by, vec![(setting.setting(), Some(value))], Some(made)).await
}

/// Stores the files of a picture that flags, variables or `byline.toml` name.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn keep_picture(site: &Site, made: MadePicture) -> Result<(), AppError> {
    site.database
        .write(made, |db, made| Box::pin(async move { pictures::insert(db, &made, clock::now()).await }))
        .await
}

/// Makes these changes, and notes in the audit log which settings are others than before.
async fn change(
    site: &Site,
    by: &InCharge,
    changes: Vec<(SiteSetting, Option<String>)>,
    made: Option<MadePicture>,
) -> Result<(), AppError> {
    let seed = site.seed();
    let of_seed = PictureSetting::ALL.map(|picture| seed.or_default(picture.setting()).to_owned());
    site.database
        .write((by.clone(), changes, made, of_seed), |db, (by, changes, made, of_seed)| {
            Box::pin(async move {
                let before = store::values(db).await?;
                let changed: Vec<_> = changes
                    .iter()
                    .filter(|(setting, value)| before.get(*setting) != value.as_deref())
                    .map(|(setting, _)| setting.name())
                    .collect();
                if !changed.is_empty() {
                    by.note_own(db, AuditKind::SettingsChanged, &changed.join(", ")).await?;
                }
                if let Some(made) = made {
                    pictures::insert(db, &made, clock::now()).await?;
                }
                let is_of_picture = |(setting, _): &(SiteSetting, _)| PictureSetting::of(*setting).is_some();
                let forgets = changes.iter().any(is_of_picture);
                for (setting, value) in changes {
                    match value {
                        Some(value) => store::put(db, setting, &value, clock::now()).await?,
                        None => store::remove(db, setting).await?,
                    }
                }
                if forgets {
                    pictures::forget(db, &of_seed).await?;
                }
                store::tell(db).await
            })
        })
        .await?;
    reload(site).await
}

/// Takes the settings that are stored now. Pages that were made with others are not shown
/// any more.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn reload(site: &Site) -> Result<(), AppError> {
    if site.take_settings(&stored(site).await?) {
        site.pages_changed();
    }
    Ok(())
}
