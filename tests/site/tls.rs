//! The site over TLS, without a proxy.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Instant};

use axum::{
    body::Body,
    http::{Method, Request, header::COOKIE},
};
use byline::{config::TlsFiles, http::limits::HEAD_TIME};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
    },
};

use crate::support::{Answer, Byline, Client, Ended, PASSWORD, Running, in_time};

const NAME: &str = "byline.example";

/// A certificate that vouches for itself, and its key, in files of their own.
struct Certificate {
    folder: TempDir,
}

type Der = CertificateDer<'static>;

impl Certificate {
    fn new() -> (Self, Der) {
        let certificate = Self { folder: tempfile::tempdir().expect("a folder") };
        let der = certificate.renew();
        (certificate, der)
    }

    /// Replaces the certificate by a new one.
    fn renew(&self) -> Der {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
        std::fs::write(self.cert(), made.cert.pem()).expect("a file");
        std::fs::write(self.key(), made.signing_key.serialize_pem()).expect("a file");
        made.cert.der().clone()
    }

    fn cert(&self) -> std::path::PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key(&self) -> std::path::PathBuf {
        self.folder.path().join("key.pem")
    }

    /// A site that uses it.
    async fn serve(&self) -> Running {
        let tls = TlsFiles { cert: self.cert(), key: self.key() };
        Running::start_with(|config| {
            config.public_url = format!("https://{NAME}").parse().expect("a URL");
            config.tls = Some(tls);
        })
        .await
    }
}

/// A handshake of somebody who trusts nobody but `root`, offering what browsers offer.
async fn shake_hands(address: SocketAddr, root: &Der) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a root");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(NAME).expect("a name");
    in_time("the handshake", TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// A connection that takes one request after the other.
struct Connection(SendRequest<Body>);

impl Connection {
    async fn open(address: SocketAddr, root: &Der) -> Self {
        let stream = shake_hands(address, root).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = async {
            self.0.ready().await.expect("it is still open");
            let (head, body) = self.0.send_request(request).await.expect("an answer").into_parts();
            Answer::read(head, body).await.expect("all of it")
        };
        in_time("an answer", answer).await
    }

    async fn get(&mut self, browser: &Client, path: &str) -> Answer {
        self.send(browser.request(Method::GET, path).body(Body::empty()).expect("a request")).await
    }
}

async fn until_closed(stream: &mut TcpStream) {
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = in_time("the site to hang up", stream.read_to_end(&mut said)).await;
}

#[tokio::test]
async fn a_browser_reads_and_signs_up_over_tls() {
    let (certificate, root) = Certificate::new();
    let site = certificate.serve().await;
    let mut connection = Connection::open(site.address, &root).await;
    let browser = site.browser();
    let page = connection.get(&browser, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.page().texts("h1"), ["Byline"]);
    assert!(page.header("strict-transport-security").starts_with("max-age=63072000"));

    let fields = [("username", "ada"), ("email", "ada@example.org"), ("password", PASSWORD)];
    let answer = connection.send(browser.form("/signup", &fields)).await;
    assert_eq!(answer.status, 303);
    let cookies: Vec<_> = answer.cookies().collect();
    assert!(cookies.iter().all(|cookie| cookie.contains("; Secure")), "{cookies:?}");
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-sid=")).expect("a session");
    let session = session.split(';').next().expect("a cookie");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);

    // What takes many packets arrives whole, in both directions.
    let long = format!("{}end", "words-".repeat(16_000));
    let mut post = browser.as_script().form("/api/create_post", &[("title", "Long"), ("content", &long)]);
    post.headers_mut().insert(COOKIE, session.parse().expect("a header"));
    let made = connection.send(post).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let post = connection.get(&browser.as_script(), &format!("/api/get_post?id={id}")).await.json();
    assert_eq!(post["content"].as_str(), Some(long.as_str()));
}

#[tokio::test]
async fn a_client_that_does_not_finish_the_handshake_is_disconnected_and_harms_nobody() {
    let (certificate, root) = Certificate::new();
    let site = certificate.serve().await;
    let half = async |sent: &[u8]| {
        let mut stream = TcpStream::connect(site.address).await.expect("a connection");
        stream.write_all(sent).await.expect("it is sent");
        stream
    };
    // Nothing; the first bytes of a hello that is to be 512 long; plain HTTP.
    let mut waiting = [half(b"").await, half(b"\x16\x03\x01\x02\x00\x01").await];
    let mut plain = half(b"GET / HTTP/1.1\r\nHost: byline.example\r\n\r\n").await;
    let begun = Instant::now();
    until_closed(&mut plain).await;
    assert!(begun.elapsed() < HEAD_TIME, "what cannot become a handshake ends at once");
    let mut others = Connection::open(site.address, &root).await;
    assert_eq!(others.get(&site.browser(), "/").await.status, 200, "nobody waits for them");
    for stream in &mut waiting {
        until_closed(stream).await;
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_without_a_restart() {
    let (certificate, first) = Certificate::new();
    let site = certificate.serve().await;
    let tls = site.tls.as_ref().expect("a certificate");
    let mut connection = Connection::open(site.address, &first).await;

    tls.reload().expect("nothing new");
    let second = certificate.renew();
    assert!(shake_hands(site.address, &second).await.is_err(), "it has not looked yet");
    tls.reload().expect("the new one");
    Connection::open(site.address, &second).await;
    assert!(shake_hands(site.address, &first).await.is_err(), "the old one is over");
    assert_eq!(connection.get(&site.browser(), "/").await.status, 200, "who was connected stays so");

    // Between the two writes of whoever renews it, the key is another's.
    let good = std::fs::read(certificate.key()).expect("the key");
    std::fs::copy(Certificate::new().0.key(), certificate.key()).expect("another's key");
    let refused = tls.reload().expect_err("it does not fit").to_string();
    assert!(refused.contains("does not fit"), "{refused}");
    std::fs::remove_file(certificate.key()).expect("the key");
    tls.reload().expect_err("it cannot be read");
    Connection::open(site.address, &second).await;
    std::fs::write(certificate.key(), good).expect("the key");
    tls.reload().expect("all is well again");
    Connection::open(site.address, &second).await;
}

#[tokio::test]
async fn the_process_speaks_tls_and_stops_in_order() {
    let (certificate, root) = Certificate::new();
    let byline = Byline::in_an_empty_folder();
    let (cert, key) = (certificate.cert(), certificate.key());
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let settings = format!("[tls]\ncert = {:?}\nkey = {:?}\n", text(&cert), text(&key));
    std::fs::write(byline.folder().join("byline.toml"), settings).expect("a file");
    let served = byline.serve(&[]).await;
    assert_eq!(served.scheme, "https");
    let mut connection = Connection::open(served.address, &root).await;
    let browser = Client::browser(served.address, true);
    let page = connection.get(&browser, "/").await;
    assert_eq!(page.status, 200);
    assert_ne!(page.header("strict-transport-security"), "", "its public address is one of https");
    let _half = TcpStream::connect(served.address).await.expect("a connection");
    let log = served.terminate().await;
    assert!(log.contains("every request has ended"), "{log}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named_in_one_sentence() {
    let (certificate, _) = Certificate::new();
    let (other, _) = Certificate::new();
    let byline = Byline::in_an_empty_folder();
    std::fs::write(byline.folder().join("empty.pem"), "no PEM\n").expect("a file");
    std::fs::write(
        byline.folder().join("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .expect("a file");
    let path = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
    let (cert, key, other) = (path(certificate.cert()), path(certificate.key()), path(other.key()));
    for (flags, words) in [
        (&["--tls-cert", cert.as_str()][..], &["tls-cert", "tls-key"][..]),
        (&["--tls-key", &key], &["tls-key", "tls-cert"]),
        (&["--tls-cert", "nope.pem", "--tls-key", &key], &["nope.pem", "cannot be read"]),
        (&["--tls-cert", &cert, "--tls-key", "nope.pem"], &["nope.pem", "cannot be read"]),
        (&["--tls-cert", "empty.pem", "--tls-key", &key], &["empty.pem", "no certificate"]),
        (&["--tls-cert", "broken.pem", "--tls-key", &key], &["broken.pem"]),
        (&["--tls-cert", &cert, "--tls-key", "empty.pem"], &["empty.pem", "no private key"]),
        (&["--tls-cert", &cert, "--tls-key", &cert], &["cert.pem", "no private key"]),
        (&["--tls-cert", &cert, "--tls-key", &other], &["key.pem", "does not fit", "cert.pem"]),
    ] {
        let arguments: Vec<_> = ["serve", "--listen", "127.0.0.1:0"].iter().chain(flags).copied().collect();
        byline.run(&arguments, "").await.failed_with(words);
    }
    let mut command = byline.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BYLINE_TLS_CERT", "nope.pem").env("BYLINE_TLS_KEY", &key);
    Ended::of(command, "").await.failed_with(&["nope.pem"]);
    assert!(!byline.folder().join("byline.db").exists(), "nothing is made on the way");
}
