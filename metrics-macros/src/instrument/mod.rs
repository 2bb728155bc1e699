//! The attributes over functions and `impl` blocks.
//!
//! `validate` makes a `model` of an attribute's arguments and its item. `expand` turns the model into tokens: `site` and
//! `family_site` start a guard, `classify` says how a returned value ends it, `run` runs the body under it, and `stacked`
//! adds it to the guards of an attribute that was expanded before.

mod classify;
pub(crate) mod expand;
mod family_site;
#[cfg(test)]
mod golden;
mod model;
mod refusal;
mod run;
mod site;
mod stacked;
mod validate;
