//! What the manager of services that started this process (systemd, or a program like it)
//! tells it, and hears from it.
//!
//! The manager may hand over the socket to listen on (sd_listen_fds(3)). It keeps the socket
//! while the process is replaced, so connections wait in the meantime and none is refused. It
//! hears when the site is ready, when it stops, and again and again that it still answers
//! (sd_notify(3)). Written by hand, because a message is one datagram.

use std::{
    env, io,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use listenfd::ListenFd;
use socket2::SockRef;

use crate::config::StartError;

/// The name under which errors speak of a socket that was handed over.
const SOCKET: &str = "LISTEN_FDS";

/// The listening socket that the manager hands over, if there is one.
///
/// # Errors
/// What was handed over is no listening socket of TCP, or more than one.
pub(super) fn inherited_listener() -> Result<Option<TcpListener>, StartError> {
    let wrong = |problem: String| StartError::Value { setting: SOCKET, problem };
    let mut handed_over = ListenFd::from_env();
    match handed_over.len() {
        0 => return Ok(None),
        1 => {}
        several => return Err(wrong(format!("{several} sockets are handed over, and Byline takes one"))),
    }
    let taken = handed_over.take_tcp_listener(0).ok().flatten();
    let listener = taken.filter(|listener| SockRef::from(listener).is_listener().unwrap_or(false));
    let Some(listener) = listener else {
        return Err(wrong("what is handed over is no listening socket of TCP".to_owned()));
    };
    let prepare = || -> io::Result<()> {
        // A program that Byline started would not have it.
        SockRef::from(&listener).set_cloexec(true)?;
        listener.set_nonblocking(true)
    };
    prepare().map_err(|cause| wrong(cause.to_string()))?;
    Ok(Some(listener))
}

/// The manager, where it wants to hear from this process.
#[derive(Debug)]
pub(super) struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
    /// How long the process may be silent, if there is a limit.
    silence: Option<Duration>,
}

impl Manager {
    /// By the variables `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub(super) fn of_environment() -> Option<Self> {
        let name = env::var("NOTIFY_SOCKET").ok()?;
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&name),
        };
        let opened = address.and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            // A manager that does not listen keeps no thread waiting.
            socket.set_nonblocking(true)?;
            Ok((socket, address))
        });
        match opened {
            Ok((socket, address)) => Some(Self { socket, address, silence: silence() }),
            Err(error) => {
                tracing::warn!(%error, "NOTIFY_SOCKET cannot be used");
                None
            }
        }
    }

    /// Tells one fact, such as `READY=1`.
    pub(super) fn tell(&self, fact: &str) {
        if let Err(error) = self.socket.send_to_addr(fact.as_bytes(), &self.address) {
            tracing::warn!(%error, fact, "the manager of services does not hear");
        }
    }

    /// Tells for ever that the site answers, for as long as it does. If it does not, the
    /// manager hears nothing, and starts the process anew.
    pub(super) async fn watch<F: Future<Output = bool>>(&self, answers: impl Fn() -> F) {
        let Some(silence) = self.silence else { return };
        // Two questions may be late before the time is over.
        let turn = silence / 3;
        let mut turns = tokio::time::interval(turn);
        loop {
            turns.tick().await;
            if tokio::time::timeout(turn, answers()).await == Ok(true) {
                self.tell("WATCHDOG=1");
            } else {
                tracing::warn!("the site does not answer itself");
            }
        }
    }
}

/// How long this process may be silent.
fn silence() -> Option<Duration> {
    let pid = env::var("WATCHDOG_PID").ok();
    let micros = env::var("WATCHDOG_USEC").ok()?.parse().ok().filter(|micros| *micros > 0)?;
    let is_ours = pid.is_none_or(|pid| pid == std::process::id().to_string());
    is_ours.then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A manager with this limit of silence, and what hears for it, at an abstract address.
    fn manager(name: &str, silence: Duration) -> (Manager, UnixDatagram) {
        let address =
            SocketAddr::from_abstract_name(format!("byline-{name}-{}", std::process::id())).unwrap();
        let ear = UnixDatagram::bind_addr(&address).unwrap();
        ear.set_nonblocking(true).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        (Manager { socket, address, silence: Some(silence) }, ear)
    }

    fn heard(ear: &UnixDatagram) -> usize {
        let mut message = [0; 64];
        std::iter::from_fn(|| ear.recv(&mut message).ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_site_that_does_not_answer_is_not_said_to_answer() {
        const TURN: Duration = Duration::from_secs(20);

        let (manager, ear) = manager("watchdog", 3 * TURN);
        let asked = AtomicUsize::new(0);
        let answers = || async {
            match asked.fetch_add(1, Ordering::Relaxed) {
                0..3 => true,
                3..6 => false,
                _ => std::future::pending().await,
            }
        };
        let watch = tokio::time::timeout(TURN * 12, manager.watch(answers));
        assert!(watch.await.is_err(), "it has no end");
        assert!(asked.load(Ordering::Relaxed) > 6);
        assert_eq!(heard(&ear), 3);
    }
}
