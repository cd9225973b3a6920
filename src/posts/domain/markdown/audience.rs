//! Who sees a rendering.

/// Who reads the rendered text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The readers of the post.
    Reader,
    /// Its author, who also sees why something is not shown.
    Author,
}
