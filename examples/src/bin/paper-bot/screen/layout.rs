//! The screen's contents: which figures are shown where, for a terminal of any size.

use bot_metrics::AgeOrigin;
use bot_metrics::status::SubsystemState;
use bot_metrics_examples::demo::{Line, Tone};

use super::row::{Column, Row, Span, numbers, table, words};
use crate::figures::{CallFigures, Figures, LoopFigures, ProfileFigures};

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// Everything that is shown.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) figures: &'a Figures,
    /// The last lines that were said, oldest first.
    pub(crate) lines: &'a [Line],
    /// The last orders, oldest first.
    pub(crate) orders: &'a [String],
}

/// The fewest rows at the bottom for lines and orders with their titles.
const FEWEST_LINES: usize = 6;

const LOOPS: [Column; 5] = [
    words("loop", 0),
    words("state", 0),
    numbers("last success", 0),
    numbers("limit", 2),
    words("last run", 1),
];

const PROFILES: [Column; 7] = [
    words("profile", 0),
    numbers("placed", 2),
    numbers("fills", 1),
    numbers("cancelled", 4),
    numbers("open", 3),
    numbers("capital used", 0),
    numbers("profit USDT", 0),
];

const CALLS: [Column; 6] = [
    words("recent calls", 0),
    numbers("per s", 3),
    numbers("p50 ms", 0),
    numbers("p99 ms", 0),
    numbers("rejected", 2),
    numbers("failed", 1),
];

/// The rows of the screen, none of which is larger than the terminal.
pub(crate) fn draw(view: &View<'_>, size: Size) -> Vec<Row> {
    let figures = view.figures;
    let loops = table(&LOOPS, &figures.loops.iter().map(loop_cells).collect::<Vec<_>>(), size.columns);
    let profiles =
        table(&PROFILES, &figures.profiles.iter().map(profile_cells).collect::<Vec<_>>(), size.columns);
    let mut sections = vec![header(figures, size.columns), loops, profiles, faults(figures)];
    let taken: usize = sections.iter().map(Vec::len).sum();
    let left = size.rows.saturating_sub(taken);
    // Beside few calls there is room for many lines.
    let calls = calls(&figures.calls, (left / 2).min(left.saturating_sub(FEWEST_LINES)), size.columns);
    let left = left.saturating_sub(calls.len());
    sections.insert(3, calls);
    // An empty row before each section, if at least as many are left for the lines.
    let is_roomy = left >= sections.len() + 2 * FEWEST_LINES;
    let gaps = if is_roomy { sections.len() } else { 0 };
    sections.push(news(view, left - gaps, size.columns));
    let mut rows: Vec<_> = sections.into_iter().fold(Vec::new(), |mut rows, section| {
        if is_roomy && !rows.is_empty() && !section.is_empty() {
            rows.push(Row::default());
        }
        rows.extend(section);
        rows
    });
    rows.truncate(size.rows);
    rows.into_iter().map(|row| row.fitted(size.columns)).collect()
}

fn header(figures: &Figures, columns: usize) -> Vec<Row> {
    let page = match &figures.url {
        Some(url) => Span::from(url.clone()).bold(),
        None => Span::new(Tone::Bad, "metrics are not served"),
    };
    let mode =
        Span::new(if figures.mode == "paper" { Tone::Plain } else { Tone::Warning }, &figures.mode).bold();
    let up = format!("  up {}", period(figures.uptime_seconds));
    let weight = figures.weight_used_ratio.map(|used| {
        let tone = if used > 0.8 { Tone::Warning } else { Tone::Plain };
        Span::new(tone, format!("  request weight {:.0} % used", used * 100.0))
    });
    let mut row = Row([page, "  ".to_owned().into(), mode, up.into()].into_iter().chain(weight).collect());
    let hint = Span::new(Tone::Dim, "  Ctrl-C ends it");
    if row.width() + hint.text.len() <= columns {
        row.0.push(hint);
    }
    let verdict = Span::new(if figures.is_well { Tone::Good } else { Tone::Bad }, &figures.verdict).bold();
    vec![row, verdict.into()]
}

fn loop_cells(figures: &LoopFigures) -> Vec<Span> {
    let (tone, word) = match figures.state {
        SubsystemState::Fresh => (Tone::Good, "● fresh"),
        SubsystemState::Waiting => (Tone::Dim, "○ waiting"),
        SubsystemState::Paused => (Tone::Warning, "‖ paused"),
        SubsystemState::Failing if figures.is_alive => (Tone::Warning, "▲ failing"),
        SubsystemState::Failing => (Tone::Bad, "■ FAILING"),
        SubsystemState::Stalled => (Tone::Bad, "■ STALLED"),
        SubsystemState::Hung => (Tone::Bad, "■ HUNG"),
        _ => (Tone::Warning, "? unknown"),
    };
    let last_run = match (figures.paused.as_ref(), figures.running_seconds, figures.last_outcome.as_ref()) {
        (Some(reason), ..) => Span::new(Tone::Warning, reason.clone()),
        (None, Some(running), _) if figures.state == SubsystemState::Hung => {
            Span::new(Tone::Bad, format!("running for {}", period(running)))
        }
        (None, _, Some(outcome)) if outcome == "ok" => Span::new(Tone::Good, "ok"),
        (None, _, Some(outcome)) => Span::new(Tone::Warning, outcome.clone()),
        (None, _, None) => Span::new(Tone::Dim, "-"),
    };
    vec![
        Span::from(figures.name.clone()).bold(),
        Span::new(tone, word),
        format!("{}{} ago", origin(figures.age_origin), period(figures.age_seconds)).into(),
        period(figures.limit_seconds).into(),
        last_run,
    ]
}

/// What happened instead of a success at the moment from which on a loop's age counts.
fn origin(origin: AgeOrigin) -> &'static str {
    match origin {
        AgeOrigin::Succeeded => "",
        AgeOrigin::Skipped => "skip ",
        AgeOrigin::Resumed => "resumed ",
        _ => "started ",
    }
}

fn profile_cells(figures: &ProfileFigures) -> Vec<Span> {
    let used = match figures.capital_used_percent {
        Some(used) if used > 100.0 || figures.is_below_zero => Span::new(Tone::Bad, format!("▲ {used:.1} %")),
        Some(used) => format!("{used:.1} %").into(),
        None => Span::new(Tone::Warning, "unknown"),
    };
    let profit = figures.profit_usdt.map_or_else(
        || Span::new(Tone::Dim, "-"),
        |profit| Span::new(if profit < 0.0 { Tone::Warning } else { Tone::Good }, format!("{profit:+.2}")),
    );
    vec![
        Span::from(figures.name.clone()).bold(),
        figures.placed.to_string().into(),
        figures.fills.to_string().into(),
        figures.cancelled.to_string().into(),
        figures.open.map_or_else(|| "-".to_owned(), |open| format!("{open:.0}")).into(),
        used,
        profit,
    ]
}

/// The operations in at most `most` rows, of which the last one counts those for which there is no room.
fn calls(figures: &[CallFigures], most: usize, width: usize) -> Vec<Row> {
    let mut used: Vec<_> = figures.iter().filter(|figures| figures.is_in_use()).collect();
    let per_second = |figures: &CallFigures| figures.per_second.unwrap_or_default();
    used.sort_by(|a, b| b.failed.cmp(&a.failed).then(per_second(b).total_cmp(&per_second(a))));
    let room = most.saturating_sub(1);
    let hidden = if used.len() > room { used.len() + 1 - room.max(1) } else { 0 };
    let cells: Vec<_> = used.iter().take(used.len() - hidden).map(|figures| call_cells(figures)).collect();
    let mut rows = table(&CALLS, &cells, width);
    if hidden > 0 {
        rows.push(Span::new(Tone::Dim, format!("and {hidden} more")).into());
    }
    rows
}

fn call_cells(call: &CallFigures) -> Vec<Span> {
    let shown = |figure: Option<String>| Span::from(figure.unwrap_or_else(|| "-".to_owned()));
    let millis = |seconds: Option<f64>| shown(seconds.map(|seconds| format!("{:.0}", seconds * 1e3)));
    let has_failed = call.failed.is_some_and(|failed| failed > 0);
    let failed = shown(call.failed.map(|count| count.to_string()));
    vec![
        Span::from(call.operation.clone()).bold(),
        shown(call.per_second.map(|rate| format!("{rate:.1}"))),
        millis(call.p50_seconds),
        millis(call.p99_seconds),
        shown(call.rejected.map(|count| count.to_string())),
        if has_failed { Span { tone: Tone::Bad, ..failed } } else { failed },
    ]
}

fn faults(figures: &Figures) -> Vec<Row> {
    let fault = |fault: &crate::figures::FaultFigures| {
        let name = Span::new(Tone::Warning, format!("fault {}", fault.name)).bold();
        Row(vec![name, Span::from(format!(": see {}", fault.see))])
    };
    figures.faults.iter().map(fault).collect()
}

/// The last lines and orders, the newest at the bottom, in exactly `height` rows.
fn news(view: &View<'_>, height: usize, columns: usize) -> Vec<Row> {
    let rows = |line: &Line| {
        let tone = line.tone;
        line.rows(columns).into_iter().map(move |row| Span::new(tone, row).into()).collect::<Vec<Row>>()
    };
    let lines: Vec<_> = view.lines.iter().flat_map(rows).collect();
    let orders: Vec<_> = view.orders.iter().map(|order| Span::from(order.clone()).into()).collect();
    // A third is for orders, or more if there are few lines.
    let for_lines = (height - height / 3).min(lines.len() + 1);
    let for_lines = if height - for_lines > 1 { for_lines } else { height };
    let mut news = section("messages", lines, for_lines);
    news.extend(section("orders", orders, height - for_lines));
    news
}

/// A title and the last rows, in exactly `height` rows.
fn section(title: &'static str, rows: Vec<Row>, height: usize) -> Vec<Row> {
    let Some(room) = height.checked_sub(1) else { return Vec::new() };
    let skipped = rows.len().saturating_sub(room);
    let mut section = vec![Span::new(Tone::Dim, title).into()];
    section.extend(rows.into_iter().skip(skipped));
    section.resize(height, Row::default());
    section
}

/// A duration in at most six characters.
fn period(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a duration; the cast saturates"
    )]
    let whole = seconds as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..100 => format!("{whole} s"),
        100..6_000 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3_600, whole / 60 % 60),
    }
}
