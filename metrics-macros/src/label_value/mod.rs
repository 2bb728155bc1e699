//! `#[derive(LabelValue)]`: an enum as a closed set of label values, one for each variant. A variant that holds a value of
//! another set adds all values of that set.

pub(crate) mod case;
pub(crate) mod key;
pub(crate) mod options;

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields, Path, Type, Variant};

use self::case::{Case, words};
use self::key::table;
use self::options::{EnumOptions, VariantLabel};
use crate::errors::Errors;
use crate::library::{self, Private};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    // The set is expanded as far as possible whatever is wrong, so that its uses are not errors too.
    let set = LabelSet::new(&input, &mut errors).map(|set| set.expand(&input)).unwrap_or_default();
    let errors = errors.apart();
    quote!(#errors #set)
}

/// Each value is a series; a set with more of them is not a closed set.
const MOST_VALUES: usize = 1_000;

/// Every store of a series keeps the text; a longer one is not a name.
const LONGEST: usize = 128;

/// The value of an open label's series over the bound.
const OVERFLOW: &str = "other";

/// A set without mistakes.
struct LabelSet {
    name: String,
    members: Vec<SetMember>,
    library: Path,
}

/// A variant and its values.
struct SetMember {
    variant: Ident,
    values: Values,
}

enum Values {
    /// One text, and its span.
    Own(String, Span),
    /// All values of another set; the variant holds one of them.
    Of(Box<Type>),
}

/// The code that differs between a set whose values are known here and one that extends others.
struct SetCode {
    /// The constants of the trait.
    constants: TokenStream,
    /// The position of the value `self`.
    position: TokenStream,
    /// Items beside the impls.
    beside: TokenStream,
}

impl LabelSet {
    fn new(input: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let options = EnumOptions::read(&input.attrs, errors);
        let variants = variants(input, errors)?;
        Some(Self {
            name: options.name.unwrap_or_else(|| words(&input.ident.to_string()).join(" ")),
            members: members(&variants, options.case, errors)?,
            library: library::path(options.library),
        })
    }

    fn expand(&self, input: &DeriveInput) -> TokenStream {
        let Self { name, library, .. } = self;
        let ident = &input.ident;
        let ident_text = ident.to_string();
        let extends = self.members.iter().any(|member| matches!(member.values, Values::Of(_)));
        let SetCode { constants, position, beside } =
            if extends { self.extended(ident) } else { self.known(ident) };
        quote! {
            #[automatically_derived]
            impl #library::__private::Derived for #ident {}

            #[automatically_derived]
            impl #library::LabelValue for #ident {
                const NAME: &'static str = #name;
                #constants
                const PATH: &'static str = #library::__private::concat!(
                    #library::__private::module_path!(), "::", #ident_text
                );

                fn index(self) -> usize {
                    self.__bot_metrics_position().index()
                }
            }

            #[automatically_derived]
            impl #ident {
                #[doc(hidden)]
                pub const fn __bot_metrics_position(self) -> #library::__private::Position<Self> {
                    #library::__private::Position::new(#position)
                }
            }

            #beside
        }
    }

    /// For a set whose values are all known here.
    fn known(&self, ident: &Ident) -> SetCode {
        let variants = self.members.iter().map(|member| &member.variant);
        let values = self.members.iter().filter_map(|member| match &member.values {
            Values::Own(text, _) => Some(text.clone()),
            Values::Of(_) => None,
        });
        let values: Vec<_> = values.collect();
        let keys = table(&values).into_iter().map(|[low, high]| quote!([#low, #high]));
        SetCode {
            constants: quote! {
                const VALUES: &'static [&'static str] = &[#(#values),*];
                const KEYS: &'static [[u128; 2]] = &[#(#keys),*];
            },
            position: quote!(self as usize),
            // A variant that is only named by literals is never constructed, but it is used.
            beside: quote!(const _: &[#ident] = &[#(#ident::#variants),*];),
        }
    }

    /// For a set that extends others: the compiler concatenates their values.
    fn extended(&self, ident: &Ident) -> SetCode {
        let library = &self.library;
        let private = Private::of(Some(library));
        let sets = self.members.iter().map(|SetMember { values, .. }| match values {
            Values::Own(text, _) => quote!(&[#text]),
            Values::Of(ty) => quote_spanned!(ty.span()=> <#ty as #library::LabelValue>::VALUES),
        });
        let positions = self.members.iter().enumerate().map(|(index, SetMember { variant, values })| {
            let before = quote!(#private::values_before(Self::__BOT_METRICS_SETS, #index));
            match values {
                Values::Own(..) => quote!(Self::#variant => #before),
                Values::Of(_) => {
                    quote!(Self::#variant(value) => #before + value.__bot_metrics_position().index())
                }
            }
        });
        let others: Vec<usize> = (0..self.members.len())
            .filter(|index| matches!(self.members[*index].values, Values::Of(_)))
            .collect();
        let checks = self.members.iter().enumerate().map(|(index, SetMember { variant, values })| {
            let (span, is_own, used) = match values {
                Values::Own(_, span) => (*span, true, quote!(const _: #ident = #ident::#variant;)),
                Values::Of(ty) => (ty.span(), false, quote!(const _: fn(#ty) -> #ident = #ident::#variant;)),
            };
            let span = Span::call_site().located_at(span);
            let private = private.at(span);
            let others = others.iter().filter(|other| is_own || **other < index);
            let sets = quote_spanned!(span=> #ident::__BOT_METRICS_SETS);
            quote_spanned! {span=>
                #used
                #(const _: () = #private::require_disjoint(#sets[#index], #sets[#others]);)*
            }
        });
        SetCode {
            constants: quote! {
                const VALUES: &'static [&'static str] = &#private::concatenated::<{
                    #private::values_before(#ident::__BOT_METRICS_SETS, usize::MAX)
                }>(#ident::__BOT_METRICS_SETS);
            },
            position: quote!(match self { #(#positions),* }),
            beside: quote! {
                #[automatically_derived]
                impl #ident {
                    #[doc(hidden)]
                    const __BOT_METRICS_SETS: &'static [&'static [&'static str]] = &[#(#sets),*];
                }

                #(#checks)*
            },
        }
    }
}

/// The variants, if an enum of them can be a set of label values.
fn variants<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<Vec<&'a Variant>> {
    let Data::Enum(data) = &input.data else {
        errors.push(input.ident.span(), "a set of label values is an enum without data, one variant a value");
        return None;
    };
    if !input.generics.params.is_empty() {
        errors.push_over(&input.generics.params, "a set of label values has no generic parameters");
    }
    let variants: Vec<_> = data.variants.iter().collect();
    if variants.is_empty() || variants.len() > MOST_VALUES {
        let message = format!("a set of label values has 1 to {MOST_VALUES} values, not {}", variants.len());
        errors.push(input.ident.span(), message);
    }
    for variant in &variants {
        if let Some((_, discriminant)) = &variant.discriminant {
            errors.push_over(discriminant, "a label value has no number of its own: leave it out");
        }
    }
    (input.generics.params.is_empty() && !variants.is_empty()).then_some(variants)
}

/// The values of each variant, if all have a valid shape. Mistakes are reported.
fn members(variants: &[&Variant], case: Case, errors: &mut Errors) -> Option<Vec<SetMember>> {
    let mut seen: HashMap<String, String> = HashMap::new();
    let members: Vec<_> = variants
        .iter()
        .map(|variant| {
            let values = values(variant, case, errors)?;
            if let Values::Own(text, span) = &values {
                if let Err(message) = check(text) {
                    errors.push(*span, message);
                } else if let Some(other) = seen.insert(text.clone(), variant.ident.to_string()) {
                    let message = format!(
                        "{text:?} is the text of `{other}` already: two variants would be one series"
                    );
                    errors.push(*span, message);
                }
            }
            Some(SetMember { variant: variant.ident.clone(), values })
        })
        .collect();
    members.into_iter().collect()
}

fn values(variant: &Variant, case: Case, errors: &mut Errors) -> Option<Values> {
    let written = VariantLabel::over(variant, errors);
    let held = match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    };
    match (written, &variant.fields, held) {
        (VariantLabel::Extends(_), _, Some(field)) => Some(Values::Of(Box::new(field.ty.clone()))),
        (VariantLabel::Extends(over), ..) => {
            let message = format!(
                "write `extends` over a variant that holds a value of the set to extend: \
                 `{}(bot_metrics::labels::Operation)`",
                variant.ident
            );
            errors.push(over, message);
            None
        }
        (VariantLabel::Text(text), Fields::Unit, _) => Some(Values::Own(text.value(), text.span())),
        (VariantLabel::Nothing, Fields::Unit, _) => {
            Some(Values::Own(case.spell(&variant.ident.to_string()), variant.ident.span()))
        }
        (VariantLabel::Text(_) | VariantLabel::Nothing, fields, held) => {
            let hint = held.map_or("", |_| "; `#[label(extends)]` adds all values of another set");
            let message = format!("a label value has no data: each combination would be a series{hint}");
            errors.push_over(fields, message);
            None
        }
    }
}

/// Checks a text that is shown in expositions, queries and alerts.
fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a label value is not empty: to Prometheus an empty label is a missing one".to_owned());
    }
    if text.trim() != text {
        return Err("a label value does not begin or end with blanks, which are invisible".to_owned());
    }
    if let Some(hidden) = text.chars().find(|character| is_hidden(*character)) {
        return Err(format!(
            "a label value has no invisible characters: this one has {:?}",
            hidden.to_string()
        ));
    }
    if text.len() > LONGEST {
        return Err(format!("a label value has at most {LONGEST} bytes, not {}", text.len()));
    }
    if text == OVERFLOW {
        return Err(format!(
            "{OVERFLOW:?} is the value for series over an open label's bound: use a name with a meaning, \
             such as \"unknown\" or \"manual\""
        ));
    }
    Ok(())
}

/// Control characters, and those that only change how the others are shown.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}
