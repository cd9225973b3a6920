//! The fold of a text, which searches compare: compatibility caseless matching
//! (Unicode 3.13.5, D146) without the accents of Latin, Greek and Cyrillic letters.
//!
//! - Case is ignored in all scripts, also for ß and SS, final sigma, and the four
//!   letters i of Turkish.
//! - Letters may be composed or decomposed, fullwidth, ligatures or superscript.
//! - Accents are ignored, because not every keyboard has them: "cafe" finds "café"
//!   and the reverse. Marks of other scripts that are vowels or change consonants
//!   (Devanagari, Kana, …) count.
//! - Quotation marks, apostrophes and hyphens are the ones on a keyboard, because pages show
//!   others than authors type.
//! - Invisible characters, such as soft hyphens, are ignored.
//!
//! Both engines compare bytes, so they find the same. The fold of an ASCII text is
//! its lower case, which the engines compute. Any other fold is stored beside its
//! text (`title_folded`, `content_folded`); it is about as long as the text, at
//! most six times. Unicode guarantees that the folds of existing characters do not
//! change, so a stored fold stays valid. If a rule of this file changes, a migration
//! removes the folds that have the signs in question, and they are made anew. The fold of words
//! that only readers see (`read_folded`) is made with the rendering, whose version is raised then.

use futures::TryStreamExt;
use sqlx::FromRow;
use unicode_normalization::UnicodeNormalization;

use crate::{
    database::{Database, Db, execute, internal, on_engine},
    error::AppError,
    posts::Content,
    text::is_default_ignorable,
};

/// The character with by far the longest decomposition (18 characters, eleven
/// times its bytes). It is not decomposed.
pub(super) const NOT_DECOMPOSED: char = '\u{FDFA}';

/// Longer contents are folded on a blocking thread, because they would delay other
/// requests on the same thread.
const MAX_INLINE_BYTES: usize = 4096;

/// The fold of a text. Texts with the same fold are the same to a search.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for (index, piece) in text.split(NOT_DECOMPOSED).enumerate() {
        if index > 0 {
            folded.push(NOT_DECOMPOSED);
        }
        // Composed at the end, so that a part of a letter (Hangul, Kana) does not match.
        folded.extend(piece.nfkd().flat_map(caseless).filter(|c| !is_ignored(*c)).nfc());
    }
    folded
}

/// Full case folding by lower, upper and lower case. Letters that differ only in
/// case become the same: ẞ, ß and SS become ss; Σ, σ and ς become σ; the dotless ı
/// becomes i, because its capital is I.
pub(super) fn caseless(c: char) -> impl Iterator<Item = char> {
    straight(c).to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// The sign of a keyboard for a typographic one. Migration 29 names the same signs.
const fn straight(c: char) -> char {
    match c {
        '\u{2BC}' | '\u{2018}'..='\u{201B}' => '\'',
        '\u{201C}'..='\u{201F}' => '"',
        '\u{2010}' => '-',
        other => other,
    }
}

/// The block "Combining Diacritical Marks", and invisible characters.
pub(super) fn is_ignored(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}') || is_default_ignorable(c)
}

/// The fold to store beside a text; none if the engines can compute it.
#[must_use]
pub fn stored(text: &str) -> Option<String> {
    // Byline stores no NUL, but SQLite's functions would stop at one.
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

/// Folds the content of `input` before the transaction that stores it, because
/// other writes would wait for a long folding inside it. Without a content:
/// [`FoldChange::Kept`].
///
/// # Errors
/// [`AppError::Internal`] when folding panicked.
pub async fn fold_before_write<T: Send + 'static>(
    input: T,
    content: fn(&T) -> Option<Option<&Content>>,
) -> Result<(T, FoldChange), AppError> {
    let change = move |input: &T| match content(input) {
        None => FoldChange::Kept,
        Some(content) => FoldChange::Set(content.and_then(|content| stored(content.as_str()))),
    };
    let is_long = content(&input).flatten().is_some_and(|content| content.as_str().len() > MAX_INLINE_BYTES);
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

/// Whether a fold is missing; exactly the condition of the index `posts_to_fold`.
macro_rules! is_unfolded {
    () => {
        "((title_folded IS NULL AND octet_length(title) <> length(title))
        OR (content_folded IS NULL AND octet_length(content) <> length(content)))"
    };
}
pub(super) use is_unfolded;

const UNFOLDED: &str =
    concat!("SELECT id, version, title, content FROM posts WHERE ", is_unfolded!(), " LIMIT 100");

/// Bytes of texts in one step; a single post may have more.
const STEP: usize = 1 << 18;

/// Stores the folds of old posts that have none, in steps, so that others can write
/// in between. Until a post is done, a search of it ignores only the case of ASCII
/// letters.
///
/// # Errors
///
/// After an error, the steps before it stay.
pub async fn backfill(database: &Database) -> Result<(), AppError> {
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

/// Stores the folds. A post that was changed meanwhile has new ones already.
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
    fn texts_that_people_read_as_the_same_have_one_fold() {
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
            ("don’t", "don't"),
            ("п’ять", "пʼять"),
            ("“Hello”", "\"hello\""),
            ("well\u{2011}kept", "well-kept"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn different_letters_stay_different_and_a_part_of_a_letter_does_not_match() {
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
        for c in letters.filter_map(char::from_u32).filter(|c| *c != NOT_DECOMPOSED) {
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
