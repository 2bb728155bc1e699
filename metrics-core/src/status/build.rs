//! Reads the state of an instance.

use std::time::{Duration, UNIX_EPOCH};

use super::fault_times::FaultTimes;
use super::past::History;
use super::shape::{Build, ScrapeStatus, Status, StatusEvent, VERSION};
use super::time::seconds;
use super::values::{MOST_OWN_SERIES, StatusValues, is_shown};
use super::{own, subsystems, verdict};
use crate::Metrics;
use crate::clock::Stamp;
use crate::families::recent::{RecentEvent, newest_of_each};
use crate::history::{HistoryReading, Steps};
use crate::storage::ENABLED;

/// The most events of each severity.
const MOST_EVENTS: usize = 12;

/// An event that was begun longer ago has been written.
const SETTLED: Duration = Duration::from_secs(1);

pub(super) fn status(metrics: &Metrics, asked: u64) -> Status {
    let (core, settings) = (&*metrics.core, metrics.settings());
    let at = core.clock.stamp();
    let recent = core.events.recent();
    let since = if asked > recent.last_sequence() { 0 } else { asked };
    let events = recent.all();
    let health = metrics.health();
    let selection = core.selected(is_shown, MOST_OWN_SERIES);
    let now = HistoryReading::of(&selection, at);
    let past = core.history.lock();
    let begin = past.as_ref().and_then(|past| past.window.begin(at.boot_time));
    let values = StatusValues { snapshot: &selection.snapshot, now: &now, begin };
    let (count, last) = core.scrapes.read();
    let capital = core.profiles.figures(at.boot_time);
    let no_steps = Steps::default();
    let steps = past.as_ref().map_or(&no_steps, |past| &past.steps);
    let mut notes = values.notes(steps);
    if selection.own_left_out > 0 {
        notes.left_out.insert("own_families".to_owned(), selection.own_left_out as u64);
    }
    let mut status = Status {
        version: VERSION,
        sequence: settled(&events, steps, at).max(since),
        since,
        now: seconds(at.wall),
        run: core.run.to_string(),
        started: seconds(core.created.wall(core.started.wall(at))),
        app: settings.app.clone(),
        env: settings.env.to_string(),
        mode: settings.mode().to_string(),
        build: Build { version: settings.version.clone(), revision: settings.revision.clone() },
        recording: ENABLED,
        scrapes: ScrapeStatus { count, last: last.map(seconds) },
        verdict: verdict::none(),
        window_seconds: values.window().map(seconds),
        subsystems: subsystems::of(&health, &values, past.as_deref()),
        operations: values.operations(),
        rate_limits: values.rate_limits(&core.rate_limits.refusals(at.boot_time)),
        market_data: values.market_data(&mut notes),
        profiles: values.profiles(&capital, past.as_ref().map(|past| &past.orders), &mut notes),
        reconciliation: values.reconciliation(&core.reconciliations),
        own_families: own::families(&values, &settings.namespace),
        events: newest(events, since),
        notes,
        history: History::of(steps, since, at),
    };
    let missing = core.reconciliations.missing_since();
    status.verdict = verdict::of(&status, &FaultTimes { now: at, steps, profiles: &capital, missing });
    status
}

/// The sequence number up to which nothing will be added.
fn settled(events: &[RecentEvent], steps: &Steps, now: Stamp) -> u64 {
    let until = UNIX_EPOCH + now.wall.saturating_sub(SETTLED);
    let events = events.iter().filter(|event| event.at <= until).map(|event| event.sequence);
    let until = now.boot_time.saturating_sub(SETTLED);
    let rows = steps.rows.iter().filter(|row| row.at <= until).map(|row| row.sequence);
    events.chain(rows).max().unwrap_or(0)
}

/// The newest events of each severity after this sequence number.
fn newest(events: Vec<RecentEvent>, since: u64) -> Vec<StatusEvent> {
    let newest = newest_of_each(events, MOST_EVENTS).into_iter();
    newest.filter(|event| event.sequence > since).map(StatusEvent::from).collect()
}

impl From<RecentEvent> for StatusEvent {
    fn from(event: RecentEvent) -> Self {
        let RecentEvent { sequence, at, severity, event_type, profile, symbol, text } = event;
        let at = seconds(at.duration_since(UNIX_EPOCH).unwrap_or_default());
        Self { sequence, at, severity, event_type, profile, symbol, text }
    }
}
