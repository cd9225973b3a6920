//! The container image, packed of a small program in place of Byline.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Output},
};

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Stands for Byline; it names libraries as Byline does.
const PROGRAM: &str = "/bin/cat";

fn pack(to: &Path) -> Output {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["image", "--binary", PROGRAM, "--to"]).arg(to).output().expect("xtask runs")
}

/// A packed image.
struct Image {
    folder: TempDir,
    manifest: Value,
}

impl Image {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let output = pack(folder.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let layout: Value = json(&fs::read(folder.path().join("oci-layout")).expect("a layout"));
        assert_eq!(layout["imageLayoutVersion"], "1.0.0");
        let index = json(&fs::read(folder.path().join("index.json")).expect("an index"));
        assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1));
        assert_eq!(index["manifests"][0]["platform"]["os"], "linux");
        let manifest = json(&blob(folder.path(), &index["manifests"][0]));
        Self { folder, manifest }
    }

    fn config(&self) -> Value {
        json(&blob(self.folder.path(), &self.manifest["config"]))
    }

    /// The unpacked layers, the lowest first.
    fn layers(&self) -> Vec<Vec<u8>> {
        let layers = self.manifest["layers"].as_array().expect("layers");
        let unpacked = layers.iter().map(|layer| {
            assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
            let mut tar = Vec::new();
            GzDecoder::new(blob(self.folder.path(), layer).as_slice()).read_to_end(&mut tar).expect("gzip");
            tar
        });
        unpacked.collect()
    }

    /// Every entry of every layer by its path: mode, owner, group and bytes.
    fn files(&self) -> BTreeMap<String, (u32, u64, u64, Vec<u8>)> {
        let mut files = BTreeMap::new();
        for layer in self.layers() {
            for entry in tar::Archive::new(layer.as_slice()).entries().expect("a tar file") {
                let mut entry = entry.expect("an entry");
                let path = entry.path().expect("a path").to_string_lossy().into_owned();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).expect("a file");
                let header = entry.header();
                assert_eq!(header.mtime().expect("a time"), 0, "{path}");
                let [mode, owner, group] = [header.mode().map(u64::from), header.uid(), header.gid()]
                    .map(|number| number.expect("a number"));
                files.insert(path, (u32::try_from(mode).expect("a mode"), owner, group, bytes));
            }
        }
        files
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// A blob by its description, with which its size and its digest agree.
fn blob(folder: &Path, description: &Value) -> Vec<u8> {
    let digest =
        description["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("a digest");
    let bytes = fs::read(folder.join("blobs/sha256").join(digest)).expect("a blob");
    assert_eq!(format!("{:x}", Sha256::digest(&bytes)), digest);
    assert_eq!(description["size"], bytes.len());
    bytes
}

#[test]
fn every_part_of_an_image_is_what_its_digest_says() {
    let image = Image::new();
    let config = image.config();
    let digests =
        image.layers().iter().map(|tar| format!("sha256:{:x}", Sha256::digest(tar))).collect::<Vec<_>>();
    assert_eq!(digests.len(), 2);
    assert_eq!(config["rootfs"]["diff_ids"], Value::from(digests));
    assert_eq!(config["history"].as_array().map(Vec::len), Some(2));
    // The configuration, the manifest and the layers: nothing else is left in it.
    let blobs = image.folder.path().join("blobs/sha256");
    assert_eq!(fs::read_dir(blobs).expect("a folder").count(), 4);
}

#[test]
fn an_image_runs_as_somebody_without_rights_and_writes_to_its_volume_alone() {
    let image = Image::new();
    let config = &image.config()["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], Value::from(["/usr/bin/byline"]));
    assert_eq!(config["Cmd"], Value::from(["serve"]));
    assert_eq!(config["Volumes"], serde_json::json!({ "/var/lib/byline": {} }));
    assert_eq!(config["WorkingDir"], "/var/lib/byline");
    assert_eq!(config["ExposedPorts"], serde_json::json!({ "3000/tcp": {} }));
    assert_eq!(config["Healthcheck"]["Test"], Value::from(["CMD", "/usr/bin/byline", "health"]));

    let files = image.files();
    let of_user: Vec<_> =
        files.iter().filter(|(_, (_, owner, ..))| *owner != 0).map(|(path, _)| path).collect();
    assert_eq!(of_user, ["var/lib/byline/"]);
    let open: Vec<_> =
        files.iter().filter(|(_, (mode, ..))| mode & 0o022 != 0).map(|(path, _)| path).collect();
    assert_eq!(open, ["tmp/"], "nobody else writes anywhere");
    assert!(files.values().all(|(mode, ..)| mode & 0o6000 == 0), "no program gives rights to who starts it");
    let (mode, owner, group, bytes) = &files["usr/bin/byline"];
    assert_eq!((*mode, *owner, *group), (0o755, 0, 0));
    assert_eq!(*bytes, fs::read(PROGRAM).expect("the program"));
    assert!(String::from_utf8_lossy(&files["etc/passwd"].3).contains("byline:x:65532:65532:"));
    let shells = ["bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/env"];
    assert!(shells.iter().all(|shell| !files.contains_key(*shell)), "there is no shell");
}

#[test]
fn the_same_files_make_the_same_image() {
    let [first, second] = [Image::new(), Image::new()];
    assert_eq!(first.manifest, second.manifest);
    let before = fs::read(first.folder.path().join("index.json")).expect("an index");
    assert!(pack(first.folder.path()).status.success(), "an image is replaced");
    assert_eq!(fs::read(first.folder.path().join("index.json")).expect("an index"), before);
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let precious = folder.path().join("blobs/sha256/precious");
    fs::create_dir_all(precious.parent().expect("a folder")).expect("a folder");
    fs::write(&precious, "text").expect("a file");
    assert!(!pack(folder.path()).status.success());
    assert_eq!(fs::read_to_string(&precious).expect("it is there"), "text");
}

/// Only root may change its root folder; for others the files themselves are checked above.
#[test]
fn a_program_runs_on_what_is_in_the_image_alone() {
    let image = Image::new();
    let root = tempfile::tempdir().expect("a folder");
    if fs::metadata(root.path()).expect("a folder").uid() != 0 {
        return;
    }
    for layer in image.layers() {
        let mut archive = tar::Archive::new(layer.as_slice());
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(true);
        archive.unpack(root.path()).expect("a layer");
    }
    // `chroot` needs to pass the folder that only root may enter otherwise.
    fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("open");
    let run = |argument: &str| {
        let mut chroot = Command::new("chroot");
        chroot.arg("--userspec=65532:65532").arg(root.path()).args(["/usr/bin/byline", argument]);
        let output = chroot.output().expect("chroot runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, users) = run("/etc/passwd");
    assert_eq!(code, Some(0), "its libraries are in the image");
    assert!(users.contains("byline"));
    assert_eq!(run("/nowhere").0, Some(1));
}
