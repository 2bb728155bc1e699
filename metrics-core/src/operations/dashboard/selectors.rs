//! From the expressions of the panels to PromQL with the full names and the variables of the dashboard.

use super::panel::Panel;
use crate::catalogue::{OPERATIONAL_EVENTS_TOTAL, TARGET_INFO};
use crate::linked::{LinkedCatalogue, LinkedFamily};

/// The name in expressions of a family whose series have the default labels. The colon keeps it apart from the names of
/// families.
const IDENTITY: &str = ":identity";

/// The labels that a variable selects, if a family has them.
const SELECTED: [&str; 2] = ["exchange", "profile_id"];

/// Selectors of the linked families.
pub(super) struct Selectors<'a> {
    pub(super) linked: &'a LinkedCatalogue,
}

impl<'a> Selectors<'a> {
    /// The panel with the queries whose families are linked; `None` if there is none.
    pub(super) fn expanded(&self, panel: Panel) -> Option<Panel> {
        let mut panel = panel;
        panel.targets.retain_mut(|target| {
            let fallback = target.fallback.take();
            let expr = self.expand(&target.expr).or_else(|| self.expand(&fallback?));
            expr.map(|expr| target.expr = expr).is_some()
        });
        (!panel.targets.is_empty()).then_some(panel)
    }

    /// The expression with the selectors of its families; `None` unless all of them are linked.
    pub(super) fn expand(&self, expr: &str) -> Option<String> {
        let mut parts = expr.split('@');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':')))
                .unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            let braces = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (matchers, rest) = braces.unwrap_or(("", rest));
            text.push_str(&self.selector(name, matchers)?);
            text.push_str(rest);
        }
        Some(text)
    }

    /// The series of a family, given with the suffix of a histogram's series, and further matchers.
    fn selector(&self, name: &str, further: &str) -> Option<String> {
        let (family, suffix) = self.family(name)?;
        if !may_match(family, further) {
            return None;
        }
        let mut matchers = vec![r#"job=~"$job""#.to_owned(), r#"instance=~"$instance""#.to_owned()];
        let is_identity = self.identity().is_some_and(|identity| identity.name == family.name);
        if is_identity || !self.linked.default_labels_in_target_info {
            matchers.extend([r#"env=~"$env""#.to_owned(), r#"mode=~"$mode""#.to_owned()]);
        }
        // The mode of a bot is shown for any profile.
        let selected = SELECTED.iter().filter(|label| name != IDENTITY && has(family, label));
        matchers.extend(selected.map(|label| format!("{label}=~\"${label}\"")));
        matchers.extend((!further.is_empty()).then(|| further.to_owned()));
        Some(format!("{}{suffix}{{{}}}", family.name, matchers.join(", ")))
    }

    /// The linked family of this name, and the suffix of its series in it.
    fn family<'n>(&self, name: &'n str) -> Option<(&'a LinkedFamily, &'n str)> {
        if name == IDENTITY {
            return self.identity().map(|family| (family, ""));
        }
        let exact = self.linked.family(name).map(|family| (family, ""));
        exact.or_else(|| {
            let (base, suffix) = name.split_at(name.rfind('_')?);
            let family = self.linked.family(base)?;
            family.kind.suffixes().contains(&suffix).then_some((family, suffix))
        })
    }

    /// A family that every bot exports and whose series have the default labels.
    pub(super) fn identity(&self) -> Option<&'a LinkedFamily> {
        let of = |family: &crate::catalogue::Family| self.linked.family(family.name);
        if self.linked.default_labels_in_target_info {
            of(&TARGET_INFO)
        } else {
            of(&OPERATIONAL_EVENTS_TOTAL)
        }
    }
}

fn has(family: &LinkedFamily, label: &str) -> bool {
    family.labels.iter().any(|known| known.name == label)
}

/// Whether the family can have a series with these values, which are separated by `|`.
fn may_match(family: &LinkedFamily, matchers: &str) -> bool {
    let mut matchers = matchers.split(',').filter_map(|matcher| matcher.trim().split_once('='));
    matchers.all(|(label, values)| {
        let values = values.trim_start_matches('~').trim_matches('"');
        !has(family, label) || values.split('|').any(|value| family.may_have(label, value))
    })
}
