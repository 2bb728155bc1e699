//! What a web configuration demands of a scraper.

use std::path::Path;

use super::web_config::{FilesRead, WebConfig};

/// What a scraper needs in order to be answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ScraperNeeds {
    /// It has to encrypt.
    pub(crate) tls: bool,
    /// It has to show a certificate.
    pub(crate) certificate: bool,
    /// It has to log in: the first of the users.
    pub(crate) user: Option<String>,
}

impl ScraperNeeds {
    /// Reads the web configuration at `path`.
    pub(crate) fn of(path: &Path) -> Result<Self, String> {
        let config = WebConfig::read(path, &mut FilesRead::default())
            .map_err(|reason| format!("the web configuration {}: {reason}", path.display()))?;
        let tls = config.tls_server_config.as_ref();
        let policy = tls.and_then(|tls| tls.client_auth_type.as_deref());
        Ok(Self {
            tls: tls.is_some(),
            certificate: policy == Some("RequireAndVerifyClientCert"),
            user: config.basic_auth_users.and_then(|users| users.into_keys().next()),
        })
    }
}
