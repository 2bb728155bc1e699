//! The attributes of `bot-metrics`; their documentation stands where that crate exports them.
//!
//! An attribute takes this way: `args` reads what was written by the table in `attr`, `item` reads the
//! function, `model` makes of both what may be expanded, `expand` turns that into tokens. Every mistake found on
//! the way is reported at once, and the function is kept whatever is wrong.

use proc_macro::TokenStream;

mod args;
mod attr;
mod errors;
mod expand;
mod item;
mod label_value;
mod model;

use attr::Attribute;

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
#[proc_macro_derive(LabelValue, attributes(label))]
pub fn label_value(item: TokenStream) -> TokenStream {
    label_value::derive(item.into()).into()
}

fn instrument(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    match model::Instrumented::new(attribute, args.into(), item.clone()) {
        Ok(instrumented) => expand::expand(instrumented),
        Err(errors) => errors.beside(&item),
    }
    .into()
}
