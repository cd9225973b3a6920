//! Settings of the site that change while it runs, by `byline site set`. They are in the
//! database, and every process that serves the site takes them within a second.

mod store;

pub use store::{CHANNEL, StoredState, state};

use crate::{
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

/// Stores a value.
///
/// # Errors
/// [`SetError::Value`] where it does not fit the setting; [`AppError::Busy`].
pub async fn set(site: &Site, setting: SiteSetting, value: &str) -> Result<(), SetError> {
    let mut values = SiteValues::default();
    values.set(setting, value);
    SiteSettings::of(&values)?;
    change(site, setting, Some(value.to_owned())).await?;
    Ok(())
}

/// Forgets a stored value: from now on that of flags, variables and `byline.toml` counts, or
/// the default.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn unset(site: &Site, setting: SiteSetting) -> Result<(), AppError> {
    change(site, setting, None).await
}

async fn change(site: &Site, setting: SiteSetting, value: Option<String>) -> Result<(), AppError> {
    site.database
        .write((setting, value), |db, (setting, value)| {
            Box::pin(async move {
                match value {
                    Some(value) => store::put(db, setting, &value, clock::now()).await?,
                    None => store::remove(db, setting).await?,
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
