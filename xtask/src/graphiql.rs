//! The page `/graphiql`, bundled from the folder `graphiql`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    files::files_below,
    node::Node,
    sh::{self, Outcome},
    stamp::{Stamp, digest},
    workspace::Workspace,
};

/// The finished files.
pub(crate) struct Graphiql {
    /// The script, an ES module without imports.
    pub(crate) js: PathBuf,
    /// The style sheet.
    pub(crate) css: PathBuf,
}

/// Bundles the page, if its sources changed; not without Node.
pub(crate) fn build(workspace: &Workspace) -> Result<Option<Graphiql>> {
    sh::step("GraphiQL", || {
        let Some(node) = Node::find()? else {
            sh::note("skipped for want of Node: the site will have no page /graphiql");
            return Ok((Outcome::Unchanged, None));
        };
        let folder = workspace.root.join("graphiql");
        node.install_packages(workspace, &folder)?;

        let mut inputs = files_below(&folder.join("src"))?;
        inputs.extend(["build.mjs", "package-lock.json"].map(|name| folder.join(name)));
        inputs.push(workspace.root.join("style/tokens.css"));
        let contents = inputs.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
        let stamp = Stamp::new(&workspace.state(), "graphiql", digest(contents.iter().map(Vec::as_slice)));

        let out = workspace.state().join("graphiql");
        let bundle = Graphiql { js: out.join("graphiql.js"), css: out.join("graphiql.css") };
        if stamp.is_current() && bundle.js.exists() && bundle.css.exists() {
            return Ok((Outcome::Unchanged, Some(bundle)));
        }
        sh::run_quietly(Command::new("node").arg("build.mjs").arg(&out).current_dir(&folder))?;
        stamp.set()?;
        Ok((Outcome::Done, Some(bundle)))
    })
}
