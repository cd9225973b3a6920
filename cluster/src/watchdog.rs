//! Ends a cluster when the process that started it has ended, in any way.
//!
//! A shell waits on a pipe whose other end only this process has. The system closes
//! that end with the process, even after SIGKILL. The shell then stops the server
//! and removes its folder. A normal end closes the pipe in the same way.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
};

use crate::{
    binaries::Binaries,
    command::command,
    error::{Error, io},
    user::User,
};

/// Arguments: `pg_ctl`, the folder of the data, the folder to remove.
///
/// `fast` is SIGINT: everybody is disconnected and all is written. `immediate`
/// is SIGQUIT, for a server that does not manage in 10 s. A server that is
/// down already makes both fail at once.
const SCRIPT: &str = r#"
read -r _
"$1" stop --silent --pgdata "$2" --mode fast --timeout 10 ||
"$1" stop --silent --pgdata "$2" --mode immediate --timeout 10
rm -rf "$3"
"#;

/// Watches over one folder and whatever server runs in it. Dropping it stops
/// the server, removes the folder and waits for both.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    pub(crate) fn start(binaries: &Binaries, user: User, data: &Path, folder: &Path) -> Result<Self, Error> {
        let mut shell = command(Path::new("/bin/sh"));
        shell
            .args(["-c", SCRIPT, "watchdog"])
            .args([&binaries.program("pg_ctl"), data, folder])
            .current_dir("/")
            // Away from the signals of our terminal, which ends us, not it.
            .process_group(0)
            .stdin(Stdio::piped())
            // Holding ours open would make who reads them wait.
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        user.run(&mut shell).spawn().map(Self).map_err(io("start the watchdog"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // `wait` closes the pipe first. It fails only if something else has
        // waited; then there is nothing to wait for.
        let _ = self.0.wait();
    }
}
