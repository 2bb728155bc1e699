//! A panel as data.

/// The colours of Okabe and Ito, which colour-blind people can distinguish.
pub(super) const GOOD: &str = "#009E73";
pub(super) const WARNING: &str = "#E69F00";
pub(super) const BAD: &str = "#D55E00";
pub(super) const NEUTRAL: &str = "#0072B2";

/// A panel: its queries, and how their results are shown.
///
/// Expressions are PromQL in which `@` begins the name of a family, without the namespace: `@subsystem_alive` is replaced
/// by the full name with the matchers of the dashboard's variables.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) view: PanelView,
    /// Grafana's name of the unit.
    pub(super) unit: String,
    /// A sentence about its content.
    pub(super) description: String,
    /// Completes the sentence "No data means that …".
    pub(super) no_data: &'static str,
    pub(super) targets: Vec<PanelTarget>,
    /// The least width, of 24 columns.
    pub(super) width: u64,
    /// The colour below all limits.
    pub(super) colour: &'static str,
    /// The values from which another colour applies, ascending; lines in a chart.
    pub(super) limits: Vec<(f64, &'static str)>,
    /// Texts in place of values, with their colours.
    pub(super) texts: Vec<(u8, &'static str, &'static str)>,
    /// The alert whose section of the runbook says what to do.
    pub(super) alert: Option<&'static str>,
}

/// A query of a panel.
#[derive(Clone, Debug)]
pub(super) struct PanelTarget {
    pub(super) expr: String,
    /// For a binary that does not export all families of `expr`.
    pub(super) fallback: Option<String>,
    /// The name of each series, with labels as `{{label}}`.
    pub(super) legend: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PanelView {
    /// A line for each series.
    Lines,
    /// Areas on top of each other: parts of a whole.
    Areas,
    /// Counts of rare occurrences, per bar.
    Bars,
    /// The number of observations in each bucket.
    Heatmap,
    /// The last value of each series.
    Values,
    /// The name of each series, coloured by its last value.
    Names,
}

impl PanelView {
    /// Whether it shows last values, and not how they changed.
    pub(super) fn is_stat(self) -> bool {
        matches!(self, Self::Values | Self::Names)
    }
}

impl Panel {
    pub(super) fn new(view: PanelView, title: &str, unit: &str) -> Self {
        let width = if view.is_stat() { 4 } else { 8 };
        Self {
            title: title.to_owned(),
            view,
            unit: unit.to_owned(),
            description: String::new(),
            no_data: "the bot is not scraped",
            targets: Vec::new(),
            width,
            colour: NEUTRAL,
            limits: Vec::new(),
            texts: Vec::new(),
            alert: None,
        }
    }

    /// A sentence about its content.
    pub(super) fn shows(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// The end of the sentence "No data means that …", unless it is that the bot is not scraped.
    pub(super) fn no_data(mut self, meaning: &'static str) -> Self {
        self.no_data = meaning;
        self
    }

    pub(super) fn query(mut self, expr: impl Into<String>, legend: impl Into<String>) -> Self {
        self.targets.push(PanelTarget { expr: expr.into(), fallback: None, legend: legend.into() });
        self
    }

    /// Another expression of the last query, for a binary that does not export all of its families.
    pub(super) fn fallback(mut self, expr: &str) -> Self {
        if let Some(target) = self.targets.last_mut() {
            target.fallback = Some(expr.to_owned());
        }
        self
    }

    pub(super) fn width(mut self, width: u64) -> Self {
        self.width = width;
        self
    }

    /// The colour below all limits, and the values from which others apply.
    pub(super) fn limits(mut self, below: &'static str, limits: &[(f64, &'static str)]) -> Self {
        self.colour = below;
        self.limits = limits.to_vec();
        self
    }

    pub(super) fn text(mut self, value: u8, text: &'static str, colour: &'static str) -> Self {
        self.texts.push((value, text, colour));
        self
    }

    pub(super) fn alert(mut self, alert: &'static str) -> Self {
        self.alert = Some(alert);
        self
    }
}
