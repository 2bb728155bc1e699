//! `metrics!`: what was declared, and what of it may be expanded.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Lit, LitInt, Meta, Path, Token, Type, Visibility, braced, parenthesized};

use crate::errors::{Errors, nearest};

/// A declared family.
pub(crate) struct Family {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) kind: Kind,
    pub(crate) name: Ident,
    pub(crate) labels: Vec<Label>,
    pub(crate) options: Options,
}

/// What its values mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// `name: Type`
pub(crate) struct Label {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// What may stand behind the labels.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) buckets: Option<Buckets>,
    pub(crate) objective: Option<Objective>,
    pub(crate) budget: Option<LitInt>,
    pub(crate) library: Option<Path>,
}

/// `buckets(0.1, 0.5, 1)`
pub(crate) struct Buckets {
    pub(crate) span: Span,
    pub(crate) bounds: Vec<Expr>,
}

/// `objective(threshold = 0.5, ratio = 0.99)`
pub(crate) struct Objective {
    pub(crate) threshold: Expr,
    pub(crate) ratio: Expr,
}

const KINDS: [(&str, Kind); 3] =
    [("counter", Kind::Counter), ("gauge", Kind::Gauge), ("histogram", Kind::Histogram)];

/// Every family that can be expanded, and what is wrong with the others.
pub(crate) fn read(declarations: TokenStream) -> (Vec<Family>, Errors) {
    let mut errors = Errors::default();
    let mut families = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match Family::parse(input) {
                Ok(family) if family.check(&mut errors) => families.push(family),
                Ok(_) => {}
                Err(error) => {
                    errors.ok::<()>(Err(error));
                    skip_declaration(input)?;
                }
            }
            let _: Option<Token![;]> = input.parse()?;
        }
        Ok(())
    };
    let read = read.parse2(declarations);
    errors.ok(read);
    (families, errors)
}

/// Up to where another declaration can begin: behind a semicolon, or at a doc comment or a kind.
fn skip_declaration(input: ParseStream<'_>) -> syn::Result<()> {
    loop {
        if !input.is_empty() {
            input.parse::<proc_macro2::TokenTree>()?;
        }
        if input.is_empty() || input.peek(Token![;]) || input.peek(Token![#]) || begins_declaration(input) {
            return Ok(());
        }
    }
}

impl Parse for Family {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let kind = kind(input)?;
        let name = input.call(Ident::parse_any)?;
        let labels = if input.peek(syn::token::Brace) { labels(input)? } else { Vec::new() };
        let options = Options::parse(input)?;
        Ok(Self { attrs, vis, kind, name, labels, options })
    }
}

fn kind(input: ParseStream<'_>) -> syn::Result<Kind> {
    let word = input.call(Ident::parse_any)?;
    KINDS.iter().find(|(name, _)| word == name).map(|(_, kind)| *kind).ok_or_else(|| {
        let guess = nearest(&word.to_string(), KINDS.iter().map(|(name, _)| *name))
            .map(|name| format!(": did you mean `{name}`?"))
            .unwrap_or_default();
        let message =
            format!("a declaration begins with `counter`, `gauge` or `histogram`, not `{word}`{guess}");
        syn::Error::new(word.span(), message)
    })
}

fn labels(input: ParseStream<'_>) -> syn::Result<Vec<Label>> {
    let content;
    braced!(content in input);
    let label = |input: ParseStream<'_>| {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![:]>()?;
        Ok(Label { name, ty: input.parse()? })
    };
    Ok(content.parse_terminated(label, Token![,])?.into_iter().collect())
}

impl Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const KNOWN: [&str; 4] = ["buckets", "objective", "budget", "crate"];
        let mut options = Self::default();
        while input.peek(Ident::peek_any) && !begins_declaration(input) {
            let word = input.call(Ident::parse_any)?;
            let again = match word.to_string().as_str() {
                "buckets" => options.buckets.replace(Buckets::parse(&word, input)?).is_some(),
                "objective" => options.objective.replace(input.parse()?).is_some(),
                "budget" => {
                    input.parse::<Token![=]>()?;
                    options.budget.replace(input.parse()?).is_some()
                }
                "crate" => {
                    input.parse::<Token![=]>()?;
                    options.library.replace(input.parse()?).is_some()
                }
                unknown => {
                    let guess = nearest(unknown, KNOWN.into_iter())
                        .map(|name| format!("; did you mean `{name}`?"))
                        .unwrap_or_default();
                    let message =
                        format!("a metric has no option `{unknown}`{guess} known: {}", KNOWN.join(", "));
                    return Err(syn::Error::new(word.span(), message));
                }
            };
            if again {
                return Err(syn::Error::new(word.span(), format!("`{word}` stands here a second time")));
            }
        }
        Ok(options)
    }
}

/// Whether the next declaration follows, which need not be set apart by a semicolon.
fn begins_declaration(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Visibility>().is_ok_and(|vis| !matches!(vis, Visibility::Inherited))
        || ahead
            .call(Ident::parse_any)
            .is_ok_and(|word| KINDS.iter().any(|(name, _)| word == name) && ahead.peek(Ident::peek_any))
}

impl Buckets {
    fn parse(word: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let parentheses = parenthesized!(content in input);
        let bounds = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
        let span = word.span().join(parentheses.span.join()).unwrap_or_else(|| word.span());
        Ok(Self { span, bounds: bounds.into_iter().map(number).collect() })
    }
}

impl Parse for Objective {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let parentheses = parenthesized!(content in input);
        let (mut threshold, mut ratio) = (None, None);
        for meta in Punctuated::<Meta, Token![,]>::parse_terminated(&content)? {
            let value = meta.require_name_value()?;
            let place = if value.path.is_ident("threshold") {
                &mut threshold
            } else if value.path.is_ident("ratio") {
                &mut ratio
            } else {
                return Err(syn::Error::new_spanned(
                    &value.path,
                    "an objective has a `threshold` and a `ratio`",
                ));
            };
            *place = Some(number(value.value.clone()));
        }
        threshold.zip(ratio).map(|(threshold, ratio)| Self { threshold, ratio }).ok_or_else(|| {
            let message = "an objective has both: `objective(threshold = 0.5, ratio = 0.99)`";
            syn::Error::new(parentheses.span.join(), message)
        })
    }
}

/// A whole number is a number too.
fn number(expr: Expr) -> Expr {
    match &expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(whole) if whole.suffix().is_empty() => {
                let float = syn::LitFloat::new(&format!("{}.0", whole.base10_digits()), whole.span());
                syn::parse_quote!(#float)
            }
            _ => expr,
        },
        _ => expr,
    }
}

impl Family {
    /// What the grammar allows and the kind does not.
    fn check(&self, errors: &mut Errors) -> bool {
        let mut right = true;
        let mut refuse = |span: Span, message: &str| {
            errors.push(span, message);
            right = false;
        };
        match (self.kind, &self.options.buckets) {
            (Kind::Histogram, None) => {
                refuse(self.name.span(), "a histogram needs its bucket bounds: `buckets(0.1, 0.5, 1)`");
            }
            (Kind::Counter | Kind::Gauge, Some(buckets)) => {
                refuse(buckets.span, "only a histogram has buckets");
            }
            _ => {}
        }
        if self.kind != Kind::Histogram && self.options.objective.is_some() {
            refuse(
                self.name.span(),
                "only a histogram has an objective: its threshold is one of the bucket bounds",
            );
        }
        for (index, label) in self.labels.iter().enumerate() {
            if self.labels[..index].iter().any(|other| other.name == label.name) {
                refuse(label.name.span(), "this label stands here a second time");
            }
        }
        right
    }

    /// The doc comment as one line.
    pub(crate) fn help(&self) -> String {
        let lines = self.attrs.iter().filter_map(|attr| match &attr.meta {
            Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value().trim().to_owned()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        lines.collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}
