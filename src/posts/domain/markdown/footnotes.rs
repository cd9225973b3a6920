//! Footnotes: numbered in the order in which the text refers to them, and written
//! behind it.

use std::{collections::HashMap, ops::Range};

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::marks::{Stand, stand};

/// The most references of a post that are links. Each costs much more HTML than it
/// has letters, so the numbers of further ones are text.
const MAX_LINKED: usize = 512;

/// The class of all footnotes together.
pub(super) const FOOTNOTES: &str = "footnotes";

/// The class of the number that refers to a footnote.
pub(super) const NOTE_REFERENCE: &str = "note-reference";

/// The class of the link from a footnote back to the text.
pub(super) const NOTE_BACK: &str = "note-back";

/// An event of the parser, and its place in the source.
type Located<'a> = (Event<'a>, Range<usize>);

/// A place of the text that names a footnote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The number of its note, from 0; readers see one more.
    pub(super) number: usize,
    /// Which of the note's references it is, from 1.
    pub(super) nth: usize,
    /// Whether it leads to the note, and the note back to it.
    pub(super) linked: bool,
    /// As it was typed, for code.
    pub(super) typed: String,
}

/// The references of a text in its order, and how many of them lead to each footnote.
#[derive(Debug, Default)]
pub(super) struct Footnotes {
    pub(super) references: Vec<Reference>,
    pub(super) linked: Vec<usize>,
}

/// A footnote as it was written somewhere in the text.
#[derive(Debug, Default)]
struct Note<'a> {
    events: Vec<Located<'a>>,
    number: Option<usize>,
}

/// Moves the footnotes behind the text and puts marks in place of their references. A
/// note that nothing refers to comes last, so that no word is lost.
pub(super) fn moved_behind<'a>(events: Vec<Located<'a>>, source: &str) -> (Vec<Located<'a>>, Footnotes) {
    if !events.iter().any(|(event, _)| matches!(event, Event::Start(Tag::FootnoteDefinition(_)))) {
        return (events, Footnotes::default());
    }
    let (text, mut notes) = Notes::taken_out(events);
    let mut all = notes.with_marks(text, source);
    let html = |html: String| (Event::Html(CowStr::from(html)), 0..0);
    all.push(html(format!("{}<footer class=\"{FOOTNOTES}\"><ol>\n", stand(Stand::TextEnd))));
    let mut number = 0;
    while let Some(events) = notes.next(number) {
        let mut written = notes.with_marks(events, source);
        let end = (Event::Text(stand(Stand::NoteEnd(number)).into()), 0..0);
        match written.last() {
            Some((Event::End(TagEnd::Paragraph), _)) => written.insert(written.len() - 1, end),
            _ => written.push(end),
        }
        all.push(html(format!("<li>{}", stand(Stand::Note(number)))));
        all.extend(written);
        all.push(html("</li>\n".to_owned()));
        number += 1;
    }
    all.push(html("</ol></footer>\n".to_owned()));
    (all, notes.footnotes)
}

/// The footnotes of a text.
#[derive(Debug, Default)]
struct Notes<'a> {
    /// In the order in which they were written.
    notes: Vec<Note<'a>>,
    /// The first note of each label. Labels differ by more than case.
    by_label: HashMap<String, usize>,
    /// The notes by their number, as places in `notes`.
    numbered: Vec<usize>,
    /// Up to where `notes` was searched for those that have no number.
    searched: usize,
    footnotes: Footnotes,
}

impl<'a> Notes<'a> {
    /// The text without its footnotes, and the footnotes.
    fn taken_out(events: Vec<Located<'a>>) -> (Vec<Located<'a>>, Self) {
        let mut text = Vec::with_capacity(events.len());
        let mut all = Self::default();
        // The notes that are open, the innermost last.
        let mut open: Vec<usize> = Vec::new();
        for (event, range) in events {
            match event {
                Event::Start(Tag::FootnoteDefinition(label)) => {
                    open.push(all.notes.len());
                    all.by_label.entry(label.to_lowercase()).or_insert(all.notes.len());
                    all.notes.push(Note::default());
                }
                Event::End(TagEnd::FootnoteDefinition) => {
                    open.pop();
                }
                other => match open.last() {
                    Some(note) => all.notes[*note].events.push((other, range)),
                    None => text.push((other, range)),
                },
            }
        }
        (text, all)
    }

    /// Puts marks in place of references, and numbers the notes that are new.
    fn with_marks(&mut self, events: Vec<Located<'a>>, source: &str) -> Vec<Located<'a>> {
        let mut written = Vec::with_capacity(events.len());
        for (event, range) in events {
            let Event::FootnoteReference(label) = event else {
                written.push((event, range));
                continue;
            };
            let typed = source.get(range.clone()).unwrap_or_default().to_owned();
            let Some(note) = self.by_label.get(&label.to_lowercase()).copied() else {
                written.push((Event::Text(typed.into()), range));
                continue;
            };
            let number = self.number(note);
            let linked = self.footnotes.references.len() < MAX_LINKED;
            let back = &mut self.footnotes.linked[number];
            *back += usize::from(linked);
            let reference = Reference { number, nth: *back, linked, typed };
            let mark = stand(Stand::Reference(self.footnotes.references.len()));
            self.footnotes.references.push(reference);
            written.push((Event::Text(mark.into()), range));
        }
        written
    }

    /// The number of a note, from 0.
    fn number(&mut self, note: usize) -> usize {
        *self.notes[note].number.get_or_insert_with(|| {
            self.numbered.push(note);
            self.footnotes.linked.push(0);
            self.numbered.len() - 1
        })
    }

    /// The events of the note with that number. After the notes that have one, and
    /// those that they refer to, come the others.
    fn next(&mut self, number: usize) -> Option<Vec<Located<'a>>> {
        while number >= self.numbered.len() {
            if self.searched == self.notes.len() {
                return None;
            }
            self.number(self.searched);
            self.searched += 1;
        }
        Some(std::mem::take(&mut self.notes[self.numbered[number]].events))
    }
}
