//! The attributes, the derive and the declaring macro of `bot-metrics`, which documents them where it exports them.
//!
//! Every mistake of a macro's user is reported at once, and the item is kept whatever is wrong with its attribute.
//!
//! - `instrument`: the attributes over functions, from their arguments to their expansion
//! - `family`: `metrics!`
//! - `function`: functions, their signatures and bodies
//! - `grammar`: the keys of the attributes and their values
//! - `label_value`: `#[derive(LabelValue)]`
//! - `library`: the paths of the library in an expansion
//! - `tokens`, `spans` and `errors`: searching tokens, placing them, and reporting mistakes

use proc_macro::TokenStream;

#[cfg(test)]
mod documented;
mod errors;
mod family;
mod function;
mod grammar;
mod instrument;
mod label_value;
mod library;
mod spans;
mod tokens;

use grammar::attribute::Attribute;
use library::Switch;

#[doc(alias = "instrument")]
#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn timed_subsystem(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::TimedSubsystem, args, item)
}

#[doc(alias = "instrument")]
#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn exchange_call(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::ExchangeCall, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn operational_event(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::OperationalEvent, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn capital_check(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::CapitalCheck, args, item)
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn reconciliation(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::Reconciliation, args, item)
}

#[doc(alias = "instrument")]
#[doc(alias = "time")]
#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn timed(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::Timed, args, item)
}

#[doc(alias = "instrument")]
#[doc(alias = "count")]
#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_attribute]
pub fn counted(args: TokenStream, item: TokenStream) -> TokenStream {
    measure(Attribute::Counted, args, item)
}

#[doc(alias = "register_counter")]
#[doc(alias = "register_gauge")]
#[doc(alias = "register_histogram")]
#[doc(alias = "with_label_values")]
#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro]
pub fn metrics(declarations: TokenStream) -> TokenStream {
    family::metrics(Switch::BUILT, declarations.into()).into()
}

#[expect(missing_docs, reason = "documented at the re-export")]
#[proc_macro_derive(LabelValue, attributes(label))]
pub fn label_value(item: TokenStream) -> TokenStream {
    label_value::derive(item.into()).into()
}

/// Defines the constants of the library's type `On`, from the words of the key `on`.
#[doc(hidden)]
#[proc_macro]
pub fn __on_constants(_: TokenStream) -> TokenStream {
    grammar::outcome_words::constants().into()
}

fn measure(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::expand::attribute(Switch::BUILT, attribute, args.into(), &item.into()).into()
}
