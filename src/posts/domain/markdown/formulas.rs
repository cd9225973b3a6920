//! Formulas in TeX's notation become MathML, which browsers show without a script.
//!
//! The sanitizer does not see them, because MathML and HTML inside each other are how
//! sanitizers have been deceived. They are safe by how they are made: [`only_known`]
//! writes them anew, of a short list of elements and attributes, with no HTML in
//! between. What it does not know, and whatever TeX programs, is shown as it was typed.

use std::{fmt::Write, thread};

use pulldown_latex::{Parser, RenderConfig, Storage, config::DisplayMode, push_mathml};

use super::marks::{Stand, stand};

/// The element of a formula, and its attribute with the formula as it was typed, for
/// what cannot show it.
pub(super) const MATH: &str = "math";
pub(super) const TYPED: &str = "alttext";

/// The longest formula, and the most of all formulas of a post together, in bytes:
/// the parser needs time for depth times length.
const LONGEST: usize = 2_000;
const MOST: usize = 20_000;

/// How deep the groups of a formula are nested at most.
const DEEPEST: usize = 24;

/// The parser calls itself for an argument without braces (`\sqrt\sqrt…`), so at most
/// as often as the longest formula has commands. This is several times what that takes.
const STACK: usize = 16 * 1024 * 1024;

/// What defines commands. Whoever may do so can make much of little.
const DEFINES: [&str; 10] = [
    "\\def",
    "\\gdef",
    "\\edef",
    "\\xdef",
    "\\let",
    "\\futurelet",
    "\\newcommand",
    "\\renewcommand",
    "\\providecommand",
    "\\global",
];

/// The elements of MathML that a formula may have.
#[rustfmt::skip]
const ELEMENTS: [&str; 24] = [
    "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mroot",
    "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover",
];

/// The attributes that they may have. `style` is none of them.
#[rustfmt::skip]
const ATTRIBUTES: [&str; 20] = [
    "accent", "accentunder", "class", "columnspan", "depth", "display", "displaystyle", "fence", "height",
    "largeop", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "rspace",
    "scriptlevel", "stretchy", "width",
];

/// A formula of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Formula {
    /// In TeX's notation.
    pub(super) tex: String,
    /// As it was typed, with its dollars.
    pub(super) typed: String,
    /// Safe; `None` if it is shown as it was typed.
    pub(super) mathml: Option<String>,
    display: bool,
}

/// The formulas of a text, in its order.
#[derive(Debug, Default)]
pub(super) struct Formulas {
    all: Vec<Formula>,
    bytes: usize,
}

impl Formulas {
    /// What stands in the text for a formula: its mark, or the text as it was typed.
    pub(super) fn mark(&mut self, tex: &str, typed: &str, display: bool) -> String {
        if tex.len() > LONGEST || self.bytes + typed.len() > MOST {
            return typed.to_owned();
        }
        self.bytes += typed.len();
        let formula = Formula { tex: tex.to_owned(), typed: typed.to_owned(), mathml: None, display };
        self.all.push(formula);
        stand(Stand::Formula(self.all.len() - 1))
    }

    /// The formulas with their MathML.
    pub(super) fn written(mut self) -> Vec<Formula> {
        if self.all.is_empty() {
            return self.all;
        }
        // On a thread whose stack is large enough for the deepest formula. What goes
        // wrong there leaves the formulas as they were typed.
        let write =
            || self.all.iter().map(|formula| mathml(&formula.tex, formula.display)).collect::<Vec<_>>();
        let written = thread::scope(|scope| {
            let thread = thread::Builder::new().name("formulas".to_owned()).stack_size(STACK);
            thread.spawn_scoped(scope, write).ok()?.join().ok()
        });
        for (formula, mathml) in self.all.iter_mut().zip(written.unwrap_or_default()) {
            formula.mathml = mathml;
        }
        self.all
    }
}

/// The MathML of a formula, if it is understood and not much longer.
fn mathml(tex: &str, display: bool) -> Option<String> {
    if is_deep(tex) || DEFINES.iter().any(|command| tex.contains(command)) {
        return None;
    }
    let storage = Storage::new();
    let events: Vec<_> = Parser::new(tex, &storage).collect::<Result<_, _>>().ok()?;
    let display_mode = if display { DisplayMode::Block } else { DisplayMode::Inline };
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut raw = String::new();
    let events = events.into_iter().map(Ok::<_, std::fmt::Error>);
    push_mathml(&mut raw, events, config).ok()?;
    // The crate writes the sign as it is; what follows reads no worse for that.
    let safe = only_known(&raw.replace("><<", ">&lt;<"), tex)?;
    (safe.len() <= 300 + 24 * tex.len()).then(|| match display {
        // It scrolls by itself where it is wider than the page, by the keyboard too.
        true => format!("<span class=\"formula\" tabindex=\"0\">{safe}</span>"),
        false => safe,
    })
}

fn is_deep(tex: &str) -> bool {
    let mut depth = 0_usize;
    let opens = tex.matches("\\left").count() + tex.matches("\\begin").count();
    opens > DEEPEST
        || tex.bytes().any(|byte| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth > DEEPEST
        })
}

/// Writes MathML anew, of known elements and attributes. `None` if there is anything
/// else, or if it is not nested properly.
fn only_known(raw: &str, tex: &str) -> Option<String> {
    let known = |name: &str| ELEMENTS.into_iter().find(|known| *known == name);
    let mut safe = String::with_capacity(raw.len());
    let mut open = Vec::new();
    let mut pieces = raw.split('<');
    if !pieces.next()?.trim().is_empty() {
        return None;
    }
    for piece in pieces {
        let (tag, text) = piece.split_once('>')?;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop()? != name {
                return None;
            }
            let _ = write!(safe, "</{name}>");
        } else {
            let closed = tag.strip_suffix('/');
            let (name, attributes) =
                closed.unwrap_or(tag).trim().split_once(' ').unwrap_or((closed.unwrap_or(tag).trim(), ""));
            let name = known(name)?;
            let _ = write!(safe, "<{name}");
            if name == MATH {
                let _ = write!(safe, " {TYPED}=\"{}\"", html_escape::encode_double_quoted_attribute(tex));
            }
            attribute_list(attributes, &mut safe)?;
            safe.push('>');
            match closed {
                Some(_) => {
                    let _ = write!(safe, "</{name}>");
                }
                None => open.push(name),
            }
        }
        let text = html_escape::decode_html_entities(text);
        safe.push_str(&html_escape::encode_text(&text));
    }
    open.is_empty().then_some(safe)
}

/// Writes the known ones of attributes in the form `name="value"`.
fn attribute_list(attributes: &str, safe: &mut String) -> Option<()> {
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        if let Some(name) = ATTRIBUTES.into_iter().find(|known| *known == name.trim()) {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ' ' | '%');
            if value.chars().all(plain) {
                let _ = write!(safe, " {name}=\"{value}\"");
            }
        }
        rest = after.trim_start();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tex: &str) -> Option<String> {
        let mut formulas = Formulas::default();
        formulas.mark(tex, tex, false);
        formulas.written().pop()?.mathml
    }

    #[test]
    fn a_formula_becomes_mathml() {
        let html = written("x^2 < \\frac{1}{n}").unwrap();
        for expected in ["<math alttext=\"x^2 &lt; \\frac{1}{n}\"", "<msup>", "<mfrac>", "&lt;"] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
        for tex in [
            "\\sqrt[3]{x}",
            "\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}",
            "\\sum_{i=0}^n i",
            "\\left( \\int_0^\\infty e^{-x}\\,dx \\right)",
            "\\mathbb{R} \\to \\text{so}",
            "\\hat{x} \\vec{y} \\overline{z}",
            "\\begin{cases} 1 & x > 0 \\\\ 0 & \\text{else} \\end{cases}",
            "\\alpha \\le \\beta \\neq \\gamma",
            "a \\longrightarrow b \\longmapsto c",
            "\\color{red} x",
            "\\begin{aligned} a &= b \\\\ &= c \\end{aligned}",
            "\\lim_{n \\to \\infty} a_n",
            "50\\%",
        ] {
            let html = written(tex).unwrap_or_else(|| panic!("{tex}"));
            assert!(!html.contains("style="), "{html}");
        }
    }

    #[test]
    fn what_is_no_formula_or_too_much_is_left_as_typed() {
        let deep = "{".repeat(DEEPEST + 1) + &"}".repeat(DEEPEST + 1);
        for tex in
            ["\\frac{1", "\\unknowncommand", "\\def\\a{b}\\a", "\\newcommand{\\a}{\\a}\\a", "a}", &deep]
        {
            assert_eq!(written(tex), None, "{tex}");
        }
        let mut formulas = Formulas::default();
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(formulas.mark(&long, "as typed", false), "as typed");
        for _ in 0..MOST {
            formulas.mark("x", "$x$", false);
        }
        assert_eq!(formulas.mark("x", "$x$", false), "$x$");
    }

    #[test]
    fn only_elements_of_formulas_are_written() {
        let known = |raw: &str| only_known(raw, "a\"<b>");
        assert_eq!(
            known("<math display=\"block\"><mi>x</mi></math>").as_deref(),
            Some("<math alttext=\"a&quot;&lt;b&gt;\" display=\"block\"><mi>x</mi></math>")
        );
        let styled = known("<math><mi style=\"color: red\" onclick=\"a\" class=\"b\">x</mi></math>").unwrap();
        assert!(styled.contains("<mi class=\"b\">") && !styled.contains("style"), "{styled}");
        for raw in [
            "<math><script>a</script></math>",
            "<math><mi>x</math></mi>",
            "<math><mi>x</mi>",
            "<math><annotation-xml></annotation-xml></math>",
            "<math><mi href=a>x</mi></math>",
            "<math><!-- a --></math>",
            "a<math></math>",
        ] {
            assert_eq!(known(raw), None, "{raw}");
        }
    }

    #[test]
    fn the_longest_formula_of_each_kind_overflows_nothing() {
        for piece in [
            "\\sqrt",
            "\\frac1",
            "\\sqrt[3]",
            "\\frac{a}",
            "\\hat",
            "\\not",
            "\\relax",
            "\\mathbf",
            "x^",
            "a_1",
            "{}",
            "\\ ",
            "\\left(",
            "\\begin{matrix}",
            "\\text{",
            "\\binom",
            "\\over",
            "\\\\",
            "&",
            "\\,",
            "'",
            "%\n",
            "\\operatorname",
            "\\color{red}",
            "\\scriptstyle x",
            "\\big(",
            "\\overset",
            "\\limits",
            "\\sum\\limits",
            "\\middle|",
            "#",
            "~",
            "\\hline",
            "\\phantom",
        ] {
            let once = piece.repeat(LONGEST / piece.len());
            written(&once);
            written(&format!("\\begin{{matrix}}{}\\end{{matrix}}", &once[..once.len() - 40]));
        }
    }
}
