//! A client that verifies certificates and shows them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::super::client::{Reply, ask, connect, try_read_reply};
use crate::pem::authority::{Authority, Issued};

impl Authority {
    /// One scrape by a client that trusts this authority and shows this certificate.
    pub(super) fn scrape(&self, address: SocketAddr, shown: Option<&Issued>) -> io::Result<Reply> {
        let mut stream = self.connect(address, shown);
        ask(&mut Flushed(&mut stream), "GET", "/metrics");
        try_read_reply(&mut stream, "GET")
    }

    pub(super) fn connect(
        &self,
        address: SocketAddr,
        shown: Option<&Issued>,
    ) -> StreamOwned<ClientConnection, TcpStream> {
        let config = ClientConfig::builder().with_root_certificates(self.roots());
        let config = match shown {
            None => config.with_no_client_auth(),
            Some(Issued { cert, key }) => {
                let cert = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                config.with_client_auth_cert(vec![cert], key).unwrap()
            }
        };
        let name = "bot.example".try_into().unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(address))
    }
}

/// Ignores failures of writing: a refused client reads the reason.
struct Flushed<'a, S>(&'a mut S);

impl<S: Write + Read> Write for Flushed<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
