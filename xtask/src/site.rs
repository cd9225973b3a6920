//! Every file that a browser can request, in the layout that the server embeds.
//!
//! `target/site` contains
//!
//! - `assets/`: files with a hash of their contents in the name, so that browsers
//!   may keep them for ever;
//! - `root/`: the few files that browsers request by a fixed name;
//! - `manifest.json`: maps the name of a file in the source to its URL.
//!
//! Files that compression makes smaller have a `.br` and a `.gz` beside them.
//! Unchanged files are not written again, so the server is rebuilt only if an asset
//! differs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    compress::{self, Compressed},
    css,
    files::files_below,
    graphiql::Graphiql,
    sh::{self, Outcome},
    stamp::{self, digest},
    wasm::Islands,
    workspace::Workspace,
};

/// Files of `public/` that have to be found at the root of the site.
const AT_ROOT: [&str; 1] = ["favicon.ico"];

/// Files worth compressing; images and fonts are compressed already.
const COMPRESSIBLE: [&str; 9] = ["css", "html", "ico", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// A site that has been laid out.
pub(crate) struct Site {
    folder: PathBuf,
    /// The addresses of the assets by their names in the source.
    manifest: BTreeMap<String, String>,
}

/// The sizes of an asset in bytes, as they cross the network.
pub(crate) struct Sizes {
    pub(crate) raw: u64,
    pub(crate) brotli: u64,
    pub(crate) gzip: u64,
}

impl Site {
    /// Lays out the site with these islands, and the page GraphiQL if there is one.
    pub(crate) fn lay_out(
        workspace: &Workspace,
        islands: &Islands,
        graphiql: Option<&Graphiql>,
    ) -> Result<Self> {
        sh::step("Site", || {
            let sources = collect(workspace, islands, graphiql)?;
            let mut folder = Folder::new(workspace.site());
            let manifest = fill(workspace, &mut folder, &sources)?;
            folder.remove_stale()?;
            let site = Self { folder: folder.path, manifest };
            Ok((folder.outcome, site))
        })
    }

    /// The sizes of an asset, named as in the source.
    pub(crate) fn sizes(&self, name: &str) -> Result<Sizes> {
        let address = self.manifest.get(name).with_context(|| format!("the site has no {name}"))?;
        let path = self.folder.join(address.trim_start_matches('/'));
        let size = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
        let raw = size(&path)?;
        Ok(Sizes {
            raw,
            brotli: size(&with_suffix(&path, "br")).unwrap_or(raw),
            gzip: size(&with_suffix(&path, "gz")).unwrap_or(raw),
        })
    }
}

/// A file that belongs on the site.
struct Source {
    name: String,
    contents: Vec<u8>,
}

/// Gathers the files of the site from where they are written or built.
fn collect(workspace: &Workspace, islands: &Islands, graphiql: Option<&Graphiql>) -> Result<Vec<Source>> {
    let root = &workspace.root;
    let mut sources = vec![
        Source { name: "byline.css".into(), contents: css::bundle(workspace, "main.css")?.into_bytes() },
        Source { name: "authors.css".into(), contents: css::bundle(workspace, "authors.css")?.into_bytes() },
        read("byline.js", &islands.js)?,
        read("byline.wasm", &islands.wasm)?,
        read("boot.js", &root.join("src/app/boot.js"))?,
        read("theme.js", &root.join("src/app/theme.js"))?,
        read("passkeys.js", &root.join("src/accounts/passkeys.js"))?,
    ];
    for name in ["room.js", "text_edits.js", "rich_text.js", "pictures.js", "autosave.js", "local_drafts.js"]
    {
        sources.push(read(name, &root.join("src/posts/editor").join(name))?);
    }
    if let Some(Graphiql { js, css }) = graphiql {
        sources.extend([read("graphiql.js", js)?, read("graphiql.css", css)?]);
    }
    let public = root.join("public");
    for path in files_below(&public)? {
        sources.push(read(&relative_name(&public, &path)?, &path)?);
    }
    let style = with_hashed_fonts(&sources[0].contents, &sources)?;
    sources[0].contents = style;
    Ok(sources)
}

/// The style sheet, which names each font as the source does, with the names that the fonts are
/// served by.
fn with_hashed_fonts(style: &[u8], sources: &[Source]) -> Result<Vec<u8>> {
    let mut style = std::str::from_utf8(style).context("the style sheet is UTF-8")?.to_owned();
    for Source { name, contents } in sources {
        if name.ends_with(".woff2") {
            style = style.replace(name.as_str(), &hashed_name(name, contents));
        }
    }
    Ok(style.into_bytes())
}

fn read(name: &str, path: &Path) -> Result<Source> {
    let contents = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Source { name: name.to_owned(), contents })
}

/// Puts every source into the folder and returns the path of each asset.
fn fill(workspace: &Workspace, folder: &mut Folder, sources: &[Source]) -> Result<BTreeMap<String, String>> {
    let mut manifest = BTreeMap::new();
    let mut files = Vec::new();
    for Source { name, contents } in sources {
        if AT_ROOT.contains(&name.as_str()) {
            files.push((format!("root/{name}"), contents.as_slice()));
        } else {
            let path = format!("assets/{}", hashed_name(name, contents));
            manifest.insert(name.clone(), format!("/{path}"));
            files.push((path, contents));
        }
    }
    folder.put_all(&files, |new| compress::all(workspace, new))?;
    let json = serde_json::to_vec_pretty(&manifest)?;
    folder.put_plain("manifest.json", &json)?;
    Ok(manifest)
}

/// `icon.svg` becomes `icon-1a2b3c4d.svg`.
fn hashed_name(name: &str, contents: &[u8]) -> String {
    let hash = &digest([contents])[..8];
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[file..].rfind('.') {
        Some(dot) => {
            let (stem, extension) = name.split_at(file + dot);
            format!("{stem}-{hash}{extension}")
        }
        None => format!("{name}-{hash}"),
    }
}

/// A folder that in the end holds exactly what was put into it.
struct Folder {
    path: PathBuf,
    kept: BTreeSet<PathBuf>,
    outcome: Outcome,
}

impl Folder {
    fn new(path: PathBuf) -> Self {
        Self { path, kept: BTreeSet::new(), outcome: Outcome::Unchanged }
    }

    /// Puts files and their compressed forms, which `compress` makes of those that
    /// are new.
    fn put_all(
        &mut self,
        files: &[(String, &[u8])],
        compress: impl FnOnce(&[&[u8]]) -> Result<Option<Vec<Compressed>>>,
    ) -> Result<()> {
        let root = self.path.clone();
        let is_new = |name: &str, contents: &[u8]| !holds(&root.join(name), contents);
        let new: Vec<_> = files
            .iter()
            .filter(|(name, contents)| is_compressible(name) && is_new(name, contents))
            .map(|(_, contents)| *contents)
            .collect();
        let mut compressed = compress(&new)?.unwrap_or_default().into_iter();
        for (name, contents) in files {
            if is_compressible(name) && is_new(name, contents) {
                self.put_compressed(name, contents, compressed.next())?;
            }
            let forms = compress::SUFFIXES.map(|suffix| with_suffix(&root.join(name), suffix));
            self.kept.extend(forms.into_iter().filter(|form| form.exists()));
            self.put_plain(name, contents)?;
        }
        Ok(())
    }

    /// Puts the compressed forms of a new file that are smaller than it. The file
    /// itself is written after them: if it is there and right, so are they.
    fn put_compressed(&self, name: &str, contents: &[u8], compressed: Option<Compressed>) -> Result<()> {
        let path = self.path.join(name);
        let forms = compress::SUFFIXES.map(|suffix| with_suffix(&path, suffix));
        for form in forms.iter().filter(|form| form.exists()) {
            fs::remove_file(form).with_context(|| format!("cannot remove {}", form.display()))?;
        }
        for (form, bytes) in forms.iter().zip(compressed.iter().flatten()) {
            if bytes.len() < contents.len() {
                stamp::write(form, bytes)?;
            }
        }
        Ok(())
    }

    /// Puts a file alone.
    fn put_plain(&mut self, name: &str, contents: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        if !holds(&path, contents) {
            stamp::write(&path, contents)?;
            self.outcome = Outcome::Done;
        }
        self.kept.insert(path);
        Ok(())
    }

    /// Removes what earlier runs left.
    fn remove_stale(&mut self) -> Result<()> {
        for path in files_below(&self.path)? {
            if !self.kept.contains(&path) {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                self.outcome = Outcome::Done;
            }
        }
        Ok(())
    }
}

fn is_compressible(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| COMPRESSIBLE.iter().any(|known| extension == *known))
}

fn holds(path: &Path, contents: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == contents)
}

/// `icon.svg` becomes `icon.svg.br`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A path below a folder, with slashes on every system.
fn relative_name(folder: &Path, path: &Path) -> Result<String> {
    let parts = path
        .strip_prefix(folder)?
        .iter()
        .map(|part| part.to_str().context("a file name is not UTF-8"))
        .collect::<Result<Vec<_>>>()?;
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn source(name: &str, contents: &str) -> Source {
        Source { name: name.into(), contents: contents.into() }
    }

    /// Lays out a folder and returns the names in it.
    fn lay_out(dir: &TempDir, sources: &[Source]) -> (Outcome, Vec<String>) {
        let mut folder = Folder::new(dir.path().to_owned());
        fill(&Workspace::find(), &mut folder, sources).unwrap();
        folder.remove_stale().unwrap();
        let names = files_below(dir.path())
            .unwrap()
            .iter()
            .map(|path| relative_name(dir.path(), path).unwrap())
            .collect();
        (folder.outcome, names)
    }

    #[test]
    fn a_hashed_name_keeps_folder_stem_and_extension() {
        let name = hashed_name("icons/app.min.svg", b"<svg/>");
        let hash = name.strip_prefix("icons/app.min-").and_then(|rest| rest.strip_suffix(".svg")).unwrap();
        assert_eq!(hash.len(), 8);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(hashed_name("v1.2/LICENSE", b"").starts_with("v1.2/LICENSE-"));
    }

    #[test]
    fn a_style_sheet_names_fonts_by_their_hashes() {
        let font = source("fonts/serif.woff2", "a font");
        let style = with_hashed_fonts(b"src:url(fonts/serif.woff2)", std::slice::from_ref(&font)).unwrap();
        assert_eq!(style, format!("src:url({})", hashed_name(&font.name, &font.contents)).as_bytes());
    }

    #[test]
    fn other_contents_have_another_name() {
        assert_eq!(hashed_name("a.css", b"a"), hashed_name("a.css", b"a"));
        assert_ne!(hashed_name("a.css", b"a"), hashed_name("a.css", b"b"));
    }

    #[test]
    fn the_manifest_names_assets_and_not_what_lies_at_the_root() {
        let dir = TempDir::new().unwrap();
        let mut folder = Folder::new(dir.path().to_owned());
        let sources = [source("a.css", "a {}"), source("favicon.ico", "an icon")];
        let manifest = fill(&Workspace::find(), &mut folder, &sources).unwrap();

        assert_eq!(manifest.keys().collect::<Vec<_>>(), ["a.css"]);
        assert!(holds(&dir.path().join(&manifest["a.css"][1..]), b"a {}"));
        assert!(dir.path().join("root/favicon.ico").exists());
        let json = fs::read(dir.path().join("manifest.json")).unwrap();
        let read: BTreeMap<String, String> = serde_json::from_slice(&json).unwrap();
        assert_eq!(read, manifest);
    }

    #[test]
    fn compressed_forms_are_kept_only_where_they_are_smaller() {
        let dir = TempDir::new().unwrap();
        let long = "body { color: red }\n".repeat(100);
        let (_, names) = lay_out(&dir, &[source("long.css", &long), source("short.css", "a")]);
        let count = |stem: &str| names.iter().filter(|name| name.contains(stem)).count();
        assert_eq!(count("long"), 3, "{names:?}");
        assert_eq!(count("short"), 1, "{names:?}");
    }

    #[test]
    fn a_second_run_changes_nothing_and_a_change_leaves_nothing_stale() {
        let dir = TempDir::new().unwrap();
        let before = [source("a.txt", &"before ".repeat(50)), source("b.txt", "b")];
        let (outcome, first) = lay_out(&dir, &before);
        assert_eq!(outcome, Outcome::Done);
        let (outcome, second) = lay_out(&dir, &before);
        assert_eq!(outcome, Outcome::Unchanged);
        assert_eq!(first, second);

        let after = [source("a.txt", &"after ".repeat(50))];
        let (outcome, third) = lay_out(&dir, &after);
        assert_eq!(outcome, Outcome::Done);
        // a.txt and its two compressed forms, and the manifest.
        assert_eq!(third.len(), 4, "{third:?}");
        assert!(third.iter().all(|name| !first.contains(name) || name == "manifest.json"));
    }
}
