//! A mail server that behaves as a test wants it to.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use byline::config::{Config, MailSettings, MailTransport, Unverified};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::until;

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes every mail.
    Takes,
    /// Says 550 to every recipient.
    KnowsNobody,
    /// Says 451 to every recipient.
    IsBusy,
    /// Says 530 to every sender.
    WantsALogin,
    /// Says 554 once it has seen the mail.
    DislikesTheMail,
    /// Hears a whole mail and hangs up without a word.
    Vanishes,
    /// Opens the connection and never says anything.
    IsSilent,
}

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// From the commands, not from the headers.
    pub from: String,
    pub to: String,
    /// Headers and body, with line feeds.
    pub text: String,
}

pub struct Smtp {
    pub address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Smtp {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::over(listener, manner)
    }

    /// On a port that it had before.
    pub async fn start_at(address: SocketAddr, manner: Manner) -> Self {
        Self::over(TcpListener::bind(address).await.expect("the same port"), manner)
    }

    fn over(listener: TcpListener, manner: Manner) -> Self {
        let address = listener.local_addr().expect("an address");
        let (manner, arrived) = (Arc::new(Mutex::new(manner)), Arc::new(Mutex::new(Vec::new())));
        let connections = Arc::new(AtomicUsize::new(0));
        let serving = tokio::spawn({
            let (manner, arrived, connections) = (manner.clone(), arrived.clone(), connections.clone());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let manner = *manner.lock().expect("a manner");
                    tokio::spawn(converse(stream, manner, arrived.clone()));
                }
            }
        });
        Self { address, manner, arrived, connections, serving }
    }

    /// From the next connection on.
    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().expect("a manner") = manner;
    }

    /// Stops listening; the port is free afterwards.
    pub async fn stop(mut self) {
        self.serving.abort();
        assert!((&mut self.serving).await.is_err_and(|error| error.is_cancelled()));
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Every mail so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("mails").clone()
    }

    /// Waits until so many mails are here; returns them.
    pub async fn mails(&self, count: usize) -> Vec<Arrived> {
        until(&format!("{count} mails"), async || self.arrived().len() >= count).await;
        let arrived = self.arrived();
        assert_eq!(arrived.len(), count, "{arrived:#?}");
        arrived
    }

    /// Settings of a site that sends its mail here.
    pub fn settings(&self) -> impl FnOnce(&mut Config) + use<> {
        let transport = MailTransport::Smtp(format!("smtp://{}", self.address).parse().expect("a URL"));
        move |config| {
            let from = "Byline <byline@example.org>".parse().expect("an address");
            config.mail = Some(MailSettings { transport, from, reply_to: None });
            config.unverified = Unverified::MayNotWrite;
        }
    }
}

/// A code that is not this one.
pub fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn converse(stream: TcpStream, manner: Manner, arrived: Arc<Mutex<Vec<Arrived>>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    if manner == Manner::IsSilent {
        // Until the client gives up.
        while let Ok(Some(_)) = lines.next_line().await {}
        return;
    }
    let mut mail = Arrived { from: String::new(), to: String::new(), text: String::new() };
    let mut answer = "220 mail.example ESMTP".to_owned();
    loop {
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        let path =
            || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path);
        let is = |command: &str| line.to_ascii_uppercase().starts_with(command);
        answer = if is("EHLO") {
            "250-mail.example\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned()
        } else if is("MAIL FROM") && manner == Manner::WantsALogin {
            "530 5.7.0 Authentication required".to_owned()
        } else if is("MAIL FROM") {
            mail.from = path().to_owned();
            "250 2.1.0 Ok".to_owned()
        } else if is("RCPT TO") {
            mail.to = path().to_owned();
            match manner {
                Manner::KnowsNobody => "550 5.1.1 No such user here".to_owned(),
                Manner::IsBusy => "451 4.3.2 Come again".to_owned(),
                _ => "250 2.1.5 Ok".to_owned(),
            }
        } else if is("DATA") {
            if write.write_all(b"354 Go on\r\n").await.is_err() {
                return;
            }
            loop {
                let Ok(Some(line)) = lines.next_line().await else { return };
                if line == "." {
                    break;
                }
                mail.text.push_str(line.strip_prefix('.').unwrap_or(&line));
                mail.text.push('\n');
            }
            match manner {
                Manner::Vanishes => return,
                Manner::DislikesTheMail => "554 5.7.1 This looks like spam".to_owned(),
                _ => {
                    arrived.lock().expect("mails").push(mail.clone());
                    "250 2.0.0 Taken".to_owned()
                }
            }
        } else if is("QUIT") {
            let _ = write.write_all(b"221 Bye\r\n").await;
            return;
        } else {
            "502 5.5.2 What?".to_owned()
        };
    }
}

impl Arrived {
    /// A header, unfolded.
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.text.split_once("\n\n").expect("a head");
        let head = head.replace("\n ", " ");
        let prefix = format!("{}:", name.to_ascii_lowercase());
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&prefix));
        line.map_or_else(String::new, |line| line[prefix.len()..].trim().to_owned())
    }

    /// The part that has no markup, decoded.
    pub fn plain(&self) -> String {
        self.part("text/plain")
    }

    pub fn html(&self) -> String {
        self.part("text/html")
    }

    fn part(&self, kind: &str) -> String {
        let boundary = self.header("Content-Type");
        let boundary = boundary.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
        let part = self.text.split(&format!("Content-Type: {kind}")).nth(1).expect("a part");
        let (head, body) = part.split_once("\n\n").expect("a body");
        let body = body.split(&format!("\n--{}", boundary.expect("a boundary"))).next().unwrap_or_default();
        if head.contains("quoted-printable") { decode(body) } else { body.to_owned() }
    }

    /// The token of the first link to `page`.
    pub fn token(&self, page: &str) -> String {
        let plain = self.plain();
        let rest =
            plain.split(&format!("{page}?token=")).nth(1).unwrap_or_else(|| panic!("no link: {plain}"));
        rest.split_whitespace().next().expect("a token").to_owned()
    }

    /// The six digits.
    pub fn code(&self) -> String {
        let plain = self.plain();
        let mut lines = plain.lines().map(str::trim);
        let code = lines.find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()));
        code.unwrap_or_else(|| panic!("no code: {plain}")).to_owned()
    }
}

/// Quoted-printable (RFC 2045 6.7).
fn decode(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *byte == b'=') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
