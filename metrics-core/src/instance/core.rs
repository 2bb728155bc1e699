//! The families of one instance, and everything that it exports.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};

use prometheus::Registry;
use prometheus::proto::MetricFamily;

#[cfg(feature = "page")]
use super::scrape_count::ScrapeCount;
use super::settings::Settings;
use crate::catalogue::{self, DEFAULT_NAMESPACE};
use crate::clock::{Clock, Created, Started, Timeline, Translation};
use crate::exposition::{Exposed, Foreign, InstanceId, Naming};
use crate::families::custom::CustomSeries;
use crate::families::event::{Event, Events};
use crate::families::exchange::ExchangeCalls;
use crate::families::profiles::Profiles;
use crate::families::rate_limit::RateLimits;
use crate::families::reconciliation::Reconciliations;
#[cfg(feature = "tokio")]
use crate::families::scheduler::SchedulerLag;
use crate::families::subsystem::Subsystems;
use crate::families::{market_data, process};
#[cfg(feature = "page")]
use crate::history::HistoryCell;
use crate::labels::{EventType, Severity};
use crate::report::{Report, Topic};
use crate::series::CachedSeries;
use crate::source_line::SourceLine;
use crate::storage::{ENABLED, GaugeSlot, Sink, Snapshot, SnapshotBuilder, disable_quick_paths, lost};
use crate::{LabelValue as _, lock};

/// All families of one instance.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) created: Created,
    pub(crate) started: Started,
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) subsystems: Subsystems,
    pub(crate) exchange_calls: ExchangeCalls,
    pub(crate) events: Arc<Events>,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) market_data: Arc<CachedSeries>,
    pub(crate) rate_limits: Arc<RateLimits>,
    pub(crate) reconciliations: Arc<Reconciliations>,
    pub(crate) custom: Arc<CustomSeries>,
    pub(crate) foreign: Foreign,
    pub(super) installed: OnceLock<Installed>,
    pub(super) exposition_length: AtomicUsize,
    pub(super) scrape_duration: GaugeSlot,
    /// Identifies it among the instances of this machine, without the wall clock, which can be set: by the boot time of
    /// its creation, and its process.
    #[cfg(feature = "page")]
    pub(crate) run: Box<str>,
    #[cfg(feature = "page")]
    pub(crate) history: HistoryCell,
    #[cfg(feature = "page")]
    pub(crate) scrapes: ScrapeCount,
    #[cfg(feature = "tokio")]
    pub(crate) scheduler_lag: Arc<SchedulerLag>,
}

/// The state that exists once the settings are known.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) settings: Settings,
    pub(super) naming: Naming,
    /// The call that created it.
    pub(super) place: SourceLine,
    pub(super) registry: Registry,
    /// Set when the registry was handed out and may contain foreign metrics. Until then a scrape starts no thread for
    /// it.
    pub(super) handed_out: lock::Once<()>,
}

impl Core {
    pub(super) fn new(clock: Clock, custom: Arc<CustomSeries>) -> Self {
        let events = Arc::new(Events::new(clock.clone()));
        let profiles = Arc::new(Profiles::new(clock.clone(), Arc::clone(&events), Arc::clone(&custom)));
        let market_data = Arc::new(market_data::series(clock.clone()));
        let rate_limits = Arc::new(RateLimits::new(clock.clone()));
        let reconciliations = Arc::new(Reconciliations::new(clock.clone()));
        let boot_time = clock.boot_time();
        Self {
            clock,
            created: Created::at(boot_time),
            started: Started::default(),
            timeline: Arc::new(Timeline::new()),
            subsystems: Subsystems::default(),
            exchange_calls: ExchangeCalls::default(),
            events,
            profiles,
            market_data,
            rate_limits,
            reconciliations,
            custom,
            foreign: Foreign::default(),
            installed: OnceLock::new(),
            exposition_length: AtomicUsize::new(0),
            scrape_duration: GaugeSlot::new(),
            #[cfg(feature = "page")]
            run: format!("{:x}-{:x}", boot_time.as_nanos(), std::process::id()).into(),
            #[cfg(feature = "page")]
            history: HistoryCell::default(),
            #[cfg(feature = "page")]
            scrapes: ScrapeCount::default(),
            #[cfg(feature = "tokio")]
            scheduler_lag: Arc::new(SchedulerLag::new()),
        }
    }

    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.installed.get().map(|installed| &installed.settings)
    }

    pub(crate) fn report(&self) -> Report {
        self.settings().map(|settings| settings.report.clone()).unwrap_or_default()
    }

    /// Exports the library's own events about profiles.
    pub(super) fn expect_own_events(&self) {
        self.events.bare(Severity::Error.as_str(), EventType::InvalidCapital.as_str());
    }

    pub(crate) fn event<'a>(&'a self, severity: &'static str, event_type: &'static str) -> Event<'a> {
        Event::new(&self.events, severity, event_type)
    }

    /// Compares the clocks, so that a suspend is known to lie between two moments that are close to each other.
    #[cfg(feature = "server")]
    pub(crate) fn compare_clocks(&self) {
        self.check_clock();
        self.timeline.compare(&self.clock, self.clock.ticks());
    }

    fn check_clock(&self) {
        if let Some(ppm) = self.clock.check() {
            disable_quick_paths();
            self.report().tell(
                Topic::Clock,
                "",
                format_args!(
                    "the processor's time stamp counter is {ppm} ppm off the monotonic clock, which replaces it permanently"
                ),
            );
        }
    }

    pub(super) fn collect(&self, sink: &mut dyn Sink) {
        if !ENABLED {
            return;
        }
        self.check_clock();
        let translation = self.timeline.translation(&self.clock);
        let now = translation.boot_time();
        self.profiles.forget(now);
        let settings = self.settings();
        let namespace = settings.map_or(DEFAULT_NAMESPACE, |settings| &settings.namespace);
        // Ages and timestamps come before any family is streamed, because a slow reader would age them.
        self.collect_whole(&translation, namespace, sink);
        self.events.collect(now, namespace, sink);
        self.exchange_calls.collect(settings.and_then(|settings| settings.exchange), sink);
        self.custom.collect(now, sink);
    }

    /// Exports the families that are not streamed: a sink writes none of them before the first streamed one.
    fn collect_whole(&self, translation: &Translation, namespace: &str, sink: &mut dyn Sink) {
        self.subsystems.collect(translation, sink);
        self.rate_limits.collect(sink);
        self.profiles.collect(namespace, sink);
        self.reconciliations.collect(sink);
        self.market_data.collect(translation.boot_time(), namespace, sink);
        self.custom.collect_overflow(namespace, sink);
        self.collect_invalid(namespace, sink);
        for (reason, failures) in self.foreign.failures() {
            sink.counter(&catalogue::FOREIGN_COLLECTOR_FAILURES_TOTAL, &[reason], failures);
        }
        sink.counter(&catalogue::CLOCK_FALLBACKS_TOTAL, &[], self.clock.fallbacks());
        sink.counter(&catalogue::RECORDINGS_LOST_TOTAL, &[], lost());
        #[cfg(feature = "tokio")]
        self.scheduler_lag.collect(sink);
        // With a manual clock, equal input should give equal bytes.
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
            (&catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO, &self.rate_limits.invalid),
            (&catalogue::PROFILE_UTILIZATION_PERCENT, &self.profiles.invalid),
        ] {
            let labels = &[&*family.full_name(namespace)];
            sink.counter(&catalogue::INVALID_OBSERVATIONS_TOTAL, labels, invalid.value());
        }
        self.custom.collect_invalid(namespace, sink);
    }
}

impl Exposed for Core {
    fn id(&self) -> InstanceId {
        InstanceId::of(self)
    }

    fn naming(&self) -> Option<&Naming> {
        self.installed.get().map(|installed| &installed.naming)
    }

    fn snapshot(&self) -> Snapshot {
        let families = self.settings().map(|settings| settings.families).unwrap_or_default();
        let mut snapshot = SnapshotBuilder::new(families);
        self.collect(&mut snapshot);
        snapshot.finish()
    }

    fn foreign_families(&self) -> Vec<MetricFamily> {
        self.foreign.collected(&self.report())
    }
}
