//! The address of the client.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use ipnet::IpNet;

/// Where a request comes from, as far as it can be believed.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The peer, or, if that is a trusted proxy, the rightmost address in
/// X-Forwarded-For that is not one (security row R2). The header is read from
/// the right, where the proxies write, only as far as needed: anybody can write
/// what is left of that. If a trusted proxy passed on no readable address, the
/// address is that of the proxy.
pub(super) fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let values = request.headers().get_all("x-forwarded-for").iter().rev();
    let forwarded = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let mut client = peer.ip();
    for part in forwarded {
        let address = std::str::from_utf8(part).ok().and_then(|part| part.trim().parse().ok());
        match address {
            Some(address) if is_trusted(&client) => client = address,
            _ => break,
        }
    }
    Some(client)
}

/// Whether a request comes from a proxy that is trusted.
pub fn is_of_proxy(request: &Request, trusted: &[IpNet]) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| trusted.iter().any(|network| network.contains(&peer.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = Request::new(axum::body::Body::empty());
        let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        for value in forwarded {
            request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|raw| raw.parse().unwrap()).collect();
        client_address(&request, &trusted).unwrap().to_string()
    }

    #[test]
    fn the_address_is_the_peers_unless_a_trusted_proxy_says_otherwise() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6", "198.51.100.7, 10.0.0.2"], &["10.0.0.0/8"]),
            "198.51.100.7"
        );
        assert_eq!(client("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_writes_before_its_address_is_not_believed() {
        let trusted = ["10.0.0.0/8"];
        for forwarded in [
            &["6.6.6.6, nonsense, 198.51.100.7"][..],
            &["6.6.6.6, , 198.51.100.7"],
            &["6.6.6.6", "nonsense", "198.51.100.7"],
            &["6.6.6.6, 10.0.0.3, nonsense, 198.51.100.7"],
            &["nonsense", "198.51.100.7, 10.0.0.2"],
            &["6.6.6.6:80, 198.51.100.7"],
        ] {
            assert_eq!(client("10.0.0.1", forwarded, &trusted), "198.51.100.7", "{forwarded:?}");
        }
    }

    #[test]
    fn a_proxy_that_names_nobody_stands_for_whoever_is_behind_it() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client("10.0.0.1", &["6.6.6.6, nonsense"], &trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, nonsense, 10.0.0.2"], &trusted), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", ""], &trusted), "10.0.0.1");
    }
}
