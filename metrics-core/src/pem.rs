//! Certificates and private keys in PEM, of the server and of pushes.

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[cfg(test)]
#[cfg_attr(not(feature = "auth"), expect(dead_code, reason = "the tests of the server need it as a whole"))]
pub(crate) mod authority;

/// The certificates, at least one. The error completes a sentence that begins with their source.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err("has no certificate, PEM".to_owned()),
        Err(cause) => Err(format!("is not PEM: {cause}")),
    }
}

/// The first private key; `None` if there is no complete section `BEGIN … PRIVATE KEY`. The cause is not told, since it
/// contains parts of the key.
pub(crate) fn private_key(pem: &[u8]) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem).ok()
}
