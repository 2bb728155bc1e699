//! Operational events from `tracing` events.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use tracing_core::field::{Field, Visit};
use tracing_core::{Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::families::recent::LONGEST_TEXT;
use crate::labels::value::OTHER;
use crate::labels::{EventType, Severity};
use crate::report::Topic;
use crate::shown::quoted;
use crate::{LabelValue, Metrics};

/// The maximum length in bytes of a field that becomes a label: a longer one is prose, not an id.
const LONGEST: usize = 128;

/// The stored part of a message, plus one character, which shows that there was more.
const MESSAGE: usize = LONGEST_TEXT + char::MAX.len_utf8();

/// The severities of WARN and ERROR.
const SEVERITIES: [Severity; 2] = [Severity::Warning, Severity::Error];

/// A layer of a `tracing` subscriber that counts WARN and ERROR events which carry a field `type` in
/// [`operational_events_total`](crate::catalogue::OPERATIONAL_EVENTS_TOTAL).
///
/// ```
/// use bot_metrics::{EventLayer, assert_metric, testing};
/// use tracing_subscriber::prelude::*;
///
/// let (metrics, _) = testing::instance();
/// let subscriber = tracing_subscriber::registry().with(EventLayer::new(metrics.clone()));
/// # let _default =
/// tracing::subscriber::set_default(subscriber);
///
/// let (symbol, why) = ("BTCUSDT", "connection reset");
/// tracing::error!("type" = "ORDER_FAILURE", profile_id = "maker", symbol, "order not placed: {why}");
/// assert_metric!(
///     metrics,
///     "bytelyst_bot_operational_events_total{severity='ERROR',type='ORDER_FAILURE',symbol='BTCUSDT'}",
///     1
/// );
/// ```
///
/// | part of the event | becomes |
/// | --- | --- |
/// | level WARN, ERROR | `severity` WARNING, ERROR; other levels are not counted |
/// | field `type` (also spelled `r#type`) | `type`, if it is one of the known types |
/// | field `profile_id`, `symbol` | the labels of that name, within their limits; over 128 bytes "other" |
/// | message | the text in [`Metrics::recent_events`](crate::Metrics::recent_events), never a label |
/// | other fields | nothing |
///
/// A field may be a string, or any value recorded with `%` or `?`; surrounding quotes are removed. An unknown type is
/// reported to the [report hook](crate::Settings::on_report) with the location of the event, and never becomes a
/// label. Fields of spans are not read.
///
/// Every type is exported as 0 with both severities as soon as the layer is created: 50 series for the library's
/// types. The types that a bot uses through `tracing` are not known at link time, and a list kept beside the code
/// would miss the event that was forgotten, whose first count no rule can see; a series that stays at 0 costs one
/// line. To export fewer types, use your own enum: see [`with_types`](Self::with_types).
///
/// Known types, profiles and symbols cost no allocation. Events that a field's own `Debug` implementation emits while
/// an event is being counted are left to other layers.
///
/// Needs the feature `tracing`.
pub struct EventLayer<T = EventType> {
    metrics: Metrics,
    types: PhantomData<fn() -> T>,
}

impl EventLayer {
    /// Counts the types of [`labels::EventType`](crate::labels::EventType).
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self::with_types(metrics)
    }
}

impl<T: LabelValue> EventLayer<T> {
    /// Counts the types of the bot's own enum: `EventLayer::<labels::EventType>::with_types(metrics)`.
    #[must_use]
    pub fn with_types(metrics: Metrics) -> Self {
        const { crate::labels::vocabulary::require_type::<T>("event type") };
        for severity in SEVERITIES {
            for kind in T::VALUES {
                metrics.core.events.bare(severity.as_str(), kind);
            }
        }
        Self { metrics, types: PhantomData }
    }

    fn count(&self, severity: Severity, event: &tracing_core::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let kind = fields.kind.as_str();
        let Some(known) = T::VALUES.iter().copied().find(|value| kind == Some(*value)) else {
            return self.tell_unknown(&fields, event);
        };
        let (profile, symbol) = (fields.profile.label(), fields.symbol.label());
        let event = self.metrics.core.event(severity.as_str(), known).profile(profile).symbol(symbol);
        event.text(fields.message.beginning()).record();
    }

    fn tell_unknown(&self, fields: &Fields, event: &tracing_core::Event<'_>) {
        let metadata = event.metadata();
        let kind = format!("{}{}", fields.kind.beginning(), if fields.kind.is_cut { "…" } else { "" });
        let file = metadata.file().unwrap_or_else(|| metadata.target());
        let place = format!("{file}:{}", metadata.line().unwrap_or_default());
        self.metrics.settings().report.tell(
            Topic::EventType,
            &place,
            format_args!(
                "an event in {place} is not counted: unknown event type {}; known: {}",
                quoted(&kind),
                T::VALUES.join(", ")
            ),
        );
    }
}

impl<T> Clone for EventLayer<T> {
    fn clone(&self) -> Self {
        Self { metrics: self.metrics.clone(), types: PhantomData }
    }
}

impl<T> fmt::Debug for EventLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLayer").finish_non_exhaustive()
    }
}

impl<S: Subscriber, T: LabelValue> Layer<S> for EventLayer<T> {
    fn on_event(&self, event: &tracing_core::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let severity = match *metadata.level() {
            Level::WARN => Severity::Warning,
            Level::ERROR => Severity::Error,
            _ => return,
        };
        if metadata.fields().iter().any(|field| name(&field) == "type")
            && let Some(_counting) = Counting::begin()
        {
            self.count(severity, event);
        }
    }
}

/// Some spellings of raw identifiers keep their prefix.
fn name(field: &Field) -> &'static str {
    field.name().strip_prefix("r#").unwrap_or(field.name())
}

/// Marks that this thread is counting an event.
struct Counting;

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
}

impl Counting {
    /// Returns `None` if the thread is counting one already, or is ending.
    fn begin() -> Option<Self> {
        let was = COUNTING.try_with(|counting| counting.replace(true)).ok()?;
        (!was).then(|| Self)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        // A thread that is ending has nothing to reset.
        let _ = COUNTING.try_with(|counting| counting.set(false));
    }
}

#[derive(Default)]
struct Fields {
    kind: Short<LONGEST>,
    profile: Short<LONGEST>,
    symbol: Short<LONGEST>,
    message: Short<MESSAGE>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let label = match name(field) {
            "type" => &mut self.kind,
            "profile_id" => &mut self.profile,
            "symbol" => &mut self.symbol,
            "message" => return self.message.write(value),
            _ => return,
        };
        label.write(value);
        label.unquote();
    }
}

/// A string on the stack, of at most `N` bytes.
struct Short<const N: usize> {
    bytes: [u8; N],
    start: usize,
    end: usize,
    is_cut: bool,
}

impl<const N: usize> Default for Short<N> {
    fn default() -> Self {
        Self { bytes: [0; N], start: 0, end: 0, is_cut: false }
    }
}

impl<const N: usize> Short<N> {
    /// The whole string; `None` if it was too long.
    fn as_str(&self) -> Option<&str> {
        (!self.is_cut).then(|| self.beginning())
    }

    /// The part of the string that fitted.
    fn beginning(&self) -> &str {
        // Only whole characters were written.
        str::from_utf8(&self.bytes[self.start..self.end]).unwrap_or_default()
    }

    fn label(&self) -> &str {
        self.as_str().unwrap_or(OTHER)
    }

    fn write(&mut self, value: &dyn fmt::Debug) {
        // It notes itself when it is full.
        let _ = write!(self, "{value:?}");
    }

    /// Removes the quotes that `Debug` adds to a string.
    fn unquote(&mut self) {
        if let [b'"', .., b'"'] = self.bytes[self.start..self.end] {
            self.start += 1;
            self.end -= 1;
        }
    }
}

impl<const N: usize> fmt::Write for Short<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_cut {
            return Err(fmt::Error);
        }
        let mut fits = text.len().min(N - self.end);
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        self.bytes[self.end..self.end + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.end += fits;
        self.is_cut = fits < text.len();
        if self.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, OnceLock};

    use tracing::{debug, error, info, warn};
    use tracing_subscriber::prelude::*;

    use super::*;
    use crate::testing::{ABSENT, Samples, flush_reports, instance};
    use crate::{Mode, Settings, assert_metric};

    const EVENTS: &str = "bytelyst_bot_operational_events_total";

    /// Runs `body` under a layer with a separate instance, and returns the instance.
    fn counted(body: impl FnOnce()) -> Metrics {
        let (metrics, _) = instance();
        let subscriber = tracing_subscriber::registry().with(EventLayer::new(metrics.clone()));
        tracing::subscriber::with_default(subscriber, body);
        metrics
    }

    fn total(metrics: &Metrics) -> f64 {
        Samples::of(metrics).sum(EVENTS, &[])
    }

    #[test]
    fn warnings_and_errors_with_a_type_are_counted_with_their_labels() {
        let metrics = counted(|| {
            error!("type" = "ORDER_FAILURE", profile_id = "maker", symbol = "BTCUSDT", "failed");
            error!("type" = "ORDER_FAILURE", profile_id = "maker", symbol = "BTCUSDT", attempt = 2, "again");
            warn!(r#type = "RATE_LIMITED", retry_s = 4.5);
            warn!(symbol = "ETHUSDT", "type" = "STALE_MARKET_DATA");
        });
        assert_metric!(
            metrics,
            "bytelyst_bot_operational_events_total{severity='ERROR',type='ORDER_FAILURE',profile_id='maker',symbol='BTCUSDT'}",
            2
        );
        assert_metric!(
            metrics,
            "bytelyst_bot_operational_events_total{severity='WARNING',type='RATE_LIMITED',profile_id='',symbol=''}",
            1
        );
        assert_metric!(metrics, "bytelyst_bot_operational_events_total{symbol='ETHUSDT'}", 1);
        assert_eq!(total(&metrics), 4.0);
    }

    #[test]
    fn other_levels_and_events_without_a_type_are_not() {
        let metrics = counted(|| {
            info!("type" = "STARTED");
            debug!("type" = "STARTED");
            error!(kind = "ORDER_FAILURE", "no type");
            warn!("type");
            tracing::error_span!("span", "type" = "ORDER_FAILURE").in_scope(|| error!("in it"));
        });
        assert_eq!(total(&metrics), 0.0);
    }

    #[test]
    fn fields_may_be_recorded_by_display_or_debug() {
        struct Kind;
        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("ORDER_")?;
                f.write_str("REJECTED")
            }
        }
        let metrics = counted(|| {
            let symbol = String::from("SOLUSDT");
            error!("type" = %Kind, profile_id = 17, ?symbol);
            error!("type" = ?"ORDER_REJECTED", profile_id = %17, symbol = %symbol);
        });
        assert_metric!(
            metrics,
            "bytelyst_bot_operational_events_total{type='ORDER_REJECTED',profile_id='17',symbol='SOLUSDT'}",
            2
        );
    }

    #[test]
    fn an_unknown_type_is_reported_with_its_location_and_never_a_label() {
        static METRICS: OnceLock<Metrics> = OnceLock::new();
        let told = Arc::new(Mutex::new(Vec::new()));
        let settings = Settings::new(Mode::Paper).on_report(Arc::new({
            let told = Arc::clone(&told);
            move |line: &str| {
                told.lock().unwrap().push(line.to_owned());
                // A hook that logs to the same subscriber must not cause another report.
                let layer = EventLayer::new(METRICS.get().expect("it is there").clone());
                tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
                    error!("type" = "nonsense of the hook's", "{line}");
                });
            }
        }));
        let metrics = METRICS.get_or_init(|| settings.build().expect("legal"));
        let subscriber = tracing_subscriber::registry().with(EventLayer::new(metrics.clone()));
        let line = line!() + 2;
        tracing::subscriber::with_default(subscriber, || {
            error!("type" = "order of 12 failed at 08:15");
            error!("type" = "x".repeat(1_000));
            error!("type" = "");
        });
        assert_eq!(total(metrics), 0.0);
        flush_reports(metrics);
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 3, "{told:?}");
        let place = format!("event_layer.rs:{line} is not counted: unknown event type");
        assert!(
            told[0].contains(&format!("{place} \"order of 12 failed at 08:15\"; known: ORDER_PLACED, ")),
            "{}",
            told[0]
        );
        assert!(told[1].contains(&format!("unknown event type \"{}…\"", "x".repeat(LONGEST))), "{}", told[1]);
    }

    #[test]
    fn open_labels_are_limited_in_number_and_length() {
        let metrics = Settings::new(Mode::Paper).profile_limit(2).symbol_limit(2).build().expect("legal");
        let subscriber = tracing_subscriber::registry().with(EventLayer::new(metrics.clone()));
        tracing::subscriber::with_default(subscriber, || {
            for profile in 0..10 {
                error!("type" = "ORDER_FAILURE", profile_id = profile);
            }
            error!("type" = "ORDER_FAILURE", symbol = "S".repeat(LONGEST + 1));
        });
        assert_metric!(metrics, "bytelyst_bot_operational_events_total{profile_id='other'}", 8);
        assert_metric!(metrics, "bytelyst_bot_operational_events_total{symbol='other'}", 1);
        assert_metric!(metrics, "bytelyst_bot_operational_events_total{profile_id='2'}", ABSENT);
        assert_metric!(
            metrics,
            "bytelyst_bot_label_overflow_total{label='profile_id',metric='bytelyst_bot_operational_events_total'}",
            8
        );
    }

    #[test]
    fn messages_are_stored_with_their_events_and_cut() {
        let metrics = counted(|| {
            error!("type" = "ORDER_FAILURE", symbol = "BTCUSDT", "order {} not placed", 12);
            warn!("type" = "RECONNECT");
            warn!("type" = "RECONNECT", "{}", "ä".repeat(1_000));
            info!("type" = "STARTED", "not counted");
        });
        let recent = metrics.recent_events();
        let said: Vec<_> =
            recent.iter().map(|event| (event.event_type.as_str(), event.text.as_str())).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[1], ("ORDER_FAILURE", "order 12 not placed"));
        assert_eq!((recent[1].symbol.as_str(), recent[1].severity.as_str()), ("BTCUSDT", "ERROR"));
        assert!(said[0].1.starts_with("äää") && said[0].1.ends_with('…'), "{said:?}");
    }

    /// The subscriber of a thread drops such events itself; the global one does not.
    #[test]
    fn every_event_emitted_while_one_is_counted_is_ignored() {
        let counting = Counting::begin();
        assert!(counting.is_some());
        assert!((0..3).all(|_| Counting::begin().is_none()));
        drop(counting);
        assert!(Counting::begin().is_some());
    }

    #[test]
    fn a_field_that_panics_leaves_the_layer_usable() {
        struct Panics;
        impl fmt::Debug for Panics {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("on purpose")
            }
        }
        let metrics = counted(|| {
            let _ = std::panic::catch_unwind(|| error!("type" = "ORDER_FAILURE", symbol = ?Panics));
            error!("type" = "ORDER_FAILURE");
        });
        assert_eq!(total(&metrics), 1.0);
    }

    #[test]
    fn a_bots_own_types_are_counted() {
        #[derive(Clone, Copy, Debug, LabelValue)]
        #[label(rename_all = "SCREAMING_SNAKE_CASE", name = "event type")]
        enum EventType {
            MarginCall,
        }
        let _ = EventType::MarginCall;
        let (metrics, _) = instance();
        let layer = EventLayer::<EventType>::with_types(metrics.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            error!("type" = "MARGIN_CALL");
            error!("type" = "ORDER_FAILURE");
        });
        assert_metric!(
            metrics,
            "bytelyst_bot_operational_events_total{severity='ERROR',type='MARGIN_CALL'}",
            1
        );
        assert_eq!(total(&metrics), 1.0);
    }

    #[test]
    fn every_type_is_zero_with_both_severities_once_the_layer_is_created() {
        let metrics = counted(|| {});
        let samples = Samples::of(&metrics);
        for kind in EventType::VALUES {
            for severity in ["WARNING", "ERROR"] {
                let labels = [("severity", severity), ("type", *kind), ("profile_id", ""), ("symbol", "")];
                assert_eq!(samples.value(EVENTS, &labels), Some(0.0), "{severity} {kind}");
            }
        }
        assert_eq!(samples.matching(EVENTS, &[]).count(), 2 * EventType::VALUES.len());
    }
}
