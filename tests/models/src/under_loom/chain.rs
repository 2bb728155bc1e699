//! A list that two threads append to.

use super::chain::{Link, Linked};
use super::sync::{AtomicU64, Ordering::Relaxed};

#[derive(Debug)]
struct Element {
    value: AtomicU64,
    link: Link<Self>,
}

impl Linked for Element {
    fn link(&self) -> &Link<Self> {
        &self.link
    }
}

/// Nothing that was appended is missing, twice there, or seen before it was made.
pub(super) fn check() {
    loom::model(|| {
        let list: &'static Link<Element> = Box::leak(Box::default());
        let values = || {
            let values: Vec<u64> = list.iter().map(|element| element.value.load(Relaxed)).collect();
            assert!(!values.contains(&0), "seen before it was made: {values:?}");
            values
        };
        assert_eq!(values(), []);
        let writers = [1, 2].map(|value| {
            loom::thread::spawn(move || {
                let element: &'static Element =
                    Box::leak(Box::new(Element { value: AtomicU64::new(0), link: Link::new() }));
                element.value.store(value, Relaxed);
                // Its atomic is made here and not by who comes to it.
                assert_eq!(element.link.iter().count(), 0);
                list.append(element);
            })
        });
        let (before, after) = (values(), values());
        assert!(after.starts_with(&before), "{before:?}, then {after:?}");
        for writer in writers {
            writer.join().expect("it does not panic");
        }
        let mut all = values();
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
}
