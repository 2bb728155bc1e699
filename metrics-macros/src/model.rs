//! What may be expanded: an attribute's arguments and its function, found to be right.

use std::time::Duration;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Path, parse_quote};

use crate::args::{Args, Label};
use crate::attr::{self, Attribute};
use crate::errors::Errors;
use crate::item::Function;

/// A function and how it is to be measured.
pub(crate) struct Instrumented {
    pub(crate) function: Function,
    pub(crate) site: Site,
    /// A function that tells the outcome from the returned value.
    pub(crate) classify: Option<Path>,
    /// The path of the library in the user's crate.
    pub(crate) library: Path,
    /// The module in which the label types stand.
    pub(crate) labels: Path,
}

/// What the attribute measures.
pub(crate) enum Site {
    Subsystem { subsystem: Label, every: Option<Duration>, max_age: Option<Duration> },
    Exchange { exchange: Option<Label>, operation: Label },
}

impl Instrumented {
    pub(crate) fn new(attribute: Attribute, args: TokenStream, item: TokenStream) -> Result<Self, Errors> {
        let mut errors = Errors::default();
        let args = Args::read(attribute, args, &mut errors);
        let function = function(attribute, item, &mut errors);
        let instrumented = site(attribute, &args).zip(function).map(|(site, function)| Self {
            function,
            site,
            classify: args.path(attr::CLASSIFY).cloned(),
            library: args.path(attr::CRATE).cloned().unwrap_or_else(|| parse_quote!(::bot_metrics)),
            labels: args.path(attr::LABELS).cloned().unwrap_or_else(|| parse_quote!(labels)),
        });
        errors.check(instrumented)
    }
}

fn site(attribute: Attribute, args: &Args) -> Option<Site> {
    match attribute {
        Attribute::TimedSubsystem => Some(Site::Subsystem {
            subsystem: args.label(attr::SUBSYSTEM)?.clone(),
            every: args.duration(attr::EVERY),
            max_age: args.duration(attr::MAX_AGE),
        }),
        Attribute::ExchangeCall => Some(Site::Exchange {
            exchange: args.label(attr::EXCHANGE).cloned(),
            operation: args.label(attr::OP)?.clone(),
        }),
    }
}

fn function(attribute: Attribute, item: TokenStream, errors: &mut Errors) -> Option<Function> {
    let keyword = keyword(&item);
    let Ok(function) = syn::parse2::<Function>(item) else {
        let name = attribute.name();
        let message = format!("{name} measures functions and methods with a body: put it over one");
        errors.push(keyword, message);
        return None;
    };
    if let Some(constness) = &function.sig.constness {
        let message = format!("a const fn cannot be measured: remove `const` or {}", attribute.name());
        errors.push(constness.span, message);
        return None;
    }
    Some(function)
}

/// The word that says what kind of item it is, for messages about the item as a whole.
fn keyword(item: &TokenStream) -> Span {
    const KEYWORDS: [&str; 12] = [
        "fn",
        "struct",
        "enum",
        "union",
        "trait",
        "impl",
        "mod",
        "static",
        "const",
        "type",
        "use",
        "macro_rules",
    ];
    let words = item.clone().into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    });
    words.into_iter().find(|word| KEYWORDS.iter().any(|keyword| word == keyword)).map_or_else(
        || quote!(#item).into_iter().next().map_or_else(Span::call_site, |token| token.span()),
        |word| word.span(),
    )
}
