//! The servers under load, each in its own process.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    http::{
        HeaderMap, HeaderName,
        header::{CONTENT_LENGTH, DATE},
    },
    routing::{get, post},
};
use byline::http::listener;
use bytes::Bytes;
use tokio::net::TcpListener;

use crate::{cores::Cores, http, limit::MemoryLimit};

pub(crate) struct Servers {
    byline: PathBuf,
    /// For logs and databases.
    pub(crate) folder: PathBuf,
    /// The cores that servers run on.
    pub(crate) cores: Cores,
    /// Whether it can be told how much of its answers it keeps in memory.
    has_page_memory: bool,
}

/// How a server differs from one with nothing but a database.
#[derive(Clone, Copy, Default)]
pub(crate) struct Setting<'a> {
    /// The most bytes of answers that it keeps in memory, if that can be set;
    /// in whole MiB, and at least one unless it is 0.
    pub(crate) page_memory: Option<u64>,
    /// What holds for the process and the system's cache for it.
    pub(crate) limit: Option<&'a MemoryLimit>,
    /// Whether a password costs what it does by default, in place of the least that
    /// Byline allows.
    pub(crate) costly_passwords: bool,
}

/// Byline's setting for how much of its answers it keeps in memory, in MiB.
const PAGE_MEMORY: &str = "--page-memory";
const MIB: u64 = 1024 * 1024;

/// A server that runs until this is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Servers {
    pub(crate) fn new(byline: PathBuf, folder: PathBuf, cores: Cores) -> Result<Self> {
        let help = Command::new(&byline).args(["serve", "--help"]).output()?.stdout;
        let has_page_memory = String::from_utf8_lossy(&help).contains(PAGE_MEMORY);
        Ok(Self { byline, folder, cores, has_page_memory })
    }

    /// Whether [`Setting::page_memory`] means anything to them.
    pub(crate) fn has_page_memory(&self) -> bool {
        self.has_page_memory
    }

    /// So many processes of Byline on one database.
    pub(crate) fn byline(&self, database_url: &str, processes: usize) -> Result<Vec<Server>> {
        (1..=processes).map(|process| self.process(process, database_url, Setting::default())).collect()
    }

    /// One process of it.
    pub(crate) fn byline_with(&self, database_url: &str, setting: Setting<'_>) -> Result<Server> {
        self.process(1, database_url, setting)
    }

    fn process(&self, number: usize, database_url: &str, setting: Setting<'_>) -> Result<Server> {
        let mut command = self.cores.server(self.byline.as_ref());
        // What it grants names the site by that, and holds when it listens at another port.
        command.arg("serve").args(["--public-url", &format!("http://{}", http::HOST)]);
        command.args(["--listen", "127.0.0.1:0", "--database-url", database_url]);
        if !setting.costly_passwords {
            command.args(["--argon2-memory", "19456", "--argon2-iterations", "2"]);
            command.args(["--argon2-parallelism", "1"]);
        }
        if let Some(bytes) = setting.page_memory.filter(|_| self.has_page_memory) {
            command.arg(PAGE_MEMORY).arg(bytes.div_ceil(MIB).to_string());
        }
        if let Some(limit) = setting.limit {
            command = limit.hold(&command);
        }
        self.start(command, &format!("byline-{number}.log"))
    }

    /// Makes an API key, which reads what everyone reads.
    pub(crate) fn api_key(&self, database_url: &str) -> Result<String> {
        let mut command = Command::new(&self.byline);
        command.args(["api-key", "create", "--public", "--database-url", database_url]);
        let output = command.current_dir(&self.folder).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// One that answers every page with these bytes, a head and a body.
    pub(crate) fn ready_made(&self, head: &str, body: &[u8]) -> Result<Server> {
        let answer = self.folder.join("answer.http");
        fs::write(&answer, [head.as_bytes(), body].concat())?;
        let mut command = self.cores.server(std::env::current_exe()?.as_ref());
        command.arg("ready-made").arg(answer);
        self.start(command, "ready-made.log")
    }

    /// One that writes this message to as many WebSockets whenever it is told to.
    pub(crate) fn bare_sockets(&self, message: &str, sockets: usize) -> Result<Server> {
        let file = self.folder.join("message.json");
        fs::write(&file, message)?;
        let mut command = self.cores.server(std::env::current_exe()?.as_ref());
        command.arg("bare-sockets").arg(file).arg(sockets.to_string());
        self.start(command, "bare-sockets.log")
    }

    /// Waits until the server has printed its address. Its log goes to a file.
    fn start(&self, mut command: Command, log: &str) -> Result<Server> {
        let log = self.folder.join(log);
        command.current_dir(&self.folder).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut process = command.spawn()?;
        let mut line = String::new();
        if let Some(stdout) = &mut process.stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim_end().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        let address = address.with_context(|| {
            format!("the server did not start: {}", fs::read_to_string(&log).unwrap_or_default())
        })?;
        Ok(Server { process, address })
    }
}

impl Server {
    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// The most memory it has had so far (`VmHWM`, resident), in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        memory(&self.about("status")?, "VmHWM")
    }

    /// The memory that it has now.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let rollup = self.about("smaps_rollup")?;
        Ok(Memory {
            resident: memory(&rollup, "Rss")?,
            proportional: memory(&rollup, "Pss")?,
            anonymous: memory(&rollup, "Anonymous")?,
        })
    }

    fn about(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(format!("/proc/{}/{file}", self.process.id()))?)
    }
}

/// What a process holds of the machine's memory, in bytes (proc(5), `smaps`).
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// All that is there: `Rss`.
    pub(crate) resident: u64,
    /// The same, with what several processes have in common shared out among them: `Pss`.
    pub(crate) proportional: u64,
    /// What no file stands behind: `Anonymous`.
    pub(crate) anonymous: u64,
}

/// The value of a line, in bytes.
fn memory(lines: &str, name: &str) -> Result<u64> {
    let kib = lines.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        if found == name { value.trim().strip_suffix(" kB") } else { None }
    });
    Ok(kib.context("the kernel does not say how much memory a process has")?.parse::<u64>()? * 1024)
}

impl Drop for Server {
    /// By force: what Byline acknowledged has to be on the disk by now.
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves an answer of Byline's from memory, headers and all, by Byline's own
/// listener and nothing else of it.
pub(crate) fn serve_ready_made(answer: &Path) -> Result<()> {
    let bytes = Bytes::from(fs::read(answer)?);
    let body = bytes.slice(http::head_length(&bytes).context("the answer has no head")?..);
    let head = std::str::from_utf8(&bytes[..bytes.len() - body.len()])?;
    let mut headers = HeaderMap::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        // hyper adds these.
        if ![CONTENT_LENGTH.as_str(), DATE.as_str()].contains(&name) {
            headers.append(HeaderName::try_from(name)?, value.try_into()?);
        }
    }
    let answer = move || (headers.clone(), Body::from(body.clone()));
    let page = {
        let answer = answer.clone();
        get(async move || answer())
    };
    // Reads the body of the request, as Byline does.
    let api = post(async move |_: Bytes| answer());
    let router = Router::new()
        .route("/", page.clone())
        .route("/{author}/{slug}", page.clone())
        .route("/graphql", api.merge(page));

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("ready-made bytes at http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        listener::serve(listener, None, router, &[], std::future::pending()).await;
        Ok(())
    })
}
