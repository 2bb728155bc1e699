//! The demo bot as a process, seen by its users and its scraper.

mod bad_input;
mod customer;
mod ending;
mod faults;
mod killed;
mod random_faults;
mod records;
mod signs;
mod trading;
