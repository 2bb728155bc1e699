//! The collectors and registries that a bot added: they are served too, and isolated.
//!
//! `prometheus::Registry::gather` runs its collectors in one loop, so that one that panics or hangs would break all
//! of them. Here each foreign collector and each foreign registry runs on a separate thread with a deadline; those
//! that fail are left out of the scrape, counted, and reported once.

use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::{Error, Registry, proto};

use super::failure::Failure;
use super::filter::Filter;
use super::foreign_family::ForeignFamily;
use super::isolation::{Isolation, RunningCollector};
use super::naming::Naming;
use super::own::{InstanceId, OwnFamilies, exported};
use super::rules::family::{TakenNames, check_name};
use super::rules::fault::Fault;
use super::spelling::FamilyNames;
use super::text::Text;
use crate::catalogue::{Family, Origin};
use crate::lock::{Lock, LockGuard};
use crate::panics::contained;
use crate::report::{LONGEST_LINE, Report, Topic};
use crate::shown::{quoted, shown};
use crate::source_line::SourceLine;
use crate::storage::CounterSlot;

/// The sources beside the library's families, and the counts of their failures.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    sources: Lock<Vec<Arc<ForeignSource>>>,
    failures: [CounterSlot; Failure::ALL.len()],
    /// The families that are not served and the sources that failed, as far as they were reported.
    reported: Lock<HashSet<String>>,
}

/// The maximum number of families and sources whose failures are reported; further ones are only counted.
const MOST_REPORTED: usize = 200;

/// A source of families.
#[derive(Debug)]
struct ForeignSource {
    yields: Yields,
    isolation: Isolation,
}

enum Yields {
    Registry(Registry, SourceLine),
    Collector { collector: Box<dyn Collector>, descriptions: Vec<Desc> },
}

impl fmt::Debug for Yields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry(..) => "Registry",
            Self::Collector { .. } => "Collector",
        })
    }
}

/// The name of a family, and the reason why it is not served.
type RefusedFamily = (String, Fault);

/// A family that a source gave, as far as it was checked on its own.
pub(crate) type CheckedFamily = Result<Arc<ForeignFamily>, RefusedFamily>;

impl Foreign {
    /// `place` is the source location that adds it.
    pub(crate) fn add_registry(&self, registry: Registry, place: SourceLine) {
        self.sources().push(ForeignSource::of(Yields::Registry(registry, place)));
    }

    /// Rejects a collector that describes a metric of another one, or one of the library's, or one that could not be
    /// merged with another collector's series of the same family.
    pub(crate) fn add_collector(&self, collector: Box<dyn Collector>, naming: &Naming) -> Result<(), Error> {
        // Foreign code, so it is called outside the lock.
        let described = contained(|| collector.desc().into_iter().cloned().collect());
        let descriptions: Vec<Desc> =
            described.map_err(|panic| Error::Msg(format!("its descriptions panicked: {}", shown(&panic))))?;
        let ours = OwnNames::of(naming, &Text);
        for (index, description) in descriptions.iter().enumerate() {
            let name = &description.fq_name;
            let refused = |fault: Fault| Error::Msg(format!("{name}: {fault}"));
            check_name(name).map_err(refused)?;
            if ours.contain(name) {
                return Err(refused(Fault::Ours(name.clone())));
            }
            if descriptions[..index].iter().any(|other| other.id == description.id) {
                return Err(Error::Msg(format!("{name} is described twice")));
            }
        }
        let mut sources = self.sources();
        let registered: Vec<_> = sources.iter().flat_map(|source| source.descriptions()).collect();
        for description in &descriptions {
            check_registered(description, &registered)?;
        }
        drop(registered);
        sources.push(ForeignSource::of(Yields::Collector { collector, descriptions }));
        Ok(())
    }

    /// Runs all sources.
    pub(crate) fn checked(
        &self,
        instance: InstanceId,
        report: &Report,
        now: Duration,
    ) -> Arc<[CheckedFamily]> {
        let now_ms = now.as_millis().try_into().unwrap_or(i64::MAX);
        let sources = self.sources().clone();
        let results = self.run(sources, report, move |source| source.families(instance, now_ms));
        results.into_iter().flatten().collect()
    }

    /// Every foreign family that `filter` selects and that can be served, sorted by name. Parts of one family from
    /// several sources are merged, as a registry merges them. No name occurs twice or is one of the library's. `checked`
    /// is called if the filter may select one.
    pub(crate) fn families(
        &self,
        naming: &Naming,
        spelling: &dyn FamilyNames,
        filter: &Filter,
        report: &Report,
        checked: impl FnOnce() -> Arc<[CheckedFamily]>,
    ) -> impl Iterator<Item = Arc<ForeignFamily>> {
        let ours = OwnNames::of(naming, spelling);
        let is_wanted = !filter.selects_only(|name| ours.contain(name));
        let checked = if is_wanted { checked() } else { Arc::default() };
        let mut served = Served { spelling, ours, taken: TakenNames::default(), families: BTreeMap::new() };
        let mut refused = Vec::new();
        for family in checked.iter().cloned() {
            if let Err(family) = family.and_then(|family| served.add(family)) {
                self.count(Failure::Invalid);
                refused.push(family);
            }
        }
        self.tell_refused(report, &refused);
        served
            .families
            .into_values()
            .filter(|family| filter.selects_foreign(&family.name, family.family_type))
    }

    /// Reports families that are not served, as many as fit into a line; the others are reported at the next scrape.
    fn tell_refused(&self, report: &Report, refused: &[RefusedFamily]) {
        let (mut line, mut names) = ("metric families of the bot are not served: ".to_owned(), Vec::new());
        for (name, fault) in refused {
            let family = format!("{}{}: {fault}", if names.is_empty() { "" } else { "; " }, quoted(name));
            if line.len() + family.len() + COUNTED.len() > LONGEST_LINE {
                break;
            }
            if self.is_new(name) {
                line.push_str(&family);
                names.push(name);
            }
        }
        if !names.is_empty() && !tell(report, "families", format_args!("{line}")) {
            for name in names {
                self.forget(name);
            }
        }
    }

    /// The families of the registered collectors, for another gather of the shared registry.
    pub(crate) fn collected(&self, report: &Report) -> Vec<proto::MetricFamily> {
        let collectors = self.sources().iter().filter(|source| source.is_collector()).cloned().collect();
        self.run(collectors, report, ForeignSource::gather).into_iter().flatten().collect()
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Failure::ALL.iter().zip(&self.failures).map(|(failure, count)| (failure.as_str(), count.value()))
    }

    /// Runs all sources concurrently and returns the results of those that did not fail.
    fn run<R: Send + 'static>(
        &self,
        sources: Vec<Arc<ForeignSource>>,
        report: &Report,
        run: impl Fn(&ForeignSource) -> R + Clone + Send + 'static,
    ) -> Vec<R> {
        let start = |source: Arc<ForeignSource>| {
            let (runs, run) = (Arc::clone(&source), run.clone());
            let running = source.isolation.start(move || run(&runs));
            (source, running)
        };
        let running: Vec<_> = sources.into_iter().map(start).collect();
        let result = |(source, running): (Arc<ForeignSource>, Result<RunningCollector<R>, Failure>)| {
            let result = running.and_then(RunningCollector::wait);
            let failed = |failure: &Failure| {
                self.count(*failure);
                let source = source.to_string();
                if self.is_new(&source)
                    && !tell(report, &source, format_args!("{source} is left out of a scrape: {failure}"))
                {
                    self.forget(&source);
                }
            };
            result.inspect_err(failed).ok()
        };
        running.into_iter().filter_map(result).collect()
    }

    fn count(&self, failure: Failure) {
        self.failures[failure as usize].add(1);
    }

    /// Whether this family or source fails for the first time, as far as that is remembered.
    fn is_new(&self, failed: &str) -> bool {
        let mut reported = self.reported.lock();
        reported.len() < MOST_REPORTED && reported.insert(failed.to_owned())
    }

    /// Called if its report was suppressed or dropped, so that a later one can be delivered.
    fn forget(&self, failed: &str) {
        self.reported.lock().remove(failed);
    }

    fn sources(&self) -> LockGuard<'_, Vec<Arc<ForeignSource>>> {
        self.sources.lock()
    }
}

/// The end of each report.
const COUNTED: &str = " (counted in foreign_collector_failures_total, and not reported again)";

fn tell(report: &Report, place: &str, line: fmt::Arguments<'_>) -> bool {
    report.tell(Topic::Foreign, place, format_args!("{line}{COUNTED}"))
}

/// The rules of a registry.
fn check_registered(description: &Desc, registered: &[&Desc]) -> Result<(), Error> {
    let name = &description.fq_name;
    let mut of_family = registered.iter().filter(|other| other.fq_name == *name);
    if of_family.clone().any(|other| other.id == description.id) {
        return Err(Error::AlreadyReg);
    }
    if of_family.any(|other| other.dim_hash != description.dim_hash) {
        let differs = "is registered already with other label names or another help text";
        return Err(Error::Msg(format!("{name} {differs}")));
    }
    Ok(())
}

/// The families of one scrape.
struct Served<'a> {
    spelling: &'a dyn FamilyNames,
    ours: OwnNames,
    taken: TakenNames,
    families: BTreeMap<String, Arc<ForeignFamily>>,
}

impl Served<'_> {
    fn add(&mut self, family: Arc<ForeignFamily>) -> Result<(), RefusedFamily> {
        if self.ours.standard.contains(&family.name) {
            // Every client exports these, even prometheus' default registry; only the library's are served.
            return Ok(());
        }
        let name = family.name.clone();
        let names = self.spelling.names(&name, family.family_type);
        if let Some(ours) = names.iter().find(|&name| self.ours.contain(name)) {
            return Err((name, Fault::Ours(ours.clone())));
        }
        self.taken.take(&name, family.family_type, names).map_err(|fault| (name.clone(), fault))?;
        match self.families.entry(name.clone()) {
            Entry::Occupied(mut entry) => {
                Arc::make_mut(entry.get_mut()).merge(&family).map_err(|fault| (name, fault))
            }
            Entry::Vacant(entry) => {
                entry.insert(family);
                Ok(())
            }
        }
    }
}

impl ForeignSource {
    fn of(yields: Yields) -> Arc<Self> {
        Arc::new(Self { yields, isolation: Isolation::default() })
    }

    fn is_collector(&self) -> bool {
        matches!(self.yields, Yields::Collector { .. })
    }

    fn descriptions(&self) -> &[Desc] {
        match &self.yields {
            Yields::Registry(..) => &[],
            Yields::Collector { descriptions, .. } => descriptions,
        }
    }

    fn gather(&self) -> Vec<proto::MetricFamily> {
        match &self.yields {
            Yields::Registry(registry, _) => registry.gather(),
            Yields::Collector { collector, .. } => collector.collect(),
        }
    }

    /// Its families without those of `instance`, which the server encodes itself, and without families that have no
    /// series.
    fn families(&self, instance: InstanceId, now_ms: i64) -> Vec<CheckedFamily> {
        let families = OwnFamilies::muted(instance, || self.gather()).into_iter();
        let families = families.filter(|family| !family.get_metric().is_empty());
        let checked = |family: proto::MetricFamily| {
            let name = family.name().to_owned();
            ForeignFamily::checked(family, now_ms).map(Arc::new).map_err(|fault| (name, fault))
        };
        families.map(checked).collect()
    }
}

impl fmt::Display for ForeignSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.yields, self.descriptions().first()) {
            (Yields::Registry(_, place), _) => write!(f, "the registry that was added at {place}"),
            (Yields::Collector { .. }, Some(first)) => {
                write!(f, "the collector of {}", quoted(&first.fq_name))
            }
            (Yields::Collector { .. }, None) => f.write_str("a collector that the bot registered"),
        }
    }
}

/// The names of the library's families and their samples.
struct OwnNames {
    /// With the namespace, or of the bot's own families.
    namespaced: HashSet<String>,
    /// Without the namespace, the same in all clients.
    standard: HashSet<String>,
}

impl OwnNames {
    fn of(naming: &Naming, spelling: &dyn FamilyNames) -> Self {
        let (standard, namespaced): (Vec<_>, Vec<_>) =
            exported(naming).partition(|family| family.origin == Origin::Standard);
        let names = |families: Vec<&Family>| {
            let names = |family: &Family| spelling.names(&naming.full_name(family), family.kind.into());
            families.into_iter().flat_map(names).collect()
        };
        Self { namespaced: names(namespaced), standard: names(standard) }
    }

    fn contain(&self, name: &str) -> bool {
        self.namespaced.contains(name) || self.standard.contains(name)
    }
}
