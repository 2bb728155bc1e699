//! This library, in the process-wide instance: a family declared with `metrics!`.

use std::io::{self, Write};
use std::sync::LazyLock;

use bot_metrics::{Label, LabelType, Metrics, Mode, Settings, metrics};

use bytes::Bytes;

use super::{Contender, Labels};

struct Strategy;

impl Label for Strategy {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("strategy", 1_000);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

struct Pair;

impl Label for Pair {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("symbol", 100);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

metrics! {
    /// Time from a signal to the acknowledgement.
    histogram order_ack_seconds { strategy: Strategy, symbol: Pair }
        buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10) budget = 100_100
}

pub(crate) static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("the first installation"));

struct Ours {
    streams: bool,
}

pub(crate) fn streamed() -> Box<dyn Contender> {
    let _ = &*METRICS;
    Box::new(Ours { streams: true })
}

pub(crate) fn whole() -> Box<dyn Contender> {
    Box::new(Ours { streams: false })
}

pub(crate) fn text() -> String {
    METRICS.exposition()
}

/// A client that accepts everything at once.
struct Client(usize);

impl Write for Client {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0 += std::hint::black_box(piece).len();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        if self.streams { "**bot-metrics, streamed**" } else { "bot-metrics, as one text" }
    }

    fn observe(&self, labels: &Labels, value: f64) {
        order_ack_seconds(&labels.strategy, &labels.symbol).observe(value);
    }

    fn text(&self) -> Bytes {
        METRICS.exposition().into()
    }

    fn scrape(&self) -> usize {
        if !self.streams {
            return self.text().len();
        }
        let mut client = Client(0);
        METRICS.write_exposition(&mut client).expect("it takes everything");
        client.0
    }
}
