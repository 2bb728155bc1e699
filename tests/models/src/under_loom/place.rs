//! A slot of the ring of events.

use std::sync::Arc;

use super::become_writer;
use super::place::EventRecord;

fn read(place: &EventRecord<2>, number: u64) -> Option<u64> {
    place.read(number).map(|[first, second]| {
        assert_eq!((first, second), (number, 10 * number), "torn, or from another event");
        number
    })
}

fn write(place: &EventRecord<2>, number: u64) {
    place.write(number, [number, 10 * number].into_iter());
}

/// Events by one thread, while another reads each of them.
pub(super) fn check(events: u64) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(move || {
        let place = Arc::new(EventRecord::<2>::new());
        let writer = loom::thread::spawn({
            let place = Arc::clone(&place);
            move || {
                become_writer();
                (1..=events).for_each(|number| write(&place, number));
            }
        });
        for number in 1..=events {
            read(&place, number);
        }
        writer.join().expect("it does not panic");
        assert_eq!(read(&place, events), Some(events), "the writer has ended");
    });
}

/// Two threads write events of the same slot at once, while another reads both: one event remains, and it is the
/// later one unless its writer found the other still writing.
pub(super) fn check_rivals() {
    loom::model(|| {
        let place = Arc::new(EventRecord::<2>::new());
        let writers = [1, 2].map(|number| {
            let place = Arc::clone(&place);
            loom::thread::spawn(move || write(&place, number))
        });
        read(&place, 2);
        read(&place, 1);
        for writer in writers {
            writer.join().expect("it does not panic");
        }
        let stand = (read(&place, 1), read(&place, 2));
        assert!(matches!(stand, (Some(1), None) | (None, Some(2))), "{stand:?}");
    });
}
