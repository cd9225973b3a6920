//! Numbers as people read them.

use std::{fmt, time::Duration};

/// A table in Markdown.
pub(crate) struct Table {
    /// The first has the headings.
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
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

/// In megabytes, a million bytes each.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
}

/// As a whole number of hundredths.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

/// How many of the one make the other.
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
}
