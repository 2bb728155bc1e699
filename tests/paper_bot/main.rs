//! The demo bot from outside, as its users and its scraper see it.

mod bad_input;
mod ending;
mod faults;
mod signs;
mod trading;
