//! The files in `packaging/` agree with each other and keep their promises.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a directive of the last stage of the Dockerfile says, with its continued lines.
fn dockerfile(directive: &str) -> Vec<String> {
    let text = read("packaging/container/Dockerfile").replace("\\\n", " ");
    let (_, last) = text.rsplit_once("\nFROM ").expect("stages");
    let said = last.lines().filter_map(|line| line.strip_prefix(directive)?.strip_prefix(' '));
    said.map(|said| said.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn both_ways_to_make_an_image_run_it_in_the_same_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["image", "--binary", "/bin/cat", "--to"]).arg(folder.path());
    assert!(xtask.status().expect("xtask runs").success());
    let blob = |digest: &Value| -> Value {
        let name = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("a digest");
        let bytes = fs::read(folder.path().join("blobs/sha256").join(name)).expect("a blob");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let index = fs::read(folder.path().join("index.json")).expect("an index");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    let manifest = blob(&index["manifests"][0]["digest"]);
    let config = &blob(&manifest["config"]["digest"])["config"];

    let json = |said: &str| -> Value { serde_json::from_str(said).expect("JSON") };
    let only = |directive| {
        let [said] = <[String; 1]>::try_from(dockerfile(directive)).expect("it is there once");
        said
    };
    assert_eq!(config["User"], only("USER"));
    assert_eq!(config["WorkingDir"], only("WORKDIR"));
    assert_eq!(config["StopSignal"], only("STOPSIGNAL"));
    assert_eq!(config["Entrypoint"], json(&only("ENTRYPOINT")));
    assert_eq!(config["Cmd"], json(&only("CMD")));
    assert!(config["Volumes"].get(only("VOLUME")).is_some());
    assert!(config["ExposedPorts"].get(only("EXPOSE") + "/tcp").is_some());
    let (_, check) =
        only("HEALTHCHECK").split_once("CMD ").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a command");
    let check: Vec<Value> = json(&check).as_array().expect("a list").clone();
    assert_eq!(config["Healthcheck"]["Test"], Value::from([vec![Value::from("CMD")], check].concat()));
    let set: BTreeSet<String> = only("ENV").split(' ').map(str::to_owned).collect();
    let variables = config["Env"].as_array().expect("variables").iter().filter_map(Value::as_str);
    let variables: BTreeSet<String> =
        variables.filter(|variable| variable.starts_with("BYLINE_")).map(str::to_owned).collect();
    assert_eq!(set, variables);
}

/// Programs of systemd are not on every machine.
#[test]
fn the_unit_may_use_little_of_the_machine() {
    let unit = root().join("packaging/systemd/byline.service");
    let mut analyze = Command::new("systemd-analyze");
    let Ok(output) = analyze.args(["security", "--offline=true", "--no-pager"]).arg(unit).output() else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let level = said.lines().find_map(|line| line.split_once("exposure level for byline.service:"));
    let (_, level) = level.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    let level: f32 = level.split_whitespace().next().and_then(|level| level.parse().ok()).expect("a number");
    assert!(level <= 2.0, "{said}");
}

#[test]
fn the_unit_and_the_package_speak_of_the_same_places() {
    let unit = read("packaging/systemd/byline.service");
    let folders = read("packaging/tmpfiles.d/byline.conf");
    let user = read("packaging/sysusers.d/byline.conf");
    let manifest = read("Cargo.toml");
    assert!(unit.contains("\nUser=byline\n") && user.starts_with("u byline "));
    for (said_by_unit, line) in [
        ("WorkingDirectory=/var/lib/byline", "d /var/lib/byline 0700 byline byline"),
        ("LoadCredential=byline:/etc/byline/credentials", "d /etc/byline/credentials 0700 root root"),
    ] {
        assert!(unit.contains(said_by_unit), "{said_by_unit}");
        assert!(folders.lines().any(|there| there == line), "{line}");
    }
    assert!(unit.contains("Environment=BYLINE_CONFIG=/etc/byline/byline.toml"));
    assert!(manifest.contains(r#"conf-files = ["/etc/byline/byline.toml"]"#));
    assert!(unit.contains("ExecStart=/usr/bin/byline serve"));
    assert!(manifest.contains(r#"["target/release/byline", "usr/bin/", "755"]"#));
}
