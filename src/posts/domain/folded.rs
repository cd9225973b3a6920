//! A text on its way into the database, with all that is stored beside it.

use super::{
    PostText,
    fold::{FoldChange, stored},
    markdown::Rendering,
};

/// Title and content on their way into the database, with their rendering and the
/// fold of the content.
#[derive(Clone, Debug)]
pub struct Folded<'a> {
    /// What an author wrote.
    pub post_text: &'a PostText,
    /// The rendered content; `None` if the content is unchanged.
    pub rendering: Option<&'a Rendering>,
    /// The fold of the content. A title is short and is folded when it is written.
    pub content: FoldChange,
}

/// Without a rendering. Folds the content at once; for a long one use
/// [`fold_before_write`](super::fold::fold_before_write).
impl<'a> From<&'a PostText> for Folded<'a> {
    fn from(post_text: &'a PostText) -> Self {
        Self { post_text, rendering: None, content: FoldChange::Set(stored(post_text.text().as_str())) }
    }
}
