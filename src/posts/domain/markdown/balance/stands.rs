//! Writes what stands at marks: formulas, code, and footnotes with the links to and from them.

use std::fmt::Write;

use super::Balance;
use crate::posts::domain::markdown::{
    audience::Audience,
    footnotes::{NOTE_BACK, NOTE_REFERENCE},
    marks::{self, Stand},
    sections::{note_id, reference_id},
};

impl Balance<'_> {
    /// Writes what stands at a mark.
    pub(super) fn stand(&mut self, stand: Stand) {
        let written = self.written;
        match stand {
            Stand::Formula(number) => {
                let Some(formula) = written.formulas.get(number) else { return };
                if self.code == 0 && formula.mathml.is_some() {
                    marks::stand(stand).chars().for_each(|c| self.put(c));
                    return;
                }
                formula.typed.chars().for_each(|c| self.character(c));
                if self.code == 0 && self.audience == Audience::Author {
                    self.remark(" (This formula is shown as it was typed, because it is not understood.)");
                }
            }
            Stand::Code(number) => {
                let Some(code) = written.code.get(number) else { return };
                // The name of a heading has words alone.
                if self.code > 0 && self.section.is_none() && code.html.is_some() {
                    marks::stand(stand).chars().for_each(|c| self.put(c));
                } else {
                    code.typed.chars().for_each(|c| self.character(c));
                }
            }
            Stand::Reference(number) => {
                let Some(reference) = written.footnotes.references.get(number) else { return };
                if self.code > 0 {
                    reference.typed.chars().for_each(|c| self.character(c));
                    return;
                }
                let number = reference.number;
                let _ = write!(self.out, "<sup class=\"{NOTE_REFERENCE}\">");
                if reference.linked && self.links == 0 {
                    let (id, note) = (reference_id(number, reference.nth), note_id(number));
                    let _ = write!(
                        self.out,
                        "<a id=\"{id}\" href=\"#{note}\" aria-label=\"Footnote {0}\">{0}</a>",
                        number + 1
                    );
                } else {
                    let _ = write!(self.out, "{}", number + 1);
                }
                self.out.push_str("</sup>");
            }
            Stand::Note(number) => {
                let item = self.open.last().filter(|open| open.name == "li");
                if let Some(at) = item.map(|item| item.at).filter(|at| at + 1 == self.out.len()) {
                    self.out.insert_str(at, &format!(" id=\"{}\"", note_id(number)));
                }
            }
            Stand::NoteEnd(number) => {
                let linked = written.footnotes.linked.get(number).copied().unwrap_or_default();
                for nth in 1..=linked {
                    let id = reference_id(number, nth);
                    let _ = write!(
                        self.out,
                        " <a class=\"{NOTE_BACK}\" href=\"#{id}\" aria-label=\"Back to the text\">↩\u{FE0E}</a>"
                    );
                }
            }
            Stand::TextEnd => {
                self.close_to(0);
                self.dropped.clear();
            }
        }
    }
}
