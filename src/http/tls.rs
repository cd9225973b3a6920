//! HTTPS without a proxy: the certificate, and its renewal.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{Error as PemError, PemObject},
        },
    },
};

use crate::{
    config::{StartError, TlsFiles},
    database::require_regular,
};

/// How often the files are read again.
const EVERY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: watch::Sender<Loaded>,
}

#[derive(Clone, Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// SHA-256 of what the files held.
    digest: [u8; 32],
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`StartError`] names the file, or says that the two do not belong together.
    pub fn load(files: TlsFiles) -> Result<Self, StartError> {
        let (cert, key) = files.read()?;
        let loaded = files.parse(&cert, &key)?;
        Ok(Self { files, current: watch::Sender::new(loaded) })
    }

    /// For the handshake of the next connection.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.borrow().config))
    }

    /// Reads the files again and uses a new certificate. If it cannot be used,
    /// the old one stays. The content decides whether it is new, because some
    /// tools copy the times of files.
    pub fn reload(&self) -> Result<(), StartError> {
        let (cert, key) = self.files.read()?;
        if digest(&cert, &key) != self.current.borrow().digest {
            self.current.send_replace(self.files.parse(&cert, &key)?);
            tracing::info!("a new certificate is in use");
        }
        Ok(())
    }

    /// Looks again once a minute, for as long as the process lives.
    pub async fn reload_on_change(self: Arc<Self>) {
        let mut turns = tokio::time::interval(EVERY);
        loop {
            turns.tick().await;
            let tls = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || tls.reload());
            if let Ok(Err(error)) = looked.await {
                tracing::warn!(%error, "the certificate stays as it was");
            }
        }
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> StartError + '_ {
    move |cause| StartError::Unreadable { path: path.display().to_string(), cause }
}

impl TlsFiles {
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>), StartError> {
        // They are read again while the site is served, which nothing may keep waiting.
        let read = |path: &PathBuf| {
            require_regular(path).and_then(|()| std::fs::read(path)).map_err(unreadable(path))
        };
        Ok((read(&self.cert)?, read(&self.key)?))
    }

    fn parse(&self, cert: &[u8], key: &[u8]) -> Result<Loaded, StartError> {
        let wrong =
            |path: &PathBuf, problem: String| StartError::File { path: path.display().to_string(), problem };
        let pem = |error: PemError, what: &str| match error {
            PemError::NoItemsFound => format!("has no {what} in PEM"),
            error => error.to_string(),
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(cert)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&self.cert, pem(error, "certificate")))?;
        if chain.is_empty() {
            return Err(wrong(&self.cert, pem(PemError::NoItemsFound, "certificate")));
        }
        let private = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| wrong(&self.key, pem(error, "private key")))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&self.cert, error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    wrong(&self.key, format!("does not fit the certificate in {}", self.cert.display()))
                }
                rustls::Error::InvalidCertificate(_) => wrong(&self.cert, error.to_string()),
                error => wrong(&self.key, error.to_string()),
            })?;
        // The one protocol that is spoken here (RFC 7301).
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Loaded { config: Arc::new(config), digest: digest(cert, key) })
    }
}

fn digest(cert: &[u8], key: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((cert.len() as u64).to_be_bytes());
    hash.update(cert);
    hash.update(key);
    hash.finalize().into()
}
