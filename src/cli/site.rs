//! `byline site`

use std::fmt::Write;

use clap::Subcommand;

use super::{
    failure::{Failure, refused},
    input,
};
use crate::{
    accounts::domain::running::InCharge,
    config::{SitePicture, SiteSetting},
    media::domain::{
        MAX_BYTES,
        site_pictures::{self, PictureError},
    },
    site::Site,
    site_settings::{self, SetError, pictures::PictureSetting},
};

/// The value that stands for standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Debug, Subcommand)]
pub(super) enum Settings {
    /// Show the settings, one a line, and where each comes from; or the value of one
    Show {
        /// The setting [default: all]
        setting: Option<SiteSetting>,
    },
    /// Set one: every process that serves the site takes it within a second
    Set {
        /// name, description, language, time-zone, accent, faces, logo, icon, about, footer-links, css, sign-up, approval, ai-crawlers or hsts
        setting: SiteSetting,
        /// The value, or of the logo and the icon the file; - reads it from standard input, and @FILE the css or the about page from a file
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Go back to what flags, variables and byline.toml say
    Unset {
        /// The setting
        setting: SiteSetting,
    },
}

pub(super) async fn run(site: &Site, command: Settings) -> Result<String, Failure> {
    let by = &InCharge::at_the_command_line();
    match command {
        Settings::Show { setting: None } => list(site).await,
        Settings::Show { setting: Some(setting) } => Ok(format!("{}\n", value(site, setting).await?)),
        Settings::Set { setting, value } => {
            if let Some(picture) = PictureSetting::of(setting).filter(|_| !value.is_empty()) {
                return set_picture(site, by, picture, &value).await;
            }
            let value = match (setting, value.strip_prefix('@')) {
                _ if value == STANDARD_INPUT => input::text()?,
                // A sheet may begin with @ as well.
                (SiteSetting::Css, Some(path)) if !path.contains([';', '{']) => input::file(path)?,
                // A page may begin with a name.
                (SiteSetting::About, Some(path)) if !path.contains(char::is_whitespace) => input::file(path)?,
                _ => value,
            };
            site_settings::set(site, by, setting, &value).await.map_err(|error| match error {
                SetError::Value(error) => refused(format_args!("{}: {error}", setting.name())),
                SetError::App(error) => error.into(),
            })?;
            Ok(format!("{} is set.\n", setting.name()))
        }
        Settings::Unset { setting } => {
            site_settings::unset(site, by, setting).await?;
            let value = value(site, setting).await?;
            let shown = if value.is_empty() { "empty".to_owned() } else { shown(setting, &value) };
            Ok(format!("{} is as this command's settings have it: {shown}\n", setting.name()))
        }
    }
}

/// Makes a picture of a file, which may be named as that of the css is, and sets it.
async fn set_picture(
    site: &Site,
    by: &InCharge,
    picture: PictureSetting,
    value: &str,
) -> Result<String, Failure> {
    let path = (value != STANDARD_INPUT).then(|| value.strip_prefix('@').unwrap_or(value));
    let file = input::bytes(path, MAX_BYTES)?;
    let name = picture.name();
    site_pictures::set(site, picture, file.into(), by).await.map_err(|error| match error {
        PictureError::Refused(error) => refused(format_args!("{name}: {error}")),
        PictureError::App(error) => error.into(),
    })?;
    Ok(format!("{name} is set.\n"))
}

async fn list(site: &Site) -> Result<String, Failure> {
    let stored = site_settings::stored(site).await?;
    let mut said = String::new();
    for setting in SiteSetting::ALL {
        let source = match (stored.get(setting), site.seed().get(setting)) {
            (Some(_), _) => "set",
            (None, Some(_)) => "flag, variable or byline.toml",
            (None, None) => "default",
        };
        let value = value(site, setting).await?;
        let _ = writeln!(said, "{}\t{}\t{source}", setting.name(), shown(setting, &value));
    }
    Ok(said)
}

/// The value in force, as it was written.
async fn value(site: &Site, setting: SiteSetting) -> Result<String, Failure> {
    Ok(site_settings::in_force(site).await?.or_default(setting).to_owned())
}

/// A value in one line.
fn shown(setting: SiteSetting, value: &str) -> String {
    match setting {
        SiteSetting::About | SiteSetting::Css if !value.is_empty() => {
            format!("{} characters", value.chars().count())
        }
        SiteSetting::Logo | SiteSetting::Icon => match value.parse::<SitePicture>().map(|it| it.size()) {
            Ok((width, height)) => format!("{width} × {height} pixels"),
            Err(_) => value.to_owned(),
        },
        SiteSetting::FooterLinks => value.lines().collect::<Vec<_>>().join("; "),
        _ => value.to_owned(),
    }
}
