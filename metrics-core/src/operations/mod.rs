//! From the linked catalogue to operations: reference, alert rules with tests, a dashboard, and the configurations that
//! belong to them. A bot mounts [`run`] on its command line, as `paper-bot metrics …` does:
//!
//! ```
//! use bot_metrics::{Mode, Settings, operations};
//!
//! let settings = Settings::new(Mode::Paper);
//! let output = operations::run(["rules", "--time-scale", "60"], &settings);
//! assert_eq!(output.code, 0);
//! assert!(output.text.contains("alert: BotDown"));
//!
//! let mistake = operations::run(["rule"], &settings);
//! assert_eq!(mistake.code, 2);
//! assert!(mistake.errors.contains("rules"), "the nearest subcommand");
//! ```
//!
//! Everything is derived from the functions and families that are linked into the binary: a bot without a
//! reconciliation gets no rule about one. Families that only handles record are included if
//! [`Settings::expect_families`](crate::Settings::expect_families) names them.
//!
//! `list --diff OLD.json` compares the binary with the list of an earlier release and fails if a change breaks queries.
//! With the feature `doctor`, `doctor URL` scrapes a running bot and compares it with the list; with `tls` also over
//! https, with `gzip` compressed.

mod alertmanager;
mod alerts;
mod command;
mod context;
mod contract;
mod dashboard;
#[cfg(feature = "doctor")]
mod doctor;
mod list;
mod prometheus;
mod promql;
mod queries;
mod recorded_values;
mod recording;
mod reference;
mod rule_tests;
mod rules;
mod runbook;
mod scale;
mod serialized;
#[cfg(test)]
mod tests;

pub use command::{Output, run};
