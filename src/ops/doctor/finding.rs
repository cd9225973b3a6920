//! One line of a report.

use std::fmt;

/// How one thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which thing, in a word.
    pub about: &'static str,
    pub verdict: Verdict,
    /// What was found, and what to do if that is wrong: one sentence.
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// The site works, but not as well as it could.
    Warning,
    /// Something does not work.
    Problem,
}

impl Finding {
    pub fn fine(about: &'static str, sentence: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Fine, sentence: sentence.into() }
    }

    pub fn warning(about: &'static str, sentence: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Warning, sentence: sentence.into() }
    }

    pub fn problem(about: &'static str, sentence: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Problem, sentence: sentence.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
        };
        // What others said may have several lines.
        let sentence = self.sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "{verdict:<8} {:<12} {sentence}", self.about)
    }
}
