//! The simplest proxy in front of several processes.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One address for several processes: each connection goes to the next of them.
pub struct RoundRobin {
    pub address: SocketAddr,
    forwarding: JoinHandle<()>,
}

impl RoundRobin {
    /// Forwards what `listener` accepts, until it is dropped.
    pub fn over(listener: TcpListener, processes: Vec<SocketAddr>) -> Self {
        let address = listener.local_addr().expect("an address");
        let forwarding = tokio::spawn(async move {
            for process in processes.into_iter().cycle() {
                let (mut near, _) = listener.accept().await.expect("a connection");
                tokio::spawn(async move {
                    // Either side may hang up, or not be there at all.
                    if let Ok(mut far) = TcpStream::connect(process).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { address, forwarding }
    }
}

impl Drop for RoundRobin {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}
