//! What a post ends with: who wrote it, what they wrote before and after, and the way back.
//! It is text and not a view, so that the frame of a page ([`super::frame`]) can take it in.

use std::fmt::Write;

use html_escape::{encode_double_quoted_attribute, encode_text};

use crate::posts::{
    Summary, address,
    domain::{
        ending::{Neighbours, PostInPlace},
        rendered::RenderedPost,
    },
};

/// The content of the footer of a post, as HTML. `origin` is what the addresses of the site
/// begin with, if that is known; a page on paper has its address then.
#[must_use]
pub fn ending(origin: Option<&str>, PostInPlace { shown, neighbours }: &PostInPlace) -> String {
    let RenderedPost { post, about, .. } = shown;
    let mut html = String::new();
    let _ = write!(
        html,
        "<p class=\"post-author\"><a class=\"author\" rel=\"author\" href=\"{}\"><bdi>{}</bdi></a>",
        encode_double_quoted_attribute(&address::of_author(&post.owner)),
        encode_text(&post.author),
    );
    if !about.is_empty() {
        let _ = write!(html, " <span class=\"about\" dir=\"auto\">{}</span>", encode_text(about));
    }
    html += "</p>";
    let Neighbours { newer, older } = neighbours;
    if newer.is_some() || older.is_some() {
        html += "<nav class=\"neighbours\" aria-label=\"By the same author\"><ul>";
        for (post, class, word) in [(older, "older", "Before"), (newer, "newer", "After")] {
            if let Some(post) = post {
                html += &neighbour(post, class, word);
            }
        }
        html += "</ul></nav>";
    }
    html += "<p class=\"way-back\"><a href=\"/\">All posts</a></p>";
    if let Some(origin) = origin {
        let address = format!("{origin}{}", post.address());
        let _ = write!(html, "<p class=\"address\">{}</p>", encode_text(&address));
    }
    html
}

fn neighbour(post: &Summary, class: &str, word: &str) -> String {
    format!(
        "<li class=\"{class}\"><span>{word}</span> <a href=\"{}\"><bdi>{}</bdi></a></li>",
        encode_double_quoted_attribute(&post.address()),
        encode_text(post.title.as_str()),
    )
}
