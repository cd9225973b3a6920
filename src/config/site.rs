//! The settings of how a site presents itself, to people and to crawlers, and whom it takes.
//!
//! Flags, variables and `byline.toml` say how they begin. What is set while the site runs
//! (`byline site set`, `/admin/settings`) is in the database, and stands above those.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::{
    accent::{Accent, Colour, ColourError},
    error::StartError,
    footer_links::FooterLinks,
    hsts::Hsts,
    site_css::SiteCss,
    site_picture::SitePicture,
    time_zone::SiteTimeZone,
};

/// A setting of the site that can change while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteSetting {
    Name,
    Description,
    Language,
    TimeZone,
    Accent,
    Faces,
    Logo,
    Icon,
    About,
    FooterLinks,
    Css,
    SignUp,
    Approval,
    AiCrawlers,
    Hsts,
}

impl SiteSetting {
    /// In the order in which they are shown.
    pub const ALL: [Self; 15] = [
        Self::Name,
        Self::Description,
        Self::Language,
        Self::TimeZone,
        Self::Accent,
        Self::Faces,
        Self::Logo,
        Self::Icon,
        Self::About,
        Self::FooterLinks,
        Self::Css,
        Self::SignUp,
        Self::Approval,
        Self::AiCrawlers,
        Self::Hsts,
    ];

    /// Its name on the command line, in `byline.toml` below `[site]`, and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Language => "language",
            Self::TimeZone => "time-zone",
            Self::Accent => "accent",
            Self::Faces => "faces",
            Self::Logo => "logo",
            Self::Icon => "icon",
            Self::About => "about",
            Self::FooterLinks => "footer-links",
            Self::Css => "css",
            Self::SignUp => "sign-up",
            Self::Approval => "approval",
            Self::AiCrawlers => "ai-crawlers",
            Self::Hsts => "hsts",
        }
    }

    /// What counts where nothing is set.
    #[must_use]
    pub const fn default_value(self) -> &'static str {
        match self {
            Self::Name => "Byline",
            Self::Language => "en",
            Self::TimeZone => "UTC",
            Self::Faces => "served",
            Self::SignUp => "open",
            Self::Approval => "none",
            Self::AiCrawlers => "allow",
            Self::Hsts => Hsts::DEFAULT,
            Self::Description
            | Self::Accent
            | Self::Logo
            | Self::Icon
            | Self::About
            | Self::FooterLinks
            | Self::Css => "",
        }
    }

    /// The name with its section, as messages of the start have it.
    #[must_use]
    pub const fn in_file(self) -> &'static str {
        match self {
            Self::Name => "site.name",
            Self::Description => "site.description",
            Self::Language => "site.language",
            Self::TimeZone => "site.time-zone",
            Self::Accent => "site.accent",
            Self::Faces => "site.faces",
            Self::Logo => "site.logo",
            Self::Icon => "site.icon",
            Self::About => "site.about",
            Self::FooterLinks => "site.footer-links",
            Self::Css => "site.css",
            Self::SignUp => "site.sign-up",
            Self::Approval => "site.approval",
            Self::AiCrawlers => "site.ai-crawlers",
            Self::Hsts => "site.hsts",
        }
    }
}

/// The name is that of no setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no setting of the site; there are {list}", list = SiteSetting::ALL.map(SiteSetting::name).join(", "))]
pub struct NoSuchSetting(String);

impl FromStr for SiteSetting {
    type Err = NoSuchSetting;

    fn from_str(raw: &str) -> Result<Self, NoSuchSetting> {
        Self::ALL
            .into_iter()
            .find(|setting| setting.name() == raw)
            .ok_or_else(|| NoSuchSetting(raw.to_owned()))
    }
}

/// Values of settings as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteValues(BTreeMap<SiteSetting, String>);

impl SiteValues {
    #[must_use]
    pub fn get(&self, setting: SiteSetting) -> Option<&str> {
        self.0.get(&setting).map(String::as_str)
    }

    /// The value, or the default of the setting.
    #[must_use]
    pub fn or_default(&self, setting: SiteSetting) -> &str {
        self.get(setting).unwrap_or(setting.default_value())
    }

    pub fn set(&mut self, setting: SiteSetting, value: impl Into<String>) {
        self.0.insert(setting, value.into());
    }

    /// These, and what `above` says instead.
    #[must_use]
    pub fn below(&self, above: &Self) -> Self {
        let mut values = self.clone();
        values.0.extend(above.0.iter().map(|(setting, value)| (*setting, value.clone())));
        values
    }
}

/// Why a value does not fit its setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SiteSettingError {
    pub setting: SiteSetting,
    /// What is wrong, to be read after the setting's name and a colon.
    pub problem: String,
}

/// The settings in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteSettings {
    pub identity: Identity,
    pub language: SiteLanguage,
    pub time_zone: SiteTimeZone,
    /// What stands at the head of every page in place of the name.
    pub logo: Option<SitePicture>,
    /// What browsers show beside the titles of pages, if it is not Byline's own.
    pub icon: Option<SitePicture>,
    /// Markdown of the page `/about`; empty for none.
    pub about: String,
    pub footer_links: FooterLinks,
    pub css: SiteCss,
    pub sign_up: SignUpPolicy,
    pub approval: Approval,
    pub ai_crawlers: AiCrawlers,
    pub hsts: Hsts,
}

impl SiteSettings {
    /// The settings of these values, and the default of each that has none.
    ///
    /// # Errors
    /// [`SiteSettingError`] for the first value that does not fit.
    pub fn of(values: &SiteValues) -> Result<Self, SiteSettingError> {
        Ok(Self {
            identity: Identity {
                name: parsed(values, SiteSetting::Name)?,
                description: parsed(values, SiteSetting::Description)?,
                accent: accent(values)?,
                faces: choice(values, SiteSetting::Faces, "served nor system")?,
            },
            language: parsed(values, SiteSetting::Language)?,
            time_zone: parsed(values, SiteSetting::TimeZone)?,
            logo: picture(values, SiteSetting::Logo)?,
            icon: picture(values, SiteSetting::Icon)?,
            about: about(values)?,
            footer_links: parsed(values, SiteSetting::FooterLinks)?,
            css: parsed(values, SiteSetting::Css)?,
            sign_up: choice(values, SiteSetting::SignUp, "open, invite nor closed")?,
            approval: choice(values, SiteSetting::Approval, "none nor first-posts")?,
            ai_crawlers: choice(values, SiteSetting::AiCrawlers, "allow nor refuse")?,
            hsts: parsed(values, SiteSetting::Hsts)?,
        })
    }

    /// What of `values` fits, and the default of each that does not: a newer Byline may have
    /// stored what this one cannot read.
    #[must_use]
    pub fn of_what_fits(values: &SiteValues) -> Self {
        let mut values = values.clone();
        loop {
            match Self::of(&values) {
                Ok(settings) => return settings,
                Err(SiteSettingError { setting, problem }) => {
                    tracing::warn!(setting = setting.name(), %problem, "a setting of the site is passed over");
                    values.0.remove(&setting);
                }
            }
        }
    }
}

/// Who may sign up (setting `site.sign-up`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SignUpPolicy {
    #[default]
    Open,
    /// Whoever has an invitation.
    Invite,
    /// Nobody; whoever runs the site makes accounts.
    Closed,
}

impl SignUpPolicy {
    /// Whether everyone may make an account.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }
}

/// Which posts wait until whoever runs the site approves them (setting `site.approval`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Approval {
    #[default]
    None,
    /// Those of authors of whom nothing is published yet.
    FirstPosts,
}

/// The language of the site's name and texts (setting `site.language`): a tag of BCP 47.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteLanguage(String);

impl Default for SiteLanguage {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl SiteLanguage {
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.0
    }
}

impl FromStr for SiteLanguage {
    type Err = SiteTextError;

    /// The form of RFC 5646, 2.1, as far as languages, scripts and regions go.
    fn from_str(raw: &str) -> Result<Self, SiteTextError> {
        let mut subtags = raw.trim().split('-');
        let language = subtags.next().unwrap_or_default();
        let is_language =
            matches!(language.len(), 2..=3) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
        let rest = subtags
            .all(|tag| matches!(tag.len(), 2..=8) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if is_language && rest && raw.len() <= 35 {
            Ok(Self(raw.trim().to_owned()))
        } else {
            Err(SiteTextError::NoLanguage)
        }
    }
}

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
    #[error("must be a tag like en, pt-BR or zh-Hant")]
    NoLanguage,
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
    /// Language of the site, like en or pt-BR [default: en]
    #[arg(long, global = true, env = "BYLINE_SITE_LANGUAGE", value_name = "TAG")]
    pub site_language: Option<String>,
    /// Time zone of dates, like Europe/Berlin [default: UTC]
    #[arg(long, global = true, env = "BYLINE_SITE_TIME_ZONE", value_name = "ZONE")]
    pub site_time_zone: Option<String>,
    /// Colour of links and buttons, like #1f5f4a; made darker or lighter where it could not be read [default: Byline's green]
    #[arg(long, global = true, env = "BYLINE_SITE_ACCENT", value_name = "COLOUR")]
    pub site_accent: Option<String>,
    /// Typefaces of pages: served, or system for those of the reader's system [default: served]
    #[arg(long, global = true, env = "BYLINE_SITE_FACES", value_name = "FACES")]
    pub site_faces: Option<String>,
    /// Who may sign up: open for everyone, invite for whoever has an invitation, or closed for nobody [default: open]
    #[arg(long, global = true, env = "BYLINE_SITE_SIGN_UP", value_name = "RULE")]
    pub site_sign_up: Option<String>,
    /// Which posts wait until you approve them: none, or first-posts for those of authors of whom nothing is published yet [default: none]
    #[arg(long, global = true, env = "BYLINE_SITE_APPROVAL", value_name = "RULE")]
    pub site_approval: Option<String>,
    /// Whether robots.txt allows crawlers that collect texts for AI: allow or refuse [default: allow]
    #[arg(long, global = true, env = "BYLINE_SITE_AI_CRAWLERS", value_name = "RULE")]
    pub site_ai_crawlers: Option<String>,
    /// How many days browsers come by https alone, like 365, or off; with-subdomains after it for every name below this one [default: 730 with-subdomains]
    #[arg(long, global = true, env = "BYLINE_SITE_HSTS", value_name = "RULE")]
    pub site_hsts: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SiteFile {
    name: Option<String>,
    description: Option<String>,
    language: Option<String>,
    time_zone: Option<String>,
    accent: Option<String>,
    faces: Option<String>,
    logo: Option<PathBuf>,
    icon: Option<PathBuf>,
    about: Option<String>,
    footer_links: Option<String>,
    css: Option<String>,
    sign_up: Option<String>,
    approval: Option<String>,
    ai_crawlers: Option<String>,
    hsts: Option<String>,
}

/// Files of pictures that flags, variables and `byline.toml` name. Their settings name what was
/// made of them, so they are values once that is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFiles {
    pub logo: Option<PathBuf>,
    pub icon: Option<PathBuf>,
}

impl SiteFile {
    /// The files that it names.
    pub(super) fn files(&self) -> SiteFiles {
        SiteFiles { logo: self.logo.clone(), icon: self.icon.clone() }
    }
}

/// The values with which the site begins.
pub(super) fn values(flags: SiteFlags, file: SiteFile) -> Result<SiteValues, StartError> {
    let given = [
        (SiteSetting::Name, flags.site_name.or(file.name)),
        (SiteSetting::Description, flags.site_description.or(file.description)),
        (SiteSetting::Language, flags.site_language.or(file.language)),
        (SiteSetting::TimeZone, flags.site_time_zone.or(file.time_zone)),
        (SiteSetting::Accent, flags.site_accent.or(file.accent)),
        (SiteSetting::Faces, flags.site_faces.or(file.faces)),
        (SiteSetting::About, file.about),
        (SiteSetting::FooterLinks, file.footer_links),
        (SiteSetting::Css, file.css),
        (SiteSetting::SignUp, flags.site_sign_up.or(file.sign_up)),
        (SiteSetting::Approval, flags.site_approval.or(file.approval)),
        (SiteSetting::AiCrawlers, flags.site_ai_crawlers.or(file.ai_crawlers)),
        (SiteSetting::Hsts, flags.site_hsts.or(file.hsts)),
    ];
    let values =
        SiteValues(given.into_iter().filter_map(|(setting, value)| Some((setting, value?))).collect());
    SiteSettings::of(&values).map_err(|SiteSettingError { setting, problem }| StartError::Value {
        setting: setting.in_file(),
        problem,
    })?;
    Ok(values)
}

fn parsed<T: FromStr<Err: fmt::Display> + Default>(
    values: &SiteValues,
    setting: SiteSetting,
) -> Result<T, SiteSettingError> {
    let Some(raw) = values.get(setting) else { return Ok(T::default()) };
    raw.parse().map_err(|error: T::Err| SiteSettingError { setting, problem: error.to_string() })
}

fn accent(values: &SiteValues) -> Result<Option<Accent>, SiteSettingError> {
    let setting = SiteSetting::Accent;
    let Some(raw) = values.get(setting).filter(|raw| !raw.is_empty()) else { return Ok(None) };
    let colour: Colour = raw
        .parse()
        .map_err(|error: ColourError| SiteSettingError { setting, problem: format!("\"{raw}\" {error}") })?;
    Ok(Some(Accent::of(colour)))
}

fn picture(values: &SiteValues, setting: SiteSetting) -> Result<Option<SitePicture>, SiteSettingError> {
    let Some(raw) = values.get(setting).filter(|raw| !raw.is_empty()) else { return Ok(None) };
    let parsed = raw.parse::<SitePicture>();
    parsed.map(Some).map_err(|error| SiteSettingError { setting, problem: error.to_string() })
}

/// As long as a post may be.
const MAX_ABOUT: usize = 100_000;

fn about(values: &SiteValues) -> Result<String, SiteSettingError> {
    let setting = SiteSetting::About;
    let text = values.get(setting).unwrap_or_default().trim();
    if text.chars().count() > MAX_ABOUT {
        let problem = SiteTextError::TooLong { max: MAX_ABOUT }.to_string();
        return Err(SiteSettingError { setting, problem });
    }
    Ok(text.to_owned())
}

fn choice<T: ValueEnum + Default>(
    values: &SiteValues,
    setting: SiteSetting,
    neither: &str,
) -> Result<T, SiteSettingError> {
    let Some(raw) = values.get(setting) else { return Ok(T::default()) };
    let problem = || format!("\"{raw}\" is neither {neither}");
    T::from_str(raw, false).map_err(|_| SiteSettingError { setting, problem: problem() })
}

#[cfg(test)]
mod tests;
