//! What a piece of code is, and how it is written.

/// What a piece of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Keyword,
    Text,
    Comment,
    /// A number, or another fixed value.
    Number,
    Function,
    Type,
    /// An attribute, a tag, or the key of a value.
    Attribute,
    Variable,
    Inserted,
    Deleted,
}

/// How each of Byline's elements around a piece begins, and how it ends.
pub(super) const BEGIN: &str = "<span class=\"hl-";
pub(super) const END: &str = "</span>";

impl Class {
    /// The last letter of its class on the page.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Keyword => 'k',
            Self::Text => 's',
            Self::Comment => 'c',
            Self::Number => 'n',
            Self::Function => 'f',
            Self::Type => 't',
            Self::Attribute => 'a',
            Self::Variable => 'v',
            Self::Inserted => 'i',
            Self::Deleted => 'd',
        }
    }
}
