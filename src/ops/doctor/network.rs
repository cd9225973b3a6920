//! The address of the site: what it listens on, how browsers reach it, and the proxy between.

use std::{io, net::TcpListener};

use super::Finding;
use crate::{config::Config, ops::local};

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![public_url(config)];
    findings.extend(proxy(config));
    findings.push(port(config).await);
    findings
}

fn public_url(config: &Config) -> Finding {
    let about = "public URL";
    let url = &config.public_url;
    let is_here = config.listen.ip().is_loopback();
    match url.set() {
        None if !url.can_be_reached() => Finding::problem(
            about,
            "Byline listens on every address of this machine: set public-url to the one that browsers use.",
        ),
        None => Finding::warning(
            about,
            format!("Mails and feeds name {url}: set public-url to the address that browsers use."),
        ),
        Some(_) if url.is_https() => Finding::fine(about, format!("Browsers reach the site at {url}.")),
        Some(_) if is_here => Finding::warning(
            about,
            format!(
                "{url} is not encrypted: if others reach it, let a proxy serve https, and change public-url."
            ),
        ),
        Some(_) => Finding::problem(
            about,
            format!("Passwords cross the network unencrypted at {url}: serve https, and change public-url."),
        ),
    }
}

/// Whether the proxy, if there has to be one, is named.
fn proxy(config: &Config) -> Option<Finding> {
    let about = "proxy";
    if config.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
        let sentence = "trusted-proxies has every address, so everybody can say where they come from: name the proxy alone.";
        return Some(Finding::problem(about, sentence));
    }
    let is_behind_one = config.public_url.is_https() && config.tls.is_none();
    match (is_behind_one, config.trusted_proxies.is_empty()) {
        (true, true) => Some(Finding::warning(
            about,
            "A proxy has to serve https, and all its clients count as one: name its address in trusted-proxies.",
        )),
        (true, false) => Some(Finding::fine(
            about,
            "The proxy is named; it has to set X-Forwarded-For, and to pass Origin and WebSockets on.",
        )),
        (false, _) => None,
    }
}

/// Whether the address can be listened on, or Byline does.
async fn port(config: &Config) -> Finding {
    let about = "port";
    let address = config.listen;
    match TcpListener::bind(address) {
        Ok(_) => Finding::fine(about, format!("{address} is free; no site is served there.")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let answers = match &config.tls {
                // The certificate is not for this machine's own name.
                Some(_) => local::connect(address).await.is_ok(),
                None => local::ask(address, "/livez").await.is_ok_and(|status| status.is_success()),
            };
            if answers {
                Finding::fine(about, format!("A site answers at {address}."))
            } else {
                Finding::problem(about, format!("Another program has {address}: stop it, or change listen."))
            }
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Finding::problem(
            about,
            format!(
                "Only root may listen on {address}: let systemd do it (byline.socket), or change listen."
            ),
        ),
        Err(error) => {
            Finding::problem(about, format!("{address} cannot be listened on ({error}): change listen."))
        }
    }
}
