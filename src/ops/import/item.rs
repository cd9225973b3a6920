//! A post as an export has it, before its rules are checked.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::{
    clock,
    credentials::UserId,
    error::{AppError, FieldErrors},
    posts::{
        Language, PostId, Tag, Tags,
        domain::{
            Filing, PostText, front_matter,
            importing::{Incoming, Status},
            parse_tags,
            redirects::OldPath,
            slugs,
        },
    },
    timestamp::Timestamp,
};

/// A post of an export.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    /// How the report names it.
    pub(super) source: String,
    /// What stays the same in every export of the same site; with the author it gives the id.
    pub(super) key: String,
    /// The id that it has in Byline, from an export of Byline's own.
    pub(super) id: Option<PostId>,
    pub(super) title: String,
    /// Markdown.
    pub(super) content: String,
    /// Whether it has no content at all, which for programs is not an empty one.
    pub(super) is_without_content: bool,
    /// The last part of its address, as it was there.
    pub(super) slug: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) date: Option<Timestamp>,
    pub(super) is_draft: bool,
    /// Why it becomes a draft although it was none there.
    pub(super) why_draft: Option<&'static str>,
    pub(super) language: Option<Language>,
    /// Where it was read; whatever is no path is left out.
    pub(super) old_paths: Vec<String>,
    /// The folder from which its pictures are named, within the export.
    pub(super) folder: PathBuf,
}

/// The key of a post of a program: the first of these names that it has, each of which no
/// other post there should have, or else its title with its date.
pub(super) fn key(program: &str, names: &[&str], title: &str, date: &str) -> String {
    match names.iter().find(|name| !name.is_empty()) {
        Some(name) => format!("{program} {name}"),
        None => format!("{program} {title} {date}"),
    }
}

/// The date of an export, if it has one. A draft has no use for it.
///
/// # Errors
/// If it cannot be read: the post would get the day of the import, and nobody would notice.
pub(super) fn date(source: &str, raw: &str, is_draft: bool) -> Result<Option<Timestamp>, Left> {
    let date = front_matter::date(raw);
    if date.is_none() && !is_draft && !raw.trim().is_empty() {
        return Err(Left::lost(source, format!("its date cannot be read: {raw}")));
    }
    Ok(date)
}

/// Why something of an export does not become a post.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) source: String,
    /// A part of a sentence, after "because".
    pub(super) why: String,
    /// Whether it should have become one.
    pub(super) is_lost: bool,
}

impl Left {
    /// Something that should have become a post.
    pub(super) fn lost(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self { source: source.into(), why: why.into(), is_lost: true }
    }

    /// Something that is no post.
    pub(super) fn no_post(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self { source: source.into(), why: why.into(), is_lost: false }
    }
}

/// Each post of an export, or why there is none.
pub(super) type Items = Box<dyn Iterator<Item = Result<Item, Left>> + Send>;

/// Letters of a title that is made from the beginning of a text, at most.
const TITLE_FROM_TEXT: usize = 60;

impl Item {
    /// The post, with its rules checked, and the tags that it cannot have here.
    ///
    /// # Errors
    /// Every broken rule.
    pub(super) fn checked(&self, owner: &UserId) -> Result<(Incoming, Vec<String>), AppError> {
        let mut errors = FieldErrors::default();
        let text = errors.take_all(PostText::parse(&self.shown_title(), &self.content));
        let Some(mut text) = text else { return Err(errors.into_error()) };
        if self.is_without_content {
            text.content = None;
        }
        let (tags, left) = tags(&self.tags);
        let slug = self.slug.as_deref().and_then(slugs::from_text);
        let status = match self.date {
            _ if self.is_draft => Status::Draft,
            Some(date) if date > clock::now() => Status::Scheduled(date),
            date => Status::Published(date),
        };
        let incoming = Incoming {
            id: self.post_id(owner),
            text,
            filing: Filing { slug, tags, language: self.language },
            status,
            old_paths: self.old_paths.iter().filter_map(|path| OldPath::parse(path)).collect(),
        };
        Ok((incoming, left))
    }

    /// The title, or what a reader would take for one.
    fn shown_title(&self) -> String {
        if !self.title.trim().is_empty() {
            // Some systems keep line ends in titles.
            return self.title.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        let line = self.content.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let words = line.trim_start_matches(['#', '>', '*', '-', ' ']);
        let short: String = words.chars().take(TITLE_FROM_TEXT).collect();
        if short.is_empty() { "Untitled".to_owned() } else { short }
    }

    /// The id that it has here.
    pub(super) fn post_id(&self, owner: &UserId) -> PostId {
        self.id.clone().unwrap_or_else(|| self.derived_id(owner))
    }

    /// An id that the same post gets at each import: a UUID of version 8 (RFC 9562, 5.8).
    fn derived_id(&self, owner: &UserId) -> PostId {
        let mut hash = Sha256::new();
        for part in ["byline import", owner.as_str(), &self.key] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        let id = uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string();
        PostId::parse(&id).unwrap_or_else(|| unreachable!("a UUID is an id"))
    }
}

/// Tags as posts here have them, and those that cannot be written so.
fn tags(raw: &[String]) -> (Tags, Vec<String>) {
    let (mut taken, mut left) = (Vec::<Tag>::new(), Vec::new());
    for raw in raw {
        let tags: Vec<Tag> = match parse_tags(raw) {
            Ok(tags) => tags.into(),
            Err(_) => slugs::from_text(raw)
                .and_then(|slug| Tag::try_from(slug.to_string()).ok())
                .into_iter()
                .collect(),
        };
        if tags.is_empty() && !raw.trim().is_empty() {
            left.push(raw.clone());
        }
        for tag in tags {
            if taken.contains(&tag) {
                continue;
            }
            if taken.len() < Tags::MAX {
                taken.push(tag);
            } else {
                left.push(tag.to_string());
            }
        }
    }
    (taken.into_iter().collect(), left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_as_far_as_they_can_be_written() {
        let raw = ["C++", "web/html", "???", "C++", "Two words"].map(ToOwned::to_owned);
        let (taken, left) = tags(&raw);
        assert_eq!(taken.stored(), "c++,web-html,two-words");
        assert_eq!(left, ["???"]);
        let many: Vec<String> = (0..12).map(|number| format!("tag{number}")).collect();
        assert_eq!(tags(&many).1, ["tag10", "tag11"]);
    }

    #[test]
    fn a_post_gets_the_same_id_each_time_and_another_one_for_another_author() {
        let item = Item { key: "a.md".to_owned(), ..Item::default() };
        let [ada, bob] = ["ada", "bob"].map(|id| UserId::from_stored(id.to_owned()));
        assert_eq!(item.derived_id(&ada), item.derived_id(&ada));
        assert_ne!(item.derived_id(&ada), item.derived_id(&bob));
        assert_ne!(item.derived_id(&ada), Item { key: "b.md".to_owned(), ..item.clone() }.derived_id(&ada));
        assert_eq!(item.derived_id(&ada).as_str().as_bytes()[14], b'8');
    }

    #[test]
    fn a_post_without_a_title_is_called_by_its_first_line() {
        let title = |content: &str| Item { content: content.to_owned(), ..Item::default() }.shown_title();
        assert_eq!(title("\n## A walk\n\nText"), "A walk");
        assert_eq!(title(""), "Untitled");
        assert_eq!(title(&"é".repeat(90)).chars().count(), TITLE_FROM_TEXT);
    }
}
