//! The `byline` command, as a process.

use std::{
    env,
    ffi::OsString,
    net::SocketAddr,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use super::in_time;

/// A folder to run `byline` in. Nothing of the tests' own environment counts.
pub struct Byline {
    folder: TempDir,
}

impl Byline {
    /// An empty folder.
    pub fn in_an_empty_folder() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything that lies in the folder, the files of a database among it.
    pub fn stored(&self) -> String {
        String::from_utf8_lossy(&self.stored_bytes()).into_owned()
    }

    /// Whether these bytes stand in [`Self::stored`] anywhere.
    pub fn has_stored(&self, bytes: &[u8]) -> bool {
        self.stored_bytes().windows(bytes.len()).any(|window| window == bytes)
    }

    fn stored_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder()).expect("a folder");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("a readable file")).collect()
    }

    /// `byline …` with the cheapest hashes, unless `arguments` say otherwise.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(binary()), arguments)
    }

    /// The same begun by a script of `sh`, to which it is `"$0" "$@"`.
    pub fn command_in_shell(&self, script: &str, arguments: &[&str]) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(binary());
        self.prepared(shell, arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("BYLINE_ARGON2_MEMORY", "19456")
            .env("BYLINE_ARGON2_ITERATIONS", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs `byline …` to its end with `input` on its standard input.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Ended {
        Ended::of(self.command(arguments), input).await
    }

    /// `byline serve`, until it says where it is; on a free port, unless told otherwise.
    pub async fn serve(&self, arguments: &[&str]) -> Served {
        self.serve_logging_to(Stdio::piped(), arguments).await
    }

    /// The same with its log elsewhere; the log that is handed back is then empty.
    pub async fn serve_logging_to(&self, log: Stdio, arguments: &[&str]) -> Served {
        let mut all = vec!["serve"];
        if !arguments.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(arguments);
        let mut command = self.command(&all);
        command.stderr(log);
        Self::serve_by(command).await
    }

    /// `byline serve` on a free port as [`Self::command_in_shell`].
    pub async fn serve_in_shell(&self, script: &str, arguments: &[&str]) -> Served {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        Self::serve_by(self.command_in_shell(script, &all)).await
    }

    /// Whatever command in the end is `byline serve`, until it says where it is.
    pub async fn serve_by(mut command: Command) -> Served {
        let mut child = command.spawn().expect("byline starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("its output")).lines();
        let stderr = child.stderr.take();
        let log = tokio::spawn(async move {
            let mut log = String::new();
            if let Some(mut stderr) = stderr {
                stderr.read_to_string(&mut log).await.expect("a log in UTF-8");
            }
            log
        });
        let address = in_time("byline serve to say where it is", async {
            while let Some(line) = stdout.next_line().await.expect("its output") {
                if let Some((said, address)) = line.split_once("://") {
                    let scheme = said.rsplit(' ').next().unwrap_or_default().to_owned();
                    return Some((scheme, address.trim().parse().expect("an address")));
                }
            }
            None
        })
        .await;
        match address {
            Some((scheme, address)) => {
                let said = tokio::spawn(async move {
                    let mut said = String::new();
                    while let Ok(Some(line)) = stdout.next_line().await {
                        said += &line;
                        said.push('\n');
                    }
                    said
                });
                Served { scheme, address, child, log, said }
            }
            None => panic!("byline serve has ended: {}", log.await.expect("its log")),
        }
    }
}

/// The `byline` that is tried: the one that was built with the tests, or the
/// one that `SITE_TEST_BINARY` names.
fn binary() -> OsString {
    env::var_os("SITE_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_byline").into())
}

/// The CPU time of a process, over all of its threads: fields 14 and 15 of
/// `/proc/PID/stat` (proc_pid_stat(5)), in ticks of 10 ms.
fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in brackets, may have spaces in it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = [11, 12].iter().filter_map(|field| fields.get(*field)?.parse::<u64>().ok()).sum();
    let is_alive = fields.first().is_some_and(|state| !["Z", "X"].contains(state));
    is_alive.then(|| Duration::from_millis(ticks * 10))
}

/// A `byline` that has run to its end.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Runs any command to its end.
    pub async fn of(mut command: Command, input: &str) -> Self {
        let mut child = command.spawn().expect("byline starts");
        let mut stdin = child.stdin.take().expect("its input");
        // It may end without reading.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = in_time("byline to end", child.wait_with_output()).await;
        let Output { status, stdout, stderr } = output.expect("byline ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Asserts success; returns the output.
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Asserts that it failed as it should: code 1 and one sentence, which has
    /// all of `words`.
    pub fn failed_with(self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stderr.trim_end().lines().count(), 1, "one sentence: {self:?}");
        assert!(self.stderr.starts_with("byline: "), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing: {self:?}");
        }
    }
}

/// A running `byline serve`.
pub struct Served {
    /// The scheme that it prints.
    pub scheme: String,
    pub address: SocketAddr,
    child: Child,
    log: JoinHandle<String>,
    said: JoinHandle<String>,
}

impl Served {
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends SIGTERM; does not wait.
    pub async fn ask_to_stop(&self) {
        self.signal("TERM").await;
    }

    /// Sends a signal by its name without SIG; does not wait.
    pub async fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let kill = Command::new("kill").args(["-s", name, &pid]).status().await.expect("kill runs");
        assert!(kill.success(), "SIG{name} is sent");
    }

    /// The CPU time of the process so far; `None` once it has ended.
    pub fn cpu_time(&self) -> Option<Duration> {
        cpu_time(self.child.id()?)
    }

    /// Stops it by SIGTERM; returns its log.
    pub async fn terminate(self) -> String {
        self.ask_to_stop().await;
        self.ended().await
    }

    /// Stops it by SIGTERM; returns what it has printed after its address.
    pub async fn terminate_and_hear(mut self) -> String {
        self.ask_to_stop().await;
        let status = in_time("byline serve to stop", self.child.wait()).await.expect("it stops");
        assert_eq!(status.code(), Some(0));
        self.said.await.expect("what it has printed")
    }

    /// Ends it by SIGKILL; its log. Nobody is told, nothing is tidied up.
    pub async fn kill(mut self) -> String {
        self.child.kill().await.expect("it ran");
        self.log.await.expect("its log")
    }

    /// Waits for its end, which must be one with code 0; its log.
    pub async fn ended(mut self) -> String {
        let status = in_time("byline serve to stop", self.child.wait()).await.expect("it stops");
        let log = self.log.await.expect("its log");
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}
