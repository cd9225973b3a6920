//! PgBouncer in front of a cluster.

use std::{
    env, fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    cluster::{Cluster, ROLE, START_LIMIT, psql},
    command::command,
    error::{Error, io},
    port::free_port,
};

/// Arguments: `pgbouncer` and its settings. As with a cluster, the end of the pipe is the end
/// of the pooler, however the process that has the other end of it ends.
const SCRIPT: &str = r#"
"$1" --quiet "$2" & pooler=$!
read -r _
kill -INT $pooler
wait $pooler
"#;

/// A running PgBouncer that gives its clients a connection of the server for a transaction at
/// a time. It ends when it is dropped, or with this process.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    child: Child,
}

impl Cluster {
    /// Starts a pooler with this many connections to each database of the cluster.
    ///
    /// # Errors
    /// [`Error::NoPooler`] where PgBouncer is not installed.
    pub fn pooler(&self, connections: u16) -> Result<Pooler, Error> {
        let pgbouncer = find().ok_or(Error::NoPooler)?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let port = free_port();
            let mut pooler = self.start_pooler(&pgbouncer, port, connections)?;
            loop {
                let answered = psql(self.binaries(), &pooler.url("postgres"), "SELECT 1");
                let Err(error) = answered else { return Ok(pooler) };
                if Instant::now() > deadline {
                    return Err(error);
                }
                // Somebody else may have taken the port.
                if matches!(pooler.child.try_wait(), Ok(Some(_))) {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn start_pooler(&self, pgbouncer: &Path, port: u16, connections: u16) -> Result<Pooler, Error> {
        let folder = self.folder();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(io(format!("write {}", path.display()))).map(|()| path)
        };
        let users = write(&format!("pooler-{port}.users"), format!("\"{ROLE}\" \"\"\n"))?;
        let settings = format!(
            "[databases]\n* = host={address} port={server}\n\
             [pgbouncer]\nlisten_addr = {address}\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {users}\nlogfile = {log}\n\
             pool_mode = transaction\nserver_login_retry = 1\ndefault_pool_size = {connections}\nmax_client_conn = 500\n",
            address = Ipv4Addr::LOCALHOST,
            server = self.port(),
            users = users.display(),
            log = folder.join(format!("pooler-{port}.log")).display(),
        );
        let settings = write(&format!("pooler-{port}.ini"), settings)?;
        let mut shell = command(Path::new("/bin/sh"));
        shell.args(["-c", SCRIPT, "pooler"]).arg(pgbouncer).arg(settings);
        shell.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = self.user().run(&mut shell).spawn().map_err(io("start PgBouncer"))?;
        Ok(Pooler { port, child })
    }
}

impl Pooler {
    /// The address of one of the cluster's databases through the pooler.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ROLE}@{}:{}/{database}", Ipv4Addr::LOCALHOST, self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // `wait` closes the pipe first.
        let _ = self.child.wait();
    }
}

/// Debian's folder of servers is on the PATH of few.
fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
