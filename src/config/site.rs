//! The settings of how a site presents itself, to people and to crawlers.

use std::{fmt, str::FromStr};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::{
    accent::{Accent, Colour, ColourError},
    error::StartError,
};

/// Whether `/robots.txt` asks crawlers that collect texts for AI to stay away (setting
/// `site.ai-crawlers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AiCrawlers {
    #[default]
    Allow,
    Refuse,
}

/// Which typefaces pages are set in (setting `site.faces`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Faces {
    /// A serif that the site serves, so that it looks the same everywhere.
    #[default]
    Served,
    /// What the reader's system has.
    System,
}

/// The name of the site (setting `site.name`): one line, 1 to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteName(String);

/// One line about the site (setting `site.description`): 200 characters at most, empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteDescription(String);

/// What a site calls itself, and how it looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub name: SiteName,
    pub description: SiteDescription,
    /// The colour of links and marks, if it is not Byline's own.
    pub accent: Option<Accent>,
    pub faces: Faces,
}

impl Identity {
    /// The colour of marks on paper.
    #[must_use]
    pub fn accent_on_paper(&self) -> Colour {
        self.accent.map_or(Colour::ACCENT, |accent| accent.light.plain)
    }
}

/// Why a text is no name and no description. The words are for the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteTextError {
    #[error("is empty")]
    Empty,
    #[error("must be {max} characters or fewer")]
    TooLong { max: usize },
    #[error("must be a single line without control characters")]
    ControlCharacter,
}

impl Default for SiteName {
    fn default() -> Self {
        Self("Byline".to_owned())
    }
}

fn line(raw: &str, max: usize) -> Result<String, SiteTextError> {
    let line = raw.trim();
    if line.chars().any(char::is_control) {
        return Err(SiteTextError::ControlCharacter);
    }
    if line.chars().count() > max { Err(SiteTextError::TooLong { max }) } else { Ok(line.to_owned()) }
}

impl FromStr for SiteName {
    type Err = SiteTextError;

    /// Trims, then checks.
    fn from_str(raw: &str) -> Result<Self, SiteTextError> {
        let name = line(raw, 60)?;
        if crate::text::is_blank(&name) { Err(SiteTextError::Empty) } else { Ok(Self(name)) }
    }
}

impl FromStr for SiteDescription {
    type Err = SiteTextError;

    /// Trims, then checks.
    fn from_str(raw: &str) -> Result<Self, SiteTextError> {
        line(raw, 200).map(Self)
    }
}

impl SiteName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SiteDescription {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Args, Clone, Debug, Default)]
pub struct SiteFlags {
    /// Name of the site, as people see it [default: Byline]
    #[arg(long, global = true, env = "BYLINE_SITE_NAME", value_name = "NAME")]
    pub site_name: Option<String>,
    /// One line about the site, below its name [default: none]
    #[arg(long, global = true, env = "BYLINE_SITE_DESCRIPTION", value_name = "TEXT")]
    pub site_description: Option<String>,
    /// Colour of links and buttons, like #1f5f4a; made darker or lighter where it could not be read [default: Byline's green]
    #[arg(long, global = true, env = "BYLINE_SITE_ACCENT", value_name = "COLOUR")]
    pub site_accent: Option<String>,
    /// Typefaces of pages: served, or system for those of the reader's system [default: served]
    #[arg(long, global = true, env = "BYLINE_SITE_FACES", value_name = "FACES")]
    pub site_faces: Option<String>,
    /// Whether robots.txt allows crawlers that collect texts for AI: allow or refuse [default: allow]
    #[arg(long, global = true, env = "BYLINE_SITE_AI_CRAWLERS", value_name = "RULE")]
    pub site_ai_crawlers: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SiteFile {
    name: Option<String>,
    description: Option<String>,
    accent: Option<String>,
    faces: Option<String>,
    ai_crawlers: Option<String>,
}

/// The settings in force.
pub(super) fn settings(flags: SiteFlags, file: SiteFile) -> Result<(Identity, AiCrawlers), StartError> {
    let identity = Identity {
        name: text("site.name", flags.site_name.or(file.name))?,
        description: text("site.description", flags.site_description.or(file.description))?,
        accent: accent(flags.site_accent.or(file.accent))?,
        faces: choice("site.faces", flags.site_faces.or(file.faces), "served nor system")?,
    };
    let ai_crawlers =
        choice("site.ai-crawlers", flags.site_ai_crawlers.or(file.ai_crawlers), "allow nor refuse")?;
    Ok((identity, ai_crawlers))
}

fn text<T: FromStr<Err = SiteTextError> + Default>(
    setting: &'static str,
    raw: Option<String>,
) -> Result<T, StartError> {
    let Some(raw) = raw else { return Ok(T::default()) };
    raw.parse().map_err(|error: SiteTextError| StartError::Value { setting, problem: error.to_string() })
}

fn accent(raw: Option<String>) -> Result<Option<Accent>, StartError> {
    let Some(raw) = raw else { return Ok(None) };
    let colour: Colour = raw.parse().map_err(|error: ColourError| StartError::Value {
        setting: "site.accent",
        problem: format!("\"{raw}\" {error}"),
    })?;
    Ok(Some(Accent::of(colour)))
}

fn choice<T: ValueEnum + Default>(
    setting: &'static str,
    raw: Option<String>,
    neither: &str,
) -> Result<T, StartError> {
    let Some(raw) = raw else { return Ok(T::default()) };
    let problem = || format!("\"{raw}\" is neither {neither}");
    T::from_str(&raw, false).map_err(|_| StartError::Value { setting, problem: problem() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_60_characters_and_never_empty() {
        assert_eq!(" Marsh notes ".parse::<SiteName>().unwrap().as_str(), "Marsh notes");
        assert!("é".repeat(60).parse::<SiteName>().is_ok());
        assert_eq!("é".repeat(61).parse::<SiteName>(), Err(SiteTextError::TooLong { max: 60 }));
        for empty in ["", " ", "\u{200B}"] {
            assert_eq!(empty.parse::<SiteName>(), Err(SiteTextError::Empty), "{empty:?}");
        }
        assert_eq!("a\nb".parse::<SiteName>(), Err(SiteTextError::ControlCharacter));
        assert_eq!("".parse::<SiteDescription>().unwrap().as_str(), "");
        assert_eq!("x".repeat(201).parse::<SiteDescription>(), Err(SiteTextError::TooLong { max: 200 }));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_its_setting() {
        for (setting, flags) in [
            ("site.name", SiteFlags { site_name: Some(" ".into()), ..SiteFlags::default() }),
            ("site.description", SiteFlags { site_description: Some("a\nb".into()), ..SiteFlags::default() }),
            ("site.accent", SiteFlags { site_accent: Some("green".into()), ..SiteFlags::default() }),
            ("site.faces", SiteFlags { site_faces: Some("comic".into()), ..SiteFlags::default() }),
            ("site.ai-crawlers", SiteFlags { site_ai_crawlers: Some("x".into()), ..SiteFlags::default() }),
        ] {
            let said = settings(flags, SiteFile::default()).unwrap_err().to_string();
            assert!(said.starts_with(&format!("{setting}: ")), "{said}");
        }
    }
}
