//! An S3 server for the tests: SeaweedFS, a real one, on this machine alone.

use std::{
    collections::BTreeSet,
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use byline::{
    config::{AwsVariables, Config, StoreUrl},
    media::objects::Objects,
    objects::{ObjectUrl, Stores},
};
use byline_cluster::free_port;
use object_store::ObjectStoreExt;
use tokio::{
    io::{AsyncReadExt, copy, copy_bidirectional},
    net::{TcpListener as Listener, TcpStream},
    sync::watch,
};

use super::{Client, until};

const BUCKET: &str = "pictures";

/// The server's folder, its program, and further arguments. The shell ends the server and
/// removes the folder when the other end of its input is closed, which the system does
/// when the tests end, in whatever way.
const SCRIPT: &str = r#"
folder="$1"
shift
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
read -r _
kill -KILL $server
wait $server
rm -rf "$folder"
"#;

/// Whoever has the key may do everything; anybody may look.
const IDENTITIES: &str = r#"{"identities": [
    {"name": "byline", "credentials": [{"accessKey": "byline", "secretKey": "a secret"}],
     "actions": ["Admin", "Read", "Write", "List"]},
    {"name": "anonymous", "actions": ["Read", "List"]}
]}"#;

/// The server that all tests of a run share.
struct Server {
    port: u16,
    log: PathBuf,
    // Its input is what keeps the server alive.
    _watchdog: Child,
}

impl Server {
    fn start() -> Self {
        let program = program();
        assert!(program.exists(), "{} is missing; `cargo xtask test` installs it", program.display());
        let folder = tempfile::Builder::new().prefix("byline-objects-").tempdir().expect("a folder").keep();
        fs::write(folder.join("s3.json"), IDENTITIES).expect("a file");
        let [master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc] =
            [(); 8].map(|()| free_port());
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "watchdog"]).args([&folder, &program]).args([
            "server",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            "-s3.autoCreateBucket=true",
            "-volume.max=20",
            "-master.volumeSizeLimitMB=64",
            // It reports to nobody.
            "-master.telemetry=false",
            // Services that no test uses. Their ports are the same on every server, and one
            // that cannot have them ends itself.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ]);
        for (name, port) in [
            ("master.port", master),
            ("master.port.grpc", master_grpc),
            ("volume.port", volume),
            ("volume.port.grpc", volume_grpc),
            ("filer.port", filer),
            ("filer.port.grpc", filer_grpc),
            ("s3.port", s3),
            ("s3.port.grpc", s3_grpc),
        ] {
            shell.arg(format!("-{name}={port}"));
        }
        shell
            .arg(format!("-dir={}", folder.display()))
            .arg(format!("-s3.config={}", folder.join("s3.json").display()))
            .current_dir(&folder)
            // Away from the signals of our terminal, which ends us.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self { port: s3, log: folder.join("log"), _watchdog: shell.spawn().expect("a shell") }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The reason why it has ended; `None` for as long as it runs.
    fn reason_to_end(&self) -> Option<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().find(|line| line.starts_with('F')).map(ToOwned::to_owned)
    }
}

/// Where `cargo xtask test` installs the server: beside what cargo has built.
fn program() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_byline")).parent().and_then(Path::parent);
    built.expect("cargo's folder").join("xtask/objects/bin/weed")
}

/// A part of the server's bucket for one test, and the way to it, which the test can close.
pub struct ObjectStore {
    address: SocketAddr,
    prefix: String,
    way: watch::Sender<Way>,
    stalled: Arc<AtomicBool>,
}

/// What happens to whoever connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections end at once, as if the server were down.
    Closed,
    /// Nobody answers, as if a cable were cut.
    Silent,
    /// Each connection passes on 4 MiB, and then no more.
    Stalling,
}

impl ObjectStore {
    /// An empty place for pictures, on the server that all tests of this run share.
    pub async fn start() -> Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        static PLACES: AtomicUsize = AtomicUsize::new(0);

        let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(Server::start));
        let server = server.await.expect("a server");
        let listener = Listener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (way, watched) = watch::channel(Way::Open);
        let stalled = Arc::new(AtomicBool::new(false));
        tokio::spawn(lead(listener, server.address(), watched, Arc::clone(&stalled)));
        let prefix = format!("place-{}", PLACES.fetch_add(1, Ordering::Relaxed));
        let store = Self { address, prefix, way, stalled };
        // It answers before it can store something.
        let objects = Objects::new(None, store.variables()).expect("a client");
        let first = ObjectUrl::from_stored(&format!("s3://{BUCKET}/first/object")).expect("a URL");
        until("the object store", async || {
            if let Some(reason) = server.reason_to_end() {
                panic!("the object store has ended: {reason}");
            }
            objects.write(&first, b"x".to_vec().into()).await.is_ok()
        })
        .await;
        store
    }

    /// The value of the setting.
    pub fn url(&self) -> String {
        format!("s3://{BUCKET}/{}", self.prefix)
    }

    /// The variables by which a client reaches it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "byline".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a secret".to_owned()),
        ]
    }

    pub fn variables(&self) -> AwsVariables {
        let variables = self.environment().into_iter();
        AwsVariables(variables.map(|(name, value)| (name.to_owned(), value.into())).collect())
    }

    /// The settings of a site that stores new pictures here.
    pub fn settings(&self) -> impl Fn(&mut Config) + use<> {
        let (url, reach) = (self.url().parse::<StoreUrl>().expect("a place"), self.reach());
        move |config| {
            config.media_url = Some(url.clone());
            reach(config);
        }
    }

    /// The settings of a site that reaches it, and stores new pictures in the database.
    pub fn reach(&self) -> impl Fn(&mut Config) + use<> {
        let variables = self.variables();
        move |config| config.aws = variables.clone()
    }

    /// Opens or closes the way to the server. Connections that are open end.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// Whether a connection has stalled ([`Way::Stalling`]).
    pub fn has_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Writes an object, with this place's own address and key.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        let (bucket, url) = self.object(key);
        bucket.put(url.key(), bytes.into()).await.expect("it is written");
    }

    pub async fn get(&self, key: &str) -> Vec<u8> {
        let (bucket, url) = self.object(key);
        let object = bucket.get(url.key()).await.expect("an object");
        object.bytes().await.expect("its bytes").to_vec()
    }

    pub async fn remove(&self, key: &str) {
        let (bucket, url) = self.object(key);
        bucket.delete(url.key()).await.expect("it is removed");
    }

    fn object(&self, key: &str) -> (impl std::ops::Deref<Target = impl ObjectStoreExt>, ObjectUrl) {
        let bucket = Stores::new(self.variables()).bucket(BUCKET).expect("a client");
        (bucket, ObjectUrl::from_stored(&format!("{}/{key}", self.url())).expect("an address"))
    }

    /// Writes an object into another place, whatever way there is to that.
    pub async fn put_into(&self, other: &Self, key: &str, bytes: Vec<u8>) {
        let url = ObjectUrl::from_stored(&format!("{}/{key}", other.url())).expect("an address");
        self.object(key).0.put(url.key(), bytes.into()).await.expect("it is written");
    }

    /// The uploads of this place that are not finished.
    pub async fn unfinished_uploads(&self) -> usize {
        self.unfinished_uploads_of(self).await
    }

    /// Those of another place, whatever way there is to that.
    pub async fn unfinished_uploads_of(&self, other: &Self) -> usize {
        let path = format!("/{BUCKET}?uploads&prefix={}/", other.prefix);
        let listed = Client::browser(self.address, false).get(&path).await;
        assert_eq!(listed.status, 200, "{}", listed.text());
        listed.text().matches("<UploadId>").count()
    }

    /// The keys of all objects of this place, without its prefix.
    pub async fn keys(&self) -> BTreeSet<String> {
        let start = format!("{}/", self.prefix);
        let path = format!("/{BUCKET}?list-type=2&prefix={start}");
        let listed = Client::browser(self.address, false).get(&path).await;
        assert_eq!(listed.status, 200, "{}", listed.text());
        assert!(listed.text().contains("<IsTruncated>false"), "{}", listed.text());
        let keys = listed.text().split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        keys.map(|(key, _)| key.strip_prefix(&start).expect("a key of this place").to_owned()).collect()
    }
}

/// Leads connections to the server, as long as the way is open.
async fn lead(listener: Listener, server: SocketAddr, way: watch::Receiver<Way>, stalled: Arc<AtomicBool>) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else { return };
        let (mut way, stalled) = (way.clone(), Arc::clone(&stalled));
        tokio::spawn(async move {
            let now = *way.borrow_and_update();
            let led = async {
                match now {
                    Way::Closed => {}
                    Way::Silent => std::future::pending().await,
                    Way::Stalling => {
                        if let Ok(mut server) = TcpStream::connect(server).await {
                            let (from_client, mut to_client) = client.split();
                            let (mut from_server, mut to_server) = server.split();
                            let mut first = from_client.take(4 << 20);
                            let up = async {
                                let _ = copy(&mut first, &mut to_server).await;
                                stalled.fetch_or(first.limit() == 0, Ordering::Relaxed);
                                std::future::pending::<()>().await;
                            };
                            tokio::select! {
                                () = up => {}
                                _ = copy(&mut from_server, &mut to_client) => {}
                            }
                        }
                    }
                    Way::Open => {
                        if let Ok(mut server) = TcpStream::connect(server).await {
                            let _ = copy_bidirectional(&mut client, &mut server).await;
                        }
                    }
                }
            };
            tokio::select! {
                () = led => {}
                _ = way.changed() => {}
            }
        });
    }
}
