//! Narrows a filter by the index of grams ([`super::search_index`]): which posts may match.
//! The filter itself still decides, so the index changes no result.

use std::collections::{HashMap, HashSet};

use super::{
    filter::{Attribute, Comparison, Filter, Test},
    fold::fold,
    grams::{self, Place},
    joints,
    sql::Sql,
};
use crate::{database::Engine, posts::Cursor};

/// Grams of a whole filter at most. A larger filter is not narrowed.
const MOST_GRAMS: usize = 128;

/// Grams that a search asks for where it can choose.
const ASKED_FOR: usize = 6;

/// Grams among which a search chooses.
const MOST_CHOICES: usize = 24;

/// Characters of an attribute's text that are looked up.
const LOOKED_UP: usize = 64;

/// What the grams of a matching post have to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// It has all of these; never empty.
    Grams(Vec<u32>),
    /// Every one of these is so; never empty.
    All(Vec<Narrowing>),
    /// At least one of these is so; never empty.
    Any(Vec<Narrowing>),
}

/// A gram that a search may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which of the words that a post has to have.
    word: usize,
    pub gram: u32,
}

impl Filter {
    /// What every matching post is like; `None` if that may be any.
    #[must_use]
    pub fn narrowing(&self) -> Option<Narrowing> {
        self.widest_narrowing().filter(|narrowing| narrowing.size() <= MOST_GRAMS)
    }

    fn widest_narrowing(&self) -> Option<Narrowing> {
        match self {
            Self::All(filters) => {
                let mut parts: Vec<_> = filters.iter().filter_map(Self::widest_narrowing).collect();
                // Fewer conditions find more.
                while parts.len() > 1 && parts.iter().map(Narrowing::size).sum::<usize>() > MOST_GRAMS {
                    parts.pop();
                }
                if parts.len() > 1 { Some(Narrowing::All(parts)) } else { parts.pop() }
            }
            Self::Any(filters) if !filters.is_empty() => {
                filters.iter().map(Self::widest_narrowing).collect::<Option<_>>().map(Narrowing::Any)
            }
            Self::Mentions(word) => of_fold(&fold(word), Place::Anywhere),
            Self::Titled(word) => of_fold(&fold(word), Place::Title),
            Self::Where(attribute, test) => of_test(*attribute, test),
            Self::Any(_) | Self::Not(_) | Self::Deleted => None,
        }
    }
}

fn of_fold(folded: &str, place: Place) -> Option<Narrowing> {
    let grams = grams::of_word(folded, place);
    (!grams.is_empty()).then_some(Narrowing::Grams(grams))
}

/// These tests compare bytes; the index has folds, of which only a part is certain.
fn of_test(attribute: Attribute, test: &Test) -> Option<Narrowing> {
    let place = match attribute {
        Attribute::Title => Place::Title,
        Attribute::Content => Place::Anywhere,
        Attribute::Id | Attribute::Owner | Attribute::CreatedAt | Attribute::UpdatedAt => return None,
    };
    let (Test::Contains(text) | Test::BeginsWith(text) | Test::Is(Comparison::Eq, text)) = test else {
        return None;
    };
    let end = text.char_indices().nth(LOOKED_UP).map_or(text.len(), |(end, _)| end);
    of_fold(&fold(joints::kept_part(&text[..end])), place)
}

impl Narrowing {
    fn size(&self) -> usize {
        match self {
            Self::Grams(grams) => grams.len(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::size).sum(),
        }
    }

    /// Grams of which a matching post has all, if there are so many that [`Self::keep_rarest`]
    /// would leave some out. Every word has its share.
    #[must_use]
    pub fn choices(&self) -> Option<Vec<Choice>> {
        let mut words = Vec::new();
        self.needed(&mut words);
        let longest = words.iter().map(|grams| grams.len()).max().unwrap_or_default();
        let (mut seen, mut choices) = (HashSet::new(), Vec::new());
        for place in 0..longest {
            for (word, grams) in words.iter().enumerate() {
                if let Some(&gram) = grams.get(place)
                    && choices.len() < MOST_CHOICES
                    && seen.insert(gram)
                {
                    choices.push(Choice { word, gram });
                }
            }
        }
        (choices.len() > ASKED_FOR).then_some(choices)
    }

    fn needed<'a>(&'a self, words: &mut Vec<&'a [u32]>) {
        match self {
            Self::Grams(grams) => words.push(grams),
            Self::All(parts) => parts.iter().for_each(|part| part.needed(words)),
            Self::Any(_) => {}
        }
    }

    /// Only the rarest of [`Self::choices`], given with the rarest first. To read where a
    /// gram is takes the longer the more posts have it; a common one excludes few posts.
    ///
    /// Every word has its rarest gram before any word has a second one: a post with one gram
    /// of a rare word mostly has the others too, and they say nothing of the other words.
    #[must_use]
    pub fn keep_rarest(choices: Vec<Choice>) -> Self {
        let mut of_word = HashMap::<usize, usize>::new();
        let mut turns: Vec<_> = choices
            .into_iter()
            .map(|Choice { word, gram }| {
                let turn = of_word.entry(word).or_default();
                *turn += 1;
                (*turn, gram)
            })
            .collect();
        turns.sort_by_key(|(turn, _)| *turn);
        Self::Grams(turns.into_iter().take(ASKED_FOR).map(|(_, gram)| gram).collect())
    }

    /// Writes a query that gives the ids and times of the posts that may match, newest
    /// first, from a place on. Posts that are not indexed yet may match.
    pub fn write(&self, sql: &mut Sql, after: Option<&Cursor>) {
        let is_marked = match sql.engine() {
            Engine::Sqlite => {
                sql.push(
                    "SELECT s.post_id AS post_id, s.created_at AS created_at
                     FROM post_grams CROSS JOIN searched_posts s ON s.number = post_grams.rowid
                     WHERE post_grams MATCH ",
                )
                .bind(self.expression());
                "s.indexed = 0"
            }
            Engine::Postgres => {
                sql.push("SELECT s.post_id, s.created_at FROM searched_posts s WHERE ");
                self.write_condition(sql);
                "s.grams IS NULL"
            }
        };
        write_place(sql, after);
        write_marked(sql, is_marked, after);
    }

    /// In the language of FTS5. Each gram is a word of eight digits.
    pub(super) fn expression(&self) -> String {
        let list = |parts: &[Self], between: &str| {
            let parts: Vec<_> = parts.iter().map(Self::expression).collect();
            format!("({})", parts.join(between))
        };
        match self {
            Self::Grams(grams) => {
                let grams: Vec<_> = grams.iter().map(|gram| format!("{gram:08x}")).collect();
                format!("({})", grams.join(" AND "))
            }
            Self::All(parts) => list(parts, " AND "),
            Self::Any(parts) => list(parts, " OR "),
        }
    }

    fn write_condition(&self, sql: &mut Sql) {
        let (parts, between) = match self {
            Self::Grams(grams) => {
                let grams: Vec<_> = grams.iter().map(|gram| gram.cast_signed().to_string()).collect();
                let array = format!("{{{}}}", grams.join(","));
                sql.push("indexed_grams(s.grams) @> CAST(").bind(array).push(" AS INTEGER[])");
                return;
            }
            Self::All(parts) => (parts, " AND "),
            Self::Any(parts) => (parts, " OR "),
        };
        for (index, part) in parts.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { between });
            part.write_condition(sql);
        }
        sql.push(")");
    }
}

/// Writes the query of [`Narrowing::write`] where the index has named the posts already, by their
/// numbers in `searched_posts` of SQLite.
pub fn write_numbered(sql: &mut Sql, numbers: &[i64], after: Option<&Cursor>) {
    let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
    sql.push("SELECT s.post_id AS post_id, s.created_at AS created_at FROM json_each(")
        .bind(format!("[{}]", numbers.join(",")))
        // What was changed meanwhile is marked.
        .push(") named CROSS JOIN searched_posts s ON s.number = named.value WHERE s.indexed = 1");
    write_place(sql, after);
    write_marked(sql, "s.indexed = 0", after);
}

/// The posts that are not indexed yet, and the order of all.
fn write_marked(sql: &mut Sql, is_marked: &'static str, after: Option<&Cursor>) {
    sql.push(" UNION ALL SELECT s.post_id, s.created_at FROM searched_posts s WHERE ").push(is_marked);
    write_place(sql, after);
    sql.push(" ORDER BY created_at DESC, post_id DESC");
}

fn write_place(sql: &mut Sql, after: Option<&Cursor>) {
    if let Some(cursor) = after {
        sql.push(" AND (s.created_at, s.post_id) < (")
            .bind(cursor.created_at.micros())
            .push(", ")
            .bind(cursor.id.as_str())
            .push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(attribute: Attribute, part: &str) -> Filter {
        Filter::Where(attribute, Test::Contains(part.to_owned()))
    }

    #[test]
    fn what_may_match_is_narrowed_only_where_every_match_has_the_grams() {
        let word = Filter::Mentions("word".to_owned());
        let grams = word.narrowing().expect("grams");
        assert_eq!(Filter::All(vec![Filter::Deleted, word.clone()]).narrowing(), Some(grams.clone()));
        assert_eq!(
            Filter::Any(vec![word.clone(), word.clone()]).narrowing(),
            Some(Narrowing::Any(vec![grams.clone(), grams]))
        );
        for any in [
            Filter::EVERYTHING,
            Filter::NOTHING,
            Filter::Not(Box::new(word.clone())),
            Filter::Any(vec![word, Filter::Deleted]),
            Filter::Mentions("+".to_owned()),
            contains(Attribute::Owner, "word"),
            contains(Attribute::Title, ""),
            Filter::Where(Attribute::Title, Test::Is(Comparison::Ne, "word".to_owned())),
        ] {
            assert_eq!(any.narrowing(), None, "{any:?}");
        }
    }

    #[test]
    fn a_search_asks_for_the_rarest_grams_of_every_word() {
        let words = |text: &str| Filter::search(text).narrowing().expect("grams");
        assert_eq!(words("abc abcd").choices(), None, "all of a few are asked for");
        let mut choices = words("deserialize nested struct").choices().expect("many grams");
        assert_eq!(choices.iter().filter(|choice| choice.word == 0).count(), 9);
        // As if every gram of the first word were rarer than all others.
        choices.sort_by_key(|choice| choice.word);
        let kept = Narrowing::keep_rarest(choices.clone());
        let of = |word: usize| choices.iter().filter(move |choice| choice.word == word);
        let expected: Vec<_> = (0..ASKED_FOR / 3)
            .flat_map(|turn| (0..3).filter_map(move |word| of(word).nth(turn)))
            .map(|choice| choice.gram)
            .collect();
        assert_eq!(kept, Narrowing::Grams(expected));
        let long: Vec<_> = (0..60).map(|number| format!("{number}{number}{number}")).collect();
        assert_eq!(words(&long.join(" ")).choices().expect("many").len(), MOST_CHOICES);
    }

    #[test]
    fn a_large_filter_looks_up_a_part_of_its_words() {
        let words: Vec<_> =
            (0..1000).map(|number| Filter::Mentions(format!("{number}{:0>20}", "x"))).collect();
        let narrowing = Filter::All(words.clone()).narrowing().expect("grams");
        assert!(narrowing.size() <= MOST_GRAMS);
        assert_eq!(Filter::Any(words).narrowing(), None);
    }
}
