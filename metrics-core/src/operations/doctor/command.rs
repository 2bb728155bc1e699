//! `doctor URL`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::finding::{Check, FindingLevel};
use super::{Subject, diagnose, report};
use crate::client::{AddressFault, HttpClient, check_address};
use crate::linked::LinkedCatalogue;
use crate::operations::Output;
use crate::operations::contract::read_catalogue;
use crate::operations::serialized::json;

// The check of a running bot; a doc comment would replace the text of the command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 if no finding has the level of --fail-on or a worse one, 1 if one has, 2 for a \
                        mistake on the command line or a file that cannot be read."
)]
pub(in crate::operations) struct DoctorOptions {
    /// The address of the bot's metrics; without a path that of /metrics.
    url: String,
    /// Expects the metrics in this file, which `list --json` of the running release wrote, instead of those of this
    /// binary.
    #[arg(long, value_name = "list.json", conflicts_with = "expect_served")]
    expect: Option<PathBuf>,
    /// Expects the metrics that the bot itself lists at /catalogue.
    #[arg(long)]
    expect_served: bool,
    /// Sends the queries of all rules and panels to this Prometheus, too.
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// The job under which this Prometheus scrapes the bot; by default the name of the app.
    #[arg(long, value_name = "NAME", requires = "prometheus")]
    job: Option<String>,
    /// The level from which a finding makes the exit code 1.
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "violation")]
    fail_on: FailOn,
    /// Lists findings of this level and worse ones.
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "information")]
    level: FindingLevel,
    /// Lists findings of these checks only.
    #[arg(long, value_enum, value_name = "CHECK", value_delimiter = ',')]
    only: Vec<Check>,
    /// Leaves out the findings of these checks.
    #[arg(long, value_enum, value_name = "CHECK", value_delimiter = ',')]
    skip: Vec<Check>,
    /// Writes the findings as JSON.
    #[arg(long)]
    json: bool,
    /// The time limit of each request, in seconds; 10 is that of a scrape by Prometheus.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    #[command(flatten)]
    credentials: CredentialFiles,
}

// The credentials of the requests to the bot, and of those to Prometheus.
#[derive(Debug, clap::Args)]
struct CredentialFiles {
    /// The user of basic authentication.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// A file with the password of this user.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// A file with a token that authorizes the requests.
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    bearer_token_file: Option<PathBuf>,
    /// A PEM file with the certificates that are trusted, instead of those that the system trusts.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A PEM file with the certificate of this client.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FailOn {
    Violation,
    Improvement,
    Information,
    Never,
}

impl FailOn {
    fn includes(self, level: FindingLevel) -> bool {
        match self {
            Self::Violation => level >= FindingLevel::Violation,
            Self::Improvement => level >= FindingLevel::Improvement,
            Self::Information => true,
            Self::Never => false,
        }
    }
}

impl DoctorOptions {
    /// Checks the bot. `own` is the catalogue of this binary.
    pub(in crate::operations) fn output(&self, own: &LinkedCatalogue) -> Output {
        self.checked(own).unwrap_or_else(|error| Output::mistake(&error))
    }

    /// `Err` if an address or a file cannot be used.
    fn checked(&self, own: &LinkedCatalogue) -> Result<Output, String> {
        let subject = Subject {
            url: metrics_address(&self.url)?,
            client: self.client()?,
            expected: self.expect.as_deref().map_or_else(|| Ok(own.clone()), read_catalogue)?,
            expects_served: self.expect_served,
            prometheus: self.prometheus.as_deref().map(address).transpose()?,
            job: self.job.clone(),
        };
        let mut diagnosis = diagnose(subject);
        let is_incomplete = diagnosis.is_incomplete;
        diagnosis.findings.retain(|finding| {
            let is_wanted = self.only.is_empty() || self.only.contains(&finding.check);
            // The reason why nothing was checked is wanted in any case.
            is_incomplete || is_wanted && !self.skip.contains(&finding.check)
        });
        let fails = diagnosis.findings.iter().any(|finding| self.fail_on.includes(finding.level));
        diagnosis.findings.retain(|finding| finding.level >= self.level);
        let text = if self.json { json(&diagnosis)? } else { report::plain(&diagnosis) };
        Ok(Output { code: u8::from(fails), ..Output::success(text) })
    }

    fn client(&self) -> Result<HttpClient, String> {
        let mut client = HttpClient::new(self.timeout);
        let of = &self.credentials;
        if let (Some(user), Some(path)) = (&of.user, &of.password_file) {
            client.set_basic_auth(user, &secret(path)?);
        }
        if let Some(path) = &of.bearer_token_file {
            client.set_bearer_token(&secret(path)?);
        }
        #[cfg(feature = "tls")]
        {
            let wrong =
                |fault: crate::client::FileFault| format!("{}: {}", fault.path.display(), fault.reason);
            if let Some(path) = &of.ca_file {
                client.trust(path).map_err(wrong)?;
            }
            if let (Some(chain), Some(key)) = (&of.certificate, &of.key) {
                client.show(chain, key).map_err(wrong)?;
            }
        }
        Ok(client)
    }
}

/// The content of a file, without the end of its line.
fn secret(path: &PathBuf) -> Result<String, String> {
    let content = fs::read_to_string(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    let secret = content.trim_end_matches(['\r', '\n']);
    let is_header = !secret.is_empty() && !secret.chars().any(char::is_control);
    is_header
        .then(|| secret.to_owned())
        .ok_or_else(|| format!("{}: it is not one line of text", path.display()))
}

fn address(url: &str) -> Result<String, String> {
    check_address(url).map(str::to_owned).map_err(|fault| match fault {
        AddressFault::Credentials => "an address must not contain a user and a password: use --user and \
                                      --password-file"
            .to_owned(),
        AddressFault::Other(reason) => {
            format!("`{url}` is no address: {reason}; write it as http://host:port, for example http://127.0.0.1:5000")
        }
    })
}

/// The address of the metrics, if the given one has no path.
fn metrics_address(url: &str) -> Result<String, String> {
    let address = address(url)?;
    let has_path = address.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    Ok(if has_path { address } else { address + "/metrics" })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.filter(|seconds| !seconds.is_zero());
    seconds.ok_or_else(|| "must be a number of seconds above 0, such as 2.5".to_owned())
}
