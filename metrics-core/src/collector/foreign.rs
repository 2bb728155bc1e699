//! What a bot registered beside our families: served too, and contained.
//!
//! `prometheus::Registry::gather` runs its collectors in one loop, so that one that panics or hangs would take all
//! down. Here each foreign collector and each foreign registry runs on a thread of its own with a deadline; what
//! fails is left out of the scrape and counted.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{Registry, proto};

use super::failure::Failure;
use super::isolation::{Isolation, Running};
use super::own::OwnFamilies;
use super::spelling::{ForeignFamily, own_suffixes, sample_names, spell};
use crate::catalogue::FAMILIES;
use crate::custom::custom_families;
use crate::lock::{Held, Lock};
use crate::registry::CoreId;
use crate::settings::Settings;
use crate::storage::CounterSlot;

/// What is served beside our families, and how often some part of it failed.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    sources: Lock<Vec<Arc<Source>>>,
    failures: [CounterSlot; Failure::ALL.len()],
}

/// Something that yields families.
#[derive(Debug)]
struct Source {
    yields: Yields,
    isolation: Isolation,
}

enum Yields {
    Registry(Registry),
    Collector {
        collector: Box<dyn Collector>,
        /// What tells its metrics from all others.
        descriptions: Vec<u64>,
    },
}

impl fmt::Debug for Yields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry(_) => "Registry",
            Self::Collector { .. } => "Collector",
        })
    }
}

impl Foreign {
    pub(crate) fn add_registry(&self, registry: Registry) {
        let source = Source { yields: Yields::Registry(registry), isolation: Isolation::default() };
        self.sources().push(Arc::new(source));
    }

    /// Refuses a collector that describes a metric of another one, or one of ours.
    pub(crate) fn add_collector(
        &self,
        collector: Box<dyn Collector>,
        settings: &Settings,
    ) -> Result<(), prometheus::Error> {
        let ours = own_names(settings);
        // The collector's own code: not under our lock.
        let (descriptions, names): (Vec<_>, Vec<_>) = collector
            .desc()
            .into_iter()
            .map(|description| (description.id, description.fq_name.clone()))
            .unzip();
        let mut sources = self.sources();
        let is_described = |id: &u64| sources.iter().any(|source| source.describes(*id));
        if descriptions.iter().any(is_described) || names.iter().any(|name| ours.contains(name)) {
            return Err(prometheus::Error::AlreadyReg);
        }
        let yields = Yields::Collector { collector, descriptions };
        sources.push(Arc::new(Source { yields, isolation: Isolation::default() }));
        Ok(())
    }

    /// Every foreign family that can be exported, sorted by name. No sample's name comes twice, nor one of ours.
    pub(crate) fn spelled(&self, core: CoreId, settings: &Settings) -> Vec<ForeignFamily> {
        let mut taken = own_names(settings);
        let mut families = Vec::new();
        let sources = self.sources().clone();
        for family in self.run(sources, move |source| source.spell(core)).into_iter().flatten() {
            match family {
                Ok(family) if family.sample_names.iter().all(|name| !taken.contains(name)) => {
                    taken.extend(family.sample_names.iter().cloned());
                    families.push(family);
                }
                Ok(_) => self.count(Failure::Invalid),
                Err(failure) => self.count(failure),
            }
        }
        families.sort_by(|a, b| a.name.cmp(&b.name));
        families
    }

    /// The families of the registered collectors, for somebody else's gather of the shared registry.
    pub(super) fn collected(&self) -> Vec<proto::MetricFamily> {
        let collectors = self.sources().iter().filter(|source| source.is_collector()).cloned().collect();
        self.run(collectors, Source::gather).into_iter().flatten().collect()
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Failure::ALL.iter().zip(&self.failures).map(|(failure, count)| (failure.as_str(), count.value()))
    }

    /// Runs all sources at the same time and returns what came of those that did not fail.
    fn run<R: Send + 'static>(
        &self,
        sources: Vec<Arc<Source>>,
        run: impl Fn(&Source) -> R + Clone + Send + 'static,
    ) -> Vec<R> {
        let start = |source: Arc<Source>| {
            let (runs, run) = (Arc::clone(&source), run.clone());
            source.isolation.start(move || run(&runs))
        };
        let running: Vec<_> = sources.into_iter().map(start).collect();
        let results = running.into_iter().map(|running| running.and_then(Running::wait));
        results.filter_map(|result| result.map_err(|failure| self.count(failure)).ok()).collect()
    }

    fn count(&self, failure: Failure) {
        self.failures[failure as usize].add(1);
    }

    fn sources(&self) -> Held<'_, Vec<Arc<Source>>> {
        self.sources.hold()
    }
}

impl Source {
    fn is_collector(&self) -> bool {
        matches!(self.yields, Yields::Collector { .. })
    }

    fn describes(&self, description: u64) -> bool {
        match &self.yields {
            Yields::Registry(_) => false,
            Yields::Collector { descriptions, .. } => descriptions.contains(&description),
        }
    }

    fn gather(&self) -> Vec<proto::MetricFamily> {
        match &self.yields {
            Yields::Registry(registry) => registry.gather(),
            Yields::Collector { collector, .. } => collector.collect(),
        }
    }

    /// Its families without those of `core`, which our server spells itself.
    fn spell(&self, core: CoreId) -> Vec<Result<ForeignFamily, Failure>> {
        let families = OwnFamilies::muted(core, || self.gather());
        families.iter().filter(|family| !family.get_metric().is_empty()).map(spell).collect()
    }
}

fn own_names(settings: &Settings) -> HashSet<String> {
    let custom = custom_families().into_iter().map(|family| &family.family);
    FAMILIES
        .into_iter()
        .chain(custom)
        .flat_map(|family| sample_names(&family.full_name(&settings.namespace), own_suffixes(family.kind)))
        .collect()
}
