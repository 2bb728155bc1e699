//! The smaller demo bots as processes: each shows its topic, and all start, fail and stop in the same way.

mod alike;
mod topics;
