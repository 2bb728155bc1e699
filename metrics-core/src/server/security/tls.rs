//! TLS, as the web configuration says.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{Acceptor, ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};
use webpki::EndEntityCert;

use super::Transport;
use super::web_config::{FilesRead, Invalid, TlsServerConfig, inline_or_file};
use crate::pem;
use crate::server::activity::Activity;

/// The TLS of one version of the web configuration.
pub(super) struct Tls {
    server: Arc<ServerConfig>,
    requires_certificate: bool,
    restricts_names: bool,
    refuses_tls12: bool,
}

impl Tls {
    /// `None` if neither a certificate nor a key is configured.
    pub(super) fn new(
        config: &TlsServerConfig,
        folder: &Path,
        files: &mut FilesRead,
    ) -> Result<Option<Self>, Invalid> {
        let cert = (config.cert.as_deref(), config.cert_file.as_deref());
        let key = (config.key.as_deref(), config.key_file.as_deref());
        let client_ca = (config.client_ca.as_deref(), config.client_ca_file.as_deref());
        let cert = inline_or_file("cert", cert, folder, files)?;
        let key = inline_or_file("key", key, folder, files)?;
        let client_ca = inline_or_file("client_ca", client_ca, folder, files)?;
        let (cert, key) = match (cert, key) {
            (Some(cert), Some(key)) => (cert, key),
            (None, None) if client_ca.is_none() => return Ok(None),
            (None, _) => return Err(Invalid::new("tls_server_config has neither cert_file nor cert")),
            (_, None) => return Err(Invalid::new("tls_server_config has neither key_file nor key")),
        };
        let provider = Arc::new(provider(config)?);
        let verifier = client_verifier(config, client_ca.as_deref(), &provider)?;
        let requires_certificate = verifier.client_auth_mandatory();
        let certificates = certificates("cert", &cert)?;
        let key = pem::private_key(&key).ok_or_else(|| {
            Invalid::new("the key is not PEM: it has no complete section BEGIN … PRIVATE KEY")
        })?;
        let versions = versions(config)?;
        let refuses_tls12 = !versions.contains(&&TLS12);
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(Invalid::new)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates, key)
            .map_err(|cause| Invalid::new(format_args!("certificate and key cannot be used: {cause}")))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        server.ignore_client_order = config.prefer_server_cipher_suites.unwrap_or(true);
        let restricts_names = config.client_allowed_sans.as_ref().is_some_and(|names| !names.is_empty());
        Ok(Some(Self { server: Arc::new(server), requires_certificate, restricts_names, refuses_tls12 }))
    }

    /// Whether a client without a valid certificate is refused.
    pub(super) fn requires_certificate(&self) -> bool {
        self.requires_certificate
    }

    /// Whether a client's certificate must be issued to one of several names.
    pub(super) fn restricts_names(&self) -> bool {
        self.restricts_names
    }

    /// Whether a client needs TLS 1.3.
    pub(super) fn refuses_tls12(&self) -> bool {
        self.refuses_tls12
    }

    /// Tells `activity` of each completed step, as the client may be a round trip away from the next one.
    pub(super) async fn handshake(&self, stream: TcpStream, activity: &Activity) -> io::Result<Transport> {
        if refuses_plain_http(&stream).await {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the client speaks HTTP without TLS"));
        }
        let greeted = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        activity.handshake_progressed();
        let stream = greeted.into_stream(Arc::clone(&self.server)).await?;
        activity.handshake_progressed();
        Ok(Transport::Tls(Box::new(stream)))
    }
}

fn certificates(name: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    pem::certificates(pem).map_err(|reason| Invalid::new(format_args!("{name} {reason}")))
}

fn versions(config: &TlsServerConfig) -> Result<Vec<&'static SupportedProtocolVersion>, Invalid> {
    let rank = |key: &str, name: Option<&str>, default: u8| match name {
        None | Some("") => Ok(default),
        Some("TLS12") => Ok(2),
        Some("TLS13") => Ok(3),
        Some(other) => Err(Invalid::new(format_args!("{key} is {other:?}; allowed: TLS12 and TLS13"))),
    };
    let lowest = rank("min_version", config.min_version.as_deref(), 2)?;
    let highest = rank("max_version", config.max_version.as_deref(), 3)?;
    let all = [(3, &TLS13), (2, &TLS12)];
    let chosen: Vec<_> = all
        .iter()
        .filter(|(rank, _)| (lowest..=highest).contains(rank))
        .map(|(_, version)| *version)
        .collect();
    if chosen.is_empty() { Err(Invalid::new("min_version is above max_version")) } else { Ok(chosen) }
}

/// The cryptography with the configured cipher suites and curves, in their order. As in Go, the list of cipher suites
/// applies to TLS 1.2 alone.
fn provider(config: &TlsServerConfig) -> Result<CryptoProvider, Invalid> {
    let mut provider = ring::default_provider();
    if let Some(names) = config.cipher_suites.as_deref().filter(|names| !names.is_empty()) {
        let (tls13, tls12): (Vec<_>, Vec<_>) =
            provider.cipher_suites.into_iter().partition(|suite| suite.tls13().is_some());
        let name = |suite: &_| format!("{:?}", tokio_rustls::rustls::SupportedCipherSuite::suite(suite));
        // Go names the suites of ChaCha20 with and without the hash.
        let is_called = |suite: &_, wanted: &str| {
            name(suite).trim_end_matches("_SHA256") == wanted.trim_end_matches("_SHA256")
        };
        let chosen = names.iter().map(|wanted| {
            let found = tls12.iter().copied().find(|suite| is_called(suite, wanted));
            found.ok_or_else(|| unknown("cipher_suites", wanted, tls12.iter().map(name)))
        });
        provider.cipher_suites = tls13.into_iter().map(Ok).chain(chosen).collect::<Result<_, _>>()?;
    }
    if let Some(names) = config.curve_preferences.as_deref().filter(|names| !names.is_empty()) {
        let name = |group: &&'static dyn tokio_rustls::rustls::crypto::SupportedKxGroup| match format!(
            "{:?}",
            group.name()
        )
        .as_str()
        {
            "secp256r1" => "CurveP256".to_owned(),
            "secp384r1" => "CurveP384".to_owned(),
            other => other.to_owned(),
        };
        let groups = provider.kx_groups;
        let chosen = names.iter().map(|wanted| {
            let found = groups.iter().copied().find(|group| name(group) == *wanted);
            found.ok_or_else(|| unknown("curve_preferences", wanted, groups.iter().map(name)))
        });
        provider.kx_groups = chosen.collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

fn unknown(key: &str, wanted: &str, allowed: impl Iterator<Item = String>) -> Invalid {
    let allowed: Vec<_> = allowed.collect();
    Invalid::new(format_args!("{key} has {wanted:?}; allowed: {}", allowed.join(", ")))
}

/// Accepts only the policies that verify the certificates of clients, or ask for none: the others look like
/// protection and are none.
fn client_verifier(
    config: &TlsServerConfig,
    client_ca: Option<&[u8]>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Invalid> {
    let policy = config.client_auth_type.as_deref().unwrap_or_default();
    let names = config.client_allowed_sans.as_deref().unwrap_or_default();
    let requires = match policy {
        "" | "NoClientCert" => {
            if client_ca.is_some() || !names.is_empty() {
                return Err(Invalid::new(
                    "tls_server_config names a client_ca or client_allowed_sans, which need client_auth_type: \
                     RequireAndVerifyClientCert",
                ));
            }
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        "VerifyClientCertIfGiven" => false,
        "RequireAndVerifyClientCert" => true,
        other => {
            return Err(Invalid::new(format_args!(
                "client_auth_type is {other:?}; allowed: NoClientCert, VerifyClientCertIfGiven and \
                 RequireAndVerifyClientCert, the only one that keeps others out"
            )));
        }
    };
    if !names.is_empty() && !requires {
        return Err(Invalid::new("client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert"));
    }
    let Some(client_ca) = client_ca else {
        return Err(Invalid::new(format_args!("client_auth_type {policy} needs client_ca_file")));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client_ca", client_ca)? {
        roots.add(certificate).map_err(|cause| Invalid::new(format_args!("client_ca: {cause}")))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if requires { builder } else { builder.allow_unauthenticated() };
    let inner = builder.build().map_err(|cause| Invalid::new(format_args!("client_ca: {cause}")))?;
    if names.is_empty() {
        return Ok(inner);
    }
    let allowed = names.iter().map(|name| AllowedName::parse(name)).collect::<Result<_, _>>()?;
    Ok(Arc::new(OneOfNames { inner, allowed }))
}

/// Accepts a certificate that the other verifier accepts and that is issued to one of the names.
#[derive(Debug)]
struct OneOfNames {
    inner: Arc<dyn ClientCertVerifier>,
    allowed: Vec<AllowedName>,
}

/// A name that a client's certificate may be issued to.
#[derive(Debug)]
enum AllowedName {
    /// Compared as it is, as in the exporter-toolkit: a certificate for `*.example.com` is issued to that name alone.
    Dns(String),
    Address(ServerName<'static>),
}

impl AllowedName {
    fn parse(name: &str) -> Result<Self, Invalid> {
        match ServerName::try_from(name.strip_prefix("*.").unwrap_or(name)) {
            Ok(ServerName::DnsName(_)) => Ok(Self::Dns(name.to_owned())),
            Ok(address) if !name.starts_with('*') => Ok(Self::Address(address.to_owned())),
            _ => Err(Invalid::new(format_args!(
                "client_allowed_sans has {name:?}; allowed: DNS names and IP addresses"
            ))),
        }
    }
}

impl ClientCertVerifier for OneOfNames {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now)?;
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let names = EndEntityCert::try_from(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        let is_issued_to = |name: &AllowedName| match name {
            AllowedName::Dns(name) => names.valid_dns_names().any(|issued| issued.eq_ignore_ascii_case(name)),
            AllowedName::Address(address) => verify_server_name(&certificate, address).is_ok(),
        };
        if self.allowed.iter().any(is_issued_to) {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The answer to a person whose URL begins with `http` instead of `https`.
const PLAIN_HTTP: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n\
    this server speaks TLS: write https:// instead of http://\n";

/// The bytes of a request without TLS that are read before it is answered: a browser's are fewer.
const LONGEST_PLAIN_REQUEST: usize = 4 * 1024;

/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 22;

/// Whether the client begins with something else than a TLS handshake, which is then answered.
async fn refuses_plain_http(stream: &TcpStream) -> bool {
    let mut first = [HANDSHAKE];
    // A client that left or failed fails the handshake, too.
    if stream.peek(&mut first).await.is_err() || first == [HANDSHAKE] {
        return false;
    }
    // A request that was not read would make the system discard the answer.
    let _ = stream.try_read(&mut [0; LONGEST_PLAIN_REQUEST]);
    let _ = stream.try_write(PLAIN_HTTP);
    true
}
