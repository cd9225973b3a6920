//! A container image, written without Docker: a folder in the layout of OCI
//! (<https://specs.opencontainers.org/image-spec/image-layout/>).
//!
//! The image has the binary, the libraries that it names, the certificates of this
//! machine, and nothing else: no shell, no package manager. The same files always make the
//! same bytes, because owners, times and the order are fixed here.

use std::{
    collections::BTreeMap,
    env::consts::ARCH,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use crate::{
    build::{self, Profile},
    sh::{self, Outcome},
    workspace::Workspace,
};

/// The user and the group that run Byline; no machine has an account of this number.
const USER: u64 = 65532;
/// The volume: all that is stored.
const DATA: &str = "var/lib/byline";
const BINARY: &str = "usr/bin/byline";
/// Where systems keep the certificates that they trust.
const CERTIFICATES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
const PORT: u16 = 3000;

/// Builds the release, unless a binary is given, and writes the image into a folder.
pub(crate) fn run(workspace: &Workspace, binary: Option<PathBuf>, to: &Path) -> Result<()> {
    let binary = match binary {
        Some(binary) => binary,
        None => build::all(workspace, Profile::Release)?.1,
    };
    sh::step("Image", || {
        let version = env!("CARGO_PKG_VERSION");
        let layers = [base(&binary)?, Layer::of([(BINARY.to_owned(), File::program(&binary)?)])?];
        let digest = write(to, &layers, version)?;
        let size: usize = layers.iter().map(|layer| layer.bytes.len()).sum();
        sh::note(&format!("{digest}, {:.1} MB compressed", size as f64 / 1e6));
        Ok((Outcome::Done, ()))
    })
}

/// What is below the binary, and changes seldom: so an upgrade is a download of the binary.
fn base(binary: &Path) -> Result<Layer> {
    let mut files = BTreeMap::new();
    for library in libraries(binary)? {
        let name = library.strip_prefix("/").context("a whole path")?.to_string_lossy().into_owned();
        files.insert(name, File::program(&library)?);
    }
    match CERTIFICATES.iter().find(|path| Path::new(path).exists()) {
        Some(path) => drop(files.insert(CERTIFICATES[0][1..].to_owned(), File::text(fs::read(path)?))),
        None => sh::note("this machine has no certificates: in the image no mail server is trusted"),
    }
    let users =
        format!("root:x:0:0:root:/:/sbin/nologin\nbyline:x:{USER}:{USER}:Byline:/{DATA}:/sbin/nologin\n");
    files.insert("etc/passwd".to_owned(), File::text(users));
    files.insert("etc/group".to_owned(), File::text(format!("root:x:0:\nbyline:x:{USER}:\n")));
    // The file of hosts counts before name servers, as containers expect.
    files.insert("etc/nsswitch.conf".to_owned(), File::text("hosts: files dns\n"));
    files.insert(
        DATA.to_owned(),
        File { kind: EntryType::Directory, mode: 0o700, owner: USER, bytes: Vec::new() },
    );
    files.insert(
        "tmp".to_owned(),
        File { kind: EntryType::Directory, mode: 0o1777, owner: 0, bytes: Vec::new() },
    );
    Layer::of(files)
}

/// The shared libraries that a program names, its loader among them, as whole paths.
fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(binary).output().context("cannot start `ldd`")?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if ["not a dynamic executable", "statically linked"].iter().any(|words| said.contains(words)) {
        return Ok(Vec::new());
    }
    ensure!(output.status.success(), "`ldd {}` failed: {}", binary.display(), said.trim_end());
    named_libraries(&said)
}

fn named_libraries(said: &str) -> Result<Vec<PathBuf>> {
    let mut libraries = Vec::new();
    for line in said.lines() {
        let place = line.split_once("=>").map_or(line, |(_, place)| place).trim();
        let place = place.rsplit_once(" (").map_or(place, |(path, _)| path);
        if place.starts_with('/') {
            libraries.push(place.into());
        } else if place.contains("not found") {
            bail!("a library is missing: {}", line.trim());
        }
    }
    Ok(libraries)
}

/// A file of an image.
struct File {
    kind: EntryType,
    mode: u32,
    owner: u64,
    bytes: Vec<u8>,
}

impl File {
    /// A program or a library of this machine.
    fn program(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { kind: EntryType::Regular, mode: 0o755, owner: 0, bytes })
    }

    fn text(text: impl Into<Vec<u8>>) -> Self {
        Self { kind: EntryType::Regular, mode: 0o644, owner: 0, bytes: text.into() }
    }

    fn folder() -> Self {
        Self { kind: EntryType::Directory, mode: 0o755, owner: 0, bytes: Vec::new() }
    }
}

/// A compressed tar file, and the digest of what it is once unpacked.
struct Layer {
    bytes: Vec<u8>,
    diff_id: String,
}

impl Layer {
    /// Of some files by their paths, without the folders above them, which are added.
    fn of(files: impl IntoIterator<Item = (String, File)>) -> Result<Self> {
        let mut entries: BTreeMap<String, File> = files.into_iter().collect();
        let paths: Vec<_> = entries.keys().cloned().collect();
        for (end, path) in
            paths.iter().flat_map(|path| path.match_indices('/').map(move |(end, _)| (end, path)))
        {
            entries.entry(path[..end].to_owned()).or_insert_with(File::folder);
        }
        let mut tar = tar::Builder::new(Vec::new());
        for (path, file) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(file.kind);
            header.set_mode(file.mode);
            header.set_uid(file.owner);
            header.set_gid(file.owner);
            header.set_mtime(0);
            header.set_size(file.bytes.len() as u64);
            let slash = if file.kind == EntryType::Directory { "/" } else { "" };
            tar.append_data(&mut header, format!("{path}{slash}"), file.bytes.as_slice())?;
        }
        let tar = tar.into_inner()?;
        let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        gzip.write_all(&tar)?;
        Ok(Self { bytes: gzip.finish()?, diff_id: digest(&tar) })
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// Writes the layout; the digest of the image.
fn write(to: &Path, layers: &[Layer], version: &str) -> Result<String> {
    let blobs = to.join("blobs/sha256");
    if blobs.exists() {
        ensure!(to.join("oci-layout").exists(), "{} has something else in it", to.display());
        fs::remove_dir_all(&blobs)?;
    }
    fs::create_dir_all(&blobs).with_context(|| format!("cannot make {}", blobs.display()))?;
    let put = |media_type: &str, bytes: &[u8]| -> Result<Value> {
        let digest = digest(bytes);
        fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes)?;
        Ok(json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() }))
    };
    let config =
        put("application/vnd.oci.image.config.v1+json", &serde_json::to_vec(&config(layers, version))?)?;
    let layers = layers.iter().map(|layer| put("application/vnd.oci.image.layer.v1.tar+gzip", &layer.bytes));
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": config,
        "layers": layers.collect::<Result<Vec<_>>>()?,
    });
    let mut manifest = put(manifest_type, &serde_json::to_vec(&manifest)?)?;
    let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
    manifest["platform"] = json!({ "architecture": architecture()?, "os": "linux" });
    // The first is what `podman` and `skopeo` look for, the second `docker load`.
    manifest["annotations"] = json!({
        "org.opencontainers.image.ref.name": version,
        "io.containerd.image.name": format!("docker.io/library/byline:{version}"),
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    fs::write(to.join("index.json"), serde_json::to_vec(&index)?)?;
    fs::write(to.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(digest)
}

/// The name that images have for this machine's processor.
fn architecture() -> Result<&'static str> {
    match ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("images for {other} are not built"),
    }
}

/// How the image is run. `packaging/container/Dockerfile` says the same.
fn config(layers: &[Layer], version: &str) -> Value {
    let port = format!("{PORT}/tcp");
    let data = format!("/{DATA}");
    json!({
        "architecture": architecture().unwrap_or_default(),
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "ExposedPorts": { port: {} },
            "Env": [
                "PATH=/usr/bin",
                format!("BYLINE_LISTEN=0.0.0.0:{PORT}"),
                format!("BYLINE_DATABASE_URL=sqlite://{data}/byline.db"),
            ],
            "Entrypoint": [format!("/{BINARY}")],
            "Cmd": ["serve"],
            "Volumes": { &data: {} },
            "WorkingDir": &data,
            "StopSignal": "SIGTERM",
            // Not in OCI's specification; Docker, Podman and containerd know it. In nanoseconds.
            "Healthcheck": {
                "Test": ["CMD", format!("/{BINARY}"), "health"],
                "Interval": 30_000_000_000_u64,
                "Timeout": 10_000_000_000_u64,
                "StartPeriod": 10_000_000_000_u64,
                "Retries": 3,
            },
            "Labels": {
                "org.opencontainers.image.title": "Byline",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "MIT",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| &layer.diff_id).collect::<Vec<_>>() },
        "history": [
            { "created_by": "cargo xtask image: libraries, certificates, the user" },
            { "created_by": "cargo xtask image: the binary" },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_of_a_program_are_those_that_ldd_finds() {
        let said = "\tlinux-vdso.so.1 (0x00007f86f853c000)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f86f493e000)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f86f853e000)\n";
        let found = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(named_libraries(said).unwrap(), found);
        let missing = named_libraries("\tlibgone.so.1 => not found\n").unwrap_err();
        assert!(missing.to_string().contains("libgone.so.1"));
    }
}
