//! The formats of an exposition.

#[cfg(feature = "server")]
use super::filter::Filter;
#[cfg(feature = "server")]
use super::openmetrics::OpenMetrics;
#[cfg(feature = "protobuf")]
use super::protobuf::{self, Protobuf};
#[cfg(feature = "server")]
use super::spelling::Spelling;
use super::text;
#[cfg(feature = "server")]
use super::text::Text;

/// A format of the exposition, for [`ServerOptions::formats`](crate::server::ServerOptions::formats).
///
/// ```
/// use bot_metrics::server::Format;
///
/// assert_eq!(Format::Text.content_type(), bot_metrics::CONTENT_TYPE);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The Prometheus text format, version 0.0.4, which every scraper reads.
    #[default]
    Text,
    /// OpenMetrics 1.0.0: as text, with units, and with `le="1.0"` where the text format has `le="1"`. To Prometheus 2
    /// these are different series, so queries that name such a bound have to match both: `le=~"1(\\.0)?"`.
    OpenMetrics,
    /// Prometheus' protobuf format: families after their lengths. Prometheus asks for it if it ingests native histograms
    /// or created timestamps. Counters above 2⁵³ are rounded, because the format keeps them as floats.
    ///
    /// Needs the feature `protobuf`.
    #[cfg(feature = "protobuf")]
    Protobuf,
}

impl Format {
    /// Its exact content type. Prometheus 3 rejects a scrape whose type it does not know.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            #[cfg(feature = "protobuf")]
            Self::Protobuf => protobuf::CONTENT_TYPE,
        }
    }
}

/// A format, by the buffer that it writes to.
#[cfg(feature = "server")]
pub(crate) enum AnySpelling {
    Text(&'static dyn Spelling<String>),
    #[cfg(feature = "protobuf")]
    Bytes(&'static dyn Spelling<Vec<u8>>),
}

/// The exposition that a client requests.
#[cfg(feature = "server")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestedPage {
    pub(crate) format: Format,
    /// Whether OpenMetrics has the samples `…_created`.
    pub(crate) with_created: bool,
    pub(crate) filter: Filter,
}

#[cfg(feature = "server")]
impl RequestedPage {
    pub(crate) fn spelling(&self) -> AnySpelling {
        match self.format {
            Format::Text => AnySpelling::Text(&Text),
            Format::OpenMetrics if self.with_created => {
                AnySpelling::Text(&OpenMetrics { with_created: true })
            }
            Format::OpenMetrics => AnySpelling::Text(&OpenMetrics { with_created: false }),
            #[cfg(feature = "protobuf")]
            Format::Protobuf => AnySpelling::Bytes(&Protobuf),
        }
    }
}
