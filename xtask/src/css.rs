//! The style sheet.

use std::path::Path;

use anyhow::{Result, anyhow};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    stylesheet::{MinifyOptions, ParserOptions, PrinterOptions},
};

/// Inlines every `@import` of a style sheet and minifies the whole. No
/// browsers are given as targets: modern CSS stays as it was written.
pub(crate) fn bundle(entry: &Path) -> Result<String> {
    let files = FileProvider::new();
    // The errors borrow the sources, so their words have to leave with us.
    let mut sheet = Bundler::new(&files, None, ParserOptions::default())
        .bundle(entry)
        .map_err(|error| anyhow!("{error}"))?;
    sheet.minify(MinifyOptions::default()).map_err(|error| anyhow!("{error}"))?;
    let printed = sheet.to_css(PrinterOptions { minify: true, ..PrinterOptions::default() });
    Ok(printed.map_err(|error| anyhow!("{error}"))?.code)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn imports_are_inlined_and_modern_css_is_kept() {
        let folder = TempDir::new().unwrap();
        let entry = folder.path().join("main.css");
        fs::write(folder.path().join("base.css"), ":root { color: light-dark(black, oklch(90% 0.1 200)); }")
            .unwrap();
        fs::write(
            &entry,
            "@import \"base.css\" layer(base);\n\
             article { & h2 { margin-inline: 0; } @media (width >= 40rem) { padding: 1rem; } }",
        )
        .unwrap();

        let css = bundle(&entry).unwrap();
        assert!(!css.contains("@import"), "{css}");
        for kept in ["@layer base", "light-dark(", "oklch(", "& h2", "width>=40rem"] {
            assert!(css.contains(kept), "{kept} is missing in {css}");
        }
        assert!(!css.contains('\n'), "{css}");
    }

    #[test]
    fn a_mistake_is_reported_with_its_place() {
        let folder = TempDir::new().unwrap();
        let entry = folder.path().join("main.css");
        fs::write(&entry, "a {\n  color: }\n}").unwrap();
        let error = bundle(&entry).unwrap_err().to_string();
        assert!(error.contains("main.css:"), "{error}");
    }
}
