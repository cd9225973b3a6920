//! `/robots.txt` (RFC 9309).

use super::sitemap;
use crate::{config::AiCrawlers, site::Site};

/// What no crawler needs: pages for one person, and calls.
const FOR_NOBODY: [&str; 5] = ["/api/", "/my-posts", "/login", "/signup", "/*/*/report"];

/// The names by which crawlers that collect texts for AI look for their rules, as those who
/// run them publish the names (<https://github.com/ai-robots-txt/ai.robots.txt> lists them).
const AI_CRAWLERS: [&str; 27] = [
    "AI2Bot",
    "Amazonbot",
    "anthropic-ai",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ChatGPT-User",
    "Claude-SearchBot",
    "Claude-User",
    "ClaudeBot",
    "cohere-ai",
    "cohere-training-data-crawler",
    "Diffbot",
    "DuckAssistBot",
    "FacebookBot",
    "Google-Extended",
    "GPTBot",
    "ImagesiftBot",
    "Meta-ExternalAgent",
    "Meta-ExternalFetcher",
    "MistralAI-User",
    "OAI-SearchBot",
    "omgili",
    "Perplexity-User",
    "PerplexityBot",
    "Timpibot",
    "YouBot",
];

/// The rules for crawlers.
pub fn write(site: &Site) -> String {
    let mut rules = "User-agent: *\n".to_owned();
    for path in FOR_NOBODY {
        rules += &format!("Disallow: {path}\n");
    }
    if site.settings().ai_crawlers == AiCrawlers::Refuse {
        rules.push('\n');
        for name in AI_CRAWLERS {
            rules += &format!("User-agent: {name}\n");
        }
        rules += "Disallow: /\n";
    }
    rules + &format!("\nSitemap: {}\n", site.link(sitemap::PATH))
}
