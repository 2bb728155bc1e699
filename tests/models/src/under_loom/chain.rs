//! A list that two threads append to.

use super::chain::List;
use super::element::{append, values};

/// No appended element is missing, duplicated, or visible before it is initialised.
pub(super) fn check() {
    loom::model(|| {
        let list: &'static _ = Box::leak(Box::new(List::new()));
        assert_eq!(values(list), []);
        let writers = [1, 2].map(|value| loom::thread::spawn(move || append(list, value)));
        let (before, after) = (values(list), values(list));
        assert!(after.starts_with(&before), "{before:?}, then {after:?}");
        for writer in writers {
            writer.join().expect("it does not panic");
        }
        let mut all = values(list);
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
}
