//! The attributes of `bot-metrics`; their documentation stands where that crate exports them.
//!
//! An attribute takes this way: `entries` and `args` read what was written by the table in `attr`, `item` reads the
//! function, `shape` says how its body can be run under a guard, `model` makes of all this what may be expanded,
//! and `expand`, with `site` and `params`, turns that into tokens. Every mistake found on the way is reported
//! at once, and the function is kept whatever is wrong.

use proc_macro::TokenStream;

mod args;
mod attr;
mod body;
#[cfg(test)]
mod documented;
mod ends;
mod entries;
mod errors;
mod expand;
mod family;
mod family_expand;
#[cfg(test)]
mod golden;
mod item;
mod label_case;
mod label_options;
mod label_value;
mod model;
mod params;
mod private;
mod returns;
mod run;
mod shape;
mod site;
mod stacked;
mod text_key;

use attr::Attribute;
use expand::Switch;

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn timed_subsystem(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::TimedSubsystem, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn exchange_call(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::ExchangeCall, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn operational_event(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::OperationalEvent, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn capital_check(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::CapitalCheck, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn reconciliation(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::Reconciliation, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn timed(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::Timed, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn counted(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(Attribute::Counted, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro]
pub fn metrics(declarations: TokenStream) -> TokenStream {
    let (families, errors) = family::read(declarations.into());
    let families = families.iter().map(|family| family_expand::expand(Switch::BUILT, family));
    // Bare: a family that cannot be read has no function, and nobody needs to be told so for each use.
    errors.bare().into_iter().chain(families.flatten()).collect::<proc_macro2::TokenStream>().into()
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_derive(LabelValue, attributes(label))]
pub fn label_value(item: TokenStream) -> TokenStream {
    label_value::derive(item.into()).into()
}

fn instrument(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Switch::BUILT, attribute, args.into(), &item.into()).into()
}
