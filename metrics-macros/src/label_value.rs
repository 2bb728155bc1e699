//! `#[derive(LabelValue)]`: a fieldless enum as a closed set of label values.

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Fields, Path, Variant, parse_quote};

use crate::errors::Errors;
use crate::label_case::{Case, words};
use crate::label_options::{Options, own_text};
use crate::text_key::table;

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    // As far as it can be made it is, whatever is wrong: no second error says of each use that it is missing.
    let set = LabelSet::new(&input, &mut errors).map(|set| set.expand(&input)).unwrap_or_default();
    let errors = errors.apart();
    quote!(#errors #set)
}

/// More values than this are no closed set, and each is a series.
const MOST_VALUES: usize = 1_000;

/// Longer texts are no names: each series carries them to every place that stores it.
const LONGEST: usize = 128;

/// What the values beyond an open label's bound are recorded under.
const OVERFLOW: &str = "other";

/// What may be expanded.
struct LabelSet {
    name: String,
    variants: Vec<Ident>,
    values: Vec<String>,
    library: Path,
}

impl LabelSet {
    fn new(input: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let options = Options::read(&input.attrs, errors);
        let variants = variants(input, errors)?;
        Some(Self {
            name: options.name.unwrap_or_else(|| words(&input.ident.to_string()).join(" ")),
            variants: variants.iter().map(|variant| variant.ident.clone()).collect(),
            values: values(&variants, options.case, errors),
            library: options.library.unwrap_or_else(|| parse_quote!(::bot_metrics)),
        })
    }

    fn expand(&self, input: &DeriveInput) -> TokenStream {
        let Self { name, variants, values, library } = self;
        let ident = &input.ident;
        let ident_text = ident.to_string();
        let keys = table(values).into_iter().map(|[low, high]| quote!([#low, #high]));
        quote! {
            #[automatically_derived]
            impl #library::__private::Derived for #ident {}

            #[automatically_derived]
            impl #library::LabelValue for #ident {
                const NAME: &'static str = #name;
                const VALUES: &'static [&'static str] = &[#(#values),*];
                const KEYS: &'static [[u128; 2]] = &[#(#keys),*];
                const PATH: &'static str = #library::__private::concat!(
                    #library::__private::module_path!(), "::", #ident_text
                );

                fn index(self) -> usize {
                    self as usize
                }
            }

            // A value that is only named by literals is constructed nowhere; it is in use all the same.
            const _: &[#ident] = &[#(#ident::#variants),*];
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
        if !matches!(variant.fields, Fields::Unit) {
            let message = "a label value has no data: each combination would be a series";
            errors.push_over(&variant.fields, message);
        } else if let Some((_, discriminant)) = &variant.discriminant {
            errors.push_over(discriminant, "a label value has no number of its own: leave it out");
        }
    }
    let plain = variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
    (plain && input.generics.params.is_empty() && !variants.is_empty()).then_some(variants)
}

/// Each variant's text; what cannot be one is reported.
fn values(variants: &[&Variant], case: Case, errors: &mut Errors) -> Vec<String> {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut values = Vec::new();
    for variant in variants {
        let (value, span) = value(variant, case, errors);
        if let Err(message) = check(&value) {
            errors.push(span, message);
        } else if let Some(other) = seen.insert(value.clone(), variant.ident.to_string()) {
            let message =
                format!("{value:?} is the text of `{other}` already: two variants would be one series");
            errors.push(span, message);
        }
        values.push(value);
    }
    values
}

fn value(variant: &Variant, case: Case, errors: &mut Errors) -> (String, Span) {
    match own_text(variant, errors) {
        Some(text) => (text.value(), text.span()),
        None => (case.spell(&variant.ident.to_string()), variant.ident.span()),
    }
}

/// What a text must be that stands in expositions, queries and alerts.
fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a label value is not empty: Prometheus takes an empty label for none".to_owned());
    }
    if text.trim() != text {
        return Err("a label value has no blanks around it: nobody would see them".to_owned());
    }
    if let Some(hidden) = text.chars().find(|character| is_hidden(*character)) {
        return Err(format!(
            "a label value has no characters that nobody sees: this one has {:?}",
            hidden.to_string()
        ));
    }
    if text.len() > LONGEST {
        return Err(format!("a label value has at most {LONGEST} bytes, not {}", text.len()));
    }
    if text == OVERFLOW {
        return Err(format!(
            "{OVERFLOW:?} is what the values beyond an open label's bound are recorded under: say what it stands for, \
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
