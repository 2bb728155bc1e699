//! The demo bot as a process, seen by its users and its scraper.

mod bad_input;
mod ending;
mod faults;
mod random_faults;
mod signs;
mod trading;
