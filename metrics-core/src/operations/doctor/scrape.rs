//! A scrape, as Prometheus makes it.

use std::time::{Duration, SystemTime};

use ureq::ResponseExt as _;
use ureq::http::{HeaderMap, header};

use super::finding::{BotFinding, Check, FindingLevel};
use crate::client::{HttpClient, explained};
use crate::conformance::Format;
use crate::shown::{quoted, shown};

/// The formats that Prometheus 2.42 accepts, in its order.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// The number of redirects that Prometheus follows.
const MOST_REDIRECTS: u32 = 10;

/// The maximum size of a page in bytes. A bot at all its limits has less than half of it.
const LONGEST_PAGE: u64 = 64 << 20;

const REACHABLE: &str = "Check the address, that the bot runs, and that no firewall is between; the bot's start-up output \
                         says where it serves its metrics.";

const CREDENTIALS: &str = "Give the credentials of the scrape configuration: --user and --password-file, \
                           --bearer-token-file, or --certificate and --key.";

const STATUS: &str = "Check the path, which is usually /metrics, and what the body of the answer says.";

const TYPE: &str = "Prometheus 3 refuses the scrape. Serve the page with the type of its format, for example text/plain; \
                    version=0.0.4; charset=utf-8: bot_metrics::CONTENT_TYPE.";

const ENCODING: &str = "A client must get no encoding that it does not ask for. Serve the page as it is, or with gzip to \
                        clients that accept it.";

const REDIRECT: &str = "Scrape the final address: Prometheus does not follow redirects if follow_redirects is false, and \
                        loses credentials when the host changes.";

const EMPTY: &str = "The handler runs without an installed instance, or a proxy answers in place of the bot.";

/// A page, and what its answer said about it.
pub(super) struct Scraped {
    pub(super) page: Vec<u8>,
    pub(super) format: Format,
    /// The time of the bot's clock, to the second, if the answer has it.
    pub(super) date: Option<SystemTime>,
    /// The time of this machine's clock, half-way through the request.
    pub(super) middle: SystemTime,
}

/// Gets the page. `Err` if there is none that could be checked further.
pub(super) fn scrape(
    client: &HttpClient,
    url: &str,
    findings: &mut Vec<BotFinding>,
) -> Result<Scraped, BotFinding> {
    let failed = |problem: String, advice| BotFinding::violation(Check::Scrape, url, problem, advice);
    let unreachable = |cause: &ureq::Error| failed(explained(cause, client.timeout(), "the bot"), REACHABLE);
    let mut request = client.agent(MOST_REDIRECTS).get(url).header("Accept", ACCEPT);
    request = request.header("User-Agent", concat!("bot-metrics-doctor/", env!("CARGO_PKG_VERSION")));
    if cfg!(feature = "gzip") {
        request = request.header("Accept-Encoding", "gzip");
    }
    let timeout = client.timeout().as_secs_f64().to_string();
    request = request.header("X-Prometheus-Scrape-Timeout-Seconds", timeout);
    if let Some(authorization) = client.authorization() {
        request = request.header("Authorization", authorization);
    }
    let began = SystemTime::now();
    let mut answer = request.call().map_err(|cause| unreachable(&cause))?;
    let middle = began + began.elapsed().unwrap_or(Duration::ZERO) / 2;
    let last = answer.get_uri().to_string();
    if last.trim_end_matches('/') != url.trim_end_matches('/') {
        let problem = format!("the answer came after a redirect to {}", shown(&last));
        findings.push(BotFinding::new(FindingLevel::Improvement, Check::Scrape, url, problem, REDIRECT));
    }
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(LONGEST_PAGE);
    let page = body.read_to_vec().map_err(|cause| unreachable(&cause))?;
    if !status.is_success() {
        let text = String::from_utf8_lossy(&page);
        let line = text.lines().next().unwrap_or_default();
        let problem = format!("the answer has the status {status}: {}", quoted(line));
        return Err(failed(problem, if matches!(status.as_u16(), 401 | 403) { CREDENTIALS } else { STATUS }));
    }
    let page = decoded(page, answer.headers()).map_err(|problem| failed(problem, ENCODING))?;
    let format = format(answer.headers()).map_err(|problem| failed(problem, TYPE))?;
    if page.iter().all(u8::is_ascii_whitespace) {
        return Err(failed("the page is empty".to_owned(), EMPTY));
    }
    Ok(Scraped { page, format, date: date(answer.headers()), middle })
}

/// The page without its content encoding.
fn decoded(page: Vec<u8>, headers: &HeaderMap) -> Result<Vec<u8>, String> {
    let encoding =
        headers.get(header::CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap_or_default());
    match encoding {
        None | Some("" | "identity") => Ok(page),
        #[cfg(feature = "gzip")]
        Some("gzip") => {
            use std::io::Read as _;

            let mut plain = Vec::new();
            let read = flate2::read::MultiGzDecoder::new(&*page).take(LONGEST_PAGE).read_to_end(&mut plain);
            read.map(|_| plain).map_err(|cause| format!("the page is no valid gzip: {cause}"))
        }
        Some(encoding) => Err(format!("the content encoding {} is not supported", quoted(encoding))),
    }
}

/// The format that the content type states.
fn format(headers: &HeaderMap) -> Result<Format, String> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Err("the answer has no content type".to_owned());
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    match &*essence.to_ascii_lowercase() {
        "text/plain" => Ok(Format::Text),
        "application/openmetrics-text" => Ok(Format::OpenMetrics),
        #[cfg(feature = "protobuf")]
        "application/vnd.google.protobuf" => Ok(Format::Protobuf),
        _ => Err(format!("the content type {} is that of no exposition", quoted(content_type))),
    }
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}
