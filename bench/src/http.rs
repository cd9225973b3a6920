//! A client for HTTP/1.1 that does as little as possible: on one core it has to be
//! faster than any server on the other.

use std::{
    fmt::Write,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// How every server is called, as behind a proxy that passes the name on.
pub(crate) const HOST: &str = "posts.example.org";
/// Larger than any answer that is measured.
const BUFFER_BYTES: usize = 64 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer that arrived whole.
pub(crate) struct Answer<'a> {
    /// Status line and headers.
    pub(crate) head: &'a str,
    /// As long as its `Content-Length` says.
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(address).await?)
    }

    /// From another address of this machine; all of 127.0.0.0/8 are its own.
    pub(crate) async fn open_from(own: Ipv4Addr, address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((own, 0).into())?;
        Self::over(socket.connect(address).await?)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Sends a request and waits for the whole answer to it.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let body_start = loop {
            self.receive().await?;
            if let Some(length) = head_length(&self.received) {
                break length;
            }
        };
        let length: usize = header(std::str::from_utf8(&self.received[..body_start])?, "content-length")
            .context("the answer has no Content-Length")?
            .parse()?;
        while self.received.len() < body_start + length {
            self.receive().await?;
        }
        let (head, body) = self.received.split_at(body_start);
        ensure!(body.len() == length, "the answer is longer than its Content-Length");
        Ok(Answer { head: std::str::from_utf8(head)?, body })
    }

    async fn receive(&mut self) -> Result<()> {
        let bytes = self.stream.read_buf(&mut self.received).await?;
        ensure!(bytes > 0, "the server closed the connection");
        Ok(())
    }
}

impl<'a> Answer<'a> {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        header(self.head, name)
    }

    /// The body as text, if the answer is a success.
    pub(crate) fn text(&self) -> Result<&'a str> {
        let text = std::str::from_utf8(self.body)?;
        ensure!(self.is_ok(), "the server answered\n{}{text}", self.head);
        Ok(text)
    }

    /// Whether the status is 200.
    pub(crate) fn is_ok(&self) -> bool {
        self.head.starts_with("HTTP/1.1 200 ")
    }
}

/// The length of the status line and the headers in bytes, with the empty line
/// after them, once all has arrived.
pub(crate) fn head_length(received: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    Some(received.windows(END.len()).position(|window| window == END)? + END.len())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// What a program sends to read `path`; `headers` are whole lines.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: text/html\r\n{headers}\r\n").into_bytes()
}

/// What a script of the site sends with a form; `headers` are whole lines.
pub(crate) fn post(path: &str, headers: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\nAccept: application/json\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{headers}\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// What a front end elsewhere sends to the API; `headers` are whole lines.
pub(crate) fn graphql(headers: &str, document: &str, variables: &Value) -> Vec<u8> {
    let body = json!({ "query": document, "variables": variables }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json; charset=UTF-8\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The same by GET, which leaves it to caches whether to ask at all. Without
/// variables there is no parameter for them.
pub(crate) fn graphql_get(headers: &str, document: &str, variables: Option<&Value>) -> Vec<u8> {
    let mut path = format!("/graphql?query={}", percent_encoded(document));
    if let Some(variables) = variables {
        path.push_str("&variables=");
        path.push_str(&percent_encoded(&variables.to_string()));
    }
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\n{headers}\r\n").into_bytes()
}

/// As `encodeURIComponent` does, which leaves somewhat more as it is.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to memory does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_stands_in_the_address() {
        let request = graphql_get("X-Api-Key: k\r\n", "query { a(b: 1) }", Some(&json!({ "id": "x-1" })));
        let first = "GET /graphql?query=query%20%7B%20a%28b%3A%201%29%20%7D&variables=%7B%22id%22%3A%22x-1%22%7D HTTP/1.1";
        assert_eq!(String::from_utf8(request).unwrap().lines().next(), Some(first));
    }
}
