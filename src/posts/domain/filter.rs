//! Filters: conditions on the attributes of posts. A filter is evaluated in the
//! database ([`Filter::write`]) or on a post in memory ([`Filter::matches`]), with
//! the same result.
//!
//! Texts are compared by their bytes. Times are compared as the texts that
//! programs see (RFC 3339 with milliseconds). For a missing attribute only "not
//! equal" is true, as in DynamoDB.

use std::cmp::Ordering;

use super::{PostSnapshot, fold::fold, sql::Sql};
use crate::{database::Engine, timestamp::Timestamp};

/// A condition on a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every one of them; true without any.
    All(Vec<Filter>),
    /// At least one of them; false without any.
    Any(Vec<Filter>),
    /// Its negation.
    Not(Box<Filter>),
    /// A test of one attribute.
    Where(Attribute, Test),
    /// The word is in the title or in the content, as it was typed or as its page shows it;
    /// all are compared by their [`fold`]. What a page shows is known of stored posts alone.
    Mentions(String),
    /// The word is in the title, compared as by [`Filter::Mentions`].
    Titled(String),
    /// The post is deleted.
    Deleted,
}

/// An attribute of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    Id,
    Title,
    /// Its Markdown, which alone may be null.
    Content,
    /// The username of its author.
    Owner,
    CreatedAt,
    UpdatedAt,
}

/// A test of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Whether it has a value.
    Exists,
    /// Whether it is null. A post that does not exist has no attributes, so for it
    /// neither this nor [`Test::Exists`] is true.
    Null,
    /// Whether it compares so with a text.
    Is(Comparison, String),
    BeginsWith(String),
    Contains(String),
    /// How its length in characters (Unicode scalar values) compares.
    Length(Comparison, i64),
}

/// The comparisons of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Attribute {
    pub const ALL: [Self; 6] =
        [Self::Id, Self::Title, Self::Content, Self::Owner, Self::CreatedAt, Self::UpdatedAt];

    /// The name in the schema, which page tokens seal as well.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Title => "title",
            Self::Content => "content",
            Self::Owner => "owner",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.name() == name)
    }
}

impl Comparison {
    pub const ALL: [Self; 6] = [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge];

    /// The name in the schema, which page tokens seal as well.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.name() == name)
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " <> ",
            Self::Lt => " < ",
            Self::Le => " <= ",
            Self::Gt => " > ",
            Self::Ge => " >= ",
        }
    }
}

impl Filter {
    /// True for every post.
    pub const EVERYTHING: Self = Self::All(Vec::new());
    /// True for none.
    pub const NOTHING: Self = Self::Any(Vec::new());

    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(filters) if filters.iter().all(Self::is_everything))
    }

    /// Every word of a search is in the title or in the content.
    #[must_use]
    pub fn search(words: &str) -> Self {
        Self::All(words.split_whitespace().map(|word| Self::Mentions(word.to_owned())).collect())
    }

    /// Every word of a search is in the title.
    #[must_use]
    pub fn search_titles(words: &str) -> Self {
        Self::All(words.split_whitespace().map(|word| Self::Titled(word.to_owned())).collect())
    }

    /// Whether the condition holds of a post.
    #[must_use]
    pub fn matches(&self, post: PostSnapshot<'_>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(post)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(post)),
            Self::Not(filter) => !filter.matches(post),
            Self::Deleted => post.deleted,
            Self::Mentions(word) => {
                let word = fold(word);
                let mentions = |text: &str| fold(text).contains(&word);
                mentions(post.title) || post.content.is_some_and(mentions)
            }
            Self::Titled(word) => fold(post.title).contains(&fold(word)),
            Self::Where(attribute, test) => match attribute {
                Attribute::Id => test.holds(Some(post.id.as_str())),
                Attribute::Title => test.holds(Some(post.title)),
                Attribute::Content => test.holds(post.content),
                Attribute::Owner => test.holds(Some(post.owner)),
                Attribute::CreatedAt => test.holds(Some(&post.created_at.rfc3339_millis())),
                Attribute::UpdatedAt => test.holds(Some(&post.changed_at.rfc3339_millis())),
            },
        }
    }

    /// Whether the condition is true for a post that does not exist. Such a post has
    /// no attribute, so no test for equality is true.
    #[must_use]
    pub fn holds_for_missing_post(&self) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(Self::holds_for_missing_post),
            Self::Any(filters) => filters.iter().any(Self::holds_for_missing_post),
            Self::Not(filter) => !filter.holds_for_missing_post(),
            Self::Where(_, test) => test.holds_for_null(),
            Self::Deleted | Self::Mentions(_) | Self::Titled(_) => false,
        }
    }

    /// Writes the condition in SQL, on `posts p` or `deleted_posts p` (see [`Sql`])
    /// and their owners `users u`. At the top level, or inside [`Filter::All`]
    /// there, an index can be used.
    pub fn write(&self, sql: &mut Sql) {
        match self {
            Self::All(filters) => write_list(sql, filters, " AND ", "TRUE", Self::write),
            Self::Where(Attribute::Owner, Test::Is(Comparison::Eq, username)) => {
                sql.push("p.owner_id = (SELECT id FROM users WHERE username = ")
                    .bind(username.as_str())
                    .push(")");
            }
            other => other.write_plain(sql),
        }
    }

    /// Writes the condition so that it is never NULL and may be negated.
    fn write_plain(&self, sql: &mut Sql) {
        match self {
            Self::All(filters) => write_list(sql, filters, " AND ", "TRUE", Self::write_plain),
            Self::Any(filters) => write_list(sql, filters, " OR ", "FALSE", Self::write_plain),
            Self::Not(filter) => {
                sql.push("NOT (");
                filter.write_plain(sql);
                sql.push(")");
            }
            Self::Deleted => drop(sql.push(if sql.of_deleted() { "TRUE" } else { "FALSE" })),
            Self::Mentions(word) => write_mentions(sql, word, &searched_texts(sql.engine()), true),
            Self::Titled(word) => write_mentions(sql, word, &searched_texts(sql.engine())[..1], false),
            Self::Where(attribute, test) => match attribute {
                Attribute::Id => test.write(sql, "p.id"),
                Attribute::Title => test.write(sql, text(sql.engine(), "p.title", "p.title COLLATE \"C\"")),
                Attribute::Content => {
                    test.write_nullable(sql, text(sql.engine(), "p.content", "p.content COLLATE \"C\""));
                }
                Attribute::Owner => test.write(sql, "u.username"),
                Attribute::CreatedAt => test.write_time(sql, "p.created_at"),
                Attribute::UpdatedAt => test.write_time(sql, "p.updated_at"),
            },
        }
    }
}

/// PostgreSQL compares titles and contents by a language's rules without `COLLATE "C"`.
const fn text(engine: Engine, sqlite: &'static str, postgres: &'static str) -> &'static str {
    match engine {
        Engine::Sqlite => sqlite,
        Engine::Postgres => postgres,
    }
}

/// The name of the function that finds a text in another.
const fn position(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "instr(",
        Engine::Postgres => "strpos(",
    }
}

/// Searches the stored fold of a title or a content. If none is stored, it searches
/// the lower case, which is the fold of ASCII texts; for other texts the fold is
/// not made yet ([`fold::backfill`]). Deleted posts have no stored folds.
///
/// `as_read` says whether it also searches the words that only readers see.
///
/// [`fold::backfill`]: super::fold::backfill
fn write_mentions(sql: &mut Sql, word: &str, columns: &[(&'static str, &'static str)], as_read: bool) {
    let (folded, lower) = (fold(word), word.to_ascii_lowercase());
    for (index, &(stored, text)) in columns.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { " OR " });
        if !sql.of_deleted() {
            sql.push("CASE WHEN ").push(stored).push(" IS NOT NULL THEN ");
            write_has(sql, stored, &folded);
            sql.push(" ELSE ");
        }
        sql.push("COALESCE(");
        write_has(sql, text, &folded);
        if lower != folded {
            sql.push(" OR ");
            write_has(sql, text, &lower);
        }
        sql.push(", FALSE)");
        if !sql.of_deleted() {
            sql.push(" END");
        }
    }
    if as_read && !sql.of_deleted() {
        sql.push(" OR COALESCE(");
        write_has(sql, "p.read_folded", &folded);
        sql.push(", FALSE)");
    }
    sql.push(")");
}

/// Whether a text has a word in it, which is in lower case. SQLite's LIKE ignores the case of
/// ASCII letters itself: it takes a third of the time of `instr(lower(…), …)`. For a pattern that is
/// a parameter alone, SQLite would prepare the statement anew with each value.
fn write_has(sql: &mut Sql, text: &'static str, word: &str) {
    match sql.engine() {
        Engine::Sqlite => {
            let escaped = word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
            sql.push(text).push(" LIKE '%' || ").bind(escaped).push(r" || '%' ESCAPE '\'");
        }
        Engine::Postgres => {
            sql.push("strpos(").push(text).push(", ").bind(word).push(") > 0");
        }
    }
}

/// The stored folds of title and content, and what is searched in place of a fold.
const fn searched_texts(engine: Engine) -> [(&'static str, &'static str); 2] {
    match engine {
        Engine::Sqlite => [("p.title_folded", "p.title"), ("p.content_folded", "p.content")],
        Engine::Postgres => [
            ("p.title_folded", "lower(p.title COLLATE \"C\")"),
            ("p.content_folded", "lower(p.content COLLATE \"C\")"),
        ],
    }
}

fn write_list(
    sql: &mut Sql,
    filters: &[Filter],
    between: &'static str,
    empty: &'static str,
    write: fn(&Filter, &mut Sql),
) {
    if filters.is_empty() {
        sql.push(empty);
        return;
    }
    for (index, filter) in filters.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { between });
        write(filter, sql);
    }
    sql.push(")");
}

impl Test {
    /// Whether the test is true for an attribute that may be null.
    fn holds(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Exists, value) => value.is_some(),
            (Self::Null, value) => value.is_none(),
            (test, Some(value)) => test.holds_of(value),
            (test, None) => test.holds_for_null(),
        }
    }

    /// Whether the test is true for an attribute that is null.
    const fn holds_for_null(&self) -> bool {
        matches!(self, Self::Is(Comparison::Ne, _))
    }

    fn holds_of(&self, value: &str) -> bool {
        match self {
            Self::Exists => true,
            Self::Null => false,
            Self::Is(comparison, other) => comparison.holds(value.cmp(other)),
            Self::BeginsWith(prefix) => value.starts_with(prefix),
            Self::Contains(part) => value.contains(part),
            Self::Length(comparison, length) => {
                comparison.holds(i64::try_from(value.chars().count()).unwrap_or(i64::MAX).cmp(length))
            }
        }
    }

    /// Writes the test of a text column that may be null, so that the result is never NULL.
    fn write_nullable(&self, sql: &mut Sql, column: &'static str) {
        if matches!(self, Self::Exists | Self::Null) {
            return self.write(sql, column);
        }
        sql.push("COALESCE(");
        self.write(sql, column);
        sql.push(if self.holds_for_null() { ", TRUE)" } else { ", FALSE)" });
    }

    /// Writes the test of a text column.
    fn write(&self, sql: &mut Sql, column: &'static str) {
        match self {
            Self::Exists => sql.push(column).push(" IS NOT NULL"),
            Self::Null => sql.push(column).push(" IS NULL"),
            Self::Is(comparison, other) => sql.push(column).push(comparison.sql()).bind(other.as_str()),
            Self::BeginsWith(prefix) => {
                // A range, which an index answers; the texts that begin so are neighbours.
                sql.push("(").push(column).push(" >= ").bind(prefix.as_str());
                if let Some(end) = after_all_with(prefix) {
                    sql.push(" AND ").push(column).push(" < ").bind(end);
                }
                sql.push(")")
            }
            Self::Contains(part) => {
                sql.push(position(sql.engine())).push(column).push(", ").bind(part.as_str()).push(") > 0")
            }
            Self::Length(comparison, length) => {
                sql.push("length(").push(column).push(")").push(comparison.sql()).bind(*length)
            }
        };
    }

    /// On a column of microseconds, of which programs see texts.
    fn write_time(&self, sql: &mut Sql, column: &'static str) {
        let range = |sql: &mut Sql, from: i64, to: i64| {
            sql.push("(")
                .push(column)
                .push(" >= ")
                .bind(from)
                .push(" AND ")
                .push(column)
                .push(" < ")
                .bind(to)
                .push(")");
        };
        match self {
            Self::Exists | Self::Null => self.write(sql, column),
            Self::Is(comparison, other) => {
                // The texts rise with the times, so a text splits the times in three.
                let equal = first_time(|text| text >= other.as_str());
                let greater = first_time(|text| text > other.as_str());
                match comparison {
                    Comparison::Eq => range(sql, equal, greater),
                    Comparison::Ne => {
                        sql.push("NOT ");
                        range(sql, equal, greater);
                    }
                    Comparison::Lt => drop(sql.push(column).push(" < ").bind(equal)),
                    Comparison::Le => drop(sql.push(column).push(" < ").bind(greater)),
                    Comparison::Gt => drop(sql.push(column).push(" >= ").bind(greater)),
                    Comparison::Ge => drop(sql.push(column).push(" >= ").bind(equal)),
                }
            }
            Self::BeginsWith(prefix) => {
                let first = first_time(|text| text >= prefix.as_str());
                let end = first_time(|text| text >= prefix.as_str() && !text.starts_with(prefix.as_str()));
                range(sql, first, end);
            }
            Self::Contains(part) => write_time_contains(sql, column, part),
            Self::Length(comparison, length) => {
                let holds = comparison.holds(24.cmp(length));
                sql.push(if holds { "TRUE" } else { "FALSE" });
            }
        }
    }
}

fn write_time_contains(sql: &mut Sql, column: &'static str, part: &str) {
    let (before, between, after) = match sql.engine() {
        Engine::Sqlite => (
            "instr(strftime('%Y-%m-%dT%H:%M:%S.', ",
            " / 1000000, 'unixepoch') || printf('%03dZ', ",
            " / 1000 % 1000), ",
        ),
        Engine::Postgres => (
            "strpos(to_char(to_timestamp(",
            " / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.') || lpad((",
            " / 1000 % 1000)::text, 3, '0') || 'Z', ",
        ),
    };
    sql.push(before).push(column).push(between).push(column).push(after).bind(part).push(") > 0");
}

/// The smallest text that is greater than all texts that begin with `prefix`, in
/// byte order; `None` if there is none.
fn after_all_with(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // UTF-8 orders as the scalar values do; surrogates are none.
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// The first microsecond for whose text `holds` is true. It must be true for all
/// later ones too. Between 1970 and the end of the year 9999.
fn first_time(holds: impl Fn(&str) -> bool) -> i64 {
    const END: i64 = 253_402_300_800_000_000;
    let (mut low, mut high) = (0, END);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(&Timestamp::from_micros(middle).rfc3339_millis()) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_splits_the_times_where_its_own_time_lies() {
        let time = 1_700_000_000_123_000;
        let text = Timestamp::from_micros(time).rfc3339_millis();
        assert_eq!(first_time(|other| other >= text.as_str()), time);
        assert_eq!(first_time(|other| other > text.as_str()), time + 1000);
        assert_eq!(first_time(|_| true), 0);
        assert_eq!(
            Timestamp::from_micros(first_time(|other| other >= "2026-02")).rfc3339_millis(),
            "2026-02-01T00:00:00.000Z"
        );
    }

    #[test]
    fn the_texts_with_a_prefix_end_where_the_next_prefix_begins() {
        assert_eq!(after_all_with("ab").as_deref(), Some("ac"));
        assert_eq!(after_all_with("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_all_with("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(after_all_with("\u{10FFFF}"), None);
        assert_eq!(after_all_with(""), None);
    }
}
