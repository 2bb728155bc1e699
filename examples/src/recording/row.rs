//! One line of a recording.

use std::time::Duration;

use csv::StringRecord;
use rust_decimal::Decimal;

use super::{MarketEventKind, RecordingError};
use crate::market::{Level, Side, Symbol, Touch};

/// The columns, in their order.
pub(super) const COLUMNS: [&str; 9] = [
    "received_us",
    "exchange_us",
    "symbol",
    "kind",
    "side",
    "price",
    "quantity",
    "ask_price",
    "ask_quantity",
];

/// A valid line.
#[derive(Debug)]
pub(super) struct Row {
    /// Since the Unix epoch.
    pub(super) received: Duration,
    pub(super) symbol: Symbol,
    pub(super) kind: MarketEventKind,
    /// Trades only: the time stamps of quotes are the recorder's own.
    pub(super) delay: Option<Duration>,
}

impl Row {
    /// Parses a line; `previous` is the time at which the line before was received.
    pub(super) fn read(
        file: &str,
        record: &StringRecord,
        previous: Option<Duration>,
    ) -> Result<Self, RecordingError> {
        let fields = Fields { file, record };
        if record.len() != COLUMNS.len() {
            let (file, found) = (file.to_owned(), record.len());
            return Err(RecordingError::FieldCount { file, line: fields.line(), found });
        }
        let received = fields.time(0)?;
        if previous.is_some_and(|previous| received < previous) {
            return Err(fields.refuse(0, "not less than on the line before: lines are sorted by received_us"));
        }
        let symbol = fields.name(2, "BTCUSDT, ETHUSDT or SOLUSDT", |name| name.parse().ok())?;
        match fields.name(3, "trade or quote", Kind::named)? {
            Kind::Trade => {
                let sent = fields.time(1)?;
                let delay = received.checked_sub(sent).ok_or_else(|| {
                    fields.refuse(1, "not more than received_us: nothing arrives before it was sent")
                })?;
                let kind = MarketEventKind::Trade {
                    side: fields.name(4, "buy or sell", side_named)?,
                    price: fields.amount(5)?,
                    quantity: fields.amount(6)?,
                };
                Ok(Self { received, symbol, kind, delay: Some(delay) })
            }
            Kind::Quote => {
                let kind = MarketEventKind::Quote(fields.touch()?);
                Ok(Self { received, symbol, kind, delay: None })
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Trade,
    Quote,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        match name {
            "trade" => Some(Self::Trade),
            "quote" => Some(Self::Quote),
            _ => None,
        }
    }
}

fn side_named(name: &str) -> Option<Side> {
    match name {
        "buy" => Some(Side::Buy),
        "sell" => Some(Side::Sell),
        _ => None,
    }
}

struct Fields<'a> {
    file: &'a str,
    record: &'a StringRecord,
}

impl Fields<'_> {
    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    fn refuse(&self, column: usize, allowed: &'static str) -> RecordingError {
        RecordingError::Field {
            file: self.file.to_owned(),
            line: self.line(),
            column: COLUMNS[column],
            value: self.text(column).to_owned(),
            allowed,
        }
    }

    fn name<T>(
        &self,
        column: usize,
        allowed: &'static str,
        named: impl Fn(&str) -> Option<T>,
    ) -> Result<T, RecordingError> {
        named(self.text(column)).ok_or_else(|| self.refuse(column, allowed))
    }

    fn time(&self, column: usize) -> Result<Duration, RecordingError> {
        self.name(column, "a whole number of microseconds since 1970", |text| {
            text.parse().ok().map(Duration::from_micros)
        })
    }

    /// The bound keeps price times quantity far below the limit of a decimal.
    fn amount(&self, column: usize) -> Result<Decimal, RecordingError> {
        self.name(column, "a decimal number above 0 and at most 1000000000, with at most 8 places", |text| {
            // The recorder wrote quantities below 0.0001 in scientific notation, such as 6e-05.
            let amount = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
            let usable =
                amount > Decimal::ZERO && amount <= Decimal::from(1_000_000_000) && amount.scale() <= 8;
            usable.then_some(amount)
        })
    }

    fn touch(&self) -> Result<Touch, RecordingError> {
        let bid = Level { price: self.amount(5)?, quantity: self.amount(6)? };
        let ask = Level { price: self.amount(7)?, quantity: self.amount(8)? };
        if ask.price <= bid.price {
            return Err(self.refuse(7, "above the bid's price"));
        }
        Ok(Touch { bid, ask })
    }
}
