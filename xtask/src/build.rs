//! Builds the whole site: the islands, the assets, and the server.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    apt, graphiql,
    node::Node,
    postgres, python,
    sh::{self, Outcome},
    site::{Site, Sizes},
    toolchain::WasmToolchain,
    wasm,
    workspace::Workspace,
};

/// The packages of the public clients. Apart, because they need different
/// versions of the same packages.
pub(crate) const CLIENTS: [&str; 7] = [
    // Has the compiler of the generated types, and what drives the browser.
    "end2end",
    "end2end/clients/browser",
    "end2end/clients/graphql",
    "end2end/clients/amplify6",
    "end2end/clients/amplify5",
    "end2end/classic",
    "end2end/clients/amplify3",
];

/// How the server is compiled.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// Quick to rebuild; reads the assets from disk.
    Debug,
    /// Optimised, with the assets inside.
    Release,
}

impl Profile {
    /// The profile that a `--release` flag asks for.
    pub(crate) fn from_release(release: bool) -> Self {
        if release { Self::Release } else { Self::Debug }
    }

    /// The name of its folder in cargo's target folder.
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Installs everything that any command may need.
pub(crate) fn set_up(workspace: &Workspace) -> Result<()> {
    WasmToolchain::set_up(workspace)?;
    wasm::set_up(workspace)?;
    postgres::set_up()?;
    postgres::set_up_pooler()?;
    integration_tests(workspace)?;
    end_to_end_tests(workspace)?;
    clients(workspace).map(drop)
}

/// Installs the packages and the browser of the end-to-end tests.
pub(crate) fn end_to_end_tests(workspace: &Workspace) -> Result<()> {
    let node = Node::require()?;
    let folder = workspace.root.join("end2end");
    sh::step("Packages of the end-to-end tests", || {
        Ok((node.install_all_packages(workspace, &["end2end", "end2end/classic"])?, ()))
    })?;
    sh::step("Chromium", || Ok((node.install_chromium(&folder)?, ())))
}

/// Installs what the integration tests need: the packages whose texts they render, for
/// which a site that is up to date has not asked, and an S3 server.
pub(crate) fn integration_tests(workspace: &Workspace) -> Result<()> {
    let node = Node::require()?;
    sh::step("Texts of the integration tests", || {
        Ok((node.install_all_packages(workspace, &["xtask", "graphiql"])?, ()))
    })?;
    let requirements = workspace.root.join("tests/requirements.txt");
    sh::step("S3 server", || python::environment(workspace, "objects", &requirements)).map(drop)
}

/// Installs the public clients, and returns where the programs of Python are.
pub(crate) fn clients(workspace: &Workspace) -> Result<PathBuf> {
    let node = Node::require()?;
    sh::step("Packages of the clients", || Ok((node.install_all_packages(workspace, &CLIENTS)?, ())))?;
    sh::step("Chromium", || Ok((node.install_chromium(&workspace.root.join("end2end"))?, ())))?;
    if apt::is_debian() {
        sh::step("OpenSSL", || Ok((apt::install(&["openssl"])?, ())))?;
    }
    let requirements = workspace.root.join("end2end/clients/requirements.txt");
    sh::step("Python", || python::environment(workspace, "python", &requirements))
}

pub(crate) fn run(workspace: &Workspace, profile: Profile) -> Result<()> {
    let (site, binary) = all(workspace, profile)?;
    let binary_size = fs::metadata(&binary)?.len();
    let wasm = site.sizes("byline.wasm")?;
    let css = site.sizes("byline.css")?;
    sh::say(&size_line(binary_size, &wasm, &css));
    Ok(())
}

/// Builds the site and the server, which a release carries inside and a debug
/// build reads: so these are built at the same time.
pub(crate) fn all(workspace: &Workspace, profile: Profile) -> Result<(Site, PathBuf)> {
    match profile {
        Profile::Debug => {
            let (binary, site) = sh::beside(|| server(workspace, profile), || site(workspace))?;
            Ok((site, binary))
        }
        Profile::Release => Ok((site(workspace)?, server(workspace, profile)?)),
    }
}

/// Builds the browser half and lays out the assets.
pub(crate) fn site(workspace: &Workspace) -> Result<Site> {
    // GraphiQL waits for the network where the islands wait for the compiler.
    let (islands, graphiql) = sh::beside(
        || wasm::build(workspace, &WasmToolchain::set_up(workspace)?),
        || graphiql::build(workspace),
    )?;
    Site::lay_out(workspace, &islands, graphiql.as_ref())
}

/// Where cargo leaves the server.
pub(crate) fn binary(workspace: &Workspace, profile: Profile) -> PathBuf {
    workspace.target.join(profile.folder()).join("byline")
}

/// Builds the server, which embeds or reads the site, and returns its path.
pub(crate) fn server(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    sh::step("Server", || {
        let binary = binary(workspace, profile);
        let built = || fs::metadata(&binary).and_then(|metadata| metadata.modified());
        let before = built().ok();

        let mut cargo = workspace.cargo("build");
        cargo.args(["--package", "byline", "--features", "ssr", "--bin", "byline"]);
        if let Profile::Release = profile {
            cargo.arg("--release");
        }
        sh::run(&mut cargo)?;

        let after = built().with_context(|| format!("{} is missing", binary.display()))?;
        let outcome = if before == Some(after) { Outcome::Unchanged } else { Outcome::Done };
        Ok((outcome, binary))
    })
}

fn size_line(binary: u64, wasm: &Sizes, css: &Sizes) -> String {
    format!(
        "binary {}; WASM {} raw, {} brotli, {} gzip; CSS {} raw, {} brotli",
        human_size(binary),
        human_size(wasm.raw),
        human_size(wasm.brotli),
        human_size(wasm.gzip),
        human_size(css.raw),
        human_size(css.brotli),
    )
}

/// A size as people say it: `812 B`, `98.3 kB`, `21.4 MB`.
fn human_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well_at_every_magnitude() {
        assert_eq!(human_size(812), "812 B");
        assert_eq!(human_size(98_304), "98.3 kB");
        assert_eq!(human_size(21_430_000), "21.4 MB");
    }
}
