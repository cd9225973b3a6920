//! The certificate of a site that serves TLS itself.

use std::time::{Duration, SystemTime};

use tokio_rustls::rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    server::ParsedCertificate,
};
use url::Url;
use x509_cert::{Certificate, der::Decode};

use super::Finding;
use crate::{
    config::{Config, TlsFiles},
    http::tls::Tls,
};

const ABOUT: &str = "certificate";
/// With less time left, whoever renews it is late.
const SOON: Duration = Duration::from_secs(14 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// `None` where a proxy, or nobody, encrypts.
pub(super) fn examine(config: &Config) -> Option<Finding> {
    let files = config.tls.as_ref()?;
    let finding = if let Err(error) = Tls::load(files.clone()) {
        Finding::problem(ABOUT, format!("{error}."))
    } else if !config.public_url.is_https() {
        Finding::problem(ABOUT, "Byline serves https, and public-url begins with http: change public-url.")
    } else {
        match read(files) {
            Some((der, parsed)) => {
                named(config, files, &der).unwrap_or_else(|| judge(files, &parsed, SystemTime::now()))
            }
            None => {
                Finding::problem(ABOUT, format!("{} cannot be read: get another one.", files.cert.display()))
            }
        }
    };
    Some(finding)
}

fn read(files: &TlsFiles) -> Option<(CertificateDer<'static>, Certificate)> {
    let der = CertificateDer::from_pem_file(&files.cert).ok()?;
    let parsed = Certificate::from_der(&der).ok()?;
    Some((der, parsed))
}

/// A finding where the certificate is not for the public URL.
fn named(config: &Config, files: &TlsFiles, der: &CertificateDer<'_>) -> Option<Finding> {
    let url = Url::parse(&config.public_url.set()?.to_string()).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.as_str()).ok()?;
    let parsed = ParsedCertificate::try_from(der).ok()?;
    verify_server_name(&parsed, &name).err()?;
    let cert = files.cert.display();
    Some(Finding::problem(
        ABOUT,
        format!("{cert} is not for {host}: get a certificate that is, or change public-url."),
    ))
}

fn judge(files: &TlsFiles, certificate: &Certificate, now: SystemTime) -> Finding {
    let validity = certificate.tbs_certificate().validity();
    let at = |time: x509_cert::time::Time| SystemTime::UNIX_EPOCH + time.to_unix_duration();
    let cert = files.cert.display();
    if now < at(validity.not_before) {
        return Finding::problem(
            ABOUT,
            format!("{cert} is not valid yet: look at the clock of this machine."),
        );
    }
    match at(validity.not_after).duration_since(now) {
        Err(_) => Finding::problem(ABOUT, format!("{cert} has expired: renew it.")),
        Ok(left) if left < SOON => Finding::warning(
            ABOUT,
            format!("{cert} expires in {} days: see to it that it is renewed.", left.as_secs() / DAY),
        ),
        Ok(left) => Finding::fine(ABOUT, format!("{cert} is valid for {} more days.", left.as_secs() / DAY)),
    }
}
