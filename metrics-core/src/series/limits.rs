//! The limits on the values of each open label of a family, and on its series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::label_set::{LabelText, QueriedLabel};
use crate::labels::value::OTHER;
use crate::storage::CounterSlot;

/// The grace period of removed counters and histograms: long enough for a scraper to read their last value.
pub(crate) const GRACE: Duration = Duration::from_secs(5 * 60);

/// The end of the grace period that begins at `removed_at`.
pub(crate) fn grace_end(removed_at: Duration) -> Duration {
    removed_at.saturating_add(GRACE)
}

/// The number of values that a label may have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// The values of an enum, which do not count against a limit.
    Closed,
    /// At most this many.
    Open(usize),
}

/// The limits of a family and their use.
#[derive(Debug)]
pub(super) struct LabelLimits {
    pub(super) labels: Vec<OpenLabel>,
    /// Series with a value of an open label other than "" and "other".
    used: usize,
    most: usize,
}

#[derive(Debug)]
pub(super) struct OpenLabel {
    pub(super) bound: Bound,
    /// The number of series of each value of an open label.
    used: BTreeMap<Arc<str>, usize>,
    pub(super) overflow: Arc<CounterSlot>,
}

impl LabelLimits {
    pub(super) fn new(bounds: Vec<Bound>, most: usize) -> Self {
        let label = |bound| OpenLabel { bound, used: BTreeMap::new(), overflow: Arc::default() };
        Self { labels: bounds.into_iter().map(label).collect(), used: 0, most }
    }

    /// Series that count against the limit.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// The requested labels, as texts that are shared with existing series.
    pub(super) fn texts(&self, asked: &[QueriedLabel<'_>]) -> Vec<LabelText> {
        let text = |(label, asked): (&OpenLabel, &QueriedLabel<'_>)| match *asked {
            QueriedLabel::Closed(text) => LabelText::Closed(text),
            QueriedLabel::Open(text) => {
                let text = String::from_utf8_lossy(text);
                let known = label.used.get_key_value(&*text).map(|(text, _)| Arc::clone(text));
                LabelText::Open(known.unwrap_or_else(|| Arc::from(text)))
            }
        };
        self.labels.iter().zip(asked).map(text).collect()
    }

    /// Whether any label is open, so that series can be removed.
    pub(super) fn are_open(&self) -> bool {
        self.labels.iter().any(OpenLabel::is_open)
    }

    /// Whether there is capacity for one more series with these labels.
    pub(super) fn have_room(&self, labels: &[LabelText]) -> bool {
        let is_full = self.used >= self.most && self.count(labels);
        !is_full && self.labels.iter().zip(labels).all(|(label, text)| label.has_room(text))
    }

    /// Replaces the values for which there is no capacity, and returns the overflow counters of their labels.
    pub(super) fn replace_with_other(&self, labels: &mut [LabelText]) -> Vec<Arc<CounterSlot>> {
        let mut replaced = Vec::new();
        for (label, text) in self.labels.iter().zip(labels) {
            if !label.has_room(text) || self.used >= self.most && label.counts(text.as_str()) {
                *text = LabelText::Open(Arc::from(OTHER));
                replaced.push(Arc::clone(&label.overflow));
            }
        }
        replaced
    }

    /// Whether one of them is "other".
    pub(super) fn have_other(&self, labels: &[LabelText]) -> bool {
        let is_other = |(label, text): (&OpenLabel, &LabelText)| label.is_open() && text.as_str() == OTHER;
        self.labels.iter().zip(labels).any(is_other)
    }

    /// Whether a series with these labels counts against the limit.
    fn count(&self, labels: &[LabelText]) -> bool {
        self.labels.iter().zip(labels).any(|(label, text)| label.counts(text.as_str()))
    }

    pub(super) fn take(&mut self, labels: &[LabelText]) {
        self.used += usize::from(self.count(labels));
        for (label, text) in self.labels.iter_mut().zip(labels) {
            if let (LabelText::Open(text), true) = (text, label.counts(text.as_str())) {
                *label.used.entry(Arc::clone(text)).or_insert(0) += 1;
            }
        }
    }

    pub(super) fn release(&mut self, labels: &[LabelText]) {
        self.used -= usize::from(self.count(labels));
        for (label, text) in self.labels.iter_mut().zip(labels) {
            if let Some(series) = label.used.get_mut(text.as_str()) {
                *series -= 1;
                if *series == 0 {
                    label.used.remove(text.as_str());
                }
            }
        }
    }
}

impl OpenLabel {
    /// Whether a value counts against the limits: "" and "other" do not.
    pub(super) fn counts(&self, text: &str) -> bool {
        self.is_open() && !matches!(text, "" | OTHER)
    }

    fn is_open(&self) -> bool {
        matches!(self.bound, Bound::Open(_))
    }

    fn has_room(&self, text: &LabelText) -> bool {
        match self.bound {
            Bound::Open(bound) if self.counts(text.as_str()) => {
                self.used.len() < bound || self.used.contains_key(text.as_str())
            }
            Bound::Open(_) | Bound::Closed => true,
        }
    }
}
