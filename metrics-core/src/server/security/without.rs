//! What replaces TLS and authentication in a build without their features: errors that name the feature.

#[cfg(not(feature = "auth"))]
pub(super) mod auth {
    use std::collections::BTreeMap;
    use std::future::Ready;
    use std::net::IpAddr;
    use std::sync::Arc;

    use hyper::HeaderMap;

    use crate::server::security::web_config::Invalid;

    /// There are none without the feature.
    pub(in crate::server::security) enum Users {}

    #[derive(Default)]
    pub(in crate::server::security) struct Logins {}

    pub(in crate::server::security) enum Login {
        #[expect(dead_code, reason = "there are no users to check")]
        Accepted,
    }

    impl Users {
        pub(in crate::server::security) fn new(
            hashes: &BTreeMap<String, String>,
        ) -> Result<Option<Self>, Invalid> {
            if hashes.is_empty() {
                Ok(None)
            } else {
                Err(Invalid::new("basic_auth_users needs the feature \"auth\" of bot-metrics"))
            }
        }

        pub(in crate::server::security) fn keep_verified(&self, _: &Self) {
            match *self {}
        }

        pub(in crate::server::security) fn check(
            self: &Arc<Self>,
            _: &Arc<Logins>,
            _: &HeaderMap,
            _: IpAddr,
        ) -> Ready<Login> {
            match **self {}
        }
    }
}

#[cfg(not(feature = "tls"))]
pub(super) mod tls {
    use std::future::Ready;
    use std::io;
    use std::path::Path;

    use tokio::net::TcpStream;

    use crate::server::activity::Activity;
    use crate::server::security::Transport;
    use crate::server::security::web_config::{FilesRead, Invalid, TlsServerConfig};

    /// There is none without the feature.
    pub(in crate::server::security) enum Tls {}

    impl Tls {
        pub(in crate::server::security) fn new(
            _: &TlsServerConfig,
            _: &Path,
            _: &mut FilesRead,
        ) -> Result<Option<Self>, Invalid> {
            Err(Invalid::new("tls_server_config needs the feature \"tls\" of bot-metrics"))
        }

        pub(in crate::server::security) fn requires_certificate(&self) -> bool {
            match *self {}
        }

        pub(in crate::server::security) fn restricts_names(&self) -> bool {
            match *self {}
        }

        pub(in crate::server::security) fn refuses_tls12(&self) -> bool {
            match *self {}
        }

        pub(in crate::server::security) fn handshake(
            &self,
            _: TcpStream,
            _: &Activity,
        ) -> Ready<io::Result<Transport>> {
            match *self {}
        }
    }
}
