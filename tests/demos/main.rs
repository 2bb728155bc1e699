//! The smaller demo bots from outside: each shows its topic, and all begin, fail and end alike.

mod alike;
mod topics;
