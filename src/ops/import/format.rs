//! The forms of exports, and why something is none.

use std::path::PathBuf;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A folder of Markdown with front matter: Hugo, Jekyll, Zola, Mataroa, Byline
    Markdown,
    /// WordPress: an export in XML (WXR)
    Wordpress,
    /// Ghost: an export in JSON
    Ghost,
    /// WriteFreely: an export in JSON
    Writefreely,
    /// Bear Blog: an export in CSV
    Bear,
    /// DynamoDB: an export of the model Post to S3, rows of JSON, packed by gzip or not
    Dynamodb,
}

/// Why there is no import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error(
        "{} is no export that Byline knows: a folder with Markdown, WordPress (XML), Ghost, WriteFreely or DynamoDB (JSON), Bear (CSV)",
        .0.display()
    )]
    Unknown(PathBuf),
    /// Hugo and Jekyll take posts in other languages as well.
    #[error(
        "{} has no Markdown, and Byline cannot read {files}: convert that to Markdown, for example with pandoc, and import the folder again",
        path.display()
    )]
    NoMarkdown {
        path: PathBuf,
        /// How many files there are, and the names of the first.
        files: String,
    },
    /// As `byline export --to` writes it: one author would get the posts of all.
    #[error("{} is an export of every author of a site; name the folder of one of them, authors/NAME", .0.display())]
    EveryAuthor(PathBuf),
}
