//! Who sees a rendering.

/// Who is to read what becomes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Whoever reads the post.
    Reader,
    /// Its author, who is also told why something is not shown.
    Author,
}
