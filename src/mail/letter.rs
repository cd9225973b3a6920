//! What a mail says, and how it looks.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// The content of a mail, without sender and recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// One line.
    pub subject: String,
    pub blocks: Vec<Block>,
}

/// A part of a [`Letter`], from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A link that looks like a button.
    Link {
        /// What the button says.
        label: String,
        /// Its target, which begins with the public URL of the site.
        url: String,
    },
    /// A code to be typed.
    Code(String),
    /// A paragraph that matters less.
    Note(String),
}

// The colours of style/tokens.css in the light theme: mail programs know neither
// custom properties nor, most of them, style sheets.
const PAPER: &str = "#fbf8f1";
const RAISED: &str = "#f3eee2";
const INK: &str = "#1f1c17";
const INK_SOFT: &str = "#5e5a52";
const LINE: &str = "#e4dccb";
const ACCENT: &str = "#1f5f4a";
const ACCENT_INK: &str = "#ffffff";
const SERIF: &str = "Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif";
const SANS: &str = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";
const MONO: &str = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace";

impl Letter {
    /// A letter with that subject, to which blocks are added.
    #[must_use]
    pub fn about(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), blocks: Vec::new() }
    }

    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Note(text.into()));
        self
    }

    #[must_use]
    pub fn link(mut self, label: impl Into<String>, url: impl Into<String>) -> Self {
        self.blocks.push(Block::Link { label: label.into(), url: url.into() });
        self
    }

    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.blocks.push(Block::Code(code.into()));
        self
    }

    /// The part without markup. `site` is the name of the site and `home` its address.
    #[must_use]
    pub fn plain(&self, site: &str, home: &str) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            let _ = match block {
                Block::Text(words) | Block::Note(words) => write!(text, "{}\n\n", one_line(words)),
                Block::Link { label, url } => write!(text, "{}:\n{}\n\n", one_line(label), one_line(url)),
                Block::Code(code) => write!(text, "    {}\n\n", one_line(code)),
            };
        }
        // "-- " begins the signature (RFC 3676 4.3).
        let _ = write!(text, "-- \n{}, {home}\n", one_line(site));
        text
    }

    /// The part with markup, in the look of the site.
    #[must_use]
    pub fn html(&self, site: &str, home: &str) -> String {
        let mut body = String::new();
        for block in &self.blocks {
            let _ = match block {
                Block::Text(words) => write!(body, "<p style=\"margin:0 0 16px\">{}</p>", escaped(words)),
                Block::Note(words) => write!(
                    body,
                    "<p style=\"margin:0 0 16px;color:{INK_SOFT};font-size:15px\">{}</p>",
                    escaped(words)
                ),
                Block::Link { label, url } => write!(
                    body,
                    "<p style=\"margin:24px 0\"><a href=\"{url}\" style=\"display:inline-block;padding:11px 20px;\
                     border-radius:6px;background:{ACCENT};color:{ACCENT_INK};font-family:{SANS};font-size:16px;\
                     font-weight:600;text-decoration:none\">{}</a></p>\
                     <p style=\"margin:0 0 16px;color:{INK_SOFT};font-size:15px\">If the button does not work, \
                     open this address:<br><a href=\"{url}\" style=\"color:{ACCENT};word-break:break-all\">{url}</a></p>",
                    escaped(label),
                    url = attribute(url),
                ),
                Block::Code(code) => write!(
                    body,
                    "<p style=\"margin:24px 0;padding:14px 20px;border:1px solid {LINE};border-radius:6px;\
                     background:{RAISED};font-family:{MONO};font-size:26px;letter-spacing:4px\">{}</p>",
                    escaped(code)
                ),
            };
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light\"><title>{subject}</title></head>\
             <body style=\"margin:0;padding:0;background:{PAPER};color:{INK}\">\
             <div style=\"max-width:560px;margin:0 auto;padding:32px 20px;font-family:{SERIF};font-size:18px;\
             line-height:1.55\">\
             <p style=\"margin:0 0 24px;padding:0 0 12px;border-bottom:1px solid {LINE}\"><a href=\"{home}\" \
             style=\"color:{INK};font-weight:700;font-size:20px;text-decoration:none\">{site}</a></p>\
             <h1 style=\"margin:0 0 20px;font-size:24px;line-height:1.25;font-weight:700\">{subject}</h1>\
             {body}\
             <p style=\"margin:32px 0 0;padding:12px 0 0;border-top:1px solid {LINE};color:{INK_SOFT};\
             font-family:{SANS};font-size:14px\"><a href=\"{home}\" style=\"color:{INK_SOFT}\">{home}</a></p>\
             </div></body></html>\n",
            site = escaped(site),
            subject = escaped(&self.subject),
            home = attribute(home),
        )
    }
}

/// Without anything that could end a line or a header.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

fn escaped(text: &str) -> String {
    html_escape::encode_text(&one_line(text)).into_owned()
}

fn attribute(text: &str) -> String {
    html_escape::encode_double_quoted_attribute(&one_line(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_its_place() {
        let letter = Letter::about("<b>a</b>\r\nBcc: x@example.org")
            .text("<script>alert(1)</script>\n-- ")
            .link("\"><img src=x>", "https://byline.example/?a=\"><img src=x>")
            .code("</p>")
            .note("&amp;");
        let html = letter.html("Byline", "https://byline.example");
        for raw in ["<script>", "<img", "<b>", "\r"] {
            assert!(!html.contains(raw), "{raw}: {html}");
        }
        assert!(html.contains("&amp;amp;"), "{html}");
        let plain = letter.plain("Byline", "https://byline.example");
        assert_eq!(plain.matches("\n-- \n").count(), 1, "{plain}");
    }

    #[test]
    fn the_colours_are_those_of_the_site() {
        let tokens = include_str!("../../style/tokens.css");
        for (name, colour) in [
            ("paper", PAPER),
            ("raised", RAISED),
            ("ink", INK),
            ("ink-soft", INK_SOFT),
            ("line", LINE),
            ("accent", ACCENT),
            ("accent-ink", ACCENT_INK),
        ] {
            assert!(tokens.contains(&format!("--{name}: light-dark({colour},")), "{name}");
        }
    }
}
