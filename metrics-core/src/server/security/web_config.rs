//! The web configuration: a YAML file in the format of the Prometheus exporter-toolkit.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(feature = "web-config")]
use serde::{Deserialize, de::IgnoredAny};

/// The content of a web configuration. The names are those of the file.
#[derive(Default)]
#[cfg_attr(feature = "web-config", derive(Deserialize), serde(deny_unknown_fields, default))]
pub(super) struct WebConfig {
    pub(super) tls_server_config: Option<TlsServerConfig>,
    pub(super) http_server_config: Option<HttpServerConfig>,
    pub(super) basic_auth_users: Option<BTreeMap<String, String>>,
    #[cfg(feature = "web-config")]
    rate_limit: Option<IgnoredAny>,
}

/// The certificates may be in files or inline.
#[derive(Default)]
#[cfg_attr(feature = "web-config", derive(Deserialize), serde(deny_unknown_fields, default))]
#[cfg_attr(not(feature = "web-config"), expect(dead_code, reason = "no file is read"))]
pub(super) struct TlsServerConfig {
    pub(super) cert: Option<String>,
    pub(super) cert_file: Option<PathBuf>,
    pub(super) key: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) client_ca: Option<String>,
    pub(super) client_ca_file: Option<PathBuf>,
    pub(super) client_auth_type: Option<String>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    pub(super) cipher_suites: Option<Vec<String>>,
    pub(super) curve_preferences: Option<Vec<String>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
}

#[derive(Default)]
#[cfg_attr(feature = "web-config", derive(Deserialize), serde(deny_unknown_fields, default))]
pub(super) struct HttpServerConfig {
    /// Not used: this server answers with HTTP/1.1. Accepted so that the file can be shared with other programs.
    #[cfg_attr(feature = "web-config", serde(rename = "http2"))]
    _http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, String>>,
}

/// The reason why a web configuration is not used: the part that is wrong, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Invalid(String);

impl Invalid {
    pub(super) fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// The files that were read, with their content, so that a change of any of them is noticed.
#[derive(Default, PartialEq, Eq)]
pub(super) struct FilesRead(Vec<(PathBuf, Option<Vec<u8>>)>);

impl FilesRead {
    /// The content of a file. Failing to read it is remembered too.
    #[cfg_attr(not(feature = "web-config"), expect(dead_code, reason = "no file is read"))]
    pub(super) fn read(&mut self, path: &Path) -> Result<Vec<u8>, Invalid> {
        let content = fs::read(path);
        self.0.push((path.to_owned(), content.as_ref().ok().cloned()));
        content.map_err(|cause| Invalid(format!("cannot read {}: {cause}", path.display())))
    }

    /// Whether every file still has the content that was read.
    pub(super) fn are_unchanged(&self) -> bool {
        self.0.iter().all(|(path, content)| fs::read(path).ok() == *content)
    }
}

impl WebConfig {
    #[cfg(not(feature = "web-config"))]
    pub(super) fn read(_: &Path, _: &mut FilesRead) -> Result<Self, Invalid> {
        Err(Invalid::new("it needs the features \"tls\" and \"auth\" of bot-metrics"))
    }

    #[cfg(feature = "web-config")]
    pub(super) fn read(path: &Path, files: &mut FilesRead) -> Result<Self, Invalid> {
        let text = String::from_utf8(files.read(path)?).map_err(|_| Invalid("it is not UTF-8".to_owned()))?;
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let options = serde_saphyr::options! { with_snippet: false };
        let config: Self = serde_saphyr::from_str_with_options(&text, options)
            .map_err(|cause| Invalid(cause.to_string()))?;
        if config.rate_limit.is_some() {
            return Err(Invalid(
                "rate_limit is not supported; after ten failed logins within a minute an address is refused in any case"
                    .to_owned(),
            ));
        }
        Ok(config)
    }
}

/// The content of an inline value or of a file, relative to the folder of the web configuration.
#[cfg(feature = "tls")]
pub(super) fn inline_or_file(
    name: &str,
    (inline, file): (Option<&str>, Option<&Path>),
    folder: &Path,
    files: &mut FilesRead,
) -> Result<Option<Vec<u8>>, Invalid> {
    match (inline.filter(|text| !text.is_empty()), file.filter(|path| !path.as_os_str().is_empty())) {
        (Some(_), Some(_)) => Err(Invalid(format!("tls_server_config has both {name} and {name}_file"))),
        (Some(text), None) => Ok(Some(text.as_bytes().to_vec())),
        (None, Some(path)) => files.read(&folder.join(path)).map(Some),
        (None, None) => Ok(None),
    }
}
