//! Compressed forms of files, made by Node.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{node::Node, sh, workspace::Workspace};

/// The content encodings that the server offers, by file suffix.
pub(crate) const SUFFIXES: [&str; 2] = ["br", "gz"];

/// The compressed forms of one file, in the order of [`SUFFIXES`].
pub(crate) type Compressed = [Vec<u8>; SUFFIXES.len()];

/// Compresses files. `None` where there is no Node to do it: then the site has
/// no compressed forms, and browsers load more than they need to.
pub(crate) fn all(workspace: &Workspace, files: &[&[u8]]) -> Result<Option<Vec<Compressed>>> {
    if files.is_empty() {
        return Ok(Some(Vec::new()));
    }
    if Node::find()?.is_none() {
        sh::note("not compressed for want of Node: browsers will load more than they need to");
        return Ok(None);
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = |number: usize| folder.path().join(number.to_string());
    for (number, contents) in files.iter().enumerate() {
        fs::write(path(number), contents)?;
    }
    let script = workspace.root.join("xtask/compress.mjs");
    sh::run_quietly(Command::new("node").arg(script).arg(folder.path()))?;
    (0..files.len()).map(|number| read(&path(number))).collect::<Result<_>>().map(Some)
}

fn read(path: &Path) -> Result<Compressed> {
    let [brotli, gzip] = SUFFIXES.map(|suffix| fs::read(path.with_extension(suffix)));
    Ok([brotli?, gzip?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_can_be_undone() {
        let text = "everyone reads, a signed-in author writes\n".repeat(50);
        let workspace = Workspace::find();
        let compressed = all(&workspace, &[b"x", text.as_bytes()]).unwrap().expect("Node");
        let folder = tempfile::tempdir().unwrap();
        for (bytes, undo) in compressed[1].iter().zip(["brotliDecompressSync", "gunzipSync"]) {
            let path = folder.path().join(undo);
            fs::write(&path, bytes).unwrap();
            let script = "const [path, undo] = process.argv.slice(1);
                process.stdout.write(require('zlib')[undo](require('fs').readFileSync(path)) + '.')";
            let undone = sh::output(Command::new("node").args(["--eval", script]).arg(&path).arg(undo));
            assert_eq!(undone.unwrap(), format!("{text}."));
        }
    }
}
