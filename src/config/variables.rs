//! Environment variables that begin with `BYLINE_` but are no settings.

use std::net::IpAddr;

/// What the names of Byline's variables begin with.
pub const PREFIX: &str = "BYLINE_";

/// Whether Kubernetes or Docker has set a variable for a service or container
/// called `byline` or `byline-…`: Kubernetes sets such variables in every
/// container of a namespace, Docker in linked containers. The value is checked
/// too, because somebody who writes `BYLINE_PORT=8080` means a setting.
///
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>,
/// <https://docs.docker.com/engine/network/links/#environment-variables>
#[must_use]
pub fn is_of_an_orchestrator(name: &str, value: &str) -> bool {
    let Some(name) = name.strip_prefix(PREFIX) else { return false };
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let is_address = || value.parse::<IpAddr>().is_ok();
    let is_url = || PROTOCOLS.iter().any(|protocol| has_scheme(value, protocol));
    let is_of_service = suffixes_after(name, "SERVICE_").any(|rest| match rest {
        "HOST" => is_address(),
        "PORT" => is_port(value),
        rest => rest.starts_with("PORT_") && is_port(value),
    });
    let is_of_port = suffixes_after(name, "PORT").any(|rest| match rest.strip_prefix('_') {
        None => rest.is_empty() && is_url(),
        Some(rest) => {
            let mut parts = rest.split('_');
            let number = parts.next().is_some_and(is_port);
            let protocol = parts.next().is_some_and(|part| PROTOCOLS.contains(&part));
            let what =
                parts.next().is_none_or(|part| ["PROTO", "PORT", "ADDR", "START", "END"].contains(&part));
            number && protocol && what && parts.next().is_none()
        }
    });
    let is_of_link = suffixes_after(name, "NAME").any(|rest| rest.is_empty() && value.starts_with('/'))
        || suffixes_after(name, "ENV_").next().is_some();
    is_of_service || is_of_port || is_of_link
}

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

fn has_scheme(value: &str, scheme: &str) -> bool {
    value.split_once("://").is_some_and(|(given, _)| given.eq_ignore_ascii_case(scheme))
}

/// The text after `word` in a name, at any place of the word.
fn suffixes_after<'a>(name: &'a str, word: &str) -> impl Iterator<Item = &'a str> {
    let begins = |at: usize| at == 0 || name.as_bytes()[at - 1] == b'_';
    name.match_indices(word)
        .filter(move |(at, _)| begins(*at))
        .map(move |(at, word)| &name[at + word.len()..])
}

/// The one of `known` that is most similar to `name`.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let close = 1 + name.len().saturating_sub(PREFIX.len()) / 5;
    let distance = |known: &str| strsim::osa_distance(name, known);
    known.map(|known| (distance(known), known)).filter(|(far, _)| *far <= close).min().map(|(_, known)| known)
}
