//! The shared core: every room of one instance, and the process-wide instance to which the attributes belong.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
#[cfg(feature = "server")]
use std::time::{SystemTime, UNIX_EPOCH};

use lazy_static::lazy_static;
use prometheus::Registry;
use prometheus::core::Collector;

use crate::catalogue;
use crate::clock::{Clock, Timeline, Translation};
use crate::exposition::text::TextSink;
use crate::exposition::{Foreign, OwnFamilies};
use crate::families::capital::Profile;
use crate::families::custom::{CustomFamily, CustomSeries, custom_families, declared_families};
use crate::families::event::{Event, Events};
use crate::families::exchange::{ExchangeCall, ExchangeCalls, ExchangeSlots};
use crate::families::market_data::{MarketData, MarketDataFeed};
use crate::families::process;
use crate::families::profiles::{ProfileSlots, Profiles};
use crate::families::rate_limit::{RateLimitGauge, RateLimits};
use crate::families::recent::RecentEvent;
use crate::families::reconciliation::{ReconciliationCycle, Reconciliations};
#[cfg(feature = "tokio")]
use crate::families::scheduler::{SchedulerLag, watch};
use crate::families::subsystem::{
    MaxAge, SubsystemHandle, SubsystemHealth, SubsystemSite, SubsystemSlots, Subsystems,
};
use crate::instance::settings::{DEFAULT_NAMESPACE, Settings};
use crate::labels::vocabulary::require_type;
use crate::labels::{EventType, Severity};
use crate::lock;
use crate::report::{Report, Topic};
use crate::sites::call_site::{CALL_SITES, CallSite, Choice, Target, call_sites};
use crate::source_line::SourceLine;
use crate::storage::not_installed;
use crate::storage::{
    ENABLED, GaugeSlot, Receipt, Sink, Snapshot, SnapshotBuilder, lost, withdraw_time_stamps,
};
use crate::{Error, LabelValue};

/// A comment to Prometheus, for whoever wonders why a bot's metrics stand still.
const SWITCHED_OFF: &str = "# This bot is built without the feature \"enable\" of bot-metrics: annotated functions and handles record nothing.\n";

lazy_static! {
    static ref PROCESS: Arc<Core> = Arc::new(Core::new(Clock::System));
}

static FOUND: lock::Once<&Arc<Core>> = lock::Once::new();

fn process() -> &'static Arc<Core> {
    FOUND.get_or_make(|| &PROCESS)
}

/// The core that the attributes record to. It is there from the first recording on, installed or not, so that
/// nothing is lost that happens before `install`.
pub(crate) fn process_core() -> &'static Core {
    process()
}

/// The same, or none where an allocator asks for it while this thread is inside a lock, making it perhaps.
pub(crate) fn process_core_unless_inside() -> Option<&'static Core> {
    FOUND.get_unless_inside(|| &PROCESS).map(|core| &***core)
}

/// The same, for what outlives the borrow of a call site.
pub(crate) fn process_instance() -> Arc<Core> {
    Arc::clone(process())
}

/// Every room of one instance.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) subsystems: Subsystems,
    pub(crate) exchange_calls: ExchangeCalls,
    pub(crate) events: Events,
    pub(crate) profiles: Profiles,
    pub(crate) market_data: MarketData,
    pub(crate) rate_limits: RateLimits,
    pub(crate) reconciliations: Reconciliations,
    pub(crate) custom: CustomSeries,
    pub(crate) foreign: Foreign,
    installed: OnceLock<Installed>,
    exposition_length: AtomicUsize,
    scrape_duration: GaugeSlot,
    #[cfg(feature = "tokio")]
    pub(crate) scheduler_lag: SchedulerLag,
}

/// What is known once the settings are.
#[derive(Debug)]
struct Installed {
    settings: Settings,
    /// The call that made it.
    place: SourceLine,
    registry: Registry,
    /// Whether somebody was given the registry and may have registered something there. Until then there is nothing
    /// foreign in it, and a scrape starts no thread for it.
    handed_out: lock::Once<()>,
}

/// Tells cores apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CoreId(usize);

impl Core {
    /// Its address: no two cores that live at the same time have one.
    pub(crate) fn id(&self) -> CoreId {
        CoreId(std::ptr::from_ref(self).addr())
    }

    fn new(clock: Clock) -> Self {
        let events = Events::new(clock.clone());
        Self {
            clock,
            timeline: Arc::new(Timeline::new()),
            subsystems: Subsystems::new(),
            exchange_calls: ExchangeCalls::new(),
            events,
            profiles: Profiles::new(),
            market_data: MarketData::new(),
            rate_limits: RateLimits::new(),
            reconciliations: Reconciliations::default(),
            custom: CustomSeries::new(),
            foreign: Foreign::default(),
            installed: OnceLock::new(),
            exposition_length: AtomicUsize::new(0),
            scrape_duration: GaugeSlot::new(),
            #[cfg(feature = "tokio")]
            scheduler_lag: SchedulerLag::new(),
        }
    }

    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.installed.get().map(|installed| &installed.settings)
    }

    pub(crate) fn report(&self) -> Report {
        self.settings().map(|settings| settings.report.clone()).unwrap_or_default()
    }

    pub(crate) fn event<'a>(&'a self, severity: &'static str, event_type: &'static str) -> Event<'a> {
        Event::new(&self.events, severity, event_type)
    }

    /// Every value at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let families = self.settings().map(|settings| settings.families).unwrap_or_default();
        let mut snapshot = SnapshotBuilder::new(families);
        self.collect(&mut snapshot);
        snapshot.finish()
    }

    /// Compares the clocks, so that a suspend is known to lie between two moments that are not far apart.
    #[cfg(feature = "server")]
    pub(crate) fn compare_clocks(&self) {
        self.check_clock();
        self.timeline.compare(&self.clock, self.clock.ticks());
    }

    fn check_clock(&self) {
        if let Some(ppm) = self.clock.check() {
            withdraw_time_stamps();
            self.report().tell(
                Topic::Clock,
                "",
                format_args!(
                    "the processor's time stamp counter is {ppm} ppm off the monotonic clock, which takes over for good"
                ),
            );
        }
    }

    fn collect(&self, sink: &mut dyn Sink) {
        if !ENABLED {
            return;
        }
        self.check_clock();
        let translation = self.timeline.translation(&self.clock);
        let now = translation.boot_time();
        self.forget_profiles(now);
        let settings = self.settings();
        let namespace = settings.map_or(DEFAULT_NAMESPACE, |settings| &settings.namespace);
        // Ages and stamps before any family is streamed: a slow reader would age them.
        self.collect_whole(&translation, namespace, sink);
        self.events.collect(now, namespace, sink);
        self.exchange_calls.collect(settings.and_then(|settings| settings.exchange), sink);
        self.custom.collect(now, sink);
    }

    /// The families that are not streamed: a sink writes none of them before the first that is.
    fn collect_whole(&self, translation: &Translation, namespace: &str, sink: &mut dyn Sink) {
        self.subsystems.collect(translation, sink);
        self.rate_limits.collect(sink);
        self.profiles.collect(translation.boot_time(), namespace, sink);
        self.reconciliations.collect(sink);
        self.market_data.collect(translation, namespace, sink);
        self.custom.collect_overflow(namespace, sink);
        self.collect_invalid(namespace, sink);
        for (reason, failures) in self.foreign.failures() {
            sink.counter(&catalogue::FOREIGN_COLLECTOR_FAILURES_TOTAL, &[reason], failures);
        }
        sink.counter(&catalogue::CLOCK_FALLBACKS_TOTAL, &[], self.clock.fallbacks());
        sink.counter(&catalogue::RECORDINGS_LOST_TOTAL, &[], lost());
        #[cfg(feature = "tokio")]
        self.scheduler_lag.collect(sink);
        // Where a test steers the clock, equal input is to give equal bytes.
        if let Clock::System = self.clock {
            if let Some(took) = self.scrape_duration.value() {
                sink.gauge(&catalogue::SCRAPE_DURATION_SECONDS, &[], took);
            }
            process::collect(sink);
        }
        if let Some(settings) = self.settings() {
            sink.gauge(&catalogue::BUILD_INFO, &[&settings.version, &settings.revision], 1.0);
            if settings.target_info {
                sink.gauge(&catalogue::TARGET_INFO, &settings.identity(), 1.0);
            }
        }
    }

    fn collect_invalid(&self, namespace: &str, sink: &mut dyn Sink) {
        for (family, invalid) in [
            (&catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO, self.rate_limits.invalid()),
            (&catalogue::PROFILE_UTILIZATION_PERCENT, self.profiles.invalid()),
        ] {
            let labels = &[&*family.full_name(namespace)];
            sink.counter(&catalogue::INVALID_OBSERVATIONS_TOTAL, labels, invalid);
        }
        self.custom.collect_invalid(namespace, sink);
    }

    /// The place of this profile, if there is one, or one comes free.
    pub(crate) fn place_profile(&self, id: &str) -> Option<Arc<ProfileSlots>> {
        self.profiles.place(id).or_else(|| {
            self.forget_profiles(self.clock.boot_time());
            let place = self.profiles.place(id);
            if place.is_none() {
                self.profiles.expect_beyond();
            }
            place
        })
    }

    /// Takes away at once the gauges that the bot has of a profile, which stands there if anywhere, and its counts after
    /// their grace.
    pub(crate) fn remove_profile(&self, id: &Arc<str>, slots: Option<&ProfileSlots>) {
        let now = self.clock.boot_time();
        match slots {
            Some(slots) => slots.remove(now),
            None if self.profiles.begin_grace(id, now) => {}
            None => self.forget_profile(id, now),
        }
        self.custom.retract_profile(id, now);
    }

    fn forget_profiles(&self, now: Duration) {
        for profile in self.profiles.forget(now) {
            self.forget_profile(&profile, now);
        }
    }

    fn forget_profile(&self, id: &str, now: Duration) {
        self.events.forget_profile(id, now);
        self.custom.forget_profile(id, now);
    }

    /// The registry of what is recorded here, or why it cannot be.
    fn registry(self: &Arc<Self>, settings: &Settings) -> Result<Registry, Error> {
        check_families(&declared_families())?;
        let registry = Registry::new();
        OwnFamilies::new(Arc::downgrade(self), settings)
            .and_then(|own| registry.register(Box::new(own)))
            .map_err(Error::foreign)?;
        Ok(registry)
    }

    fn configure(&self, settings: Settings, place: SourceLine, registry: Registry) {
        let bounds = settings.label_bounds;
        self.profiles.set_bound(bounds.profiles);
        self.market_data.set_bound(bounds.symbols);
        self.events.set_bounds(bounds);
        self.custom.set_bounds(bounds);
        for (severity, kind) in &settings.expected_events {
            self.events.bare(severity, kind);
        }
        // Both callers hold what keeps a second one out.
        let _ = self.installed.set(Installed { settings, place, registry, handed_out: lock::Once::new() });
    }

    /// What the library says by itself of profiles.
    fn expect_own_events(&self) {
        self.events.bare(Severity::Error.as_str(), EventType::InvalidCapital.as_str());
    }

    /// Makes the series of `site` stand at 0, as far as its labels are known.
    fn declare(&self, site: &'static CallSite, settings: &Settings) {
        match site.target() {
            Target::Subsystem(site) => {
                for subsystem in site.values() {
                    let is_started =
                        site.fixed().is_some() && !site.is_optional() && !settings.disables(subsystem);
                    let slots = if is_started {
                        self.subsystems.registered(subsystem, &self.clock)
                    } else {
                        self.subsystems.awaited(subsystem, &self.clock)
                    };
                    // Contradictions were refused before.
                    let _ = site.max_age().map(|max_age| slots.set_max_age(max_age));
                }
            }
            Target::Exchange(site) => {
                if let Some(operation) = site.fixed_operation() {
                    let exchange = match site.exchange() {
                        Choice::Fixed(exchange) => Some(exchange),
                        Choice::FromSettings => None,
                        Choice::Any(_) if settings.exchange.is_some() => None,
                        Choice::Any(_) => return,
                    };
                    self.exchange_calls.slots(exchange, operation, &self.clock);
                }
            }
            Target::Event(site) => {
                for (severity, kind) in site.pairs() {
                    self.events.bare(severity, kind);
                }
            }
            // A profile is known from its first check on; the counter of mismatches is there anyway, and what is closed of
            // the bot's own families.
            Target::Capital | Target::Reconciliation | Target::Timed(_) | Target::Counted(_) => {}
        }
    }
}

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
    core: Arc<Core>,
}

impl Metrics {
    /// The process-wide instance, once [`Settings::install`] has made it.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let core = FOUND.get_unless_inside(|| &PROCESS)?;
        core.settings().map(|_| Self { core: Arc::clone(core) })
    }

    pub(crate) fn install(settings: Settings, place: SourceLine) -> Result<Self, Error> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let inside = lock::enter();
        let held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let core = process();
        if let Some(installed) = core.installed.get() {
            let differences = installed.settings.differences(&settings);
            return if differences.is_empty() {
                Ok(Self { core: Arc::clone(core) })
            } else {
                Err(Error::already_installed(installed.place, differences))
            };
        }
        let sites = call_sites();
        check(&sites, &settings)?;
        // All that can fail comes before anything is changed.
        let registry = core.registry(&settings)?;
        for site in &sites {
            core.declare(site, &settings);
        }
        for family in custom_families() {
            core.custom.declare(family);
        }
        core.expect_own_events();
        core.configure(settings, place, registry);
        not_installed::settle();
        // The hook may record, and install.
        drop(held);
        drop(inside);
        if let Some(why) = core.clock.distrust() {
            core.report().tell(
                Topic::Clock,
                "",
                format_args!(
                    "the processor's time stamp counter is not used, since {why}: a recording takes twice as long by \
                     the monotonic clock"
                ),
            );
        }
        Ok(Self { core: Arc::clone(core) })
    }

    pub(crate) fn build(settings: Settings, place: SourceLine) -> Result<Self, Error> {
        let core = Arc::new(Core::new(settings.clock.clone()));
        let registry = core.registry(&settings)?;
        core.configure(settings, place, registry);
        Ok(Self { core })
    }

    /// Whether attributes record to it.
    pub(crate) fn is_process_wide(&self) -> bool {
        Arc::ptr_eq(&self.core, process())
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
        RateLimitGauge::new(Arc::clone(&self.core), exchange.as_str(), limit.as_str())
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
        MarketDataFeed::new(Arc::clone(&self.core), exchange.as_str(), symbol)
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
        watch(Arc::downgrade(&self.core), runtime);
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
        ReconciliationCycle::begin(&self.core, name)
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
        let spelled = self.spell(TextSink::new(self.settings(), String::with_capacity(last + last / 32)));
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
        self.spell(TextSink::to(self.settings(), out)).map(|(_, receipt)| receipt)
    }

    fn spell(&self, mut sink: TextSink<'_>) -> io::Result<(String, Receipt)> {
        let started = Instant::now();
        // Foreign families first: what fails there is counted in ours.
        let foreign = self.core.foreign.spelled(self.core.id(), self.settings());
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
        handed_out.get_or_make(|| self.core.foreign.add_registry(registry.clone(), place));
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
        self.core.foreign.add_collector(collector, self.settings()).map_err(Error::foreign)
    }

    /// Serves a whole registry of the bot's own too, such as `prometheus::default_registry()`; it is contained as a
    /// whole, and its families are checked and merged as those of [`register`](Self::register) are. The `process_*`
    /// metrics that every client has are served once: ours, or the registry's where
    /// [`Families::SeedOnly`](crate::catalogue::Families::SeedOnly) switches ours off.
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

    fn installation(&self) -> &Installed {
        self.core.installed.get().expect("an instance is made with its settings")
    }
}

/// Refuses sites that contradict each other or the settings, naming the places. An age at a site that picks its
/// subsystem at run time is the age of each that it can pick.
fn check(sites: &[&CallSite], settings: &Settings) -> Result<(), Error> {
    let mut ages: BTreeMap<&'static str, MaxAge<'_>> = BTreeMap::new();
    for place in sites {
        match place.target() {
            Target::Exchange(site) => {
                if matches!(site.exchange(), Choice::FromSettings) && settings.exchange.is_none() {
                    return Err(Error::no_exchange(place));
                }
            }
            Target::Subsystem(site) => {
                let Some(asked) = site.max_age() else { continue };
                for subsystem in site.values() {
                    let set = ages.entry(subsystem).or_insert(asked);
                    if set.age != asked.age {
                        return Err(Error::conflicting_max_age(subsystem, &asked, set));
                    }
                }
            }
            Target::Event(_)
            | Target::Capital
            | Target::Reconciliation
            | Target::Timed(_)
            | Target::Counted(_) => {}
        }
    }
    Ok(())
}

/// Whether each site of this subsystem, of which there are some, is optional.
fn is_optional(subsystem: &str) -> bool {
    let sites = CALL_SITES.iter().filter_map(|place| match place.target() {
        Target::Subsystem(site) => Some(site).filter(|site| site.values().contains(&subsystem)),
        _ => None,
    });
    let mut sites = sites.peekable();
    sites.peek().is_some() && sites.all(SubsystemSite::is_optional)
}

/// Refuses two families of one name that differ, naming the places.
fn check_families(families: &[&CustomFamily]) -> Result<(), Error> {
    match families.windows(2).find(|pair| pair[0].family.name == pair[1].family.name && pair[0] != pair[1]) {
        Some(pair) => Err(Error::conflicting_family(pair[0].family.name, pair[0].place, pair[1].place)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::catalogue::Kind;
    use crate::families::custom::{Label as _, Place, ProfileId};
    use crate::instance::settings::LabelBounds;
    use crate::series::{FamilyKey, Label, LabelSetQuery};
    use crate::testing::{self, Samples};

    fn site(line: u32, subsystems: &'static [&'static str], max_age: Duration) -> CallSite {
        let max_age_ns = u64::try_from(max_age.as_nanos()).expect("some seconds");
        let mut site = CallSite::new_subsystem("cycle", "bot", subsystems[0], 0, max_age_ns, false, false);
        if subsystems.len() > 1 {
            site = site.with_values([subsystems, &[]], &[]);
        }
        (site.file, site.line) = ("bot.rs", line);
        site
    }

    fn refused(sites: &[CallSite; 2]) -> Option<String> {
        let sites: Vec<_> = sites.iter().collect();
        check(&sites, &Settings::new(Mode::Paper)).err().map(|error| error.to_string())
    }

    #[test]
    fn two_sites_with_one_label_and_different_ages_are_a_start_up_error_naming_both_places() {
        const AGES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(9)];
        let trading: &[&str] = &["trading"];
        let picked: &[&str] = &["monitor", "trading"];
        for two in [[trading, trading], [trading, picked], [picked, trading], [picked, picked]] {
            assert_eq!(refused(&[site(1, two[0], AGES[0]), site(2, two[1], AGES[0])]), None);
            let text =
                refused(&[site(1, two[0], AGES[0]), site(2, two[1], AGES[1])]).expect("a contradiction");
            let places = "cannot count as stalled both after 9s, as bot::cycle (bot.rs:2) says, and after 5s, as \
                          bot::cycle (bot.rs:1) says: write the same `every` or `max_age` in both";
            assert!(text.ends_with(places), "{text}");
        }
        assert_eq!(refused(&[site(1, &["monitor"], AGES[0]), site(2, trading, AGES[1])]), None);
    }

    #[test]
    fn families_of_one_name_that_differ_are_a_start_up_error_and_so_are_their_budgets() {
        const fn family(help: &'static str) -> CustomFamily {
            let place = Place { module: "bot", file: "bot.rs", line: 1 };
            CustomFamily::new(Kind::Counter, "signals_total", help, &[], &[], place)
        }
        const FAMILY: CustomFamily = family("Signals.");
        assert!(check_families(&[&FAMILY, &family("Signals.")]).is_ok());
        for other in [family("Other."), family("Signals.").budget(2_001)] {
            let error = check_families(&[&FAMILY, &other]).expect_err("they differ").to_string();
            assert!(error.contains("signals_total is declared twice and differently"), "{error}");
        }
    }

    /// Whether or not it had a place or a handle while it counted.
    #[test]
    fn counts_of_a_removed_profile_in_families_of_the_bots_own_go_after_its_grace() {
        static FAMILY: CustomFamily = CustomFamily::new(
            Kind::Counter,
            "orders_total",
            "Orders.",
            &["profile"],
            &[ProfileId::TYPE],
            Place { module: "bot", file: "bot.rs", line: 1 },
        );
        for places in [0, 1] {
            let (settings, clock) = testing::steered(Settings::new(Mode::Paper).label_bounds(places, 1));
            let metrics = settings.build().expect("settings that are allowed");
            metrics.core.custom.set_bounds(LabelBounds::DEFAULT);
            let count = |profile: &str| {
                let labels = [Label::Open(profile.as_bytes())];
                let asked = LabelSetQuery::new(FamilyKey::of(&FAMILY), &labels);
                let entry = metrics.core.custom.open(&FAMILY, &asked, metrics.core.clock.boot_time());
                entry.expect("a family with an open label").record(|slot| slot.add(1));
            };
            count("gone");
            count("stays");
            metrics.write_exposition(&mut io::sink()).expect("it takes everything");
            metrics.profile("gone").remove();
            let shown = || {
                let samples = Samples::of(&metrics);
                ["gone", "stays"]
                    .map(|profile| samples.value("bytelyst_bot_orders_total", &[("profile", profile)]))
            };
            assert_eq!(shown(), [Some(1.0), Some(1.0)], "its grace");
            clock.advance(Duration::from_mins(6));
            assert_eq!(shown(), [None, Some(1.0)], "{places} places");
        }
    }
}
