//! What a search compares instead of a text, so that whoever looks for a word
//! need not know how it was typed: compatibility caseless matching (Unicode
//! 3.13.5, D146) without the accents of Latin, Greek and Cyrillic letters.
//!
//! - Case makes no difference in any script, nor do ß and SS, final sigma, and
//!   the four letters i of Turkish.
//! - Letters may be composed or decomposed, fullwidth, ligatures or superscript.
//! - Accents may be left out, as people do who type on another's keyboard: a
//!   search for "cafe" finds "café", and the other way round. What stands in
//!   other scripts for vowels or changes consonants (Devanagari, Kana, …) counts.
//! - Characters that nothing is drawn for, as soft hyphens, are not there.
//!
//! Both engines only compare bytes, so they find the same. The fold of a text
//! of ASCII is its lower case, which they make by themselves; any other fold is
//! stored beside its text (`title_folded`, `content_folded`) and takes about as
//! much room, six times as much at worst. Unicode promises that the folds of
//! characters it has will stay as they are, so none is ever made again.

use futures::TryStreamExt;
use sqlx::FromRow;
use unicode_normalization::UnicodeNormalization;

use super::{PostText, markdown::Rendering};
use crate::{
    database::{Database, Db, execute, internal, on_engine},
    error::AppError,
    posts::Content,
    text::is_default_ignorable,
};

/// The character with the longest decomposition by far (18 characters, eleven
/// times its bytes) is left as it is.
const LONGEST: char = '\u{FDFA}';

/// Bytes of a content that are folded at once; more would hold up others that
/// the same thread serves.
const SHORT: usize = 4096;

/// The fold of a text. Texts with the same fold are the same to a search.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for (index, piece) in text.split(LONGEST).enumerate() {
        if index > 0 {
            folded.push(LONGEST);
        }
        // Composed in the end: a part of a letter (Hangul, Kana) is no match.
        folded.extend(piece.nfkd().flat_map(caseless).filter(|c| !is_left_out(*c)).nfc());
    }
    folded
}

/// Full case folding by the mappings of case, which leads from each of the
/// letters that differ in case alone to the same: ẞ, ß and SS to ss, Σ, σ and ς
/// to σ; by way of the capital I, the dotless ı to i.
fn caseless(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// The block "Combining Diacritical Marks", and what nothing is drawn for.
fn is_left_out(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}') || is_default_ignorable(c)
}

/// The fold to store beside a text; none if the engines can compute it.
#[must_use]
pub fn stored(text: &str) -> Option<String> {
    // In a text with a NUL, which Byline stores nowhere, SQLite counts otherwise.
    (!text.is_ascii() || text.contains('\0')).then(|| fold(text))
}

/// How an edit changes the stored fold of a content.
#[derive(Clone, Debug)]
pub enum FoldChange {
    /// The content is unchanged, and so is its fold.
    Kept,
    /// The fold is this from now on.
    Set(Option<String>),
}

impl FoldChange {
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept)
    }

    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Kept => None,
            Self::Set(folded) => folded.as_deref(),
        }
    }
}

/// A post_text on its way into the database, with what lists show of it and what
/// searches look into.
#[derive(Clone, Debug)]
pub struct Folded<'a> {
    /// What an author wrote.
    pub post_text: &'a PostText,
    /// What its text becomes for readers; `None` where the text stays.
    pub rendering: Option<&'a Rendering>,
    /// What becomes of the fold of its content. That of the title is quickly made.
    pub content: FoldChange,
}

/// Without a rendering, and folds the content here and now; of a long one, see [`ahead`].
impl<'a> From<&'a PostText> for Folded<'a> {
    fn from(post_text: &'a PostText) -> Self {
        Self { post_text, rendering: None, content: FoldChange::Set(stored(post_text.text().as_str())) }
    }
}

/// Folds the content that `input` brings, before it is stored: inside the
/// transaction every other write would wait for it, and whoever is served by
/// the same thread as well. [`FoldChange::Kept`], if it brings none.
///
/// # Errors
/// [`AppError::Internal`] when folding panicked.
pub async fn ahead<T: Send + 'static>(
    input: T,
    content: fn(&T) -> Option<Option<&Content>>,
) -> Result<(T, FoldChange), AppError> {
    let change = move |input: &T| match content(input) {
        None => FoldChange::Kept,
        Some(content) => FoldChange::Set(content.and_then(|content| stored(content.as_str()))),
    };
    let is_long = content(&input).flatten().is_some_and(|content| content.as_str().len() > SHORT);
    if !is_long {
        let change = change(&input);
        return Ok((input, change));
    }
    let folding = tokio::task::spawn_blocking(move || {
        let change = change(&input);
        (input, change)
    });
    folding.await.map_err(|error| internal(format_args!("a text could not be folded: {error}")))
}

/// A post whose folds are not stored yet.
#[derive(Clone, FromRow)]
struct Unfolded {
    id: String,
    version: i64,
    title: String,
    content: Option<String>,
}

/// Its condition is that of the index `posts_to_fold`, word for word.
const UNFOLDED: &str = "
    SELECT id, version, title, content FROM posts
    WHERE (title_folded IS NULL AND octet_length(title) <> length(title))
    OR (content_folded IS NULL AND octet_length(content) <> length(content))
    LIMIT 100";

/// Bytes of texts in one step; that of a single post may be longer.
const STEP: usize = 1 << 18;

/// Folds what was stored before there was anything to fold, in steps between
/// which others write. Until it has come to a post, a search knows only `A` to
/// `Z` and `a` to `z` to be the same there.
///
/// # Errors
///
/// After an error, what was folded before it stays.
pub async fn catch_up(database: &Database) -> Result<(), AppError> {
    loop {
        let posts = unfolded(&mut database.read().await?).await?;
        if posts.is_empty() {
            return Ok(());
        }
        let folding = tokio::task::spawn_blocking(move || {
            let folded = |post: Unfolded| Unfolded {
                title: fold(&post.title),
                content: post.content.as_deref().and_then(stored),
                ..post
            };
            posts.into_iter().map(folded).collect::<Vec<_>>()
        });
        let folded = folding.await.map_err(|error| internal(format_args!("folding failed: {error}")))?;
        let written = database.write(folded, |db, folded| Box::pin(write(db, folded)));
        match written.await {
            // Another process may have been faster.
            Ok(()) | Err(AppError::WriteConflict) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn unfolded(db: &mut Db) -> Result<Vec<Unfolded>, AppError> {
    let (mut posts, mut size) = (Vec::new(), 0);
    on_engine!(db => {
        let mut found = sqlx::query_as::<_, Unfolded>(UNFOLDED).fetch(db);
        while size < STEP && let Some(post) = found.try_next().await? {
            size += post.title.len() + post.content.as_ref().map_or(0, String::len);
            posts.push(post);
        }
    });
    Ok(posts)
}

/// A post that was changed meanwhile has been folded by that.
async fn write(db: &mut Db, folded: Vec<Unfolded>) -> Result<(), AppError> {
    for post in folded {
        execute!(db => sqlx::query(
                "UPDATE posts SET title_folded = $1, content_folded = $2 WHERE id = $3 AND version = $4",
            )
            .bind(post.title)
            .bind(post.content)
            .bind(post.id)
            .bind(post.version))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_people_take_for_the_same_are_the_same() {
        for (one, other) in [
            ("ПРИВЕТ, Мир", "привет, мир"),
            ("café", "cafe\u{301}"),
            ("CAFÉ", "cafe"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΟΔΟΣ", "οδος"),
            ("Αθήνα", "ΑΘΗΝΑ"),
            ("İstanbul", "istanbul"),
            ("DİYARBAKIR", "diyarbakır"),
            ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
            ("ﬁle ﬄuff", "file ffluff"),
            ("a\u{323}\u{307}", "a\u{307}\u{323}"),
            ("\u{1EAD}", "a\u{302}\u{323}"),
            ("ｶﾞ", "ガ"),
            ("か\u{3099}", "が"),
            ("한", "\u{1112}\u{1161}\u{11AB}"),
            ("क\u{93C}", "\u{958}"),
            ("Ё", "ё"),
            ("Ǆ ǅ", "ǆ ǆ"),
            ("\u{212A}elvin Å", "kelvin å"),
            ("ᾼ", "αι"),
            ("Donau\u{AD}dampf", "donaudampf"),
            ("ⴀ", "Ⴀ"),
            ("𐐀", "𐐨"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn letters_that_differ_stay_different_and_parts_of_letters_are_none() {
        for (text, word) in [("が", "か"), ("한국", "하"), ("क़लम", "कलम"), ("Ø", "o"), ("ł", "l"), ("ﷺ", "ص")]
        {
            assert!(!fold(text).contains(&fold(word)), "{word:?} in {text:?}");
        }
    }

    #[test]
    fn every_character_folds_like_its_other_cases_and_forms() {
        // Without ideographs, and with one in 28 of the syllables of Hangul, which are like the others.
        let letters = (0..0x3400).chain(0xA000..0xAC00).chain((0xAC00..0xD7A4).step_by(28));
        let letters = letters.chain(0xF900..0x11A00).chain(0x16E00..0x16F00).chain(0x1D100..0x1FC00);
        for c in letters.filter_map(char::from_u32).filter(|c| *c != LONGEST) {
            let text = c.to_string();
            let folded = fold(&text);
            let forms: [String; 4] =
                [text.nfc().collect(), text.nfd().collect(), text.nfkc().collect(), text.nfkd().collect()];
            let cases = [text.to_lowercase(), text.to_uppercase(), folded.clone()];
            for same in forms.iter().chain(&cases) {
                assert_eq!(fold(same), folded, "U+{:04X} and {same:?}", u32::from(c));
            }
            assert!(folded.len() <= 6 * text.len(), "U+{:04X} is {} bytes long", u32::from(c), folded.len());
        }
    }

    proptest! {
        #[test]
        fn a_fold_is_its_own_fold_however_the_text_was_normalised(text in "\\PC{0,40}|[a-zA-ZäÄßẞıİſ\u{300}-\u{345}\u{3099}가-힣ᄀ-ᇿ]{0,20}") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.as_str());
            prop_assert_eq!(fold(&text.nfc().collect::<String>()), folded.as_str());
            prop_assert_eq!(fold(&text.nfd().collect::<String>()), folded.as_str());
            if text.is_ascii() {
                prop_assert_eq!(stored(&text), None);
            }
        }
    }
}
