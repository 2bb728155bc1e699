//! The start of an instance: the settings and call sites are checked, then every known series is exported as 0.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::Registry;

use super::core::{Core, Installed};
use super::metrics::Metrics;
use super::process;
use super::settings::Settings;
use crate::catalogue::{FAMILIES, Origin};
use crate::error::Problem;
use crate::exposition::OwnFamilies;
use crate::exposition::family_type::FamilyType;
use crate::exposition::rules::family::TakenNames;
use crate::families::custom::{CustomFamily, CustomSeries, custom_families, declared_families};
use crate::families::market_data;
use crate::families::subsystem::MaxAge;
use crate::report::Topic;
use crate::sites::call_site::{CallSite, CallSiteKind, LabelChoices, call_sites};
use crate::source_line::SourceLine;
use crate::storage::not_installed;
use crate::{Error, lock};

impl Settings {
    /// Makes these the settings of the process-wide instance, to which all attributes record. Every linked call
    /// site's series is exported as 0 from here on.
    ///
    /// # Errors
    ///
    /// If a setting is invalid, two call sites contradict each other, an exchange call has no exchange, or other
    /// settings are already installed. Nothing is installed then.
    #[track_caller]
    pub fn install(self) -> Result<Metrics, Error> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let (place, settings) = (SourceLine::of_caller(), self.checked()?);
        let inside = lock::enter();
        let held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let core = process::core();
        if let Some(installed) = core.installed.get() {
            let differences = installed.settings.differences(&settings);
            return if differences.is_empty() {
                Ok(Metrics { core: Arc::clone(core) })
            } else {
                Err(Problem::AlreadyInstalled { place: installed.place, differences }.into())
            };
        }
        let sites = call_sites();
        check(&sites, &settings)?;
        // Everything that can fail comes before the first change.
        let registry = registry(core, &settings)?;
        for site in &sites {
            declare(core, site, &settings);
        }
        for family in custom_families() {
            core.custom.declare(family);
        }
        core.expect_own_events();
        configure(core, settings, place, registry);
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
        Ok(Metrics { core: Arc::clone(core) })
    }

    /// Builds a separate instance, for tests and simulated bots. Only handles record to it, not attributes.
    ///
    /// # Errors
    ///
    /// If a setting is invalid.
    #[track_caller]
    pub fn build(self) -> Result<Metrics, Error> {
        let (place, settings) = (SourceLine::of_caller(), self.checked()?);
        let core = Arc::new(Core::new(settings.clock.clone(), Arc::new(CustomSeries::default())));
        let registry = registry(&core, &settings)?;
        configure(&core, settings, place, registry);
        Ok(Metrics { core })
    }
}

/// The registry that holds the library's families. Fails if declarations of one family differ, if two families have one
/// name in a format, or if `prometheus` refuses a name.
fn registry(core: &Arc<Core>, settings: &Settings) -> Result<Registry, Error> {
    check_families(&declared_families())?;
    check_names_in_openmetrics(&custom_families())?;
    let registry = Registry::new();
    let instance = Arc::downgrade(core);
    OwnFamilies::new(instance, &settings.naming())
        .and_then(|own| registry.register(Box::new(own)))
        .map_err(|error| Error::foreign(&error))?;
    Ok(registry)
}

fn configure(core: &Core, settings: Settings, place: SourceLine, registry: Registry) {
    let bounds = settings.label_bounds;
    core.profiles.configure(bounds.profiles, settings.capital_tolerance);
    core.market_data.lock().set_bound(market_data::SYMBOL, bounds.symbols);
    core.events.set_bounds(bounds);
    core.custom.set_bounds(bounds);
    for (severity, kind) in &settings.expected_events {
        core.events.bare(severity, kind);
    }
    let naming = settings.naming();
    // `install` holds the lock that excludes a second one, and nothing else knows the core of `build` yet.
    let _ =
        core.installed.set(Installed { settings, naming, place, registry, handed_out: lock::Once::new() });
}

/// Exports the series of `site` as 0, as far as its labels are known.
fn declare(core: &Core, site: &'static CallSite, settings: &Settings) {
    let [first, second] = site.labels();
    match site.kind {
        CallSiteKind::Subsystem => {
            for subsystem in first.values() {
                let is_fixed = matches!(first, LabelChoices::Fixed(_));
                let slots = if is_fixed && !site.optional && !settings.disables(subsystem) {
                    core.subsystems.registered(subsystem, &core.clock)
                } else {
                    core.subsystems.awaited(subsystem, &core.clock)
                };
                // Contradictions were rejected before.
                let _ = site.max_age().map(|max_age| slots.set_max_age(max_age));
            }
        }
        CallSiteKind::Exchange => {
            if let LabelChoices::Fixed(operation) = second {
                let exchange = match first {
                    LabelChoices::Fixed(exchange) => Some(exchange),
                    LabelChoices::FromSettings => None,
                    LabelChoices::Any(_) if settings.exchange.is_some() => None,
                    LabelChoices::Any(_) => return,
                };
                core.exchange_calls.lease(exchange, operation, &core.clock);
            }
        }
        CallSiteKind::Event => {
            for severity in first.values() {
                for kind in second.values() {
                    core.events.bare(severity, kind);
                }
            }
        }
        // A profile is known from its first check on; the counter of mismatches and the closed series of the bot's
        // own families always exist.
        CallSiteKind::Capital
        | CallSiteKind::Reconciliation
        | CallSiteKind::Timed
        | CallSiteKind::Counted => {}
    }
}

/// Rejects call sites that contradict each other or the settings, naming their locations. The age at a site that
/// chooses its subsystem at run time applies to each possible one.
fn check(sites: &[&CallSite], settings: &Settings) -> Result<(), Error> {
    let mut ages: BTreeMap<&'static str, MaxAge> = BTreeMap::new();
    for site in sites {
        let [first, _] = site.labels();
        let needs_exchange = site.kind == CallSiteKind::Exchange && settings.exchange.is_none();
        if needs_exchange && matches!(first, LabelChoices::FromSettings) {
            return Err(Problem::NoExchange { place: site.to_string() }.into());
        }
        let Some(asked) = site.max_age() else { continue };
        for subsystem in first.values() {
            let set = ages.entry(subsystem).or_insert(asked);
            if set.age != asked.age {
                return Err(set.conflict(subsystem, asked));
            }
        }
    }
    Ok(())
}

/// Rejects two families with the same name and different declarations, naming their locations.
fn check_families(families: &[&CustomFamily]) -> Result<(), Error> {
    let conflict = |pair: &&[&CustomFamily]| pair[0].family.name == pair[1].family.name && pair[0] != pair[1];
    let Some(pair) = families.windows(2).find(conflict) else { return Ok(()) };
    let [one, other] = [pair[0], pair[1]].map(|family| family.place.to_string());
    Err(Problem::ConflictingFamily { name: pair[0].family.name, one, other }.into())
}

/// Rejects a family that has the name of another one in OpenMetrics, such as the gauge `orders` beside the counter
/// `orders_total`: a page with both is invalid. The formats that a server offers are not known yet, and a bot that
/// offers OpenMetrics later must not lose a family by it.
fn check_names_in_openmetrics(families: &[&CustomFamily]) -> Result<(), Error> {
    let mut taken = TakenNames::default();
    let library = FAMILIES.iter().copied().filter(|family| family.origin != Origin::Standard);
    let declared = families.iter().map(|family| (&family.family, family.place.to_string()));
    for (family, place) in library.map(|family| (family, String::new())).chain(declared) {
        let names = FamilyType::from(family.kind).openmetrics_names(family.name);
        let owner = names.iter().find_map(|name| taken.owner(name)).map(|(owner, _)| owner.clone());
        if let Some(one) = owner {
            return Err(Problem::SameNameInOpenMetrics { one, other: family.name, place }.into());
        }
        // None of them is taken.
        let _ = taken.take(family.name, family.kind.into(), names);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Mode;
    use crate::catalogue::Kind;
    use crate::families::custom::{Label as _, ProfileId};
    use crate::labels::bounds::LabelBounds;
    use crate::series::{FamilyKey, LabelSetQuery, QueriedLabel};
    use crate::testing::{self, Samples};

    fn site(line: u32, subsystems: &'static [&'static str], max_age: Duration) -> CallSite {
        let max_age_ns = u64::try_from(max_age.as_nanos()).expect("some seconds");
        let mut site = CallSite::test_subsystem(subsystems[0], max_age_ns);
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
    fn two_sites_with_one_label_and_different_ages_are_a_start_up_error_naming_both_locations() {
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
            CustomFamily::new(Kind::Counter, "signals_total", help, &[], &[], "bot")
        }
        const FAMILY: CustomFamily = family("Signals.");
        assert!(check_families(&[&FAMILY, &family("Signals.")]).is_ok());
        for other in [family("Other."), family("Signals.").budget(2_001)] {
            let error = check_families(&[&FAMILY, &other]).expect_err("they differ").to_string();
            assert!(error.contains("signals_total is declared twice and differently"), "{error}");
        }
    }

    #[test]
    fn families_with_one_name_in_openmetrics_are_a_start_up_error_naming_both() {
        const fn family(kind: Kind, name: &'static str) -> CustomFamily {
            let place = SourceLine { module: "bot", function: "", file: "bot.rs", line: 7 };
            CustomFamily { place, ..CustomFamily::new(kind, name, "Help.", &[], &[], "bot") }
        }
        let orders = family(Kind::Counter, "orders_total");
        assert!(check_names_in_openmetrics(&[&orders, &family(Kind::Gauge, "order")]).is_ok());
        for (kind, name) in [(Kind::Gauge, "orders"), (Kind::Histogram, "orders")] {
            let error = check_names_in_openmetrics(&[&orders, &family(kind, name)]).expect_err("one name");
            assert_eq!(
                error.to_string(),
                "the metrics orders_total and orders have the same name in OpenMetrics, which leaves `_total` out of \
                 a counter's: rename orders, which is declared in bot (bot.rs:7)"
            );
        }
        let of_library = family(Kind::Gauge, "subsystem_runs");
        let error = check_names_in_openmetrics(&[&of_library]).expect_err("one name").to_string();
        assert!(error.starts_with("the metrics subsystem_runs_total and subsystem_runs have"), "{error}");
    }

    /// Whether or not it had a slot or a handle while it counted.
    #[test]
    fn counts_of_a_removed_profile_in_families_of_the_bots_own_go_after_its_grace() {
        static FAMILY: CustomFamily = CustomFamily::new(
            Kind::Counter,
            "orders_total",
            "Orders.",
            &["profile"],
            &[ProfileId::TYPE],
            "bot",
        );
        for places in [0, 1] {
            let (settings, clock) =
                testing::with_manual_clock(Settings::new(Mode::Paper).profile_limit(places).symbol_limit(1));
            let metrics = settings.build().expect("settings that are allowed");
            metrics.core.custom.set_bounds(LabelBounds::DEFAULT);
            let count = |profile: &str| {
                let labels = [QueriedLabel::Open(profile.as_bytes())];
                let asked = LabelSetQuery::new(FamilyKey::of(&FAMILY), &labels);
                let entry = metrics.core.custom.open(&FAMILY, &asked, metrics.core.clock.boot_time());
                entry.record(|slot| slot.add(1));
            };
            count("gone");
            count("stays");
            metrics.write_exposition(&mut std::io::sink()).expect("it takes everything");
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
