//! The command line below the word `metrics`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;

use clap::Parser;

use super::context::RuleContext;
use super::contract::DiffOptions;
use super::dashboard::{Links, dashboard};
#[cfg(feature = "doctor")]
use super::doctor::DoctorOptions;
use super::prometheus::Access;
use super::scale::TimeScale;
use super::serialized::{generated_yaml, json};
use super::{alertmanager, list, prometheus, reference, rule_tests, rules, runbook};
use crate::Settings;
use crate::linked::LinkedCatalogue;

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// The text for standard output.
    pub text: String,
    /// The text for standard error.
    pub errors: String,
    /// The exit code: 0 for success, 1 for a failure, 2 for a mistake on the command line.
    pub code: u8,
}

impl Output {
    pub(super) fn success(text: String) -> Self {
        Self { text, errors: String::new(), code: 0 }
    }

    fn failure(error: &str) -> Self {
        Self { text: String::new(), errors: format!("{error}\n"), code: 1 }
    }

    /// For a mistake on the command line, and a file that it names and that cannot be read.
    pub(super) fn mistake(error: &str) -> Self {
        Self { code: 2, ..Self::failure(error) }
    }

    /// Writes both texts and returns the exit code. A closed pipe, as after `| head`, is no failure.
    #[must_use]
    pub fn print(&self) -> ExitCode {
        let written = io::stdout().lock().write_all(self.text.as_bytes());
        // If standard error is closed too, there is no place to report it.
        let _ = io::stderr().lock().write_all(self.errors.as_bytes());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(self.code),
        }
    }
}

/// Lists the bot's metrics and writes the files that Prometheus and Alertmanager need for them.
#[derive(Debug, Parser)]
#[command(name = "metrics", bin_name = "metrics", disable_help_subcommand = true)]
enum Command {
    /// Lists the metric families of this binary.
    List {
        /// As JSON, with the annotated functions: equal binaries and settings give equal bytes.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        diff: DiffOptions,
    },
    /// Checks a running bot: scrapes it as Prometheus does, and compares its metrics with those of this binary.
    #[cfg(feature = "doctor")]
    Doctor(Box<DoctorOptions>),
    /// Writes the metric families as a Markdown table.
    Reference,
    /// Writes recording and alerting rules, as rules.yml.
    Rules {
        /// Divides windows and holds, but not those of several cycles of a loop, so that a demonstration sees in seconds what takes minutes.
        #[arg(long, value_name = "N", default_value = "1")]
        time_scale: NonZeroU32,
        #[command(flatten)]
        place: Place,
    },
    /// Writes tests of these rules for promtool, which reads the rules from rules.yml beside them.
    RuleTests {
        /// Adds scenarios that last for days, each of which is similar to a shorter one; promtool takes minutes for them.
        #[arg(long)]
        long: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Writes the runbook to which the alerts link, in Markdown.
    Runbook {
        #[command(flatten)]
        job: Job,
    },
    /// Writes a dashboard for Grafana, as dashboard.json, which its page Import reads.
    Dashboard {
        /// The address of the runbook, to which the panels link with the anchor of their alert; without it there are no
        /// links.
        #[arg(long = "runbook-url", value_name = "URL")]
        runbook_url: Option<String>,
        /// The address of the list of metrics, for example /catalogue of the bot, to which the dashboard links.
        #[arg(long = "reference-url", value_name = "URL")]
        reference_url: Option<String>,
    },
    /// Writes the configuration of a Prometheus that scrapes the bot.
    ScrapeConfig {
        #[command(flatten)]
        job: Job,
    },
    /// Writes the configuration of an Alertmanager for these alerts.
    Alertmanager,
}

/// Where the alerts come from and where they lead.
#[derive(Debug, clap::Args)]
struct Place {
    #[command(flatten)]
    job: Job,
    /// The address of the runbook, to which the anchor of the alert is added.
    #[arg(long = "runbook-url", value_name = "URL", default_value = "runbook.md")]
    runbook_url: String,
}

/// The name under which Prometheus scrapes the bot.
#[derive(Debug, clap::Args)]
struct Job {
    /// The value of the label job; by default the name of the app.
    #[arg(long = "job", value_name = "NAME")]
    name: Option<String>,
}

/// Runs the command that these words name, those after `metrics` on the bot's command line. It starts nothing and records
/// nothing: the settings say for which namespace, default labels and address the text is.
///
/// Mistakes give the exit code 2 and a text that names the nearest subcommand; `--help` lists all.
pub fn run<W: Into<OsString>>(words: impl IntoIterator<Item = W>, settings: &Settings) -> Output {
    let words = words.into_iter().map(Into::into);
    match Command::try_parse_from([OsString::from("metrics")].into_iter().chain(words)) {
        Ok(command) => command.output(settings).unwrap_or_else(|error| Output::failure(&error)),
        Err(message) if message.use_stderr() => {
            Output { text: String::new(), errors: message.to_string(), code: 2 }
        }
        Err(help) => Output::success(help.to_string()),
    }
}

impl Command {
    fn output(&self, settings: &Settings) -> Result<Output, String> {
        let linked = LinkedCatalogue::of(settings);
        let unscaled = |job| RuleContext::new(&linked, TimeScale::NONE, job);
        if let Self::List { diff, .. } = self
            && let Some(compared) = diff.output(&linked)
        {
            return Ok(compared);
        }
        let text = match self {
            #[cfg(feature = "doctor")]
            Self::Doctor(options) => return Ok(options.output(&linked)),
            Self::List { json: false, .. } => Ok(list::list(&linked)),
            Self::List { json: true, .. } => json(&linked),
            Self::Reference => Ok(reference::reference(&linked)),
            Self::Rules { time_scale, place } => {
                let context = RuleContext::new(&linked, TimeScale(*time_scale), place.job.name.as_deref());
                generated_yaml("metrics rules", &rules::rule_file(&context, &place.runbook_url))
            }
            Self::RuleTests { long, place } => {
                let context = unscaled(place.job.name.as_deref());
                generated_yaml(
                    "metrics rule-tests",
                    &rule_tests::test_file(&context, &place.runbook_url, *long),
                )
            }
            Self::Runbook { job } => Ok(runbook::runbook(&unscaled(job.name.as_deref()))),
            Self::Dashboard { runbook_url, reference_url } => {
                let links = Links { runbook: runbook_url.as_deref(), reference: reference_url.as_deref() };
                json(&dashboard(&unscaled(None), links))
            }
            Self::ScrapeConfig { job } => {
                let job = unscaled(job.name.as_deref()).job;
                prometheus::configuration(job, settings.address(), &Access::of(settings)?)
            }
            Self::Alertmanager => alertmanager::configuration(&unscaled(None)),
        };
        text.map(Output::success)
    }
}
