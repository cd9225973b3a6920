//! The cores that servers and load run on.

use std::{
    ffi::OsStr,
    fmt,
    process::{Command, Stdio},
    thread,
};

/// Where servers run, and where the load is made. Numbers of cores.
const SERVER: &str = "0";
const LOAD: &str = "1";

/// How the cores are shared out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    /// Servers and their database have one, the load, in this process, another.
    Divided,
    /// Everything runs where there is room.
    Shared,
}

impl Cores {
    /// Moves this process to the core of the load. Where that does not work,
    /// everything shares whatever cores there are.
    pub(crate) fn divide() -> Self {
        if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) && move_to(LOAD) {
            Self::Divided
        } else {
            Self::Shared
        }
    }

    /// A program that is to run where servers do.
    pub(crate) fn server(self, program: &OsStr) -> Command {
        match self {
            Self::Divided => {
                let mut taskset = Command::new("taskset");
                taskset.args(["--cpu-list", SERVER]).arg(program);
                taskset
            }
            Self::Shared => Command::new(program),
        }
    }

    /// Does something that starts processes which are to run where servers do:
    /// they inherit the core from us.
    pub(crate) fn among_servers<T>(self, work: impl FnOnce() -> T) -> T {
        if self == Self::Shared {
            return work();
        }
        move_to(SERVER);
        let done = work();
        move_to(LOAD);
        done
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Divided => write!(f, "the server and its database on one core, the load on another"),
            Self::Shared => {
                let cores = thread::available_parallelism().map_or(1, usize::from);
                write!(f, "nothing pinned: servers, database and load share {cores} cores")
            }
        }
    }
}

/// Moves this thread, and with it what it starts from now on.
fn move_to(core: &str) -> bool {
    let pid = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    let moved = taskset.args(["--cpu-list", "--pid", core, &pid]).stdout(Stdio::null()).status();
    moved.is_ok_and(|status| status.success())
}
