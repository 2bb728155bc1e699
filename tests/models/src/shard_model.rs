use self::shard::{End, Shard};
use self::sync::AtomicU64;
use crate::expected;

fn new_shard() -> Shard<()> {
    let counts = Vec::leak((0..5).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
    Shard::new(2, counts, 3, ((), 1))
}

fn write(shard: &Shard<()>, ends: usize) {
    for (at, (outcome, bucket, took)) in (1..).zip(expected::ENDS.into_iter().take(ends)) {
        if outcome == 0 {
            shard.end_quickly(took, at);
        } else {
            shard.end(&End { at, took, outcome, bucket, freshens: false });
        }
    }
}

fn read(shard: &Shard<()>) -> Option<usize> {
    shard.read().map(|totals| expected::ends(&totals.outcomes, &totals.buckets, totals.sum))
}

/// `ends` by one thread while another reads twice.
fn check(ends: usize, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let shard = Arc::new(new_shard());
        let writer = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
                become_writer();
                write(&shard, ends);
            }
        });
        let first = read(&shard);
        let second = read(&shard);
        if let (Some(first), Some(second)) = (first, second) {
            assert!(first <= second, "it fell");
        }
        writer.join().expect("it does not panic");
        assert_eq!(read(&shard), Some(ends), "nobody writes any more");
    });
}
