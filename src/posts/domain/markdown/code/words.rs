//! Languages of comments, strings, numbers and words, as most are.

use super::{class::Class, cursor::Cursor};

/// How a text begins and ends in the code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    begin: &'static str,
    end: &'static str,
    /// What makes the next character part of the text.
    escape: Option<char>,
    /// Whether it may have several lines.
    is_long: bool,
}

impl Quote {
    const fn new(begin: &'static str, end: &'static str, escape: Option<char>, is_long: bool) -> Self {
        Self { begin, end, escape, is_long }
    }

    pub(super) const DOUBLE: Self = Self::new("\"", "\"", Some('\\'), false);
    pub(super) const SINGLE: Self = Self::new("'", "'", Some('\\'), false);
    pub(super) const DOUBLE_PLAIN: Self = Self::new("\"", "\"", None, true);
    pub(super) const DOUBLE_LONG: Self = Self::new("\"", "\"", Some('\\'), true);
    pub(super) const DOUBLE_POWERSHELL: Self = Self::new("\"", "\"", Some('`'), true);
    pub(super) const SINGLE_PLAIN: Self = Self::new("'", "'", None, true);
    /// A `'` in it is written twice, which makes two texts of it side by side.
    pub(super) const SINGLE_DOUBLED: Self = Self::new("'", "'", None, true);
    pub(super) const BACKTICK: Self = Self::new("`", "`", Some('\\'), true);
    pub(super) const BACKTICK_PLAIN: Self = Self::new("`", "`", None, true);
    pub(super) const TRIPLE_DOUBLE: Self = Self::new("\"\"\"", "\"\"\"", Some('\\'), true);
    pub(super) const TRIPLE_SINGLE: Self = Self::new("'''", "'''", Some('\\'), true);
    pub(super) const RAW_RUST: Self = Self::new("r#\"", "\"#", None, true);
    pub(super) const RAW_RUST_2: Self = Self::new("r##\"", "\"##", None, true);
    pub(super) const LUA_LONG: Self = Self::new("[[", "]]", None, true);
    pub(super) const NIX_LONG: Self = Self::new("''", "''", None, true);

    pub(super) const fn begin(self) -> &'static str {
        self.begin
    }

    pub(super) const fn is_long(self) -> bool {
        self.is_long
    }

    /// The length of the text that begins here, with its quotes.
    pub(super) fn length(self, code: &Cursor<'_>) -> usize {
        let mut escaped = false;
        let inner = code.behind(self.begin.len());
        for (at, c) in inner.char_indices() {
            if !self.is_long && c == '\n' {
                return self.begin.len() + at;
            }
            if escaped {
                escaped = false;
            } else if Some(c) == self.escape {
                escaped = true;
            } else if inner[at..].starts_with(self.end) {
                return self.begin.len() + at + self.end.len();
            }
        }
        self.begin.len() + inner.len()
    }
}

/// What a language has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) keywords: &'static [&'static str],
    pub(super) values: &'static [&'static str],
    pub(super) types: &'static [&'static str],
    pub(super) line_comments: &'static [&'static str],
    pub(super) block_comments: &'static [(&'static str, &'static str)],
    pub(super) strings: &'static [Quote],
    /// Words in capitals and in small letters are the same.
    pub(super) ignores_case: bool,
    /// Keywords are written in capitals.
    pub(super) capital_keywords: bool,
    /// Types begin with a capital letter, and constants are written in capitals.
    pub(super) capitals: bool,
    /// A comment begins at the start of a line or behind a space.
    pub(super) comments_after_space: bool,
    /// `@name` says something about what follows.
    pub(super) at_attributes: bool,
    /// `@name` is a variable.
    pub(super) at_variables: bool,
    /// `$name` and `${name}` are variables.
    pub(super) dollar_variables: bool,
    /// `$` is a letter.
    pub(super) dollar_words: bool,
    /// `#[name]` says something about what follows.
    pub(super) hash_attributes: bool,
    /// Lines that begin with `#` are for the compiler.
    pub(super) hash_lines: bool,
    /// `'name` is no text.
    pub(super) lifetimes: bool,
    /// `name!` is a function.
    pub(super) macros: bool,
}

impl Words {
    pub(super) const NONE: Self = Self {
        keywords: &[],
        values: &[],
        types: &[],
        line_comments: &[],
        block_comments: &[],
        strings: &[],
        ignores_case: false,
        capital_keywords: false,
        capitals: false,
        comments_after_space: false,
        at_attributes: false,
        at_variables: false,
        dollar_variables: false,
        dollar_words: false,
        hash_attributes: false,
        hash_lines: false,
        lifetimes: false,
        macros: false,
    };

    /// A language with the comments of C.
    pub(super) const LIKE_C: Self =
        Self { line_comments: &["//"], block_comments: &[("/*", "*/")], ..Self::NONE };

    pub(super) fn read(&self, code: &mut Cursor<'_>) {
        while let Some(c) = code.next() {
            if c.is_whitespace() {
                code.take(code.length_of(char::is_whitespace), None);
            } else if !self.comment(code) && !self.sign(code, c) && !self.text(code) {
                if c.is_ascii_digit() {
                    number(code);
                } else if self.begins_word(c) {
                    self.word(code);
                } else {
                    code.skip();
                }
            }
        }
    }

    fn comment(&self, code: &mut Cursor<'_>) -> bool {
        if let Some((begin, end)) = self.block_comments.iter().find(|(begin, _)| code.is_at(begin)) {
            code.take(code.until_behind(begin.len(), end), Class::Comment);
            return true;
        }
        let is_comment = self.line_comments.iter().any(|begin| code.is_at(begin))
            && !(self.hash_attributes && code.is_at("#["))
            && (!self.comments_after_space || code.before().is_none_or(char::is_whitespace));
        if is_comment {
            code.take(code.line(), Class::Comment);
        }
        is_comment
    }

    /// What begins with a sign of its own.
    fn sign(&self, code: &mut Cursor<'_>, c: char) -> bool {
        let name = |c: char| c.is_alphanumeric() || c == '_';
        let length_behind = |code: &Cursor<'_>, from: usize| {
            let rest = code.behind(from);
            rest.find(|c| !name(c)).unwrap_or(rest.len())
        };
        match c {
            '@' if self.at_attributes || self.at_variables => {
                let length = 1 + length_behind(code, 1);
                let class = if self.at_variables { Class::Variable } else { Class::Attribute };
                code.take(length, (length > 1).then_some(class));
                true
            }
            '$' if self.dollar_variables => {
                let length = match code.behind(1).chars().next() {
                    Some('{') => 2 + length_behind(code, 2),
                    Some('(') => 1,
                    Some(c) if name(c) => 1 + length_behind(code, 1),
                    Some(c) if c.is_ascii_punctuation() && !"\"'`$;)".contains(c) => 2,
                    _ => 1,
                };
                let is_closed = code.is_at("${") && code.behind(length).starts_with('}');
                code.take(length + usize::from(is_closed), (length > 1).then_some(Class::Variable));
                true
            }
            '#' if self.hash_attributes && (code.is_at("#[") || code.is_at("#![")) => {
                let line = &code.rest()[..code.line()];
                let length = line.find(']').map_or(line.len(), |end| end + 1);
                code.take(length, Class::Attribute);
                true
            }
            '#' if self.hash_lines && code.begins_line() => {
                let spaces = code.behind(1);
                let spaces = spaces.len() - spaces.trim_start_matches([' ', '\t']).len();
                code.take(1 + spaces + length_behind(code, 1 + spaces), Class::Attribute);
                true
            }
            '\'' if self.lifetimes => {
                let mut rest = code.behind(1).chars();
                let length = match (rest.next(), rest.next()) {
                    (Some('\\'), _) => Quote::SINGLE.length(code),
                    (Some(c), Some('\'')) => 2 + c.len_utf8(),
                    _ => {
                        let length = 1 + length_behind(code, 1);
                        code.take(length, (length > 1).then_some(Class::Variable));
                        return true;
                    }
                };
                code.take(length, Class::Text);
                true
            }
            _ => false,
        }
    }

    fn text(&self, code: &mut Cursor<'_>) -> bool {
        let Some(quote) = self.strings.iter().find(|quote| code.is_at(quote.begin)) else { return false };
        code.take(quote.length(code), Class::Text);
        true
    }

    fn begins_word(&self, c: char) -> bool {
        c.is_alphabetic() || c == '_' || (self.dollar_words && c == '$')
    }

    fn word(&self, code: &mut Cursor<'_>) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || (self.dollar_words && c == '$');
        let mut length = code.length_of(is_part);
        let word = &code.rest()[..length];
        let follows = code.behind(length);
        let class = self.known(word).or_else(|| {
            if self.macros && follows.starts_with('!') && !follows.starts_with("!=") {
                length += 1;
                return Some(Class::Function);
            }
            if follows.starts_with('(') {
                let is_type = self.capitals && word.starts_with(char::is_uppercase);
                return Some(if is_type { Class::Type } else { Class::Function });
            }
            (self.capitals && word.starts_with(char::is_uppercase)).then(|| {
                let is_constant = word.len() > 1 && !word.contains(char::is_lowercase);
                if is_constant { Class::Number } else { Class::Type }
            })
        });
        code.take(length, class);
    }

    /// The class of a word of the language itself.
    fn known(&self, word: &str) -> Option<Class> {
        /// No language has a longer one.
        const LONGEST: usize = 24;
        if word.len() > LONGEST || (self.capital_keywords && word.contains(char::is_lowercase)) {
            return None;
        }
        let lower = self.ignores_case.then(|| word.to_ascii_lowercase());
        let word = lower.as_deref().unwrap_or(word);
        let lists =
            [(self.keywords, Class::Keyword), (self.values, Class::Number), (self.types, Class::Type)];
        lists.into_iter().find(|(list, _)| list.binary_search(&word).is_ok()).map(|(_, class)| class)
    }
}

/// Reads a number with its unit, in any base.
pub(super) fn number(code: &mut Cursor<'_>) {
    let mut before = '0';
    let rest = code.rest();
    let is_in_tens = !rest.starts_with("0x") && !rest.starts_with("0X");
    let mut length = rest.len();
    for (at, c) in rest.char_indices() {
        let is_part = match c {
            '.' => rest[at + 1..].starts_with(|c: char| c.is_ascii_digit()),
            '+' | '-' => {
                is_in_tens
                    && matches!(before, 'e' | 'E')
                    && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit())
            }
            c => c.is_alphanumeric() || c == '_',
        };
        if !is_part {
            length = at;
            break;
        }
        before = c;
    }
    code.take(length, Class::Number);
}
