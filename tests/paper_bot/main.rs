//! The demo bot as a process, seen by its users and its scraper.

mod bad_input;
mod customer;
mod disk_full;
mod ending;
mod faults;
mod footprint;
mod killed;
mod output;
mod random_faults;
mod records;
mod screen;
mod signs;
mod status;
mod trading;
