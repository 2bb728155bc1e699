//! The checker of pages against pages that break a rule, pages that keep all of them, and damaged pages.

mod broken;
mod damaged;
mod sound;
