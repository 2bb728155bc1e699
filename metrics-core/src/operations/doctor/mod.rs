//! Compares a running bot with the metrics that it should have.
//!
//! The bot is scraped twice, as Prometheus does, because some series need an earlier scrape. The expected metrics come
//! from the linked catalogue, so that a series that is absent differs from one whose function was never called.

mod command;
mod coverage;
mod families;
mod finding;
mod liveness;
mod page;
mod prometheus;
mod report;
mod scrape;
mod served;
mod use_marks;

pub(super) use self::command::DoctorOptions;

use serde::Serialize;

use self::coverage::Coverage;
use self::finding::{BotFinding, Check};
use self::page::ScrapedPage;
use self::scrape::scrape;
use crate::client::HttpClient;
use crate::linked::LinkedCatalogue;

/// A bot, and the expectations about it.
struct Subject {
    /// The address of its metrics.
    url: String,
    client: HttpClient,
    expected: LinkedCatalogue,
    /// Whether the families and functions that the bot itself lists are expected instead.
    expects_served: bool,
    /// The address of a Prometheus that scrapes it.
    prometheus: Option<String>,
    /// The job under which it does; `None` for the name of the app.
    job: Option<String>,
}

/// The state of a bot.
#[derive(Debug, Default, Serialize)]
struct Diagnosis {
    url: String,
    /// The number of exported families and of their series.
    families: usize,
    series: usize,
    /// The annotated functions; `None` if they could not be compared.
    functions: Option<Coverage>,
    /// Whether the bot's metrics, or the expectations about them, could not be read, so that nothing else was checked.
    is_incomplete: bool,
    /// The worst first.
    findings: Vec<BotFinding>,
}

fn diagnose(subject: Subject) -> Diagnosis {
    let Subject { url, client, expected, expects_served, prometheus, job } = subject;
    let mut diagnosis = Diagnosis { url, ..Diagnosis::default() };
    let expected =
        if expects_served { served::catalogue(&client, &diagnosis.url, &expected) } else { Ok(expected) };
    match expected {
        Ok(expected) => {
            if let Err(finding) = examine(&client, &expected, &mut diagnosis) {
                diagnosis.is_incomplete = true;
                diagnosis.findings.push(finding);
            }
            if let Some(prometheus) = prometheus {
                diagnosis.findings.extend(prometheus::check(&client, &prometheus, &expected, job.as_deref()));
            }
        }
        Err(finding) => {
            diagnosis.is_incomplete = true;
            diagnosis.findings.push(finding);
        }
    }
    diagnosis.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    diagnosis
}

/// Checks the bot's page; `Err` if there is none.
fn examine(
    client: &HttpClient,
    expected: &LinkedCatalogue,
    diagnosis: &mut Diagnosis,
) -> Result<(), BotFinding> {
    let Diagnosis { url, findings, .. } = diagnosis;
    // The findings about the request are the same both times.
    scrape(client, url, &mut Vec::new())?;
    let scraped = scrape(client, url, findings)?;
    let (page, faults) = ScrapedPage::read(&scraped.page, scraped.format);
    findings.extend(
        faults
            .iter()
            .map(|fault| BotFinding::violation(Check::Conformance, &*url, fault.to_string(), CONFORMANCE)),
    );
    findings.extend(families::check(&page, expected));
    findings.extend(liveness::check(&page, &scraped, expected));
    let (coverage, of_functions) = coverage::check(&page, expected);
    findings.extend(of_functions);
    diagnosis.functions = Some(coverage);
    diagnosis.families = page.families.len();
    diagnosis.series = page.families.values().map(|family| family.series.len()).sum();
    Ok(())
}

const CONFORMANCE: &str = "Prometheus may accept it, but stores wrong values or drops samples. The code that exports this \
                           family has to be corrected.";
