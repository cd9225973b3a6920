//! What an author sends.

use super::{FilingChange, front_matter::FrontMatter};
use crate::{
    clock,
    error::{Field, FieldErrors},
    posts::{BYTE_ORDER_MARK, Content, Language, Title},
    text::is_blank,
    timestamp::Timestamp,
};

/// The title and the text that an author sends, both parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostText {
    /// Plain text.
    pub title: Title,
    /// Markdown; a program may leave it out.
    pub content: Option<Content>,
}

impl PostText {
    /// The text as people see it: empty if there is none.
    #[must_use]
    pub fn text(&self) -> &Content {
        Content::or_empty(self.content.as_ref())
    }

    /// Both parts, as typed: an empty text is an empty text.
    pub fn parse(title: &str, content: &str) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let title = errors.take(Field::Title, Title::parse(title));
        let content = errors.take(Field::Content, Content::parse(content));
        match (title, content) {
            (Some(title), Some(content)) => Ok(Self { title, content: Some(content) }),
            _ => Err(errors),
        }
    }
}

/// What an author has written so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftText {
    /// May be empty, unlike that of a post.
    pub title: String,
    pub content: Content,
}

impl DraftText {
    /// Both parts, as typed.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn parse(title: &str, content: &str) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let title = match is_blank(title) {
            true => Some(String::new()),
            false => errors.take(Field::Title, Title::parse(title)).map(String::from),
        };
        let content = errors.take(Field::Content, Content::parse(content));
        match (title, content) {
            (Some(title), Some(content)) => Ok(Self { title, content }),
            _ => Err(errors),
        }
    }
}

impl From<PostText> for DraftText {
    fn from(text: PostText) -> Self {
        Self { content: text.text().clone(), title: text.title.into() }
    }
}

/// Everything that the form of an editor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub text: PostText,
    pub filing: FilingChange,
    /// The time of its first publication, of a text that was published elsewhere.
    pub date: Option<Timestamp>,
}

impl Written {
    /// The fields as they were typed; absent ones change nothing. What front matter says
    /// fills the fields that are empty, and is no part of the text any more.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn parse(
        title: &str,
        content: &str,
        tags: Option<&str>,
        address: Option<&str>,
        language: Option<&str>,
    ) -> Result<Self, FieldErrors> {
        // Front matter may follow the mark, which a stored text does not have.
        let content = content.trim_start_matches(BYTE_ORDER_MARK);
        // Line ends of a form are those of HTTP.
        let unix = if content.starts_with("---") { content.replace("\r\n", "\n") } else { String::new() };
        let (front, content) = FrontMatter::of(&unix).unwrap_or((FrontMatter::default(), content));
        let title = front.title.as_deref().filter(|_| is_blank(title)).unwrap_or(title);
        let its_tags = front.tags.map(|tags| tags.join(","));
        let tags = its_tags.as_deref().filter(|_| tags.is_none_or(is_blank)).or(tags);
        let its_language = front.language.map(Language::tag);
        let language = its_language.filter(|_| language.is_none_or(is_blank)).or(language);
        let date = front.date.filter(|date| *date <= clock::now());
        let mut errors = FieldErrors::default();
        let text = errors.take_all(PostText::parse(title, content));
        let filing = errors.take_all(FilingChange::parse(address, tags, language));
        text.zip(filing).map(|(text, filing)| Self { text, filing, date }).ok_or(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_behind_a_byte_order_mark_is_read() {
        for ends in ["\n", "\r\n"] {
            let lines = ["\u{FEFF}---", "tags: [fmbom]", "date: 2020-01-02", "---", "", "Hallo"];
            let written = Written::parse("FMbom", &lines.join(ends), None, None, None).expect("a text");
            assert_eq!(written.text.text().as_str(), "Hallo");
            assert_eq!(written.date.map(Timestamp::rfc3339).as_deref(), Some("2020-01-02T00:00:00Z"));
            let tags = written.filing.tags.expect("tags");
            assert_eq!(tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fmbom"]);
        }
    }
}
