//! The variant of the exposition that a client gets: its format, its compression and its families.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::Uri;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use super::Format;
use crate::exposition::filter::Filter;
use crate::exposition::format::RequestedPage;
#[cfg(feature = "page")]
use crate::shown::shown;

/// The formats that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OfferedFormats {
    /// Sorted, at least one.
    pub(super) formats: Vec<Format>,
    /// Whether OpenMetrics has the samples `…_created`.
    pub(super) with_created: bool,
}

/// A variant of a page. Clients that wait for the same one share its rendering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) page: RequestedPage,
    pub(super) is_compressed: bool,
    /// The sequence number after which a status begins.
    #[cfg(feature = "page")]
    pub(super) since: u64,
}

/// The time after which Prometheus gives up, in seconds.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// The part of its own time limit that a scraper's answer may take, so that the reason for a failure arrives in time.
const PART_OF_TIMEOUT: f64 = 0.95;

/// The parameters that distinguish the formats; all others, such as the character set, are ignored.
const DISTINGUISHING: [&str; 3] = ["version", "proto", "encoding"];

/// More names cost processor time and gain nothing: the library itself has fewer families.
const MOST_NAMES: usize = 200;

/// The client names more families than the server looks for in one request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has {0} different names in name[]; allowed: up to {MOST_NAMES}")]
pub(super) struct TooManyNames(usize);

/// The client asks for news since a text that is no sequence number.
#[cfg(feature = "page")]
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "since={0} is not a sequence number; allowed: a whole number from 0 to {max}, the `sequence` of an earlier answer",
    max = u64::MAX
)]
pub(super) struct BadSince(String);

/// The sequence number up to which the client knows the status; 0 if it says nothing.
#[cfg(feature = "page")]
pub(super) fn since(uri: &Uri) -> Result<u64, BadSince> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let Some((_, number)) = pairs.find(|(key, _)| key == "since") else { return Ok(0) };
    number.parse().map_err(|_| BadSince(shown(&number).to_string()))
}

impl Variant {
    /// The variant that this client prefers among those that are offered.
    pub(super) fn preferred(
        uri: &Uri,
        headers: &HeaderMap,
        offered: &OfferedFormats,
    ) -> Result<Self, TooManyNames> {
        let filter = filter(uri);
        if filter.names() > MOST_NAMES {
            return Err(TooManyNames(filter.names()));
        }
        let page = RequestedPage {
            format: format(headers, &offered.formats),
            with_created: offered.with_created,
            filter,
        };
        let is_compressed = cfg!(feature = "gzip") && accepts_gzip(headers);
        Ok(Self {
            page,
            is_compressed,
            #[cfg(feature = "page")]
            since: 0,
        })
    }

    /// Whether it has all families.
    pub(super) fn is_complete(&self) -> bool {
        self.page.filter.selects_all()
    }
}

/// The time limit that a scraper sets for its answer, if it sets a valid one.
pub(super) fn scrape_timeout(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(SCRAPE_TIMEOUT)?.to_str().ok()?.trim().parse().ok()?;
    let timeout = Duration::try_from_secs_f64(seconds * PART_OF_TIMEOUT).ok()?;
    (!timeout.is_zero()).then_some(timeout)
}

/// The families that the query names with `name[]=`.
fn filter(uri: &Uri) -> Filter {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let names: Vec<_> = pairs.filter(|(key, _)| key == "name[]").map(|(_, name)| name.into_owned()).collect();
    if names.is_empty() { Filter::default() } else { Filter::by_name(names) }
}

/// The offered format with the highest weight, and of equal ones the first. A client that accepts none gets the first:
/// an answer of another type tells an operator more than an error does.
fn format(headers: &HeaderMap, offered: &[Format]) -> Format {
    let ranges = elements(headers, ACCEPT);
    let mut best = (0.0, offered.first().copied().unwrap_or_default());
    for &format in offered {
        let weight = weight(&ranges, format);
        if weight > best.0 {
            best = (weight, format);
        }
    }
    best.1
}

/// The weight of the most specific range that includes the format.
fn weight(ranges: &[Element], format: Format) -> f64 {
    let offered = Element::parse(format.content_type()).unwrap_or_default();
    let matching = ranges.iter().filter_map(|range| Some((range.specificity(&offered)?, range.weight)));
    let best = matching.max_by(|(one, more), (other, less)| one.cmp(other).then(more.total_cmp(less)));
    best.map_or(0.0, |(_, weight)| weight)
}

/// Whether the answer is to be compressed: gzip is accepted, and not less than an answer without compression.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = elements(headers, ACCEPT_ENCODING);
    let weight = |names: &[&str]| {
        let named = codings.iter().filter(|coding| names.contains(&&*coding.name));
        named.map(|coding| coding.weight).max_by(f64::total_cmp)
    };
    let gzip = weight(&["gzip", "x-gzip"]).or_else(|| weight(&["*"])).unwrap_or(0.0);
    gzip > 0.0 && weight(&["identity"]).is_none_or(|identity| gzip >= identity)
}

/// An element of a list of preferences.
#[derive(Debug, Default)]
struct Element {
    /// In lower case.
    name: String,
    /// The parameters that distinguish formats.
    parameters: Vec<(String, String)>,
    /// From 0 to 1.
    weight: f64,
}

/// The elements of a header that can be read; others are ignored.
fn elements(headers: &HeaderMap, name: HeaderName) -> Vec<Element> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| split(value, ',')).filter_map(Element::parse).collect()
}

impl Element {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = split(text, ';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let mut element = Self { name, parameters: Vec::new(), weight: 1.0 };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
            if name == "q" {
                element.weight = value.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
            } else if DISTINGUISHING.contains(&&*name) {
                element.parameters.push((name, value.to_owned()));
            }
        }
        Some(element)
    }

    /// How precisely this range names a format; `None` if it excludes it.
    fn specificity(&self, format: &Self) -> Option<usize> {
        if self.name == format.name {
            let has = |parameter| format.parameters.contains(parameter);
            self.parameters.iter().all(has).then_some(2 + self.parameters.len())
        } else if self.name == "*/*" {
            Some(0)
        } else {
            let kind = self.name.strip_suffix('*').filter(|kind| kind.ends_with('/'))?;
            format.name.starts_with(kind).then_some(1)
        }
    }
}

/// The parts between separators outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    fn preferred(accept: &str, offered: &[Format]) -> Format {
        format(&headers(ACCEPT, accept), offered)
    }

    const BOTH: &[Format] = &[Format::Text, Format::OpenMetrics];
    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
                                   q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                                application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;\
                                escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
    const VICTORIA_METRICS: &str = "text/plain;version=0.0.4;q=1,*/*;q=0.1";

    #[test]
    fn scrapers_get_the_format_that_they_prefer() {
        for (accept, expected) in [
            (PROMETHEUS_2_42, Format::OpenMetrics),
            (PROMETHEUS_3, Format::OpenMetrics),
            (VICTORIA_METRICS, Format::Text),
            ("*/*", Format::Text),
            (BROWSER, Format::Text),
            ("", Format::Text),
            ("application/json", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("APPLICATION/OpenMetrics-Text; Version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text; version=\"1.0.0\"; charset=\"a,b;c\"", Format::OpenMetrics),
            ("application/*", Format::OpenMetrics),
            ("text/*;q=0.5, */*;q=0.6", Format::OpenMetrics),
            ("text/*;q=0.6, */*;q=0.5", Format::Text),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;q=0, */*", Format::Text),
            ("text/plain;q=0, */*", Format::OpenMetrics),
            (
                "application/openmetrics-text;q=0.5, application/openmetrics-text;version=1.0.0;q=0, */*;q=0.1",
                Format::Text,
            ),
            ("application/openmetrics-text;q=high, text/plain;q=0.1", Format::Text),
            ("application/openmetrics-text;q=2, text/plain;q=0.1", Format::Text),
            (",;=,q=1,\"", Format::Text),
        ] {
            assert_eq!(preferred(accept, BOTH), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new(), BOTH), Format::Text);
    }

    #[test]
    fn a_single_offered_format_is_served_to_everyone() {
        for accept in
            [PROMETHEUS_2_42, VICTORIA_METRICS, "application/json", "application/openmetrics-text;q=0"]
        {
            for offered in BOTH {
                assert_eq!(preferred(accept, &[*offered]), *offered);
            }
        }
    }

    #[cfg(feature = "protobuf")]
    #[test]
    fn protobuf_is_for_scrapers_that_name_it() {
        let all = &[Format::Text, Format::OpenMetrics, Format::Protobuf];
        let named =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        for (accept, expected) in [
            (format!("{named},{PROMETHEUS_2_42}"), Format::OpenMetrics),
            (format!("{named};q=0.7,{PROMETHEUS_3}"), Format::Protobuf),
            (named.replace("delimited", "text"), Format::Text),
            (named.replace("MetricFamily", "Metric"), Format::Text),
            (PROMETHEUS_2_42.to_owned(), Format::OpenMetrics),
        ] {
            assert_eq!(preferred(&accept, all), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_for_clients_that_do_not_prefer_plain_answers() {
        for (accept, expected) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("GZip;q=0.1", true),
            ("x-gzip", true),
            ("*", true),
            ("gzip;q=0.5, identity;q=0.5", true),
            ("gzip;q=0.5, identity", false),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("*;q=0", false),
            ("identity", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(&headers(ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn names_are_decoded_and_other_parameters_ignored() {
        let of = |target: &str| filter(&target.parse().unwrap());
        let names = |names: &[&str]| Filter::by_name(names.iter().map(ToString::to_string).collect());
        assert_eq!(of("/metrics"), Filter::default());
        assert_eq!(of("/metrics?debug=1&name=up"), Filter::default());
        assert_eq!(of("/metrics?name[]=up&x=y&name%5B%5D=a%5Fb"), names(&["up", "a_b"]));
        assert_eq!(of("/metrics?name[]=a+b&name[]=%ff&name[]"), names(&["a b", "\u{fffd}", ""]));
    }

    #[test]
    fn a_request_names_no_more_families_than_a_bot_has() {
        assert!(crate::catalogue::FAMILIES.len() <= MOST_NAMES / 2);
        let offered = OfferedFormats { formats: vec![Format::Text], with_created: false };
        for (names, refused) in [(MOST_NAMES, None), (MOST_NAMES + 1, Some(TooManyNames(MOST_NAMES + 1)))] {
            let query: Vec<_> = (0..2 * names).map(|name| format!("name[]=n{}", name % names)).collect();
            let uri = format!("/metrics?{}", query.join("&")).parse().unwrap();
            assert_eq!(Variant::preferred(&uri, &HeaderMap::new(), &offered).err(), refused);
        }
    }

    #[test]
    fn an_answer_is_due_slightly_before_the_scraper_gives_up() {
        let of = |value: &str| scrape_timeout(&headers(SCRAPE_TIMEOUT, value));
        assert_eq!(of("10"), Some(Duration::from_millis(9_500)));
        assert_eq!(of("0.1"), Some(Duration::from_millis(95)));
        for invalid in ["", "ten", "-1", "0", "NaN", "inf", "1e300", "1e-300"] {
            assert_eq!(of(invalid), None, "{invalid}");
        }
    }
}
