//! Tokens. Nothing is decided here that could be wrong.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Path, ReturnType};

use crate::args::Label;
use crate::item::Function;
use crate::model::{Instrumented, Site};

pub(crate) fn expand(instrumented: Instrumented) -> TokenStream {
    let Instrumented { function, site, classify, library, labels } = instrumented;
    let context = Context { private: quote!(#library::__private), labels };
    let start = context.start(&function, &site);
    let body = if function.sig.asyncness.is_some() {
        context.asynchronous(&function, &start, classify.as_ref())
    } else if classify.is_some() || function.may_fail() {
        context.judged(&function, &start, classify.as_ref())
    } else {
        context.returned(&function, &start)
    };
    let head = function.head();
    let body = braced(body, function.body.span());
    quote!(#head #body)
}

/// How a guard is made: indices that are evaluated first, and an expression that uses them.
struct Start {
    indices: TokenStream,
    guard: TokenStream,
}

struct Context {
    private: TokenStream,
    labels: Path,
}

impl Context {
    fn judged(&self, function: &Function, start: &Start, classify: Option<&Path>) -> TokenStream {
        let (private, Start { indices, guard }) = (&self.private, start);
        let (body, judge) = (&function.body, self.judge(classify));
        let output = match &function.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(arrow, ty) => Some(quote!(#arrow #ty)),
        };
        quote! {
            #indices
            #private::call(#guard, move || #output #body, #judge)
        }
    }

    fn returned(&self, function: &Function, start: &Start) -> TokenStream {
        let (private, Start { indices, guard }) = (&self.private, start);
        let body = &function.body;
        quote! {
            #indices
            let _guard = #private::returned(#guard);
            #body
        }
    }

    fn asynchronous(&self, function: &Function, start: &Start, classify: Option<&Path>) -> TokenStream {
        let (private, Start { indices, guard }) = (&self.private, start);
        let judge = self.judge(classify);
        // A return that never runs tells inference inside the block what the signature tells it in the plain function.
        let edge = match &function.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(quote!(if false { return #private::never::<#ty>(); })),
        };
        let statements = function.body.stream();
        let body = braced(quote!(#edge #statements), function.body.span());
        quote! {
            #indices
            #private::future(move || #guard, async move #body, #judge).await
        }
    }

    /// Tells the outcome from a reference to the value.
    fn judge(&self, classify: Option<&Path>) -> TokenStream {
        let private = &self.private;
        if let Some(classify) = classify {
            return quote!(|value| #private::Outcome::from(#classify(value)));
        }
        quote! {
            |value| {
                use #private::{Classified as _, Fallible as _, Infallible as _};
                (&&&#private::Probe(value)).outcome()
            }
        }
    }

    fn start(&self, function: &Function, site: &Site) -> Start {
        let private = &self.private;
        match site {
            Site::Subsystem { subsystem, every, max_age } => {
                let subsystem = self.choice("Subsystem", Some(subsystem));
                let every = every.map(|every| {
                    let nanoseconds = nanoseconds(every);
                    quote!(.every(#private::Duration::from_nanos(#nanoseconds)))
                });
                let max_age = max_age.map(|max_age| {
                    let nanoseconds = nanoseconds(max_age);
                    quote!(.max_age(#private::Duration::from_nanos(#nanoseconds)))
                });
                let choice = &subsystem.value;
                let new = quote!(#private::SubsystemSite::new(#choice, &CELLS) #every #max_age);
                self.site(function, &quote!(Subsystem), &[subsystem], &new)
            }
            Site::Exchange { exchange, operation } => {
                let exchange = self.choice("Exchange", exchange.as_ref());
                let operation = self.choice("Operation", Some(operation));
                let (exchanges, operations) = (&exchange.value, &operation.value);
                let new = quote!(#private::ExchangeSite::new(#exchanges, #operations, &CELLS));
                self.site(function, &quote!(Exchange), &[exchange, operation], &new)
            }
        }
    }

    /// The call site's statics, inside an expression block so that an attribute can stand twice.
    fn site(&self, function: &Function, kind: &TokenStream, choices: &[Choice], new: &TokenStream) -> Start {
        let private = &self.private;
        let name = syn::ext::IdentExt::unraw(&function.sig.ident).to_string();
        let site = quote::format_ident!("{kind}Site", kind = kind.to_string());
        let slots = quote::format_ident!("{kind}Slots", kind = kind.to_string());
        let checks = choices.iter().filter_map(|choice| choice.check.as_ref());
        let counts = choices.iter().map(|choice| &choice.count);
        let bindings = choices.iter().filter_map(|choice| choice.binding.as_ref());
        let indices = choices.iter().map(|choice| &choice.index);
        let guard = quote! {
            {
                #(#checks)*
                const CHOICES: usize = 1 #(* #counts)*;
                static CELLS: [#private::SlotCell<#private::#slots>; CHOICES] = #private::slot_cells();
                static SITE: #private::#site = #new;
                #[#private::linkme::distributed_slice(#private::CALL_SITES)]
                #[linkme(crate = #private::linkme)]
                static LINK: #private::CallSite = #private::CallSite {
                    function: #name,
                    module: #private::module_path!(),
                    file: #private::file!(),
                    line: #private::line!(),
                    target: #private::Target::#kind(&SITE),
                };
                &SITE
            }.start(#(#indices),*)
        };
        Start { indices: quote!(#(#bindings)*), guard }
    }

    fn choice(&self, label: &str, written: Option<&Label>) -> Choice {
        let (private, labels) = (&self.private, &self.labels);
        let label = syn::Ident::new(label, Span::call_site());
        let fixed = |text| Choice {
            check: None,
            value: quote!(#private::Choice::Fixed(#text)),
            count: quote!(1),
            binding: None,
            index: quote!(0),
        };
        match written {
            None => Choice {
                check: None,
                value: quote!(#private::Choice::FromSettings),
                count: quote!(1),
                binding: None,
                index: quote!(0),
            },
            // The whole call stands at the literal, so that its panic points there and nowhere else.
            Some(Label::Text(text)) => {
                let span = Span::call_site().located_at(text.span());
                let private = located(private, span);
                let labels = located(&quote!(#labels), span);
                let constant = quote::format_ident!("{}", label.to_string().to_uppercase(), span = span);
                Choice {
                    check: Some(quote_spanned! {span=>
                        const #constant: &'static str = #private::text_of::<#labels::#label>(#text);
                    }),
                    ..fixed(quote!(#constant))
                }
            }
            Some(Label::Variant(path)) => {
                let span = Span::call_site().located_at(path.span());
                fixed(quote_spanned!(span=> {
                    const VALUE: #labels::#label = #path;
                    <#labels::#label as #private::LabelValue>::VALUES[VALUE as usize]
                }))
            }
            Some(Label::Expression(expr)) => {
                let span = Span::call_site().located_at(expr.span());
                let index = quote::format_ident!(
                    "{}_index",
                    label.to_string().to_lowercase(),
                    span = Span::mixed_site()
                );
                let values = quote_spanned!(span=> <#labels::#label as #private::LabelValue>::VALUES);
                Choice {
                    check: None,
                    value: quote!(#private::Choice::Any(#values)),
                    count: quote!(#values.len()),
                    binding: Some(quote_spanned!(span=>
                        let #index = <#labels::#label as #private::LabelValue>::index(#expr);
                    )),
                    index: quote!(#index),
                }
            }
        }
    }
}

/// What a label contributes to its site.
struct Choice {
    /// A constant that does not evaluate where the label is wrong.
    check: Option<TokenStream>,
    /// What the site knows of it.
    value: TokenStream,
    /// How many values it can have.
    count: TokenStream,
    /// Where it varies: the statement that finds out which.
    binding: Option<TokenStream>,
    /// Which of its values it has.
    index: TokenStream,
}

/// A block with the user's braces: others would move the errors that rustc reports at a body's end.
fn braced(body: TokenStream, span: Span) -> Group {
    let mut braces = Group::new(Delimiter::Brace, body);
    braces.set_span(span);
    braces
}

/// `tokens` resolved as before, but standing at `span` for messages.
fn located(tokens: &TokenStream, span: Span) -> TokenStream {
    let token = |mut token: proc_macro2::TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.clone().into_iter().map(token).collect()
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    // The longest that can be written is a year.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
