//! Who sees a rendering.

/// Who reads the rendered text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Whoever reads the post.
    Reader,
    /// Its author, who is also told why something is not shown.
    Author,
}
