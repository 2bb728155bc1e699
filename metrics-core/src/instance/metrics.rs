//! The handle of an instance, which creates the other handles and writes the exposition.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
#[cfg(test)]
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::Registry;
use prometheus::core::Collector;

use super::core::{Core, Installed};
use super::process;
use super::settings::Settings;
use crate::exposition::encoder::Encoder;
use crate::exposition::filter::Filter;
#[cfg(feature = "server")]
use crate::exposition::format::{AnySpelling, RequestedPage};
use crate::exposition::spelling::{PageBuffer, Spelling};
use crate::exposition::text::Text;
use crate::exposition::{Exposed as _, Naming, WaitingClients};
use crate::families::event::Event;
use crate::families::exchange::ExchangeCallHandle;
use crate::families::market_data::MarketDataHandle;
use crate::families::profiles::ProfileHandle;
use crate::families::rate_limit::RateLimitHandle;
use crate::families::recent::RecentEvent;
use crate::families::reconciliation::ReconciliationCycle;
#[cfg(feature = "tokio")]
use crate::families::scheduler::watch;
use crate::families::subsystem::{SubsystemHandle, SubsystemHealth, SubsystemSlots};
use crate::labels::vocabulary::require_type;
use crate::sites::call_site::is_optional;
use crate::source_line::SourceLine;
use crate::storage::{CallSeriesLease, ENABLED, Receipt, Snapshot};
use crate::{Error, LabelValue, lock};

/// A comment in the exposition that explains why a bot's metrics are missing.
const SWITCHED_OFF: &str = "This bot is built without the feature \"enable\" of bot-metrics: annotated functions and handles record nothing.";

/// An instance: the destination of recordings and the source of the exposition.
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
    pub(crate) core: Arc<Core>,
}

impl Metrics {
    /// The process-wide instance, once [`Settings::install`] has created it.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let core = process::core_unless_inside()?;
        core.settings().map(|_| Self { core: Arc::clone(core) })
    }

    /// Whether attributes record to it.
    pub(crate) fn is_process_wide(&self) -> bool {
        Arc::ptr_eq(&self.core, process::core())
    }

    /// The settings of this instance.
    ///
    /// # Panics
    ///
    /// Never, because every instance has settings.
    pub fn settings(&self) -> &Settings {
        &self.installation().settings
    }

    /// A subsystem, exported from here on, or from its first run on if the settings [disable](Settings::disable) it
    /// or every attribute that names it is `optional`.
    #[must_use]
    pub fn subsystem<L: LabelValue>(&self, subsystem: L) -> SubsystemHandle {
        const { require_type::<L>("subsystem") };
        let (subsystem, Core { clock, timeline, .. }) = (subsystem.as_str(), &*self.core);
        let find = || {
            if self.settings().disables(subsystem) || self.is_process_wide() && is_optional(subsystem) {
                self.core.subsystems.awaited(subsystem, clock)
            } else {
                self.core.subsystems.registered(subsystem, clock)
            }
        };
        let slots = lock::outside(find).unwrap_or_else(|| Arc::new(SubsystemSlots::nowhere(clock)));
        SubsystemHandle { subsystem, slots, clock: clock.clone(), timeline: Arc::clone(timeline) }
    }

    /// An operation at an exchange, exported from here on.
    #[must_use]
    pub fn exchange_call<E: LabelValue, O: LabelValue>(
        &self,
        exchange: E,
        operation: O,
    ) -> ExchangeCallHandle {
        const { require_type::<E>("exchange") };
        const { require_type::<O>("operation") };
        let (exchange, operation) = (exchange.as_str(), operation.as_str());
        let find = || self.core.exchange_calls.lease(Some(exchange), operation, &self.core.clock);
        let series = lock::outside(find).unwrap_or_else(|| Arc::new(CallSeriesLease::nowhere()));
        ExchangeCallHandle { series, clock: self.core.clock.clone() }
    }

    /// A rate limit of an exchange, exported once its use is known.
    #[must_use]
    pub fn rate_limit<E: LabelValue, L: LabelValue>(&self, exchange: E, limit: L) -> RateLimitHandle {
        const { require_type::<E>("exchange") };
        const { require_type::<L>("rate limit") };
        RateLimitHandle::new(Arc::clone(&self.core.rate_limits), exchange.as_str(), limit.as_str())
    }

    /// An event, which is counted once it is [recorded](Event::record). Name the possible events in
    /// [`Settings::expect_events`], because they are not known at link time.
    pub fn event<S: LabelValue, T: LabelValue>(&self, severity: S, event_type: T) -> Event<'_> {
        const { require_type::<S>("severity") };
        const { require_type::<T>("event type") };
        self.core.event(severity.as_str(), event_type.as_str())
    }

    /// The last 64 events of each severity that were recorded with a [text](Event::text), the newest first, even if
    /// their series have been removed. Events of one severity never push out those of another. A bot's own severities
    /// share 64.
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

    /// The profile with this id, exported from here on with 0 violations.
    #[must_use]
    pub fn profile(&self, profile_id: &str) -> ProfileHandle {
        let _ = lock::outside(|| self.core.expect_own_events());
        ProfileHandle::new(Arc::clone(&self.core.profiles), profile_id)
    }

    /// The market data of a symbol at an exchange, exported from its first update on.
    #[must_use]
    pub fn market_data<E: LabelValue>(&self, exchange: E, symbol: &str) -> MarketDataHandle {
        const { require_type::<E>("exchange") };
        MarketDataHandle::new(Arc::clone(&self.core.market_data), exchange.as_str(), symbol)
    }

    /// Measures how late the scheduler of a tokio runtime wakes a task, ten times a second, in
    /// `tokio_scheduler_lag_seconds`. A cycle that blocks its worker shows there, whichever tasks it delays. The
    /// runtime needs a time driver (`enable_time`); without one tokio's panic message says so, and nothing is exported.
    /// Call it once for each runtime.
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

    /// Begins a cycle of the bot's reconciliation through a handle; if there are several, [each has a
    /// name](Self::named_reconciliation).
    pub fn reconciliation(&self) -> ReconciliationCycle {
        self.named_reconciliation("")
    }

    /// Begins a cycle of one of several reconciliations: of orders and of positions, or with two exchanges. Its
    /// result is compared with its own last cycle, and the families export the sum over all. The name is in no label.
    /// Names should be few and constant, such as `"positions"`, because the figures of a name's last cycle count
    /// until its next one. Names over the limit of 200 share one reconciliation, which is reported to the [report
    /// hook](Settings::on_report).
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
        let Core { reconciliations, .. } = &*self.core;
        ReconciliationCycle::begin(|| Arc::clone(reconciliations), None, name, || self.core.report())
    }

    /// Every current value of the library's families.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.core.snapshot()
    }

    /// The exposition: the library's families, then those that the bot registered, in the text format 0.0.4.
    ///
    /// It is not known whether the text reaches a reader, so its counts are not marked as received: if their profile
    /// is [removed](ProfileHandle::remove) they stay for ten minutes, not five. Text written with
    /// [`write_exposition`](Self::write_exposition) is marked as received.
    ///
    /// # Panics
    ///
    /// Never; it only needs memory.
    #[must_use]
    pub fn exposition(&self) -> String {
        self.exposition_with_receipt().0
    }

    /// The exposition, and the receipt to be confirmed once a reader has received it.
    pub(crate) fn exposition_with_receipt(&self) -> (String, Receipt) {
        // The length of the last one, with a small margin for growth.
        let last = self.core.exposition_length.load(Relaxed);
        let page = String::with_capacity(last + last / 32);
        let all = Filter::default();
        let encoded = self.encode(Encoder::new(self.naming(), &Text, &all, page), &WaitingClients::default());
        let (text, receipt) = encoded.expect("nothing is written");
        self.core.exposition_length.store(text.len(), Relaxed);
        (text, receipt)
    }

    /// Writes the same text as [`exposition`](Self::exposition) to `out`, in pieces of about 64 KiB, so that it is
    /// never in memory as a whole. No other thread waits for `out`, however long it takes. Ages and timestamps, and
    /// thus `subsystem_alive`, are those of the beginning of the exposition. Counts are marked as received once
    /// everything is written and `out` is flushed.
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
    /// The first error of writing to `out` or flushing it.
    pub fn write_exposition(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let receipt = self.write_as(&Text, &Filter::default(), &WaitingClients::default(), out)?;
        // Buffered data has not reached a reader.
        out.flush()?;
        receipt.confirm();
        Ok(())
    }

    /// Writes the page that a client requests, which receives it later.
    #[cfg(feature = "server")]
    pub(crate) fn write_page(
        &self,
        page: &RequestedPage,
        clients: &WaitingClients,
        out: &mut dyn io::Write,
    ) -> io::Result<Receipt> {
        match page.spelling() {
            AnySpelling::Text(spelling) => self.write_as(spelling, &page.filter, clients, out),
            #[cfg(feature = "protobuf")]
            AnySpelling::Bytes(spelling) => self.write_as(spelling, &page.filter, clients, out),
        }
    }

    fn write_as<P: PageBuffer>(
        &self,
        spelling: &dyn Spelling<P>,
        filter: &Filter,
        clients: &WaitingClients,
        out: &mut dyn io::Write,
    ) -> io::Result<Receipt> {
        let encoder = Encoder::new(self.naming(), spelling, filter, P::default()).write_to(out);
        self.encode(encoder, clients).map(|(_, receipt)| receipt)
    }

    fn encode<P: PageBuffer>(
        &self,
        encoder: Encoder<'_, P>,
        clients: &WaitingClients,
    ) -> io::Result<(P, Receipt)> {
        let begun = Instant::now();
        // Foreign families come first, because their failures are counted in the library's.
        let Core { foreign, clock, created, started, .. } = &*self.core;
        let mut encoder = encoder.with_created(*created, started.wall(clock.stamp()));
        let Encoder { spelling, filter, .. } = encoder;
        let (id, report) = (self.core.id(), self.core.report());
        let checked = || clients.families(|| foreign.checked(id, &report, clock.wall()));
        let foreign = foreign.families(self.naming(), spelling, filter, &report, checked);
        if !ENABLED {
            encoder.comment(SWITCHED_OFF);
        }
        self.core.collect(&mut encoder);
        for family in foreign {
            encoder.foreign(&family);
        }
        let took = begun.elapsed().saturating_sub(encoder.wrote_for());
        let page = encoder.finish()?;
        // The time of a part would mislead.
        if filter.selects_all() {
            self.core.scrape_duration.set(took.as_secs_f64());
        }
        Ok(page)
    }

    /// The shared registry, which contains the library's families as one collector. Metrics that a bot registers
    /// there are served too, but isolated only as a whole: a collector that hangs there breaks the others there and
    /// blocks every thread that registers another. [`register`](Self::register) isolates each collector.
    #[must_use]
    #[track_caller]
    pub fn registry(&self) -> &Registry {
        let place = SourceLine::of_caller();
        let Installed { registry, handed_out, .. } = self.installation();
        handed_out.get_or_init(|| self.core.foreign.add_registry(registry.clone(), place));
        registry
    }

    /// Registers a collector of the bot's own, which runs on a separate thread. If it panics, takes longer than a
    /// second or returns families that cannot be exported, only its own families are lost, which is counted in
    /// `foreign_collector_failures_total` and reported once for each to the [report hook](Settings::on_report). Its
    /// series keep their own labels.
    ///
    /// Several collectors may have parts of one family, for example with different constant labels: they are merged
    /// as `prometheus::Registry` merges them, with the help text of the first. A family is left out of the scrape if
    /// Prometheus would reject or misread it: an illegal name or label, `up` and `scrape_…`, a duplicate series, a
    /// counter that is negative or not finite, bounds that do not rise, cumulative counts that fall, a quantile
    /// outside 0 to 1, a timestamp below 0 or over ten minutes ahead.
    ///
    /// # Errors
    ///
    /// If its descriptions panic, or name a metric twice, a metric of the library, one that Prometheus writes itself,
    /// one of a collector that was registered before, or one of its families with other label names or another help
    /// text.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), Error> {
        self.core.foreign.add_collector(collector, self.naming()).map_err(|error| Error::foreign(&error))
    }

    /// Also serves a whole registry of the bot's own, such as `prometheus::default_registry()`. It is isolated as a
    /// whole, and its families are checked and merged like those of [`register`](Self::register). The `process_*`
    /// metrics of every client are served once: the library's, or the registry's if
    /// [`Families::CoreOnly`](crate::catalogue::Families::CoreOnly) switches the library's off.
    #[track_caller]
    pub fn add_registry(&self, registry: Registry) {
        self.core.foreign.add_registry(registry, SourceLine::of_caller());
    }

    /// The current state of each subsystem, sorted by name.
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

    /// The current time, by the clock of recent events.
    #[cfg(test)]
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
