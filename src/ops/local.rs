//! The site that is served on this machine, asked over its own port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header::HOST},
};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The address by which this machine itself reaches a listener.
#[must_use]
pub fn on_this_machine(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// What a site answers to `GET`. Only the status counts.
///
/// # Errors
/// Nobody listens there, or what answers is not HTTP, or nothing comes in time.
pub async fn ask(listening: SocketAddr, path: &str) -> io::Result<StatusCode> {
    let asking = async {
        let stream = connect(listening).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = Request::get(path).header(HOST, "localhost").body(Body::empty());
        let request = request.map_err(io::Error::other)?;
        // It ends together with the sender, and says there what went wrong.
        tokio::spawn(connection);
        Ok(sender.send_request(request).await.map_err(io::Error::other)?.status())
    };
    tokio::time::timeout(PATIENCE, asking).await?
}

/// Opens a connection to it.
///
/// # Errors
/// Nobody listens there, or nobody accepts in time.
pub async fn connect(listening: SocketAddr) -> io::Result<TcpStream> {
    tokio::time::timeout(PATIENCE, TcpStream::connect(on_this_machine(listening))).await?
}
