//! What a bot registered beside our families: served too, and contained.
//!
//! `prometheus::Registry::gather` runs its collectors in one loop, so that one that panics or hangs would take all
//! down. Here each foreign collector and each foreign registry runs on a thread of its own with a deadline; what
//! fails is left out of the scrape and counted.

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use prometheus::core::{Collector, Desc};
use prometheus::{Registry, TextEncoder, proto};

use super::OwnFamilies;
use crate::registry::Core;
use crate::storage::CounterSlot;

/// How long one collector may take; a scrape has ten seconds by Prometheus' default.
const COLLECTOR_DEADLINE: Duration = Duration::from_millis(500);

/// How long a whole registry may take, several late collectors included.
const REGISTRY_DEADLINE: Duration = Duration::from_secs(2);

/// The registries that are served beside our families, and how often some part of them failed.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    registries: Mutex<Vec<Arc<Source>>>,
    failures: [CounterSlot; Failure::ALL.len()],
}

/// Why something foreign is not in a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Panicked,
    Late,
    Invalid,
}

impl Failure {
    const ALL: [Self; 3] = [Self::Panicked, Self::Late, Self::Invalid];

    fn as_str(self) -> &'static str {
        match self {
            Self::Panicked => "panic",
            Self::Late => "timeout",
            Self::Invalid => "invalid",
        }
    }
}

/// One foreign family, spelled.
#[derive(Debug)]
pub(crate) struct ForeignFamily {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Foreign {
    pub(crate) fn add(&self, registry: Registry) {
        let source = Source { registry, isolation: Isolation::default() };
        self.sources().push(Arc::new(source));
    }

    /// Every foreign family that can be exported, sorted by name; a name in `taken` or of two registries cannot.
    pub(crate) fn gather(&self, taken: impl Fn(&str) -> bool) -> Vec<ForeignFamily> {
        let sources = self.sources().clone();
        let mut families: Vec<ForeignFamily> = Vec::new();
        for spelled in sources.into_iter().map(Source::spell) {
            let spelled = spelled.unwrap_or_else(|failure| {
                self.count(failure);
                Vec::new()
            });
            for family in spelled {
                match family {
                    Ok(family) if !taken(&family.name) && families.iter().all(|f| f.name != family.name) => {
                        families.push(family);
                    }
                    Ok(_) => self.count(Failure::Invalid),
                    Err(failure) => self.count(failure),
                }
            }
        }
        families.sort_by(|a, b| a.name.cmp(&b.name));
        families
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Failure::ALL.iter().zip(&self.failures).map(|(failure, count)| (failure.as_str(), count.value()))
    }

    fn count(&self, failure: Failure) {
        self.failures[failure as usize].add(1);
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Arc<Source>>> {
        self.registries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Source {
    registry: Registry,
    isolation: Isolation,
}

impl Source {
    fn spell(self: Arc<Self>) -> Result<Vec<Result<ForeignFamily, Failure>>, Failure> {
        let registry = self.registry.clone();
        self.isolation.run(REGISTRY_DEADLINE, move || {
            let families = OwnFamilies::muted(|| registry.gather());
            families
                .into_iter()
                .filter(|family| !family.get_metric().is_empty())
                .map(|family| spell(&family))
                .collect()
        })
    }
}

fn spell(family: &proto::MetricFamily) -> Result<ForeignFamily, Failure> {
    if !is_exportable(family) {
        return Err(Failure::Invalid);
    }
    let encode = || TextEncoder::new().encode_to_string(std::slice::from_ref(family));
    match panic::catch_unwind(AssertUnwindSafe(encode)) {
        Ok(Ok(text)) => Ok(ForeignFamily { name: family.name().to_owned(), text }),
        // The encoder panics on kinds that it does not know.
        Ok(Err(_)) | Err(_) => Err(Failure::Invalid),
    }
}

/// The encoder checks nothing, and one bad line costs the whole scrape.
fn is_exportable(family: &proto::MetricFamily) -> bool {
    let mut seen = HashSet::new();
    is_name(family.name(), true)
        && family.get_metric().iter().all(|metric| {
            let mut labels: Vec<_> =
                metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
            labels.sort_unstable();
            labels.iter().all(|(name, _)| is_name(name, false) && !name.starts_with("__"))
                && labels.windows(2).all(|pair| pair[0].0 != pair[1].0)
                && seen.insert(labels)
        })
}

fn is_name(name: &str, colons: bool) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    !name.is_empty() && name.bytes().all(legal) && !name.as_bytes()[0].is_ascii_digit()
}

/// A collector behind a wall: its panics and hangs cost its own families alone, whoever gathers.
pub(crate) fn isolated_collector(inner: Box<dyn Collector>, core: Weak<Core>) -> Box<dyn Collector> {
    let descriptions = inner.desc().into_iter().cloned().collect();
    Box::new(Isolated { inner: Arc::from(inner), descriptions, isolation: Isolation::default(), core })
}

struct Isolated {
    inner: Arc<dyn Collector>,
    descriptions: Vec<Desc>,
    isolation: Isolation,
    core: Weak<Core>,
}

impl Collector for Isolated {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let inner = Arc::clone(&self.inner);
        self.isolation.run(COLLECTOR_DEADLINE, move || inner.collect()).unwrap_or_else(|failure| {
            if let Some(core) = self.core.upgrade() {
                core.foreign.count(failure);
            }
            Vec::new()
        })
    }
}

/// Runs foreign code on a thread of its own, one run at a time.
#[derive(Debug, Default)]
struct Isolation(Arc<Turn>);

/// Who runs: a second caller waits for the first, but never for one that missed its deadline.
#[derive(Debug, Default)]
struct Turn {
    running_since: Mutex<Option<Instant>>,
    ended: Condvar,
}

impl Turn {
    fn begin(&self, deadline: Duration) -> Result<(), Failure> {
        let running = self.running_since.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = running.map_or(Duration::ZERO, |since| deadline.saturating_sub(since.elapsed()));
        let (mut running, _) = self
            .ended
            .wait_timeout_while(running, patience, |running| running.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(Failure::Late);
        }
        *running = Some(Instant::now());
        Ok(())
    }

    fn end(&self) {
        *self.running_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.ended.notify_one();
    }
}

impl Isolation {
    fn run<R: Send + 'static>(
        &self,
        deadline: Duration,
        run: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Failure> {
        self.0.begin(deadline)?;
        let (sender, receiver) = mpsc::sync_channel(1);
        let turn = Arc::clone(&self.0);
        let spawned = thread::Builder::new().name("bot-metrics-foreign".to_owned()).spawn(move || {
            let result = panic::catch_unwind(AssertUnwindSafe(run));
            turn.end();
            // Nobody listens any more where the deadline is over.
            let _ = sender.send(result);
        });
        if spawned.is_err() {
            self.0.end();
            return Err(Failure::Late);
        }
        match receiver.recv_timeout(deadline) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metrics, Mode, Settings};
    use prometheus::{IntCounter, IntGauge};

    fn metrics() -> Metrics {
        Settings::new(Mode::Paper).build().expect("the defaults are legal")
    }

    fn failures(text: &str, reason: &str) -> u64 {
        let line = format!("bytelyst_bot_foreign_collector_failures_total{{reason=\"{reason}\",");
        let line = text.lines().find(|l| l.starts_with(&line)).expect("the family is exported");
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a count")
    }

    /// Yields what its function does, under a description of its own.
    struct Scripted<F>(Desc, F);

    impl<F: Fn() -> Vec<proto::MetricFamily> + Send + Sync + 'static> Scripted<F> {
        fn boxed(name: &str, collect: F) -> Box<dyn Collector> {
            let desc =
                Desc::new(name.to_owned(), "help".to_owned(), Vec::new(), std::collections::HashMap::new());
            Box::new(Self(desc.expect("a legal description"), collect))
        }
    }

    impl<F: Fn() -> Vec<proto::MetricFamily> + Send + Sync> Collector for Scripted<F> {
        fn desc(&self) -> Vec<&Desc> {
            vec![&self.0]
        }

        fn collect(&self) -> Vec<proto::MetricFamily> {
            (self.1)()
        }
    }

    fn gauge_family(name: &str, labels: &[(&str, &str)]) -> proto::MetricFamily {
        let pairs = labels.iter().map(|(name, value)| {
            let mut pair = proto::LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        });
        let mut metric = proto::Metric::from_label(pairs.collect());
        metric.set_gauge(proto::Gauge::default());
        let mut family = proto::MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_field_type(proto::MetricType::GAUGE);
        family.set_metric(vec![metric]);
        family
    }

    #[test]
    fn foreign_metrics_are_served_after_ours_with_their_own_labels() {
        let metrics = metrics();
        let shared = IntCounter::new("bot_orders_seen_total", "help").expect("legal");
        shared.inc_by(3);
        metrics.registry().register(Box::new(shared)).expect("new");
        let other = Registry::new();
        other.register(Box::new(IntGauge::new("other_gauge", "help").expect("legal"))).expect("new");
        metrics.add_registry(other);
        let text = metrics.exposition();
        assert!(text.contains("\nbot_orders_seen_total 3\n"), "{text}");
        assert!(text.ends_with("other_gauge 0\n"), "{text}");
        assert_eq!(text.matches("# TYPE bytelyst_bot_build_info").count(), 1, "ours come once");
    }

    #[test]
    fn somebody_elses_gather_of_the_shared_registry_sees_our_families() {
        let metrics = metrics();
        metrics.profile("maker").update(crate::Capital {
            allocated: 4.0,
            positions: 1.0,
            ..Default::default()
        });
        let families = metrics.registry().gather();
        let family = families
            .iter()
            .find(|family| family.name() == "bytelyst_bot_profile_utilization_percent")
            .expect("our family is there");
        let metric = &family.get_metric()[0];
        assert!((metric.get_gauge().get_value() - 25.0).abs() < 1e-9);
        let labels: Vec<_> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
        assert_eq!(labels[0], ("profile_id", "maker"));
        assert!(labels.contains(&("mode", "paper")));
    }

    #[test]
    fn a_panicking_collector_costs_its_own_families_and_a_count() {
        let metrics = metrics();
        metrics.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
        metrics.register(Scripted::boxed("works", || vec![gauge_family("works", &[])])).expect("new");
        let text = metrics.exposition();
        assert!(text.contains("\nworks 0\n"), "{text}");
        assert_eq!(failures(&text, "panic"), 1);
    }

    #[test]
    fn a_hanging_collector_is_left_out_and_not_waited_for_again() {
        let metrics = metrics();
        let (release, hold) = mpsc::channel::<()>();
        let hold = Mutex::new(hold);
        let collect = move || {
            let _ = hold.lock().expect("one run at a time").recv();
            vec![gauge_family("hangs", &[])]
        };
        metrics.register(Scripted::boxed("hangs", collect)).expect("new");
        assert_eq!(failures(&metrics.exposition(), "timeout"), 1);
        let second = Instant::now();
        assert_eq!(failures(&metrics.exposition(), "timeout"), 2);
        assert!(second.elapsed() < COLLECTOR_DEADLINE, "a hung collector is skipped at once");
        drop(release);
        // The hung run ends now that its channel is closed; the next scrape that finds it free succeeds.
        let healed = (0..100).any(|_| {
            thread::sleep(Duration::from_millis(10));
            metrics.exposition().contains("\nhangs 0\n")
        });
        assert!(healed);
    }

    #[test]
    fn nonsense_is_left_out_and_counted() {
        let metrics = metrics();
        let nonsense = || {
            let mut doubled = gauge_family("doubled", &[("a", "1")]);
            let twin = doubled.get_metric()[0].clone();
            doubled.mut_metric().push(twin);
            let mut untyped = gauge_family("untyped", &[]);
            untyped.set_field_type(proto::MetricType::UNTYPED);
            vec![
                gauge_family("bad name", &[]),
                gauge_family("bad_label", &[("a b", "")]),
                gauge_family("reserved", &[("__name__", "")]),
                gauge_family("label_twice", &[("a", "1"), ("a", "2")]),
                gauge_family("bytelyst_bot_subsystem_alive", &[]),
                doubled,
                untyped,
                gauge_family("good", &[("a", "1")]),
            ]
        };
        metrics.register(Scripted::boxed("nonsense", nonsense)).expect("new");
        let text = metrics.exposition();
        assert_eq!(failures(&text, "invalid"), 7, "{text}");
        assert!(text.ends_with("\ngood{a=\"1\"} 0\n"), "{text}");
    }

    #[test]
    fn concurrent_scrapes_wait_for_one_another() {
        let metrics = metrics();
        let slow = || {
            thread::sleep(Duration::from_millis(50));
            vec![gauge_family("slow", &[])]
        };
        metrics.register(Scripted::boxed("slow", slow)).expect("new");
        thread::scope(|scope| {
            let scrapes: Vec<_> = (0..3).map(|_| scope.spawn(|| metrics.exposition())).collect();
            for scrape in scrapes {
                assert!(scrape.join().expect("no panic").contains("\nslow 0\n"));
            }
        });
    }
}
