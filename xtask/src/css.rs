//! The style sheets: each one file made from many.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{node::Node, sh, workspace::Workspace};

/// Inlines the imports of a style sheet below `style` and minifies the whole, the
/// latter where there is Node to do so.
pub(crate) fn bundle(workspace: &Workspace, entry: &str) -> Result<String> {
    let entry = workspace.root.join("style").join(entry);
    match Node::find()? {
        Some(node) => {
            node.install_packages(workspace, &workspace.root.join("xtask"))?;
            minified(workspace, &entry)
        }
        None => {
            sh::note("not minified for want of Node: the style sheet will be larger than it need be");
            inlined(&entry)
        }
    }
}

/// The style sheet by Lightning CSS.
fn minified(workspace: &Workspace, entry: &Path) -> Result<String> {
    sh::output(Command::new("node").arg(workspace.root.join("xtask/css.mjs")).arg(entry))
}

/// The style sheet with each `@import "file" layer(name);` replaced by what it
/// stands for.
fn inlined(entry: &Path) -> Result<String> {
    let folder = entry.parent().context("a style sheet is in a folder")?;
    let mut whole = String::new();
    for line in read(entry)?.lines() {
        let Some(import) = line.strip_prefix("@import ") else {
            whole += line;
            whole.push('\n');
            continue;
        };
        let parts = import.strip_prefix('"').and_then(|rest| rest.strip_suffix(");"));
        let (file, layer) = parts
            .and_then(|parts| parts.split_once("\" layer("))
            .with_context(|| format!("cannot inline `{line}`: write `@import \"file\" layer(name);`"))?;
        let imported = read(&folder.join(file))?;
        ensure!(!imported.contains("@import"), "{file} imports another, which works in the entry alone");
        whole += &format!("@layer {layer} {{\n{imported}}}\n");
    }
    Ok(whole)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// Writes a style sheet that imports another, and passes it to `bundle`.
    fn with_import(import: &str, bundle: impl FnOnce(&Path) -> Result<String>) -> Result<String> {
        let folder = TempDir::new().unwrap();
        let entry = folder.path().join("main.css");
        let base = ":root { color: light-dark(black, oklch(90% 0.1 200)); }\n";
        fs::write(folder.path().join("base.css"), base).unwrap();
        let rest = "article { & h2 { margin-inline: 0; } @media (width >= 40rem) { padding: 1rem; } }\n";
        fs::write(&entry, format!("{import}\n{rest}")).unwrap();
        bundle(&entry)
    }

    /// The style sheet by Lightning CSS, installed as [`bundle`] does.
    fn minify(entry: &Path) -> Result<String> {
        let workspace = Workspace::find();
        Node::require()?.install_packages(&workspace, &workspace.root.join("xtask"))?;
        minified(&workspace, entry)
    }

    #[test]
    fn imports_are_inlined_and_modern_css_is_kept() {
        let css = with_import("@import \"base.css\" layer(base);", minify).unwrap();
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
        let error = minify(&entry).unwrap_err().to_string();
        assert!(error.contains("main.css:3:"), "{error}");
    }

    #[test]
    fn imports_are_inlined_without_node_too() {
        let css = with_import("@import \"base.css\" layer(base);", inlined).unwrap();
        assert!(css.starts_with("@layer base {\n:root {") && css.contains("\n}\narticle"), "{css}");
        for sheet in ["main.css", "authors.css"] {
            let sheet = Workspace::find().root.join("style").join(sheet);
            assert!(!inlined(&sheet).unwrap().contains("@import"));
        }
    }

    #[test]
    fn an_import_that_cannot_be_inlined_is_an_error() {
        let error = with_import("@import url(base.css);", inlined).unwrap_err().to_string();
        assert!(error.contains("@import url(base.css);"), "{error}");
    }
}
