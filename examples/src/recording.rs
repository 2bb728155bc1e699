//! The recorded market: trades and quotes read from a CSV file, gzipped or plain.

mod row;

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use rust_decimal::Decimal;

use crate::market::{Side, Symbol, Touch};
use row::{COLUMNS, Row};

/// Binance spot, 2025-03-25 23:07:00 to 23:10:05 UTC; see `data/README.md` for its origin and licence.
static EMBEDDED: &[u8] = include_bytes!("../data/binance-spot-2025-03-25.csv.gz");
const EMBEDDED_NAME: &str = "binance-spot-2025-03-25.csv.gz";

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Everything that happened on the recorded markets, in the order in which it was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    started: Duration,
    events: Vec<MarketEvent>,
    delays: Vec<Duration>,
}

/// An event on a market.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketEvent {
    /// Time since the first event of the recording.
    pub at: Duration,
    /// The market.
    pub symbol: Symbol,
    /// The kind of the event.
    pub kind: MarketEventKind,
}

/// The kind of a market event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MarketEventKind {
    /// A trade.
    Trade {
        /// The side of the taker's order.
        side: Side,
        /// In the quote currency.
        price: Decimal,
        /// In the base currency.
        quantity: Decimal,
    },
    /// The best bid or ask changed.
    Quote(Touch),
}

/// The reason why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened or read.
    #[error("{file}: {source}")]
    Open {
        /// The file's name.
        file: String,
        /// The system's error.
        source: io::Error,
    },
    /// The file breaks off or is corrupt.
    #[error("{file}: unreadable after line {line}: {message}; allowed: gzip or plain CSV, complete")]
    Unreadable {
        /// The file's name.
        file: String,
        /// The last line that could be read.
        line: u64,
        /// The decoder's error.
        message: String,
    },
    /// The first line does not contain the known column names.
    #[error("{file}: line 1: the columns are `{found}`; allowed: `{}`", COLUMNS.join(","))]
    Columns {
        /// The file's name.
        file: String,
        /// The first line.
        found: String,
    },
    /// A field has an invalid value.
    #[error("{file}: line {line}, column {column}: `{value}`; allowed: {allowed}")]
    Field {
        /// The file's name.
        file: String,
        /// Counted from 1, the column names included.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// The field's value.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A line has too few or too many fields.
    #[error("{file}: line {line}: {found} fields; allowed: {}", COLUMNS.len())]
    FieldCount {
        /// The file's name.
        file: String,
        /// Counted from 1, the column names included.
        line: u64,
        /// How many there are.
        found: usize,
    },
    /// A market has no quote, so nothing could be priced there.
    #[error("{file}: no quote of {symbol}; allowed: at least one quote of each of BTCUSDT, ETHUSDT, SOLUSDT")]
    NoQuote {
        /// The file's name.
        file: String,
        /// The market.
        symbol: Symbol,
    },
    /// The recording has no trade, so there are no delays to sample.
    #[error("{file}: no trade; allowed: at least one, the answers are delayed like the recorded trades")]
    NoTrade {
        /// The file's name.
        file: String,
    },
}

impl Recording {
    /// The built-in recording.
    ///
    /// # Errors
    /// Only if the file was damaged before the build.
    pub fn embedded() -> Result<Self, RecordingError> {
        Self::read(EMBEDDED_NAME, EMBEDDED)
    }

    /// Reads a file with the same columns.
    ///
    /// # Errors
    /// If the file cannot be read or a line is invalid.
    pub fn from_file(path: &Path) -> Result<Self, RecordingError> {
        let file = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Self::read(&file, &bytes),
            Err(source) => Err(RecordingError::Open { file, source }),
        }
    }

    /// Reads a recording from memory; `file` is its name in messages.
    ///
    /// # Errors
    /// If a line is invalid.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, RecordingError> {
        let reader: Box<dyn Read + '_> = if bytes.starts_with(&GZIP_MAGIC) {
            Box::new(MultiGzDecoder::new(bytes))
        } else {
            Box::new(bytes)
        };
        let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(reader);
        let mut record = csv::StringRecord::new();
        let mut recording = Self { started: Duration::ZERO, events: Vec::new(), delays: Vec::new() };
        let mut previous = None;
        let mut columns_seen = false;
        loop {
            let last_line = record.position().map_or(0, csv::Position::line);
            let more = csv.read_record(&mut record).map_err(|error| RecordingError::Unreadable {
                file: file.to_owned(),
                line: last_line,
                message: error.to_string(),
            })?;
            if !more {
                break;
            }
            if columns_seen {
                let row = Row::read(file, &record, previous)?;
                previous = Some(row.received);
                recording.add(&row);
            } else if record.iter().eq(COLUMNS) {
                columns_seen = true;
            } else {
                let found = record.iter().collect::<Vec<_>>().join(",");
                return Err(RecordingError::Columns { file: file.to_owned(), found });
            }
        }
        if !columns_seen {
            return Err(RecordingError::Columns { file: file.to_owned(), found: String::new() });
        }
        recording.rebased(file)
    }

    /// The time of the first event, since the Unix epoch.
    #[must_use]
    pub const fn started(&self) -> Duration {
        self.started
    }

    /// The events, in the order in which they were received.
    #[must_use]
    pub fn events(&self) -> &[MarketEvent] {
        &self.events
    }

    /// The delay of each recorded trade.
    #[must_use]
    pub fn delays(&self) -> &[Duration] {
        &self.delays
    }

    /// The first quote of each market.
    pub fn first_quotes(&self) -> impl Iterator<Item = &MarketEvent> {
        Symbol::ALL.into_iter().filter_map(|symbol| {
            self.events
                .iter()
                .find(|event| event.symbol == symbol && matches!(event.kind, MarketEventKind::Quote(_)))
        })
    }

    fn add(&mut self, row: &Row) {
        self.delays.extend(row.delay);
        self.events.push(MarketEvent { at: row.received, symbol: row.symbol, kind: row.kind });
    }

    fn rebased(mut self, file: &str) -> Result<Self, RecordingError> {
        let quoted: Vec<_> = self.first_quotes().map(|event| event.symbol).collect();
        if let Some(symbol) = Symbol::ALL.into_iter().find(|symbol| !quoted.contains(symbol)) {
            return Err(RecordingError::NoQuote { file: file.to_owned(), symbol });
        }
        if self.delays.is_empty() {
            return Err(RecordingError::NoTrade { file: file.to_owned() });
        }
        let first = self.events.first().map_or(Duration::ZERO, |event| event.at);
        self.started = first;
        for event in &mut self.events {
            event.at -= first;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
