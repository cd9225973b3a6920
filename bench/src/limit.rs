//! A limit for the memory of processes and their page cache, by a control group of
//! the kernel.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// A control group without processes yet. It is removed when this is dropped.
pub(crate) struct MemoryLimit {
    group: PathBuf,
}

impl MemoryLimit {
    /// Makes a group that may use so many bytes. That needs root, and a system
    /// that allows new groups.
    pub(crate) fn new(bytes: u64) -> Result<Self> {
        let place = Place::find()?;
        let group = place.parent.join(format!("byline-bench-{}", std::process::id()));
        fs::create_dir(&group).with_context(|| format!("{} cannot be made", group.display()))?;
        let limit = Self { group };
        let file = limit.group.join(place.file);
        fs::write(&file, bytes.to_string()).with_context(|| format!("{} cannot be set", file.display()))?;
        Ok(limit)
    }

    /// A command that the limit holds for from its first instruction on.
    pub(crate) fn hold(&self, command: &Command) -> Command {
        let mut held = Command::new("sh");
        held.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(self.group.join("cgroup.procs"));
        held.arg(command.get_program()).args(command.get_args());
        held
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // What was killed a moment ago may still be in it.
        for _ in 0..50 {
            if fs::remove_dir(&self.group).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{} is left", self.group.display());
    }
}

/// Where groups are made, and the name of the file with the limit.
struct Place {
    parent: PathBuf,
    file: &'static str,
}

impl Place {
    /// Within what already holds for this process, as far as the kernel lets it.
    fn find() -> Result<Self> {
        Self::of(&fs::read_to_string("/proc/self/cgroup")?, Path::new("/sys/fs/cgroup"))
    }

    /// `own` names this process's groups (cgroups(7)), `root` is where they are mounted.
    fn of(own: &str, root: &Path) -> Result<Self> {
        // Version 1: a hierarchy for memory alone.
        let first = own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            controllers.split(',').any(|controller| controller == "memory").then_some(path)
        });
        if let Some(path) = first {
            let parent = root.join("memory").join(path.trim_start_matches('/'));
            ensure!(parent.is_dir(), "{} is not there", parent.display());
            return Ok(Self { parent, file: "memory.limit_in_bytes" });
        }
        // Version 2: a group with processes can have no subgroups, so the next
        // group above is used that gives memory to its subgroups.
        let path =
            own.lines().find_map(|line| line.strip_prefix("0::/")).context("there are no control groups")?;
        let own = root.join(path);
        let gives_memory = |group: &&Path| {
            let controllers = fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
            group.starts_with(root) && controllers.split_whitespace().any(|name| name == "memory")
        };
        let parent = own.ancestors().find(gives_memory).context("no control group limits memory here")?;
        Ok(Self { parent: parent.to_owned(), file: "memory.max" })
    }
}

/// Has the system forget what it knows of a file, as far as that is on the disk.
pub(crate) fn forget(file: &Path) -> Result<()> {
    let succeeds = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    ensure!(succeeds(Command::new("sync").arg(file)), "sync does not work");
    let mut input = std::ffi::OsString::from("if=");
    input.push(file);
    let mut dd = Command::new("dd");
    dd.arg(input).args(["iflag=nocache", "count=0", "status=none"]);
    ensure!(succeeds(&mut dd), "dd does not work");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_made_where_the_kernel_allows_it() {
        let root = std::env::temp_dir().join(format!("byline-bench-limit-{}", std::process::id()));
        fs::create_dir_all(root.join("memory/a/b")).unwrap();
        let place = Place::of("3:cpuset:/\n4:memory:/a/b\n0::/", &root).unwrap();
        assert_eq!((place.parent, place.file), (root.join("memory/a/b"), "memory.limit_in_bytes"));

        fs::create_dir_all(root.join("user/session")).unwrap();
        fs::write(root.join("cgroup.subtree_control"), "cpu memory\n").unwrap();
        fs::write(root.join("user/cgroup.subtree_control"), "cpu\n").unwrap();
        let place = Place::of("0::/user/session\n", &root).unwrap();
        assert_eq!((place.parent, place.file), (root.clone(), "memory.max"));

        fs::write(root.join("cgroup.subtree_control"), "cpu\n").unwrap();
        assert!(Place::of("0::/user/session\n", &root).is_err());
        fs::remove_dir_all(root).unwrap();
    }
}
