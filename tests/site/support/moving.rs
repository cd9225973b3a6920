//! An address that moves from one server to another.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What a cluster with a failover has in front of it: connections go to whoever has the
/// address now, and those to whoever had it break.
pub struct Moving {
    pub address: SocketAddr,
    to: Arc<Mutex<(SocketAddr, JoinSet<()>)>>,
    forwarding: JoinHandle<()>,
}

impl Moving {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let to = Arc::new(Mutex::new((at(port), JoinSet::new())));
        let forward = Arc::clone(&to);
        let forwarding = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.expect("a connection");
                let mut to = forward.lock().expect("no panic");
                let server = to.0;
                to.1.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(server).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { address, to, forwarding }
    }

    /// Moves it, and cuts the connections that it has.
    pub fn move_to(&self, port: u16) {
        let mut to = self.to.lock().expect("no panic");
        to.0 = at(port);
        to.1.abort_all();
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
