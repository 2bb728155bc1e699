//! The families that a client asks for by name.

use std::sync::Arc;

use super::family_type::{FamilyType, written_names};
use super::naming::Naming;
use crate::catalogue::Family;

/// Names of families or of their samples; without any, all families are selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter(Option<Arc<[String]>>);

impl Filter {
    #[cfg(any(test, feature = "server"))]
    /// Selects the families with these names. Equal sets of names are equal filters.
    pub(crate) fn by_name(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        Self(Some(names.into()))
    }

    /// The number of different names.
    #[cfg(feature = "server")]
    pub(crate) fn names(&self) -> usize {
        self.0.as_ref().map_or(0, |names| names.len())
    }

    pub(crate) fn selects_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether each name is one of the library's families or of the bot's own, so that no foreign family is selected.
    pub(crate) fn selects_only(&self, is_own: impl Fn(&str) -> bool) -> bool {
        self.0.as_ref().is_some_and(|names| names.iter().all(|name| is_own(name)))
    }

    /// Whether it selects this family of the library's or of the bot's own.
    pub(super) fn selects(&self, naming: &Naming, family: &Family) -> bool {
        self.selects_foreign(&naming.full_name(family), family.kind.into())
    }

    /// Whether it selects this foreign family, by its name in any format or that of one of its samples.
    pub(super) fn selects_foreign(&self, family: &str, family_type: FamilyType) -> bool {
        let Some(wanted) = &self.0 else { return true };
        let names = written_names(family, family_type);
        wanted.iter().any(|name| names.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::{Mode, Settings};

    fn selects(name: &str, family: &Family) -> bool {
        let naming = Settings::new(Mode::Paper).naming();
        Filter::by_name(vec![name.to_owned()]).selects(&naming, family)
    }

    #[test]
    fn a_family_is_selected_by_its_name_and_by_those_of_its_samples() {
        let histogram = &catalogue::SUBSYSTEM_DURATION_SECONDS;
        for suffix in ["", "_bucket", "_sum", "_count", "_created"] {
            assert!(selects(&format!("bytelyst_bot_subsystem_duration_seconds{suffix}"), histogram));
        }
        for suffix in ["", "_total", "_created"] {
            let counter = &catalogue::OPERATIONAL_EVENTS_TOTAL;
            assert!(selects(&format!("bytelyst_bot_operational_events{suffix}"), counter));
        }
        assert!(selects("process_open_fds", &catalogue::PROCESS_OPEN_FDS));
        for name in ["target", "target_info"] {
            assert!(selects(name, &catalogue::TARGET_INFO), "{name}");
        }
        for name in
            ["", "subsystem_alive", "bytelyst_bot_subsystem_aliv", "bytelyst_bot_subsystem_alive_created"]
        {
            assert!(!selects(name, &catalogue::SUBSYSTEM_ALIVE), "{name}");
        }
        assert!(selects("bytelyst_bot_subsystem_alive", &catalogue::SUBSYSTEM_ALIVE));
        let selects_counter = |name: &str| {
            Filter::by_name(vec![name.to_owned()]).selects_foreign("a_total_total", FamilyType::Counter)
        };
        assert!(selects_counter("a_total_total") && selects_counter("a_total"));
        assert!(!selects_counter("a"), "it loses its suffix once");
    }

    #[test]
    fn filters_with_equal_names_are_equal() {
        let filter = |names: &[&str]| Filter::by_name(names.iter().map(ToString::to_string).collect());
        assert_eq!(filter(&["a", "b", "a"]), filter(&["b", "a"]));
        assert_ne!(filter(&[]), Filter::default());
        assert!(Filter::default().selects_all() && !filter(&[]).selects_all());
    }
}
