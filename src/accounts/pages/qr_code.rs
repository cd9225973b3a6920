//! A QR code as an inline image.

use std::fmt::Write;

use fast_qr::{ECL, QRBuilder};
use leptos::prelude::*;

/// Empty modules around a code (ISO/IEC 18004, 5.3.8).
const QUIET: usize = 4;

/// A text as a QR code, black on white whatever the colours of the page, since that
/// is what cameras read best. Attributes alone, no style: the
/// Content-Security-Policy allows none. Nothing for a text that does not fit.
#[component]
pub fn QrCode(
    text: String,
    /// What it is, for people who do not see it.
    label: &'static str,
) -> impl IntoView {
    let (size, path) = drawn(&text)?;
    Some(view! {
        <svg
            class="qr-code"
            xmlns="http://www.w3.org/2000/svg"
            viewBox=format!("0 0 {size} {size}")
            width="240"
            height="240"
            role="img"
            aria-label=label
            shape-rendering="crispEdges"
        >
            <rect width=size height=size fill="#fff"></rect>
            <path d=path fill="#000"></path>
        </svg>
    })
}

/// Modules of a side, with those around, and the dark ones as a path: a rectangle
/// for each run in a row.
fn drawn(text: &str) -> Option<(usize, String)> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut path = String::new();
    for y in 0..code.size {
        let mut x = 0;
        while x < code.size {
            let run = (x..code.size).take_while(|x| code[y][*x].value()).count();
            if run > 0 {
                let (left, top) = (x + QUIET, y + QUIET);
                write!(path, "M{left} {top}h{run}v1h-{run}z").ok()?;
            }
            x += run + 1;
        }
    }
    Some((code.size + 2 * QUIET, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dark_modules_of_a_code_are_drawn_and_no_others() {
        let text = "otpauth://totp/Byline:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let code = QRBuilder::new(text).ecl(ECL::M).build().unwrap();
        let dark =
            (0..code.size).map(|y| (0..code.size).filter(|x| code[y][*x].value()).count()).sum::<usize>();
        let (size, path) = drawn(text).unwrap();
        assert_eq!(size, code.size + 8);
        let runs = path.split('M').skip(1).map(|run| run.split(['h', 'v']).nth(1).unwrap());
        assert_eq!(runs.map(|run| run.parse::<usize>().unwrap()).sum::<usize>(), dark);
        // The upper left corner of the finder pattern: seven dark modules, then a light one.
        assert!(path.starts_with("M4 4h7v1h-7z"), "{path}");
    }

    #[test]
    fn a_text_that_is_too_long_is_not_drawn() {
        assert_eq!(drawn(&"x".repeat(5000)), None);
    }
}
