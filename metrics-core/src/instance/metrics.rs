//! The handle of an instance: makes the other handles, and writes what is served.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
#[cfg(feature = "server")]
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::Registry;
use prometheus::core::Collector;

use super::core::{Core, Installed};
use super::process;
use super::profile::Profile;
use super::settings::Settings;
use crate::exposition::text::TextSink;
use crate::exposition::{Exposed as _, Naming};
use crate::families::event::Event;
use crate::families::exchange::{ExchangeCall, ExchangeSlots};
use crate::families::market_data::MarketDataFeed;
use crate::families::rate_limit::RateLimitGauge;
use crate::families::recent::RecentEvent;
use crate::families::reconciliation::ReconciliationCycle;
#[cfg(feature = "tokio")]
use crate::families::scheduler::watch;
use crate::families::subsystem::{SubsystemHandle, SubsystemHealth, SubsystemSlots};
use crate::labels::vocabulary::require_type;
use crate::sites::target::is_optional;
use crate::source_line::SourceLine;
use crate::storage::{ENABLED, Receipt, Snapshot};
use crate::{Error, LabelValue, lock};

/// A comment to Prometheus, for whoever wonders why a bot's metrics stand still.
const SWITCHED_OFF: &str = "# This bot is built without the feature \"enable\" of bot-metrics: annotated functions and handles record nothing.\n";

/// An instance: what handles record to, and what is served.
///
/// Clones share everything.
///
/// ```
/// use bot_metrics::{Mode, Settings, labels::{EventType, Severity}};
///
/// let metrics = Settings::new(Mode::Paper).build()?;
/// metrics.event(Severity::Info, EventType::Started).record();
/// assert!(metrics.exposition().contains("bytelyst_bot_operational_events_total{severity=\"INFO\",type=\"STARTED\""));
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(super) core: Arc<Core>,
}

impl Metrics {
    /// The process-wide instance, once [`Settings::install`] has made it.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let core = process::core_unless_inside()?;
        core.settings().map(|_| Self { core: Arc::clone(core) })
    }

    /// Whether attributes record to it.
    pub(crate) fn is_process_wide(&self) -> bool {
        Arc::ptr_eq(&self.core, process::core())
    }

    /// What this instance was made with.
    ///
    /// # Panics
    ///
    /// Never: there is no instance without settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.installation().settings
    }

    /// A subsystem, exported from here on, or from its first run on where the settings
    /// [disable](Settings::disable) it or every attribute that names it says `optional`.
    #[must_use]
    pub fn subsystem<L: LabelValue>(&self, subsystem: L) -> SubsystemHandle {
        const { require_type::<L>("subsystem") };
        let (name, clock) = (subsystem.as_str(), &self.core.clock);
        let find = || {
            if self.settings().disables(name) || self.is_process_wide() && is_optional(name) {
                self.core.subsystems.awaited(name, clock)
            } else {
                self.core.subsystems.registered(name, clock)
            }
        };
        let slots = lock::outside(find).unwrap_or_else(|| Arc::new(SubsystemSlots::nowhere(clock)));
        SubsystemHandle::new(name, slots, clock.clone(), Arc::clone(&self.core.timeline))
    }

    /// An operation at an exchange, exported from here on.
    #[must_use]
    pub fn exchange_call<E: LabelValue, O: LabelValue>(&self, exchange: E, operation: O) -> ExchangeCall {
        const { require_type::<E>("exchange") };
        const { require_type::<O>("operation") };
        let (exchange, operation) = (exchange.as_str(), operation.as_str());
        let find = || self.core.exchange_calls.slots(Some(exchange), operation, &self.core.clock);
        let slots = lock::outside(find).unwrap_or_else(|| Arc::new(ExchangeSlots::nowhere()));
        ExchangeCall::new(slots, self.core.clock.clone())
    }

    /// A rate limit of an exchange, exported once it is known how much of it is used.
    #[must_use]
    pub fn rate_limit<E: LabelValue, L: LabelValue>(&self, exchange: E, limit: L) -> RateLimitGauge {
        const { require_type::<E>("exchange") };
        const { require_type::<L>("rate limit") };
        RateLimitGauge::new(Arc::clone(&self.core.rate_limits), exchange.as_str(), limit.as_str())
    }

    /// An event, counted once it is [recorded](Event::record). Say in [`Settings::expect_events`] which there may be:
    /// no linker knows.
    pub fn event<S: LabelValue, T: LabelValue>(&self, severity: S, event_type: T) -> Event<'_> {
        const { require_type::<S>("severity") };
        const { require_type::<T>("event type") };
        self.core.event(severity.as_str(), event_type.as_str())
    }

    /// Exports these events from here on.
    #[cfg(feature = "tracing")]
    pub(crate) fn expect_event(&self, severity: &'static str, event_type: &'static str) {
        self.core.events.bare(severity, event_type);
    }

    /// As [`event`](Self::event), with texts that are known to be label values.
    #[cfg(feature = "tracing")]
    pub(crate) fn event_named(&self, severity: &'static str, event_type: &'static str) -> Event<'_> {
        self.core.event(severity, event_type)
    }

    /// The last 64 events of each severity that were recorded with a [text](Event::text), all together the newest first,
    /// whatever happened to their series since. However many of one severity come, they push out none of another.
    /// Severities that a bot has besides the library's have 64 together.
    ///
    /// ```
    /// # use bot_metrics::{Mode, Settings, labels::{EventType, Severity}};
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// let refused = metrics.event(Severity::Error, EventType::OrderRejected).symbol("BTCUSDT");
    /// refused.text("insufficient margin").record();
    /// assert_eq!(metrics.recent_events()[0].text, "insufficient margin");
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    #[must_use]
    pub fn recent_events(&self) -> Vec<RecentEvent> {
        self.core.events.recent().all()
    }

    /// As many of the newest of each severity.
    #[cfg(feature = "server")]
    pub(crate) fn newest_events_of_each_severity(&self, most: usize) -> Vec<RecentEvent> {
        self.core.events.recent().newest_of_each(most)
    }

    /// The profile with this id, exported from here on with its violations at 0.
    #[must_use]
    pub fn profile(&self, profile_id: &str) -> Profile {
        let _ = lock::outside(|| self.core.expect_own_events());
        Profile::new(Arc::clone(&self.core), profile_id)
    }

    /// The market data of a symbol at an exchange, exported from its first update on.
    #[must_use]
    pub fn market_data<E: LabelValue>(&self, exchange: E, symbol: &str) -> MarketDataFeed {
        const { require_type::<E>("exchange") };
        let Core { market_data, clock, timeline, .. } = &*self.core;
        let (market_data, timeline) = (Arc::clone(market_data), Arc::clone(timeline));
        MarketDataFeed::new(market_data, clock.clone(), timeline, exchange.as_str(), symbol)
    }

    /// Watches how late the scheduler of a tokio runtime wakes a task, ten times a second, in
    /// `tokio_scheduler_lag_seconds`. A cycle that blocks its worker is seen there, whoever waits for it. The runtime
    /// needs a timer.
    ///
    /// ```
    /// # use bot_metrics::{Mode, Settings};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// metrics.watch_tokio(runtime.handle());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn watch_tokio(&self, runtime: &tokio::runtime::Handle) {
        watch(&self.core.scheduler_lag, runtime);
    }

    /// Begins a cycle of the bot's reconciliation, where it has one by handle; of several,
    /// [each has a name](Self::named_reconciliation).
    pub fn reconciliation(&self) -> ReconciliationCycle {
        self.named_reconciliation("")
    }

    /// Begins a cycle of one of several reconciliations: of orders and of positions, or with two exchanges. What one
    /// finds is compared with its own last cycle, and the families tell the sum of all. No label has the name; it is
    /// one of a few that stay, such as `"positions"`, since what the last cycle of each found counts until its next.
    /// Beyond 200 names all are one, which the [report hook](Settings::on_report) is told.
    ///
    /// ```
    /// use bot_metrics::labels::Source;
    /// use bot_metrics::{Mode, ReconciliationReport, Settings};
    ///
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// let orders = ReconciliationReport::new().missing(Source::Db, "order 4711");
    /// metrics.named_reconciliation("orders").commit(orders);
    /// metrics.named_reconciliation("positions").commit(ReconciliationReport::new()); // finds nothing
    /// assert!(metrics.exposition().contains("reconciliation_mismatches_total{app=\"bytelyst-trading-bot-service\",env=\"development\",mode=\"paper\"} 1\n"));
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    pub fn named_reconciliation(&self, name: &str) -> ReconciliationCycle {
        self.core.begin_reconciliation(None, name)
    }

    /// Every value of our own families at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.core.snapshot()
    }

    /// What is served: our families, then those that the bot registered itself, in the text format 0.0.4.
    ///
    /// It is not known whether the text reaches a reader, so the counts in it are not taken as seen: if their profile is
    /// [removed](Profile::remove) they stay for ten minutes, not five. What is written with
    /// [`write_exposition`](Self::write_exposition) is taken as seen.
    ///
    /// # Panics
    ///
    /// Never: memory is all that it takes.
    #[must_use]
    pub fn exposition(&self) -> String {
        self.exposition_with_receipt().0
    }

    /// The exposition, and the receipt to be confirmed once a reader has it.
    pub(crate) fn exposition_with_receipt(&self) -> (String, Receipt) {
        // Where it grew since the last one, by a little more than that.
        let last = self.core.exposition_length.load(Relaxed);
        let spelled = self.spell(TextSink::new(self.naming(), String::with_capacity(last + last / 32)));
        let (text, receipt) = spelled.expect("nothing is written");
        self.core.exposition_length.store(text.len(), Relaxed);
        (text, receipt)
    }

    /// Writes what [`exposition`](Self::exposition) returns to `out`, some 64 KiB at a time, so that it is never in memory
    /// as a whole. No other thread waits for `out`, however long it takes: ages and stamps, and with them `subsystem_alive`, are of
    /// the moment at which the exposition began. Counts are taken as seen once all is written and `out` is flushed.
    ///
    /// ```
    /// # use bot_metrics::{Mode, Settings};
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// let mut page = Vec::new();
    /// metrics.write_exposition(&mut page)?;
    /// assert!(page.starts_with(b"# HELP bytelyst_bot_"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first that writing to `out` or flushing it gives.
    pub fn write_exposition(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let receipt = self.write_with_receipt(out)?;
        // What a buffer keeps has no reader.
        out.flush()?;
        receipt.confirm();
        Ok(())
    }

    /// As [`write_exposition`](Self::write_exposition), where a reader has the exposition only later.
    pub(crate) fn write_with_receipt(&self, out: &mut dyn io::Write) -> io::Result<Receipt> {
        self.spell(TextSink::to(self.naming(), out)).map(|(_, receipt)| receipt)
    }

    fn spell(&self, mut sink: TextSink<'_>) -> io::Result<(String, Receipt)> {
        let started = Instant::now();
        // Foreign families first: what fails there is counted in ours.
        let Core { foreign, clock, .. } = &*self.core;
        let foreign = foreign.spelled(self.core.id(), self.naming(), &self.core.report(), clock.wall());
        if !ENABLED {
            sink.push(SWITCHED_OFF);
        }
        self.core.collect(&mut sink);
        sink.close();
        for family in foreign {
            sink.push(&family);
        }
        let took = started.elapsed().saturating_sub(sink.wrote_for());
        let spelled = sink.finish()?;
        self.core.scrape_duration.set(took.as_secs_f64());
        Ok(spelled)
    }

    /// The shared registry, which holds our families as one collector. What a bot registers there itself is served
    /// too, but contained only as a whole: a collector that hangs there takes the others there with it and blocks
    /// whoever registers another. [`register`](Self::register) contains each by itself.
    #[must_use]
    #[track_caller]
    pub fn registry(&self) -> &Registry {
        let place = SourceLine::of_caller();
        let Installed { registry, handed_out, .. } = self.installation();
        handed_out.get_or_init(|| self.core.foreign.add_registry(registry.clone(), place));
        registry
    }

    /// Registers a collector of the bot's own, which runs on a thread of its own. Where it panics, takes longer than a
    /// second or yields what cannot be exported, that costs its own families alone, and is counted in
    /// `foreign_collector_failures_total`; the [report hook](Settings::on_report) is told the first time of each. Its
    /// series keep their own labels.
    ///
    /// Several collectors may have parts of one family, such as one with other constant labels: they are merged as
    /// `prometheus::Registry` merges them, under the help text of the first. A family is left out of the scrape where
    /// Prometheus would refuse or misread it: an illegal name or label, `up` and `scrape_…`, a series twice, a counter
    /// that is negative or not finite, bounds that do not rise, cumulative counts that fall, a quantile outside 0 to 1, a
    /// timestamp below 0 or over ten minutes ahead.
    ///
    /// # Errors
    ///
    /// Where its descriptions panic or name a metric twice, a metric of ours, one that Prometheus writes itself, one of
    /// a collector that was registered so, or one of its families with other label names or another help text.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), Error> {
        self.core.foreign.add_collector(collector, self.naming()).map_err(Error::foreign)
    }

    /// Serves a whole registry of the bot's own too, such as `prometheus::default_registry()`; it is contained as a
    /// whole, and its families are checked and merged as those of [`register`](Self::register) are. The `process_*`
    /// metrics that every client has are served once: ours, or the registry's where
    /// [`Families::CoreOnly`](crate::catalogue::Families::CoreOnly) switches ours off.
    #[track_caller]
    pub fn add_registry(&self, registry: Registry) {
        self.core.foreign.add_registry(registry, SourceLine::of_caller());
    }

    /// How each subsystem stands at this moment, sorted by name.
    #[must_use]
    pub fn health(&self) -> Vec<SubsystemHealth> {
        if !ENABLED {
            return Vec::new();
        }
        self.core.subsystems.health(&self.core.timeline.translation(&self.core.clock))
    }

    /// See [`Core::compare_clocks`].
    #[cfg(feature = "server")]
    pub(crate) fn compare_clocks(&self) {
        self.core.compare_clocks();
    }

    /// The time, as recent events have it.
    #[cfg(feature = "server")]
    pub(crate) fn wall(&self) -> SystemTime {
        UNIX_EPOCH + self.core.clock.wall()
    }

    fn naming(&self) -> &Naming {
        &self.installation().naming
    }

    fn installation(&self) -> &Installed {
        self.core.installed.get().expect("an instance is made with its settings")
    }
}
