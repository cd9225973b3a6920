//! The islands, compiled to WebAssembly.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    node::Node,
    rust::TARGET,
    sh::{self, Outcome},
    stamp::{Stamp, digest},
    toolchain::{PROFILE, WasmToolchain},
    workspace::Workspace,
};

/// What wasm-opt may use: the features that rustc turns on for the target and
/// that every browser with WebAssembly has had for years.
const WASM_OPT: [&str; 9] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--strip-debug",
    "--strip-producers",
];

/// The finished module and the script that loads it.
pub(crate) struct Islands {
    /// The module, ready to be served.
    pub(crate) wasm: PathBuf,
    /// The script, an ES module without imports.
    pub(crate) js: PathBuf,
}

/// Installs what turns cargo's output into a small module.
pub(crate) fn set_up(workspace: &Workspace) -> Result<Option<WasmOpt>> {
    sh::step("WebAssembly optimizer", || WasmOpt::set_up(workspace))
}

/// Compiles the islands, and processes the result if it changed.
pub(crate) fn build(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<Islands> {
    let optimizer = set_up(workspace)?;
    sh::step("Islands", || {
        // Where the server is compiled beside, that takes longer: it goes first.
        sh::run(&mut sh::at_low_priority(&toolchain.cargo(workspace, "build")))?;
        let compiled = workspace.target.join("wasm").join(TARGET).join(PROFILE);
        process(&compiled.join("byline_islands.wasm"), &workspace.state(), optimizer.as_ref())
    })
}

/// Makes of cargo's output what browsers load.
fn process(compiled: &Path, state: &Path, optimizer: Option<&WasmOpt>) -> Result<(Outcome, Islands)> {
    let bytes = fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    let folder = state.join("islands");
    let islands = Islands { wasm: folder.join("byline.wasm"), js: folder.join("byline.js") };
    // wasm-bindgen's version is in the module already.
    let identity = optimizer.map_or("", |optimizer| &optimizer.identity);
    let stamp = Stamp::new(state, "islands", digest([&bytes, identity.as_bytes()]));
    if stamp.is_current() && islands.wasm.exists() && islands.js.exists() {
        return Ok((Outcome::Unchanged, islands));
    }

    let bound = bind(compiled, &folder)?;
    match optimizer {
        Some(optimizer) => optimizer.run(&bound, &islands.wasm)?,
        None => fs::copy(&bound, &islands.wasm).map(drop)?,
    }
    stamp.set()?;
    Ok((Outcome::Done, islands))
}

/// Writes the script that connects the module to the browser, and the module
/// as that script expects it. Returns the path of the latter.
fn bind(compiled: &Path, folder: &Path) -> Result<PathBuf> {
    let mut output = Bindgen::new()
        .input_path(compiled)
        .out_name("byline")
        .web(true)?
        .typescript(false)
        // The page says where the module is, because its name contains a hash.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    ensure!(
        output.snippets().values().all(Vec::is_empty) && output.local_modules().is_empty(),
        "a dependency brings scripts of its own, which the site has no place for yet"
    );
    output.emit(folder)?;
    Ok(folder.join("byline_bg.wasm"))
}

/// Binaryen's optimizer, which takes a fifth off the module.
pub(crate) struct WasmOpt {
    program: PathBuf,
    /// Changes with the version and the flags.
    identity: String,
}

impl WasmOpt {
    /// Installs the optimizer where there is Node to do so.
    fn set_up(workspace: &Workspace) -> Result<(Outcome, Option<Self>)> {
        let Some(node) = Node::find()? else {
            sh::note("skipped for want of Node: the module will be larger than it need be");
            return Ok((Outcome::Unchanged, None));
        };
        let folder = workspace.root.join("xtask");
        let outcome = node.install_packages(workspace, &folder)?;
        let lock = fs::read(folder.join("package-lock.json"))?;
        let optimizer = Self {
            program: folder.join("node_modules/.bin/wasm-opt"),
            identity: digest([&lock[..], WASM_OPT.join(" ").as_bytes()]),
        };
        Ok((outcome, Some(optimizer)))
    }

    fn run(&self, module: &Path, optimized: &Path) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(WASM_OPT).arg(module).arg("--output").arg(optimized);
        sh::run_quietly(&mut command)
    }
}
