//! `metrics!`: families of a bot's own.

mod expand;
mod parse;

use proc_macro2::TokenStream;

use crate::library::Switch;

/// The declared families, each with the mistakes found in it.
pub(crate) fn metrics(switch: Switch, declarations: TokenStream) -> TokenStream {
    let (families, errors) = parse::read(declarations);
    let families = families.iter().map(|family| expand::expand(switch, family));
    // Bare, so that the compiler does not report every use of a family that could not be read.
    errors.bare().into_iter().chain(families.flatten()).collect()
}
