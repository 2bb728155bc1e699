//! The certificates of requests over https.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::HttpClient;
use crate::pem;

/// The authorities that are trusted, and the certificate that is shown.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// Without any, those of the system.
    authorities: Option<RootCerts>,
    shown: Option<ClientCert>,
}

/// Why a file with certificates cannot be used.
#[derive(Debug)]
pub(crate) struct FileFault {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

impl HttpClient {
    /// Trusts the certificates in this PEM file alone.
    pub(crate) fn trust(&mut self, path: &Path) -> Result<(), FileFault> {
        let authorities: Vec<_> = certificates(path)?.iter().map(converted).collect();
        self.tls.authorities = Some(RootCerts::new_with_certs(&authorities));
        Ok(())
    }

    /// Shows a certificate to the server, from PEM files of the chain and its key.
    pub(crate) fn show(&mut self, chain: &Path, key: &Path) -> Result<(), FileFault> {
        let certificates = certificates(chain)?;
        let content = read(key)?;
        // Without its cause, which contains parts of the key.
        let missing = || file(key, &"it has no private key: no complete section BEGIN … PRIVATE KEY");
        let secret = pem::private_key(&content).ok_or_else(missing)?;
        let converted_key = PrivateKey::from_pem(&content).map_err(|_| missing())?;
        // The connection would panic if they did not match.
        CertifiedKey::from_der(certificates.clone(), secret, &ring::default_provider())
            .map_err(|cause| file(key, &format_args!("it is not the key of {}: {cause}", chain.display())))?;
        let chain: Vec<_> = certificates.iter().map(converted).collect();
        self.tls.shown = Some(ClientCert::new_with_certs(&chain, converted_key));
        Ok(())
    }
}

impl Trust {
    pub(super) fn config(&self) -> TlsConfig {
        TlsConfig::builder()
            .root_certs(self.authorities.clone().unwrap_or(RootCerts::PlatformVerifier))
            .client_cert(self.shown.clone())
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileFault> {
    pem::certificates(&read(path)?).map_err(|reason| file(path, &format_args!("it {reason}")))
}

fn converted(certificate: &CertificateDer<'static>) -> Certificate<'static> {
    Certificate::from_der(certificate).to_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, FileFault> {
    fs::read(path).map_err(|cause| file(path, &cause))
}

fn file(path: &Path, reason: &dyn fmt::Display) -> FileFault {
    FileFault { path: path.to_owned(), reason: reason.to_string() }
}
