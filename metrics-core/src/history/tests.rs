use super::*;
use crate::catalogue::EXCHANGE_API_LATENCY_BUCKETS;
use crate::clock::Stamp;

const BUCKETS: usize = EXCHANGE_API_LATENCY_BUCKETS.len() + 1;

fn labels(exchange: &'static str) -> SeriesLabels {
    vec![exchange.into(), "place_order".into()]
}

/// A reading at this second, with this many calls of 5 to 10 ms, and as many failures.
fn reading(ms: u64, calls: u64, failures: u64) -> HistoryReading {
    let mut counts = CallCounts { buckets: vec![0; BUCKETS], ..CallCounts::default() };
    counts.buckets[1] = calls + failures;
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let sum = (calls + failures) as f64 * 0.008;
    counts.sum = sum;
    counts.outcomes[0] = calls;
    counts.outcomes[6] = failures;
    let at = Stamp { boot_time: Duration::from_millis(ms), wall: Duration::from_millis(1_000_000 + ms) };
    let series = |labels, counts| CountedSeries { values: [(labels, counts)].into(), is_cut: false };
    HistoryReading {
        at,
        operations: series(labels("okx"), counts.clone()),
        subsystems: series(vec!["trading".into()], counts),
        utilization: [(vec!["maker".into()], 12.345)].into(),
        ..HistoryReading::default()
    }
}

fn add(history: &mut HistoryRings, reading: HistoryReading) -> Option<Depth> {
    let depth = history.due(reading.at.boot_time)?;
    let next = history.steps.rows.back().map_or(1, |row| row.sequence + 1);
    history.add(depth, reading, || next);
    Some(depth)
}

/// The calls of each step.
fn calls(history: &HistoryRings) -> Vec<Option<u32>> {
    let cells = history.steps.operations.columns[0].cells.iter();
    cells.map(|cell| cell.as_ref().map(|step| step.outcomes.iter().sum())).collect()
}

#[test]
fn each_second_reads_no_more_than_it_needs() {
    let mut history = HistoryRings::default();
    let depths: Vec<_> = (0..=60).map(|second| add(&mut history, reading(second * 1_000, 0, 0))).collect();
    for (second, depth) in depths.into_iter().enumerate() {
        let expected = match second {
            0 | 30 | 60 => Depth::Window,
            second if second % 5 == 0 => Depth::Step,
            _ => Depth::Beat,
        };
        assert_eq!(depth, Some(expected), "second {second}");
    }
    assert_eq!(add(&mut history, reading(60_300, 0, 0)), None, "a second server");
}

#[test]
fn a_step_has_what_was_counted_within_it() {
    let mut history = HistoryRings::default();
    for (second, calls, failures) in [(0, 1_000, 10), (5, 1_100, 10), (10, 1_100, 13), (15, 1_100, 13)] {
        add(&mut history, reading(second * 1_000, calls, failures));
    }
    let lengths: Vec<_> = history.steps.rows.iter().map(|row| row.length).collect();
    assert_eq!(lengths, [Some(STEP); 3]);
    assert_eq!(calls(&history), [Some(100), Some(3), Some(0)]);
    let column = &history.steps.operations.columns[0];
    let steps: Vec<_> = column.cells.iter().flatten().collect();
    assert_eq!([steps[0].outcomes[6], steps[1].outcomes[6]], [0, 3]);
    assert_eq!(steps[0].durations, [0.0075, 0.0095, 0.01]);
    assert!(steps[2].durations[0].is_nan(), "nothing ended");
    let means: Vec<_> =
        history.steps.subsystems.columns[0].cells.iter().flatten().map(|step| step.durations).collect();
    assert!(means[0] == 0.008 && means[2].is_nan(), "{means:?}");
    assert_eq!(history.steps.utilization.columns[0].cells.back(), Some(&Some(12.3)));
}

#[test]
fn a_late_sampling_leaves_one_gap_and_no_wrong_rate() {
    for late in [6_501, 60_000, 3_600_000] {
        let mut history = HistoryRings::default();
        for (ms, calls) in [(0, 0), (5_000, 5), (5_000 + late, 500), (10_000 + late, 507)] {
            add(&mut history, reading(ms, calls, 0));
        }
        assert_eq!(calls(&history), [Some(5), None, Some(7)], "{late} ms");
        let lengths: Vec<_> = history.steps.rows.iter().map(|row| row.length.is_some()).collect();
        assert_eq!(lengths, [true, false, true]);
        let utilization: Vec<_> =
            history.steps.utilization.columns[0].cells.iter().map(Option::is_some).collect();
        assert_eq!(utilization, [true, false, true]);
    }
    let mut history = HistoryRings::default();
    for (ms, calls) in [(0, 0), (6_400, 5)] {
        add(&mut history, reading(ms, calls, 0));
    }
    assert_eq!(calls(&history), [Some(5)], "its length is known");
}

#[test]
fn counts_that_fell_are_not_known() {
    let mut history = HistoryRings::default();
    for (second, calls) in [(0, 100), (5, 110), (10, 3), (15, 5)] {
        add(&mut history, reading(second * 1_000, calls, 0));
    }
    assert_eq!(calls(&history), [Some(10), None, Some(2)]);
}

#[test]
fn the_last_quarter_of_an_hour_is_kept() {
    let mut history = HistoryRings::default();
    for step in 0..=1_000 {
        add(&mut history, reading(step * 5_000, step * step, 0));
    }
    assert_eq!(history.steps.rows.len(), 180);
    let calls = calls(&history);
    assert_eq!((calls.len(), calls[0], calls[179]), (180, Some(2 * 821 - 1), Some(2 * 1_000 - 1)));
    assert_eq!(history.steps.rows[0].sequence, 821);
}

#[test]
fn a_series_that_begins_later_has_no_earlier_cells_and_one_that_ends_leaves() {
    let mut history = HistoryRings::default();
    for step in 0..=400 {
        let mut reading = reading(step * 5_000, step, 0);
        if (10..=200).contains(&step) {
            let counts = reading.operations.values[&labels("okx")].clone();
            reading.operations.values.insert(labels("kraken"), counts);
        }
        add(&mut history, reading);
        if step == 12 {
            let kraken =
                history.steps.operations.columns.iter().find(|column| column.labels == labels("kraken"));
            let cells: Vec<_> = kraken.expect("it has begun").cells.iter().map(Option::is_some).collect();
            assert_eq!(cells, [vec![false; 9], vec![true; 3]].concat());
        }
    }
    assert_eq!(history.steps.operations.columns.len(), 1);
}

#[test]
fn series_over_the_limits_are_left_out() {
    let name = |index: usize| -> &'static str { Box::leak(index.to_string().into_boxed_str()) };
    let names: Vec<_> = (0..200).map(name).collect();
    let long: &'static str = Box::leak("x".repeat(LONGEST_LABELS + 1).into_boxed_str());
    let mut history = HistoryRings::default();
    for step in 0..3 {
        let mut reading = reading(step * 5_000, step, 0);
        let counts = reading.operations.values[&labels("okx")].clone();
        for &name in names.iter().chain([&long]) {
            reading.operations.values.insert(labels(name), counts.clone());
            reading.subsystems.values.insert(vec![name.into()], counts.clone());
            reading.utilization.insert(vec![name.into()], 1.0);
            reading.own.values.insert((name, vec![name.into()]), vec![1; 200]);
        }
        add(&mut history, reading);
    }
    assert_eq!(history.steps.operations.columns.len(), MOST_OPERATIONS);
    assert_eq!(history.steps.subsystems.columns.len(), MOST_SUBSYSTEMS);
    assert_eq!(history.steps.utilization.columns.len(), MOST_PROFILES);
    let begin = history.window.begin(Duration::from_secs(10)).expect("it has begun");
    assert!(begin.operations.may_lack(&labels("absent")));
    assert!(begin.own.may_lack(&("absent", labels("absent"))));
    assert!((30..200).contains(&begin.own.values.len()), "{}", begin.own.values.len());
}

#[test]
fn the_window_is_thirty_to_sixty_seconds_long_and_begins_anew_after_a_pause() {
    let mut history = HistoryRings::default();
    let mut length = |ms: u64| {
        add(&mut history, reading(ms, 0, 0));
        let now = Duration::from_millis(ms);
        history.window.begin(now).map(|begin| now.saturating_sub(begin.at.boot_time).as_secs())
    };
    for second in 0..300 {
        let length = length(second * 1_000).expect("sampled");
        assert_eq!(length, if second < 60 { second } else { 30 + second % 30 }, "second {second}");
    }
    assert_eq!(length(400_000), Some(0));
    assert_eq!(length(410_000), Some(10));
    assert!(history.window.begin(Duration::from_secs(600)).is_none(), "nothing samples any more");
}

#[test]
fn a_beat_has_the_cycles_of_a_second() {
    let mut history = HistoryRings::default();
    for (second, cycles, failures) in [(0, 50, 0), (1, 50, 0), (2, 51, 0), (3, 51, 0), (4, 52, 2), (5, 52, 3)]
    {
        add(&mut history, reading(second * 1_000, cycles, failures));
    }
    let trading = vec!["trading".into()];
    let beats: Vec<_> =
        history.beats.of(&trading).map(|beat| (beat.cycles, beat.failed, beat.outcome)).collect();
    assert_eq!(beats, [(1, 0, "ok"), (3, 2, "timeout"), (1, 1, "timeout")]);
    let first = history.beats.of(&trading).next().expect("three");
    assert_eq!((first.at, first.mean), (Duration::from_secs(2), Some(0.008)));
    for second in 6..200 {
        add(&mut history, reading(second * 1_000, second * 2, 3));
    }
    assert_eq!(history.beats.of(&trading).count(), 60);
}
