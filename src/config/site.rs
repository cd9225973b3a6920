//! The settings of what machines read of the site.

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::error::StartError;

/// Whether `/robots.txt` asks crawlers that collect texts for AI to stay away (setting
/// `site.ai-crawlers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AiCrawlers {
    #[default]
    Allow,
    Refuse,
}

#[derive(Args, Clone, Debug, Default)]
pub struct SiteFlags {
    /// Whether robots.txt allows crawlers that collect texts for AI: allow or refuse [default: allow]
    #[arg(long, global = true, env = "BYLINE_SITE_AI_CRAWLERS", value_name = "RULE")]
    pub site_ai_crawlers: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SiteFile {
    ai_crawlers: Option<String>,
}

pub(super) fn ai_crawlers(flags: SiteFlags, file: SiteFile) -> Result<AiCrawlers, StartError> {
    let Some(raw) = flags.site_ai_crawlers.or(file.ai_crawlers) else { return Ok(AiCrawlers::default()) };
    AiCrawlers::from_str(&raw, false).map_err(|_| StartError::Value {
        setting: "site.ai-crawlers",
        problem: format!("\"{raw}\" is neither allow nor refuse"),
    })
}
