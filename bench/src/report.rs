//! Numbers and tables for people.

use std::{fmt, time::Duration};

/// A table in Markdown.
#[derive(Clone)]
pub(crate) struct Table {
    /// The first has the headings.
    rows: Vec<Vec<String>>,
}

/// Numbers that are measured several times, and stand in a table by their medians.
pub(crate) struct Samples {
    words: Vec<String>,
    columns: Vec<Column>,
    /// In the order in which they were first measured.
    rows: Vec<Row>,
}

struct Row {
    words: Vec<String>,
    /// The values of each column, run by run.
    values: Vec<Vec<f64>>,
}

/// A column of numbers.
#[derive(Clone)]
pub(crate) struct Column {
    heading: String,
    /// Digits behind the point.
    digits: usize,
    /// Whether the smallest and the largest value are beside the median.
    has_range: bool,
}

impl Column {
    pub(crate) fn new(heading: &str, digits: usize) -> Self {
        Self { heading: heading.to_owned(), digits, has_range: false }
    }

    /// A ratio, which is what a run is for.
    pub(crate) fn ratio(heading: &str) -> Self {
        Self { heading: heading.to_owned(), digits: 2, has_range: true }
    }

    fn cell(&self, values: &[f64]) -> String {
        let Some(median) = median(values) else { return String::new() };
        let digits = self.digits;
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if self.has_range && most > least {
            format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
        } else {
            format!("{median:.digits$}")
        }
    }
}

impl Samples {
    /// `words` are the headings of the columns that name what is measured.
    pub(crate) fn new(words: &[&str], columns: impl IntoIterator<Item = Column>) -> Self {
        let words = words.iter().map(ToString::to_string).collect();
        Self { words, columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds what was measured this time, in the order of the columns. The
    /// same words are the same row.
    pub(crate) fn add(&mut self, words: &[&str], values: impl IntoIterator<Item = Option<f64>>) {
        let place = self.rows.iter().position(|row| row.words == words).unwrap_or_else(|| {
            let words = words.iter().map(ToString::to_string).collect();
            self.rows.push(Row { words, values: vec![Vec::new(); self.columns.len()] });
            self.rows.len() - 1
        });
        for (known, value) in self.rows[place].values.iter_mut().zip(values) {
            known.extend(value);
        }
    }

    pub(crate) fn headings(&self) -> Vec<String> {
        let columns = self.columns.iter().map(|column| column.heading.clone());
        self.words.iter().cloned().chain(columns).collect()
    }

    /// The words of each row, and its numbers.
    pub(crate) fn medians(&self) -> Vec<(Vec<String>, Vec<Option<f64>>)> {
        let medians = |row: &Row| row.values.iter().map(|values| median(values)).collect();
        self.rows.iter().map(|row| (row.words.clone(), medians(row))).collect()
    }

    /// Without the columns that nothing was measured of.
    pub(crate) fn table(&self) -> Table {
        let is_there = |column: &usize| self.rows.iter().any(|row| !row.values[*column].is_empty());
        let there: Vec<usize> = (0..self.columns.len()).filter(is_there).collect();
        let headings = there.iter().map(|column| self.columns[*column].heading.clone());
        let mut table = Table::new(&self.words.iter().cloned().chain(headings).collect::<Vec<_>>());
        for row in &self.rows {
            let cells = there.iter().map(|column| self.columns[*column].cell(&row.values[*column]));
            table.row(row.words.iter().cloned().chain(cells).collect());
        }
        table
    }
}

/// The lower one of the two in the middle of an even number.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

impl Table {
    pub(crate) fn new(headings: &[impl ToString]) -> Self {
        Self { rows: vec![headings.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row with a cell for each heading.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if place == 0 {
                // Words to the left, numbers to the right.
                writeln!(f, "| --- |{}", " ---: |".repeat(row.len() - 1))?;
            }
        }
        Ok(())
    }
}

/// In milliseconds.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// In microseconds.
pub(crate) fn microseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

/// One number divided by the other.
pub(crate) fn ratio(measured: f64, reference: f64) -> String {
    format!("{:.2}", measured / reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["loop", "per second"]);
        assert!(table.is_empty());
        table.row(vec!["list".into(), "7".into()]);
        assert_eq!(table.to_string(), "| loop | per second |\n| --- | ---: |\n| list | 7 |\n");
    }

    #[test]
    fn samples_stand_by_their_medians_and_ratios_with_their_range() {
        let columns = [Column::new("per second", 0), Column::new("never", 1), Column::ratio("to bare")];
        let mut samples = Samples::new(&["loop"], columns);
        for (per_second, ratio) in [(30.0, 0.5), (10.0, 0.75), (20.0, 1.0)] {
            samples.add(&["list"], [Some(per_second), None, Some(ratio)]);
        }
        samples.add(&["post"], [Some(7.0), None, None]);
        let table = samples.table().to_string();
        assert!(table.starts_with("| loop | per second | to bare |\n"), "{table}");
        assert!(table.ends_with("| list | 20 | 0.75 (0.50 to 1.00) |\n| post | 7 |  |\n"), "{table}");
        assert_eq!(samples.medians()[0].1, [Some(20.0), None, Some(0.75)]);
    }
}
